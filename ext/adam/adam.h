/* Adam over flat arrays, and the sum of squares that clipping by norm needs: jobs, and how they are cut into parts. */
#ifndef NNLITE_ADAM_H
#define NNLITE_ADAM_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "threads/runtime.h"

#define ADAM_BLOCK 16384 /* numbers: the fewest that justify a thread */

struct adam {
    long long size;
    void *params, *m, *v;
    const void *grads;
    double lr_t, beta1, beta2, epsilon, clip_value, scale;
};

struct squares {
    long long size;
    const void *x;
    double sums[NNLITE_MOST_PARTS]; /* one for each part */
};

#define KERNELS "adam/adam-inl.h"
#include "simd/foreach_target.h"
#undef KERNELS

static const part_function adam_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(adam_part);
static const part_function squares_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(squares_part);

static inline void adam(const struct runtime *runtime, struct adam *job, int itemsize) {
    part_function work = adam_parts[itemsize == 8][runtime->level];
    runtime->run(work, job, parts_for(runtime, job->size / ADAM_BLOCK, 8));
}

/* The parts depend on the size alone, so the sum does not depend on the number of threads. */
static inline double sum_of_squares(const struct runtime *runtime, const void *x, long long size, int itemsize) {
    struct squares job;
    part_function work = squares_parts[itemsize == 8][runtime->level];
    long long parts = size / ADAM_BLOCK;
    double sum = 0;
    int part;
    parts = parts < 1 ? 1 : parts > NNLITE_MOST_PARTS ? NNLITE_MOST_PARTS : parts;
    job.size = size;
    job.x = x;
    runtime->run(work, &job, (int)parts);
    for (part = 0; part < parts; part++) sum += job.sums[part];
    return sum;
}

#endif
