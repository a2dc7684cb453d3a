/* Forward and backward passes of a whole chain of small dense layers, one call each; small convolutions may stand before.

   The layers' weights lie in one flat array and are used where they are; what a pass needs besides is one block of
   `scratch` and one of `hidden` numbers, sized by the functions below. Nothing here allocates.

     z[n, m] = bias[m] + sum over d  x[n, d] * kernel[d, m],    y = f(z)

   x (N, D) of one layer is y of the layer before; the hidden outputs lie one after the other in `hidden`. */
#ifndef NNLITE_DENSE_H
#define NNLITE_DENSE_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "threads/runtime.h"
#include "network/small_conv.h"

#define MOST_DENSE_LAYERS 16
#define MOST_LANES 16

enum dense_activation { LINEAR, RELU, SIGMOID, TANH, SOFTPLUS, SOFTMAX };

struct dense_layer {
    ptrdiff_t inputs, outputs;
    ptrdiff_t kernel, bias; /* where they begin in params and grads; bias -1: none; kernel -1: y = f(x), no weights */
    int activation;
};

struct dense_net {
    int convs, layers;
    struct small_conv conv[MOST_SMALL_CONVS];
    struct dense_layer layer[MOST_DENSE_LAYERS];
    const void *params;
    void *grads;
};

struct dense_pass {
    const struct dense_net *net;
    ptrdiff_t rows;
    const void *x; /* (N, D) of the first layer */
    void *maps;    /* outputs of the convolutions, kept from forward to backward */
    void *hidden;  /* outputs of all layers but the last */
    void *y;       /* output of the last */
    void *scratch;
    int logits;     /* leave out the last activation */
    const void *dy; /* backward only: (N, M) of the last layer */
    void *dx;       /* (N, D) of the first layer, or NULL when it is not wanted */
};

typedef void (*dense_function)(const struct dense_pass *pass);

static inline ptrdiff_t larger(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

/* Numbers in `hidden` for one row. */
static inline ptrdiff_t dense_hidden_width(const struct dense_net *net) {
    ptrdiff_t width = 0;
    int l;
    for (l = 0; l + 1 < net->layers; l++) width += net->layer[l].outputs;
    return width;
}

static inline ptrdiff_t dense_widest(const struct dense_net *net) {
    ptrdiff_t width = 0;
    int l;
    for (l = 0; l < net->layers; l++) width = larger(width, larger(net->layer[l].inputs, net->layer[l].outputs));
    return width;
}

/* Numbers in the maps of a batch: of the input and of every convolution's output, `images` at a time. */
static inline ptrdiff_t small_maps_size(const struct dense_net *net, ptrdiff_t rows, ptrdiff_t images) {
    ptrdiff_t features = net->convs ? small_conv_inputs(net->conv) : 0;
    int l;
    for (l = 0; l < net->convs; l++) features += small_conv_outputs(net->conv + l);
    return (rows + images - 1) / images * images * features;
}

static inline ptrdiff_t small_maps_widest(const struct dense_net *net) {
    ptrdiff_t width = net->convs ? small_conv_inputs(net->conv) : 0;
    int l;
    for (l = 0; l < net->convs; l++) width = larger(width, small_conv_outputs(net->conv + l));
    return width;
}

/* Numbers in `maps`: those, and the rows that the first dense layer reads. */
static inline ptrdiff_t dense_maps_size(const struct dense_net *net, ptrdiff_t rows, int itemsize) {
    return net->convs ? small_maps_size(net, rows, MOST_MAP_BYTES / itemsize) + rows * net->layer[0].inputs : 0;
}

/* The scratch block: one repacked kernel, then two gradients of a layer's output, taken in turns; with convolutions also
   the gradient of the first dense layer's rows, and two gradients of maps. */
static inline ptrdiff_t dense_packed_size(const struct dense_net *net) {
    ptrdiff_t size = 0;
    int l;
    for (l = 0; l < net->layers; l++) size = larger(size, net->layer[l].inputs * net->layer[l].outputs);
    return size + MOST_LANES * (dense_widest(net) + MOST_LANES);
}

static inline ptrdiff_t dense_scratch_size(const struct dense_net *net, ptrdiff_t rows) {
    ptrdiff_t convolutions = rows * net->layer[0].inputs + 2 * small_maps_widest(net) * MOST_MAP_BYTES / 4;
    return dense_packed_size(net) + 2 * (rows * dense_widest(net) + MOST_LANES) + (net->convs ? convolutions : 0);
}

#define KERNELS "network/passes-inl.h"
#include "simd/foreach_target.h"
#undef KERNELS

static const dense_function dense_passes[2][2][NNLITE_LEVELS] = {
    {NNLITE_TABLE(dense_forward, float), NNLITE_TABLE(dense_forward, double)},
    {NNLITE_TABLE(dense_backward, float), NNLITE_TABLE(dense_backward, double)}};

enum { FORWARD, BACKWARD };

static inline void dense_run(int direction, int itemsize, int level, const struct dense_pass *pass) {
    dense_passes[direction][itemsize == 8][level](pass);
}

#endif
