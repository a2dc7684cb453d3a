/* Convolution of NHWC images: which kernels a job takes, and how it is cut into parts.

   Direct sums (direct-inl.h) read the patches where they lie in the padded image; kernels of two or three strides need fewer
   multiplications by squares (winograd.h). The gradient of the input is the forward sum again, on padded dy with flipped
   weights.

   A layer with fewer filters than a vector has lanes uses the next narrower target: no kernel has tail code. */
#ifndef NNLITE_CONV_H
#define NNLITE_CONV_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "simd/blocks.h"
#include "conv/geometry.h"
#include "conv/pad.h"
#include "threads/runtime.h"
#include "conv/winograd.h"

#define PACKED_PIXELS 480 /* that many pixels are worth a copy of the weights */

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

#define KERNELS "conv/direct-inl.h"
#include "simd/foreach_target.h"
#undef KERNELS

static const part_function correlate_float[] = NNLITE_TABLE(correlate_part, float);
static const part_function correlate_double[] = NNLITE_TABLE(correlate_part, double);
static const part_function pack_float[] = NNLITE_TABLE(pack_part, float);
static const part_function pack_double[] = NNLITE_TABLE(pack_part, double);
static const part_function gradient_float[] = NNLITE_TABLE(gradient_part, float);
static const part_function gradient_double[] = NNLITE_TABLE(gradient_part, double);
static const part_function sum_float[] = NNLITE_TABLE(sum_part, float);
static const part_function sum_double[] = NNLITE_TABLE(sum_part, double);
static const part_function weight_points_float[] = NNLITE_TABLE(weight_points_part, float);
static const part_function weight_points_double[] = NNLITE_TABLE(weight_points_part, double);
static const part_function squares_float[] = NNLITE_TABLE(squares_part, float);
static const part_function squares_double[] = NNLITE_TABLE(squares_part, double);
static const part_function square_gradient_float[] = NNLITE_TABLE(square_gradient_part, float);
static const part_function square_gradient_double[] = NNLITE_TABLE(square_gradient_part, double);
static const part_function square_sums_float[] = NNLITE_TABLE(square_sums_part, float);
static const part_function square_sums_double[] = NNLITE_TABLE(square_sums_part, double);
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

static inline void correlate_squares(const struct runtime *runtime, struct winograd *job, int level, int itemsize) {
    runtime->run((itemsize == 4 ? weight_points_float : weight_points_double)[level], job,
                 parts_for(runtime, point_weights(job) / 32768, 1));
    runtime->run((itemsize == 4 ? squares_float : squares_double)[level], job, square_parts(runtime, job));
}

static inline void correlate(const struct runtime *runtime, struct correlation *job, int itemsize) {
    ptrdiff_t pixels = pixels_of(&job->at);
    int level = level_for(runtime, job->at.filters, itemsize), whole;
    struct winograd squares;
    if (has_squares(&job->at, lanes_of(level, itemsize), &squares)) {
        squares.correlation = job;
        squares.points = job->scratch;
        squares.blocks = (char *)job->scratch + point_weights(&squares) * itemsize;
        correlate_squares(runtime, &squares, level, itemsize);
        return;
    }
    job->packed = 0;
    whole = pixels < PACKED_PIXELS ? 0 : filters_of_panel[itemsize == 8][level];
    if (whole && job->at.filters > whole && job->at.filters % whole == 0) {
        job->packed = 1;
        runtime->run((itemsize == 4 ? pack_float : pack_double)[level], job,
                     parts_for(runtime, weights_of(&job->at) / 16384, 1));
    }
    runtime->run((itemsize == 4 ? correlate_float : correlate_double)[level], job, parts_for(runtime, pixels / 48, 8));
}

static inline void square_gradient(const struct runtime *runtime, struct winograd *job, int level, int itemsize) {
    runtime->run((itemsize == 4 ? square_gradient_float : square_gradient_double)[level], job,
                 (int)(job->groups * (job->side + 1)));
    runtime->run((itemsize == 4 ? square_sums_float : square_sums_double)[level], job,
                 parts_for(runtime, point_weights(job) / 32768, 1));
}

static inline void kernel_gradient(const struct runtime *runtime, struct kernel_gradient *job, int itemsize) {
    ptrdiff_t taps = job->at.rows * job->at.run;
    int level = level_for(runtime, job->at.filters, itemsize);
    part_function work = (itemsize == 4 ? gradient_float : gradient_double)[level];
    struct winograd squares;
    long long cuts;
    if (has_squares(&job->at, lanes_of(level, itemsize), &squares)) {
        squares.gradient = job;
        squares.groups = square_groups(job->groups);
        squares.points = job->scratch;
        squares.blocks = (char *)job->scratch + squares.groups * (point_weights(&squares) + job->at.filters) * itemsize;
        square_gradient(runtime, &squares, level, itemsize);
        return;
    }
    cuts = (2 * runtime->threads + job->groups - 1) / job->groups; /* of the taps of one group */
    if (cuts > taps / 24) cuts = taps / 24 ? taps / 24 : 1;
    runtime->run(work, job, (int)(job->groups * cuts));
    if (job->groups > 1)
        runtime->run((itemsize == 4 ? sum_float : sum_double)[level], job,
                     parts_for(runtime, weights_of(&job->at) / 8192, 1));
}

/* Numbers of scratch for any of a layer's jobs: `images` of `pixels` outputs, `weights` in all. The gradient of the input also
   keeps the flipped weights there. */
static inline ptrdiff_t conv_scratch(const struct runtime *runtime, ptrdiff_t images, ptrdiff_t pixels, ptrdiff_t weights,
                                     ptrdiff_t filters) {
    const ptrdiff_t groups = gradient_groups(images, pixels, weights);
    const ptrdiff_t direct = groups * (weights + filters), squares = square_scratch(runtime, groups, weights, filters);
    return weights + (direct > squares ? direct : squares);
}

#endif
