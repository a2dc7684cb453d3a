/* Convolution by Winograd's minimal filtering: fewer multiplications where a kernel spans two or three strides.

   Cut the padded image into cells of one stride, SH x SW pixels. The layer is then a convolution of stride 1 whose kernel
   has SIDE x SIDE cells, and the numbers of a cell are its channels. A tile is a square of four outputs, 2 x 2. It sees
   (SIDE+1) x (SIDE+1) cells d, and

     y = A' [ sum over a cell's numbers  (G g G') o (B' d B) ] A

   with one product at each of (SIDE+1)^2 points instead of 4 SIDE^2: 9 for 16, or 16 for 36. The products of one point over
   all tiles are a product of matrices. With the same points,

     dg = G' [ sum over tiles  (B' d B) o (A dy A') ] G

   SIDE 2:  B' = 1 -1  0   G = 1 0   A' = 1 1  0      SIDE 3:  B' = 1  0 -1  0   G =  1    0   0    A' = 1 1  1  0
                 0  1  0       1 1        0 1 -1                    0  1  1  0       1/2  1/2 1/2        0 1 -1 -1
                 0  1 -1       0 1                                  0 -1  1  0       1/2 -1/2 1/2
                                                                    0  1  0 -1        0    0   1

   S. Winograd, Arithmetic Complexity of Computations (1980); A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural
   Networks (2016). */
#ifndef NNLITE_WINOGRAD_H
#define NNLITE_WINOGRAD_H

#include "conv/geometry.h"
#include "simd/blocks.h"
#include "threads/runtime.h"

#define MOST_POINTS 16
#define LEAST_CELL 32        /* screens of few channels are often blank, and direct sums skip blank pixels */
#define LEAST_PIXELS 320     /* with fewer, transforming the weights costs more than it saves */
#define POINT_NUMBERS 1280   /* numbers of a block at one point; all points of a block fit into the second cache */
#define POINT_SIZE (POINT_NUMBERS + 16) /* distance between points, so that they do not share cache sets */
#define MOST_BLOCK_TILES (POINT_NUMBERS / LEAST_CELL)
#define MOST_TILE_GROUPS 4   /* groups of images with separate gradient sums */
#define TILE_PARTS 4         /* parts for each thread */

struct winograd {
    const struct correlation *correlation; /* one of these two */
    const struct kernel_gradient *gradient;
    struct geometry pixel, tile;           /* the pixels of y, and its tiles of four pixels */
    ptrdiff_t side, lines, cell, depth;    /* SIDE; a cell: `lines` lines of `cell` numbers, `depth` in all */
    ptrdiff_t groups;                      /* of images, with separate gradient sums */
    void *points;                          /* of the weights; for each group those of the gradient, and dbias */
    void *blocks;                          /* one block of numbers for each part */
};

static inline ptrdiff_t points_of(const struct winograd *job) { return (job->side + 1) * (job->side + 1); }
static inline ptrdiff_t point_weights(const struct winograd *job) { return points_of(job) * job->depth * job->pixel.filters; }

/* Numbers of a part's block: the points of its cells and of its sums. A part of the gradient has one row of points only. */
static inline ptrdiff_t block_size(const struct winograd *job) { return 2 * points_of(job) * POINT_SIZE; }
static inline ptrdiff_t row_block_size(const struct winograd *job) { return 2 * (job->side + 1) * POINT_SIZE; }

static inline ptrdiff_t tiles_of_block(const struct winograd *job) {
    return POINT_NUMBERS / (job->depth > job->pixel.filters ? job->depth : job->pixel.filters);
}

static inline int parts_of_tiles(const struct runtime *runtime, const struct winograd *job) {
    return parts_for(runtime, pixels_of(&job->tile) / tiles_of_block(job), TILE_PARTS);
}

static inline ptrdiff_t tile_groups(ptrdiff_t groups) { return groups < MOST_TILE_GROUPS ? groups : MOST_TILE_GROUPS; }

/* An upper bound of the workspace of a layer, in numbers: SIDE 2 has most points for its weights, SIDE 3 the largest blocks. */
static inline ptrdiff_t winograd_workspace_size(const struct runtime *runtime, ptrdiff_t groups, ptrdiff_t weights,
                                                ptrdiff_t filters) {
    const ptrdiff_t points = weights / 4 * 9, block = 2 * MOST_POINTS * POINT_SIZE;
    const ptrdiff_t sums = points + parts_for(runtime, NNLITE_MOST_PARTS, TILE_PARTS) * block;
    const ptrdiff_t gradient = tile_groups(groups) * (points + filters + block);
    return sums > gradient ? sums : gradient;
}

/* A row of B' is 1 at `first`, `sign` at `second` and zero elsewhere; a row of A is {upper, lower}. A sign of zero is multiplied
   too, so an infinite number makes more weights' gradients NaN than a direct sum does. */
static const struct { signed char first, second, sign; } cell_rows[2][4] = {
    {{0, 1, -1}, {1, 1, 0}, {1, 2, -1}}, {{0, 2, -1}, {1, 2, 1}, {2, 1, -1}, {1, 3, -1}}};
static const struct { signed char upper, lower; } slope_rows[2][4] = {
    {{1, 0}, {1, 1}, {0, -1}}, {{1, 0}, {1, 1}, {1, -1}, {0, -1}}};

/* Is this layer computed by tiles, with whole vectors of `lanes` numbers? If so, the sizes of `job` are set. */
static inline int uses_winograd(const struct geometry *at, ptrdiff_t lanes, struct winograd *job) {
    if (at->in_column < LEAST_CELL || pixels_of(at) < LEAST_PIXELS || at->height % 2 || at->width % 2) return 0;
    job->cell = at->in_column;
    job->lines = at->in_row / at->line;
    job->depth = job->lines * job->cell;
    job->side = at->run / job->cell;
    if (job->side < 2 || job->side > 3 || at->run != job->side * job->cell || at->rows != job->side * job->lines) return 0;
    if (job->cell % lanes || at->filters % lanes || job->depth % 8) return 0;
    if (job->depth > POINT_NUMBERS / 4 || at->filters > POINT_NUMBERS / 4) return 0;
    job->pixel = job->tile = *at;
    job->tile.height /= 2, job->tile.width /= 2;
    job->tile.in_row *= 2, job->tile.in_column *= 2, job->tile.out_row *= 2, job->tile.out_column *= 2;
    return 1;
}

#endif
