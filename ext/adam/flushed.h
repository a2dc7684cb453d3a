/* Adam with subnormal numbers flushed to zero.

   The moments of a weight whose gradient stays 0 (a dead ReLU unit) become subnormal after some hundred steps. Each operation
   on them then costs the processor a hundred times as much, for a step below 1e-30 of the learning rate. Every part sets the
   mode itself, so results do not depend on the thread that computes it. */
#ifndef NNLITE_FLUSHED_ADAM_H
#define NNLITE_FLUSHED_ADAM_H

#include "adam/adam.h"

#if defined(__SSE2__) || defined(_M_X64)
#include <xmmintrin.h>
typedef unsigned int number_mode;
static inline number_mode flush_small_numbers(void) {
    number_mode before = _mm_getcsr();
    _mm_setcsr(before | 0x8040); /* results and operands */
    return before;
}
static inline void restore_number_mode(number_mode before) { _mm_setcsr(before); }
#elif defined(__aarch64__) && defined(__GNUC__)
typedef uint64_t number_mode;
static inline number_mode flush_small_numbers(void) {
    number_mode before;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(before));
    __asm__ __volatile__("msr fpcr, %0" : : "r"(before | (number_mode)1 << 24) : "memory");
    return before;
}
static inline void restore_number_mode(number_mode before) {
    __asm__ __volatile__("msr fpcr, %0" : : "r"(before) : "memory");
}
#else
typedef int number_mode;
static inline number_mode flush_small_numbers(void) { return 0; }
static inline void restore_number_mode(number_mode before) { (void)before; }
#endif

struct flushed {
    struct adam adam; /* first, so that its address is that of the job */
    part_function work;
};

static void flushed_part(void *context, int part, int parts) {
    struct flushed *job = context;
    number_mode before = flush_small_numbers();
    job->work(&job->adam, part, parts);
    restore_number_mode(before);
}

static inline void flushed_adam(const struct runtime *runtime, struct flushed *job, int itemsize) {
    job->work = adam_parts[itemsize == 8][runtime->level];
    runtime->run(flushed_part, job, parts_for(runtime, job->adam.size / ADAM_BLOCK, 8));
}

/* The factor that scales a norm, given as the sum of squares, down to `most`; 1 if the norm is smaller. */
static inline double down_to(double most, double squares) { return squares > most * most ? most / sqrt(squares) : 1; }

/* One step with each variable i, numbers [edges[i], edges[i + 1]) with sum squares[i], clipped to the norm `most`. Neighbours
   with the same factor are computed together. */
static inline void flushed_adam_by_variable(const struct runtime *runtime, const struct flushed *all, const int64_t *edges,
                                            const double *squares, ptrdiff_t variables, double most, int itemsize) {
    ptrdiff_t i, next;
    for (i = 0; i < variables; i = next) {
        const double factor = down_to(most, squares[i]);
        const int64_t first = edges[i] * itemsize;
        struct flushed some = *all;
        for (next = i + 1; next < variables && down_to(most, squares[next]) == factor;) next++;
        some.adam.size = edges[next] - edges[i];
        some.adam.params = (char *)all->adam.params + first;
        some.adam.m = (char *)all->adam.m + first;
        some.adam.v = (char *)all->adam.v + first;
        some.adam.grads = (const char *)all->adam.grads + first;
        some.adam.scale *= factor;
        flushed_adam(runtime, &some, itemsize);
    }
}

#endif
