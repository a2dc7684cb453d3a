/* The forward and the backward pass of a whole small network, one call each: convolutions if any, then Dense layers.

   The weights of all layers lie in one flat array and are used in place. A pass also needs one block of `workspace` and one
   of `hidden` numbers; the functions below give their sizes. Nothing here allocates.

     z[n, m] = bias[m] + sum over d  x[n, d] * kernel[d, m],    y = f(z)

   x (N, D) of a layer is y of the layer before. The outputs of all layers but the last follow one another in `hidden`. */
#ifndef NNLITE_NETWORK_H
#define NNLITE_NETWORK_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "network/small_conv.h"
#include "threads/runtime.h"

#define MOST_LAYERS 16
#define MOST_LANES 16

enum activation { LINEAR, RELU, SIGMOID, TANH, SOFTPLUS, SOFTMAX };

struct network_layer {
    ptrdiff_t inputs, outputs;
    ptrdiff_t kernel, bias; /* offsets in params and grads; bias -1: none; kernel -1: no weights, y = f(x) */
    int activation;
};

struct network {
    int convs, layers;
    struct small_conv conv[MOST_CONVS];
    struct network_layer layer[MOST_LAYERS];
    const void *params;
    void *grads;
};

struct network_pass {
    const struct network *net;
    ptrdiff_t rows;
    const void *x;   /* (N, D) of the first layer */
    void *maps;      /* inputs and outputs of the convolutions; forward writes them, backward reads them */
    void *hidden;    /* outputs of all layers but the last */
    void *y;         /* output of the last */
    void *workspace; /* network_workspace_size numbers */
    int logits;      /* leave out the last activation */
    const void *dy;  /* backward only: (N, M) of the last layer */
    void *dx;        /* backward only: (N, D) of the first layer; NULL: not wanted */
};

typedef void (*pass_function)(const struct network_pass *pass);

static inline ptrdiff_t larger(ptrdiff_t a, ptrdiff_t b) { return a > b ? a : b; }

/* Numbers in `hidden` for one row. */
static inline ptrdiff_t network_hidden_width(const struct network *net) {
    ptrdiff_t width = 0;
    int l;
    for (l = 0; l + 1 < net->layers; l++) width += net->layer[l].outputs;
    return width;
}

static inline ptrdiff_t network_widest(const struct network *net) {
    ptrdiff_t width = 0;
    int l;
    for (l = 0; l < net->layers; l++) width = larger(width, larger(net->layer[l].inputs, net->layer[l].outputs));
    return width;
}

/* Numbers in the maps of a batch: of the input and of every convolution's output, `images` at a time. */
static inline ptrdiff_t small_maps_size(const struct network *net, ptrdiff_t rows, ptrdiff_t images) {
    ptrdiff_t features = net->convs ? small_conv_inputs(net->conv) : 0;
    int l;
    for (l = 0; l < net->convs; l++) features += small_conv_outputs(net->conv + l);
    return (rows + images - 1) / images * images * features;
}

static inline ptrdiff_t small_maps_widest(const struct network *net) {
    ptrdiff_t width = net->convs ? small_conv_inputs(net->conv) : 0;
    int l;
    for (l = 0; l < net->convs; l++) width = larger(width, small_conv_outputs(net->conv + l));
    return width;
}

/* Numbers in `maps`: those, and the rows that the first Dense layer reads. */
static inline ptrdiff_t network_maps_size(const struct network *net, ptrdiff_t rows, int itemsize) {
    return net->convs ? small_maps_size(net, rows, MOST_MAP_BYTES / itemsize) + rows * net->layer[0].inputs : 0;
}

/* The workspace holds one transposed kernel and two gradients of a layer's output, which the layers use in turns. With
   convolutions it also holds the gradient of the first Dense layer's rows, and two gradients of maps. */
static inline ptrdiff_t network_kernel_size(const struct network *net) {
    ptrdiff_t size = 0;
    int l;
    for (l = 0; l < net->layers; l++) size = larger(size, net->layer[l].inputs * net->layer[l].outputs);
    return size + MOST_LANES * (network_widest(net) + MOST_LANES);
}

static inline ptrdiff_t network_gradient_size(const struct network *net, ptrdiff_t rows) {
    return rows * network_widest(net) + MOST_LANES;
}

static inline ptrdiff_t network_workspace_size(const struct network *net, ptrdiff_t rows) {
    ptrdiff_t convolutions = rows * net->layer[0].inputs + 2 * small_maps_widest(net) * MOST_MAP_BYTES / 4;
    return network_kernel_size(net) + 2 * network_gradient_size(net, rows) + (net->convs ? convolutions : 0);
}

#define KERNELS "network/passes-inl.h"
#include "simd/foreach_target.h"
#undef KERNELS

static const pass_function network_passes[2][2][NNLITE_LEVELS] = {NNLITE_TABLES(network_forward),
                                                                  NNLITE_TABLES(network_backward)};

enum { FORWARD, BACKWARD };

static inline void network_run(int direction, int itemsize, int level, const struct network_pass *pass) {
    network_passes[direction][itemsize == 8][level](pass);
}

#endif
