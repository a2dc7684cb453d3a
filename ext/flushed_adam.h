/* Adam's parts with numbers below the normal range taken as zero.

   The moments of a weight whose gradient stays 0 (a relu unit that died) shrink into that range after some hundred
   steps, and there each operation costs a processor a hundred times its price. A step of such a moment is below 1e-30 of
   the learning rate. Every part sets the mode for itself, so that results do not depend on the thread that does it. */
#ifndef NNLITE_FLUSHED_ADAM_H
#define NNLITE_FLUSHED_ADAM_H

#include "adam.h"

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
    struct adam adam; /* first, so that its address is the job's */
    part_function work;
};

static void flushed_part(void *context, int part, int parts) {
    struct flushed *job = context;
    number_mode before = flush_small_numbers();
    job->work(&job->adam, part, parts);
    restore_number_mode(before);
}

/* Scales each variable's gradient, numbers [edges[2i], edges[2i + 1]), down to at most this norm. */
static inline void clip_each(const struct runtime *runtime, void *grads, const int64_t *edges, ptrdiff_t variables, double most,
                             int itemsize) {
    ptrdiff_t i;
    int64_t j;
    for (i = 0; i < variables; i++) {
        const int64_t first = edges[2 * i], last = edges[2 * i + 1];
        double norm = sqrt(sum_of_squares(runtime, (char *)grads + first * itemsize, last - first, itemsize));
        if (norm <= most) continue;
        if (itemsize == 4)
            for (j = first; j < last; j++) ((float *)grads)[j] *= (float)(most / norm);
        else
            for (j = first; j < last; j++) ((double *)grads)[j] *= most / norm;
    }
}

static inline void flushed_adam(const struct runtime *runtime, struct flushed *job, int itemsize) {
    job->work = (itemsize == 4 ? adam_float : adam_double)[runtime->level];
    runtime->run(flushed_part, job, parts_for(runtime, job->adam.size / ADAM_BLOCK, 8));
}

#endif
