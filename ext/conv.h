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

#define MOST_GROUPS 8
#define GROUP_PIXELS 128     /* least pixels of a group */
#define MOST_GROUPED 1000000 /* most numbers of all groups together */
#define PACKED_PIXELS 480    /* that many pixels are worth a copy of the weights */

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
    const void *in, *weights, *bias; /* weights: taps x filters numbers; bias NULL: none */
    void *panels;                    /* room for the weights once more, in panels */
    void *out;
    int packed; /* the weights are to be read from the panels */
    int relu;
};

struct kernel_gradient {
    struct geometry at; /* `out_...` say where the pixels of dy lie */
    const void *in, *dy;
    void *dkernel, *dbias; /* dbias NULL: not wanted */
    void *sums;            /* of more than one group: for each, taps x filters and then filters numbers */
    ptrdiff_t groups;
};

static inline ptrdiff_t weights_of(const struct geometry *at) { return at->rows * at->run * at->filters; }

/* Groups of images whose gradients are summed apart, so that threads need not all read all images. They depend on the
   shape alone, and so does the order of the sums. A group's pixels must be worth the sum of its numbers. */
static inline ptrdiff_t gradient_groups(ptrdiff_t images, ptrdiff_t pixels, ptrdiff_t weights) {
    ptrdiff_t groups = images < MOST_GROUPS ? images : MOST_GROUPS;
    if (groups > images * pixels / GROUP_PIXELS) groups = images * pixels / GROUP_PIXELS;
    if (groups > MOST_GROUPED / (weights + 1)) groups = MOST_GROUPED / (weights + 1);
    return groups < 1 ? 1 : groups;
}

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
static const part_function pack_float[] = NNLITE_TABLE(pack_part, float);
static const part_function pack_double[] = NNLITE_TABLE(pack_part, double);
static const part_function gradient_float[] = NNLITE_TABLE(gradient_part, float);
static const part_function gradient_double[] = NNLITE_TABLE(gradient_part, double);
static const part_function sum_float[] = NNLITE_TABLE(sum_part, float);
static const part_function sum_double[] = NNLITE_TABLE(sum_part, double);
static const int filters_of_panel[2][NNLITE_LEVELS] = {NNLITE_TABLE(panel_filters, float), NNLITE_TABLE(panel_filters, double)};

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
    int level = level_for(runtime, job->at.filters, itemsize), whole;
    job->packed = 0;
    whole = pixels < PACKED_PIXELS ? 0 : filters_of_panel[itemsize == 8][level];
    if (whole && job->at.filters > whole && job->at.filters % whole == 0) {
        job->packed = 1;
        runtime->run((itemsize == 4 ? pack_float : pack_double)[level], job,
                     parts_for(runtime, weights_of(&job->at) / 16384, 1));
    }
    runtime->run((itemsize == 4 ? correlate_float : correlate_double)[level], job, parts_for(runtime, pixels / 48, 8));
}

static inline void kernel_gradient(const struct runtime *runtime, struct kernel_gradient *job, int itemsize) {
    ptrdiff_t taps = job->at.rows * job->at.run;
    int level = level_for(runtime, job->at.filters, itemsize);
    part_function work = (itemsize == 4 ? gradient_float : gradient_double)[level];
    long long cuts = (2 * runtime->threads + job->groups - 1) / job->groups; /* of the taps of one group */
    if (cuts > taps / 24) cuts = taps / 24 ? taps / 24 : 1;
    runtime->run(work, job, (int)(job->groups * cuts));
    if (job->groups > 1)
        runtime->run((itemsize == 4 ? sum_float : sum_double)[level], job,
                     parts_for(runtime, weights_of(&job->at) / 8192, 1));
}

#endif
