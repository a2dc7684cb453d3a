/* Convolution of NHWC images: the choice of kernels for a job, and how the job is cut into parts.

   Direct sums (direct-inl.h) read the patches in place, from the padded image. Kernels of two or three strides need fewer
   multiplications by Winograd's tiles (winograd.h). The gradient of the input is the forward sum again, on padded dy with
   flipped weights.

   A layer with fewer filters than a vector has lanes uses the next narrower target, so no kernel has tail code. */
#ifndef NNLITE_CONV_H
#define NNLITE_CONV_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "conv/geometry.h"
#include "conv/pad.h"
#include "conv/winograd.h"
#include "simd/blocks.h"
#include "threads/runtime.h"

#define PACKED_PIXELS 480 /* with fewer pixels, copying the weights into panels costs more than it saves */

/* A position in the list of taps: row r of the patch, number j of its run. */
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

#define KERNELS "conv/conv-inl.h"
#include "simd/foreach_target.h"
#undef KERNELS

static const part_function correlate_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(correlate_part);
static const part_function pack_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(pack_part);
static const part_function gradient_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(gradient_part);
static const part_function sum_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(sum_part);
static const part_function weight_points_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(weight_points_part);
static const part_function tiles_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(tiles_part);
static const part_function tile_gradient_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(tile_gradient_part);
static const part_function tile_sums_parts[2][NNLITE_LEVELS] = NNLITE_TABLES(tile_sums_part);
static const part_function pad_parts[3][2][NNLITE_LEVELS] = {NNLITE_TABLES(pad_bytes), NNLITE_TABLES(pad_floats),
                                                             NNLITE_TABLES(pad_doubles)};
static const int filters_of_panel[2][NNLITE_LEVELS] = NNLITE_TABLES(panel_filters);

static inline void pad_images(const struct runtime *runtime, struct padding *job, int source, int itemsize) {
    long long numbers = (long long)job->images * job->height * job->width * job->channels;
    part_function work = pad_parts[source][itemsize == 8][runtime->level];
    int parts = numbers < 16384 ? 1 : parts_for(runtime, job->images, 4);
    runtime->run(work, job, parts);
}

static inline void correlate_tiles(const struct runtime *runtime, struct winograd *job, int level, int itemsize) {
    runtime->run(weight_points_parts[itemsize == 8][level], job, parts_for(runtime, point_weights(job) / 32768, 1));
    runtime->run(tiles_parts[itemsize == 8][level], job, parts_of_tiles(runtime, job));
}

static inline void correlate(const struct runtime *runtime, struct correlation *job, int itemsize) {
    ptrdiff_t pixels = pixels_of(&job->at);
    int level = level_for(runtime, job->at.filters, itemsize), whole;
    struct winograd tiles;
    if (uses_winograd(&job->at, lanes_of(level, itemsize), &tiles)) {
        tiles.correlation = job;
        tiles.points = job->workspace;
        tiles.blocks = (char *)job->workspace + point_weights(&tiles) * itemsize;
        correlate_tiles(runtime, &tiles, level, itemsize);
        return;
    }
    job->packed = 0;
    whole = pixels < PACKED_PIXELS ? 0 : filters_of_panel[itemsize == 8][level];
    if (whole && job->at.filters > whole && job->at.filters % whole == 0) {
        job->packed = 1;
        runtime->run(pack_parts[itemsize == 8][level], job, parts_for(runtime, weights_of(&job->at) / 16384, 1));
    }
    runtime->run(correlate_parts[itemsize == 8][level], job, parts_for(runtime, pixels / 48, 8));
}

static inline void tile_gradient(const struct runtime *runtime, struct winograd *job, int level, int itemsize) {
    runtime->run(tile_gradient_parts[itemsize == 8][level], job, (int)(job->groups * (job->side + 1)));
    runtime->run(tile_sums_parts[itemsize == 8][level], job, parts_for(runtime, point_weights(job) / 32768, 1));
}

static inline void kernel_gradient(const struct runtime *runtime, struct kernel_gradient *job, int itemsize) {
    ptrdiff_t taps = job->at.rows * job->at.run;
    int level = level_for(runtime, job->at.filters, itemsize);
    part_function work = gradient_parts[itemsize == 8][level];
    struct winograd tiles;
    long long cuts;
    if (uses_winograd(&job->at, lanes_of(level, itemsize), &tiles)) {
        tiles.gradient = job;
        tiles.groups = tile_groups(job->groups);
        tiles.points = job->workspace;
        tiles.blocks = (char *)job->workspace + tiles.groups * (point_weights(&tiles) + job->at.filters) * itemsize;
        tile_gradient(runtime, &tiles, level, itemsize);
        return;
    }
    cuts = (2 * runtime->threads + job->groups - 1) / job->groups; /* of the taps of one group */
    if (cuts > taps / 24) cuts = taps / 24 ? taps / 24 : 1;
    runtime->run(work, job, (int)(job->groups * cuts));
    if (job->groups > 1)
        runtime->run(sum_parts[itemsize == 8][level], job, parts_for(runtime, weights_of(&job->at) / 8192, 1));
}

/* Numbers of workspace that suffice for each of a layer's jobs: `images` of `pixels` outputs, `weights` in all. The gradient of
   the input also keeps the flipped weights there. */
static inline ptrdiff_t conv_workspace_size(const struct runtime *runtime, ptrdiff_t images, ptrdiff_t pixels,
                                            ptrdiff_t weights, ptrdiff_t filters) {
    const ptrdiff_t groups = gradient_groups(images, pixels, weights), direct = groups * (weights + filters);
    const ptrdiff_t winograd = winograd_workspace_size(runtime, groups, weights, filters);
    return weights + (direct > winograd ? direct : winograd);
}

#endif
