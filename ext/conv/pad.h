/* Copies around a convolution: images into a frame, dy through the ReLU into a frame, and flipped weights. The caller zeroes the
   frames once; nothing here writes them. */
#ifndef NNLITE_PAD_H
#define NNLITE_PAD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "threads/runtime.h"

enum pad_source { FROM_BYTES, FROM_FLOATS, FROM_DOUBLES };

struct padding {
    ptrdiff_t images, height, width, channels;          /* of the source */
    ptrdiff_t padded_height, padded_width, top, left;   /* of the target, and the place of the source in it */
    const void *from;
    const void *y; /* NULL, or shaped like the source: numbers with y <= 0 become zero */
    void *to;
    double scale;
};

struct flip {
    ptrdiff_t kernel_height, kernel_width, channels, filters, stride_y, stride_x;
    const void *kernel;
    void *flipped;
};

/* The number of kernel taps k < size with k % stride == phase, and the number in all phases before it. */
static inline ptrdiff_t phase_taps(ptrdiff_t size, ptrdiff_t stride, ptrdiff_t phase) {
    return phase < size ? (size - phase - 1) / stride + 1 : 0;
}

static inline ptrdiff_t taps_before_phase(ptrdiff_t size, ptrdiff_t stride, ptrdiff_t phase) {
    ptrdiff_t taps = 0;
    while (phase-- > 0) taps += phase_taps(size, stride, phase);
    return taps;
}

/* The start of a phase's weights in `flipped`, in taps of filters*channels numbers. */
static inline ptrdiff_t phase_start(const struct flip *job, ptrdiff_t phase_y, ptrdiff_t phase_x) {
    return taps_before_phase(job->kernel_height, job->stride_y, phase_y) * job->kernel_width +
           phase_taps(job->kernel_height, job->stride_y, phase_y) *
               taps_before_phase(job->kernel_width, job->stride_x, phase_x);
}

/* The place of tap (ky, kx) in `flipped`, in taps: within its phase both axes run backwards. */
static inline ptrdiff_t flipped_place(const struct flip *job, ptrdiff_t ky, ptrdiff_t kx) {
    ptrdiff_t phase_y = ky % job->stride_y, phase_x = kx % job->stride_x;
    ptrdiff_t rows = phase_taps(job->kernel_height, job->stride_y, phase_y);
    ptrdiff_t columns = phase_taps(job->kernel_width, job->stride_x, phase_x);
    return phase_start(job, phase_y, phase_x) + (rows - 1 - ky / job->stride_y) * columns + columns - 1 -
           kx / job->stride_x;
}

#define KERNELS "conv/flip-inl.h"
#include "simd/foreach_type.h"
#undef KERNELS

static const part_function flip_parts[] = NNLITE_TYPES(flip_part);

/* flipped[place(ky, kx), f, c] = kernel[ky, kx, c, f] */
static inline void flip_kernel(const struct runtime *runtime, struct flip *job, int itemsize) {
    ptrdiff_t taps = job->kernel_height * job->kernel_width;
    part_function work = flip_parts[itemsize == 8];
    int part;
    if (taps <= NNLITE_MOST_PARTS)
        runtime->run(work, job, (int)taps);
    else
        for (part = 0; part < taps; part++) work(job, part, (int)taps);
}

#endif
