/* Convolutions of few filters, with the images of a batch side by side in the lanes of a vector.

   A layer with fewer filters and channels than a vector has lanes fills the vectors with the batch instead. IMAGES images at
   a time are transposed to maps[(y*W + x)*C + c, image]. Every weight is then one number that multiplies whole vectors:

     z[(oy*OW + ox)*F + f, :] = bias[f] + sum over ky, kx, c  x[(iy*W + ix)*C + c, :] * kernel[ky, kx, c, f],
                                iy = oy*SY + ky - top, ix = ox*SX + kx - left, taps outside the image left out */
#ifndef NNLITE_SMALL_CONV_H
#define NNLITE_SMALL_CONV_H

#include <stddef.h>

#define MOST_CONVS 8
#define MOST_MAP_BYTES 128 /* of one row of maps: two of the widest vectors */

struct small_conv {
    ptrdiff_t height, width, channels;         /* H, W, C */
    ptrdiff_t kernel_height, kernel_width, stride_y, stride_x, top, left;
    ptrdiff_t out_height, out_width, filters;  /* OH, OW, F */
    ptrdiff_t kernel, bias;                    /* offsets in params and grads; bias -1: none */
    int activation;
};

static inline ptrdiff_t small_conv_inputs(const struct small_conv *layer) {
    return layer->height * layer->width * layer->channels;
}

static inline ptrdiff_t small_conv_outputs(const struct small_conv *layer) {
    return layer->out_height * layer->out_width * layer->filters;
}

/* The taps [first, last) of a kernel side that lie inside an axis of `size`, for the patch that begins at `start`. */
static inline void taps_inside(ptrdiff_t start, ptrdiff_t taps, ptrdiff_t size, ptrdiff_t *first, ptrdiff_t *last) {
    *first = start < 0 ? -start : 0;
    *last = start + taps > size ? size - start : taps;
    if (*last < *first) *last = *first;
}

/* The outputs [first, last) of an axis whose tap `tap` lies inside the image: 0 <= o*stride + tap - before < size. */
static inline void outputs_inside(ptrdiff_t tap, ptrdiff_t before, ptrdiff_t stride, ptrdiff_t size, ptrdiff_t outputs,
                                  ptrdiff_t *first, ptrdiff_t *last) {
    ptrdiff_t offset = before - tap; /* o*stride >= offset */
    *first = offset > 0 ? (offset + stride - 1) / stride : 0;
    *last = size - 1 + offset < 0 ? 0 : (size - 1 + offset) / stride + 1;
    if (*last > outputs) *last = outputs;
    if (*last < *first) *last = *first;
}

#endif
