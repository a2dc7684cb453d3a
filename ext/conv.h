/* Direct convolution of NHWC images (implicit im2col): jobs, and how they are cut into parts.

   For channels last, the patch row of an output pixel is KH runs of KW*C adjacent numbers of the padded image, so
   the image itself is the left factor of a matrix product and im2col is never written:

     y[pixel, f] = bias[f] + sum over r < rows, j < run of  in[start(pixel) + r*line + j] * weights[r*run + j, f]

   with start(pixel) = n*in_image + oy*in_row + ox*in_column. The gradient of the weights sums over pixels instead of
   taps; the gradient of the input is the first sum again, on padded dy with flipped weights.

   A layer with fewer filters than a vector has lanes uses the next narrower target: no kernel has tail code. */
#ifndef NNLITE_CONV_H
#define NNLITE_CONV_H

#include <stddef.h>
#include <stdint.h>

#include "pad.h"
#include "blocks.h"
#include "runtime.h"

/* Where pixels and taps lie, in numbers (not bytes). */
struct geometry {
    ptrdiff_t images, height, width;         /* pixels of y */
    ptrdiff_t in_image, in_row, in_column;   /* from the patch of one pixel to the next */
    ptrdiff_t out_image, out_row, out_column;
    ptrdiff_t rows, run, line;               /* a patch: `rows` runs of `run` numbers, `line` apart */
    ptrdiff_t filters;
};

struct correlation { /* forward, and the gradient of the input */
    struct geometry at;
    const void *in, *weights, *bias; /* bias NULL: none */
    void *out;
    ptrdiff_t weights_row; /* from one tap's filters to the next tap's */
    int relu;
};

struct kernel_gradient {
    struct geometry at; /* `out_...` say where the pixels of dy lie */
    const void *in, *dy;
    void *dkernel, *dbias; /* dbias NULL: not wanted */
};

/* A place in the list of pixels (n, oy, ox). */
struct pixel_walk {
    ptrdiff_t n, y, x;
};

static inline struct pixel_walk pixel_at(const struct geometry *at, ptrdiff_t pixel) {
    struct pixel_walk walk;
    walk.x = pixel % at->width;
    walk.y = pixel / at->width % at->height;
    walk.n = pixel / at->width / at->height;
    return walk;
}

/* Where `count` pixels from `walk` on begin in `in` and in `out`; the walk is then behind them. */
static inline void pixel_places(const struct geometry *at, struct pixel_walk *walk, ptrdiff_t count, ptrdiff_t *starts,
                                ptrdiff_t *ends) {
    while (count > 0) {
        const ptrdiff_t in = walk->n * at->in_image + walk->y * at->in_row + walk->x * at->in_column;
        const ptrdiff_t out = walk->n * at->out_image + walk->y * at->out_row + walk->x * at->out_column;
        const ptrdiff_t in_row = at->width - walk->x < count ? at->width - walk->x : count;
        ptrdiff_t p;
        for (p = 0; p < in_row; p++) {
            starts[p] = in + p * at->in_column;
            ends[p] = out + p * at->out_column;
        }
        starts += in_row, ends += in_row, count -= in_row;
        walk->x += in_row;
        if (walk->x < at->width) return;
        walk->x = 0;
        if (++walk->y < at->height) continue;
        walk->y = 0;
        walk->n++;
    }
}

/* A place in the list of taps: row r of the patch, number j of its run. */
struct tap_walk {
    ptrdiff_t row, column;
};

static inline struct tap_walk tap_at(const struct geometry *at, ptrdiff_t tap) {
    struct tap_walk walk;
    walk.row = tap / at->run;
    walk.column = tap % at->run;
    return walk;
}

static inline void pass_taps(const struct geometry *at, struct tap_walk *walk, ptrdiff_t count) {
    walk->column += count;
    while (walk->column >= at->run) {
        walk->column -= at->run;
        walk->row++;
    }
}

#define KERNELS "conv_kernels.h"
#include "each_target.h"
#undef KERNELS

static const part_function correlate_float[] = NNLITE_TABLE(correlate_part, float);
static const part_function correlate_double[] = NNLITE_TABLE(correlate_part, double);
static const part_function gradient_float[] = NNLITE_TABLE(gradient_part, float);
static const part_function gradient_double[] = NNLITE_TABLE(gradient_part, double);

enum { FROM_BYTES, FROM_FLOATS, FROM_DOUBLES };

static const part_function pad_float[3][NNLITE_LEVELS] = {
    NNLITE_TABLE(pad_bytes, float), NNLITE_TABLE(pad_floats, float), NNLITE_TABLE(pad_doubles, float)};
static const part_function pad_double[3][NNLITE_LEVELS] = {
    NNLITE_TABLE(pad_bytes, double), NNLITE_TABLE(pad_floats, double), NNLITE_TABLE(pad_doubles, double)};

static inline void pad_images(const struct runtime *runtime, struct padding *job, int source, int itemsize) {
    long long numbers = (long long)job->images * job->height * job->width * job->channels;
    part_function work = (itemsize == 4 ? pad_float : pad_double)[source][runtime->level];
    int parts = numbers < 16384 ? 1 : parts_for(runtime, job->images, 4);
    runtime->run(work, job, parts);
}

static inline void correlate(const struct runtime *runtime, struct correlation *job, int itemsize) {
    ptrdiff_t pixels = job->at.images * job->at.height * job->at.width;
    int level = level_for(runtime, job->at.filters, itemsize);
    part_function work = (itemsize == 4 ? correlate_float : correlate_double)[level];
    runtime->run(work, job, parts_for(runtime, pixels / 48, 4));
}

static inline void kernel_gradient(const struct runtime *runtime, struct kernel_gradient *job, int itemsize) {
    ptrdiff_t taps = job->at.rows * job->at.run;
    int level = level_for(runtime, job->at.filters, itemsize);
    part_function work = (itemsize == 4 ? gradient_float : gradient_double)[level];
    runtime->run(work, job, parts_for(runtime, taps / 24, 4));
}

#endif
