/* The three products of a Dense layer: the job, and how it is cut into parts. */
#ifndef NNLITE_LINEAR_H
#define NNLITE_LINEAR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/blocks.h"
#include "threads/runtime.h"

struct linear {
    ptrdiff_t batch, inputs, outputs;
    const void *x, *kernel, *bias; /* bias NULL: none */
    void *y;                       /* dy in the gradients */
    void *dkernel, *dbias, *dx;    /* dbias NULL: not wanted */
    void *workspace;               /* linear_workspace_size numbers, for the gradient of the input only */
    int relu;
};

#define KERNELS "linear/linear-inl.h"
#include "simd/foreach_target.h"
#undef KERNELS

static const part_function forward_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(forward_part);
static const part_function kernel_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(kernel_part);
static const part_function input_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(input_part);
static const part_function transpose_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(transpose_part);

/* Numbers of workspace: dy transposed in blocks of whole vectors, of which the widest is WIDE * 16 examples. */
static inline ptrdiff_t linear_workspace_size(ptrdiff_t batch, ptrdiff_t outputs) { return (batch + 32) * outputs; }

/* Multiplications that justify waking a thread. */
#define LINEAR_GRAIN 65536

static inline int linear_parts(const struct runtime *runtime, const struct linear *job, ptrdiff_t grains, int per_thread) {
    long long work = (long long)job->batch * job->inputs * job->outputs / LINEAR_GRAIN;
    return parts_for(runtime, work < grains ? work : grains, per_thread);
}

static inline void linear_forward(const struct runtime *runtime, struct linear *job, int itemsize) {
    int level = level_for(runtime, job->outputs, itemsize);
    runtime->run(forward_parts[itemsize == 8][level], job,
                 linear_parts(runtime, job, job->outputs / 64, 1));
}

static inline void linear_kernel_gradient(const struct runtime *runtime, struct linear *job, int itemsize) {
    int level = level_for(runtime, job->outputs, itemsize);
    runtime->run(kernel_parts[itemsize == 8][level], job,
                 linear_parts(runtime, job, job->inputs / 48, 4));
}

static inline void linear_input_gradient(const struct runtime *runtime, struct linear *job, int itemsize) {
    runtime->run(transpose_parts[itemsize == 8][runtime->level], job, 1);
    runtime->run(input_parts[itemsize == 8][runtime->level], job,
                 linear_parts(runtime, job, job->inputs / 64, 4));
}

#endif
