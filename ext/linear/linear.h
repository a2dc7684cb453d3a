/* Products of a dense layer: jobs, and how they are cut into parts. */
#ifndef NNLITE_GEMM_H
#define NNLITE_GEMM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/blocks.h"
#include "threads/runtime.h"

struct dense {
    ptrdiff_t batch, inputs, outputs;
    const void *x, *kernel, *bias; /* bias NULL: none */
    void *y;                       /* dy where a gradient is asked for */
    void *dkernel, *dbias, *dx;    /* dbias NULL: not wanted */
    void *scratch;                 /* (batch + 32)*outputs numbers for the gradient of the input */
    int relu;
};

#define KERNELS "linear/linear-inl.h"
#include "simd/foreach_target.h"
#undef KERNELS

static const part_function forward_float[] = NNLITE_TABLE(forward_part, float);
static const part_function forward_double[] = NNLITE_TABLE(forward_part, double);
static const part_function kernel_float[] = NNLITE_TABLE(kernel_part, float);
static const part_function kernel_double[] = NNLITE_TABLE(kernel_part, double);
static const part_function input_float[] = NNLITE_TABLE(input_part, float);
static const part_function input_double[] = NNLITE_TABLE(input_part, double);
static const part_function turn_float[] = NNLITE_TABLE(turn_part, float);
static const part_function turn_double[] = NNLITE_TABLE(turn_part, double);

/* Multiplications that are worth waking a thread for. */
#define DENSE_GRAIN 65536

static inline int dense_parts(const struct runtime *runtime, const struct dense *job, ptrdiff_t grains, int per_thread) {
    long long work = (long long)job->batch * job->inputs * job->outputs / DENSE_GRAIN;
    return parts_for(runtime, work < grains ? work : grains, per_thread);
}

static inline void dense_forward(const struct runtime *runtime, struct dense *job, int itemsize) {
    int level = level_for(runtime, job->outputs, itemsize);
    runtime->run((itemsize == 4 ? forward_float : forward_double)[level], job,
                 dense_parts(runtime, job, job->outputs / 64, 1));
}

static inline void dense_kernel_gradient(const struct runtime *runtime, struct dense *job, int itemsize) {
    int level = level_for(runtime, job->outputs, itemsize);
    runtime->run((itemsize == 4 ? kernel_float : kernel_double)[level], job,
                 dense_parts(runtime, job, job->inputs / 48, 4));
}

static inline void dense_input_gradient(const struct runtime *runtime, struct dense *job, int itemsize) {
    runtime->run((itemsize == 4 ? turn_float : turn_double)[runtime->level], job, 1);
    runtime->run((itemsize == 4 ? input_float : input_double)[runtime->level], job,
                 dense_parts(runtime, job, job->inputs / 64, 4));
}

#endif
