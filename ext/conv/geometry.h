/* The layout of the pixels and taps of a convolution of NHWC images, and the jobs of its two kinds of sums.

   With channels last, the patch of an output pixel is KH runs of KW*C adjacent numbers of the padded image. The image
   itself is therefore the left factor of a matrix product, and im2col is never written:

     y[pixel, f] = bias[f] + sum over r < rows, j < run of  in[start(pixel) + r*line + j] * weights[r*run + j, f]

   with start(pixel) = n*in_image + oy*in_row + ox*in_column. The gradient of the weights sums over pixels instead of
   taps; the gradient of the input is the first sum again, on padded dy with flipped weights. */
#ifndef NNLITE_GEOMETRY_H
#define NNLITE_GEOMETRY_H

#include <stddef.h>

#define MOST_GROUPS 8
#define GROUP_PIXELS 128     /* the fewest pixels of a group */
#define MOST_GROUPED 1000000 /* the most numbers in all groups together */

/* In numbers (not bytes). */
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
    void *workspace;                 /* conv_workspace_size numbers */
    void *out;
    int packed; /* the weights are read from panels in the workspace */
    int relu;
};

struct kernel_gradient {
    struct geometry at; /* `out_...` are the steps of dy */
    const void *in, *dy;
    void *dkernel, *dbias; /* dbias NULL: not wanted */
    void *workspace;       /* conv_workspace_size numbers; direct sums use taps x filters and then filters for each group */
    ptrdiff_t groups;
};

static inline ptrdiff_t pixels_of(const struct geometry *at) { return at->images * at->height * at->width; }
static inline ptrdiff_t weights_of(const struct geometry *at) { return at->rows * at->run * at->filters; }

/* Groups of images with separate gradient sums, so that not every thread reads every image. They depend on the shape alone,
   and so does the order of the sums. A group needs enough pixels to pay for adding its sums. */
static inline ptrdiff_t gradient_groups(ptrdiff_t images, ptrdiff_t pixels, ptrdiff_t weights) {
    ptrdiff_t groups = images < MOST_GROUPS ? images : MOST_GROUPS;
    if (groups > images * pixels / GROUP_PIXELS) groups = images * pixels / GROUP_PIXELS;
    if (groups > MOST_GROUPED / (weights + 1)) groups = MOST_GROUPED / (weights + 1);
    return groups < 1 ? 1 : groups;
}

/* A position in the list of pixels (n, oy, ox). */
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

/* Lists the offsets in `in` and in `out` of `count` pixels from `walk` on, and moves the walk past them. */
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

#endif
