/* Copies around a convolution: images into a frame, dy through the ReLU into a frame, flipped weights. Frames are zero from the
   beginning, and stay as they are. */
#ifndef NNLITE_PAD_H
#define NNLITE_PAD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "threads/runtime.h"

struct padding {
    ptrdiff_t images, height, width, channels;          /* of the source */
    ptrdiff_t padded_height, padded_width, top, left;   /* of the target, and where the source lies in it */
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

/* Kernel taps k with k % stride == phase, for a kernel of `size` taps; and those of all phases before it. */
static inline ptrdiff_t phase_taps(ptrdiff_t size, ptrdiff_t stride, ptrdiff_t phase) {
    return phase < size ? (size - phase - 1) / stride + 1 : 0;
}

static inline ptrdiff_t taps_before_phase(ptrdiff_t size, ptrdiff_t stride, ptrdiff_t phase) {
    ptrdiff_t taps = 0;
    while (phase-- > 0) taps += phase_taps(size, stride, phase);
    return taps;
}

/* Where the phase's weights begin in `flipped`, in taps of filters*channels numbers. */
static inline ptrdiff_t phase_start(const struct flip *job, ptrdiff_t phase_y, ptrdiff_t phase_x) {
    return taps_before_phase(job->kernel_height, job->stride_y, phase_y) * job->kernel_width +
           phase_taps(job->kernel_height, job->stride_y, phase_y) *
               taps_before_phase(job->kernel_width, job->stride_x, phase_x);
}

/* Where tap (ky, kx) goes, in taps: within its phase both axes run backwards. */
static inline ptrdiff_t flipped_place(const struct flip *job, ptrdiff_t ky, ptrdiff_t kx) {
    ptrdiff_t phase_y = ky % job->stride_y, phase_x = kx % job->stride_x;
    ptrdiff_t rows = phase_taps(job->kernel_height, job->stride_y, phase_y);
    ptrdiff_t columns = phase_taps(job->kernel_width, job->stride_x, phase_x);
    return phase_start(job, phase_y, phase_x) + (rows - 1 - ky / job->stride_y) * columns + columns - 1 -
           kx / job->stride_x;
}

#define FLIP_TAP(name, real)                                                                         \
    static void name(void *context, int part, int parts) {                                           \
        const struct flip *job = context;                                                            \
        const ptrdiff_t C = job->channels, F = job->filters;                                         \
        const real *from = (const real *)job->kernel + part * C * F;                                 \
        real *to = (real *)job->flipped +                                                            \
                   flipped_place(job, part / job->kernel_width, part % job->kernel_width) * C * F;   \
        ptrdiff_t c, f;                                                                              \
        (void)parts;                                                                                 \
        for (f = 0; f < F; f++)                                                                      \
            for (c = 0; c < C; c++) to[f * C + c] = from[c * F + f];                                 \
    }
FLIP_TAP(flip_tap_float, float)
FLIP_TAP(flip_tap_double, double)

/* flipped[place(ky, kx), f, c] = kernel[ky, kx, c, f] */
static inline void flip_kernel(const struct runtime *runtime, struct flip *job, int itemsize) {
    ptrdiff_t taps = job->kernel_height * job->kernel_width;
    part_function work = itemsize == 4 ? flip_tap_float : flip_tap_double;
    int part;
    if (taps <= NNLITE_MOST_PARTS)
        runtime->run(work, job, (int)taps);
    else
        for (part = 0; part < taps; part++) work(job, part, (int)taps);
}

#endif
