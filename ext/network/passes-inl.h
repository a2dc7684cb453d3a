/* The passes of network.h; compiled once for each target and type by foreach_target.h.

   The longer side of a result goes along the vectors. A result of fewer columns than a vector is computed as dot products
   (forward) or transposed (the gradient of the kernel). */

#include "network/products-inl.h"

#include "network/activations-inl.h"

#include "network/small_conv-inl.h"

#define FEW_ROWS 4 /* below that, repacking a kernel costs more than it saves */

/* y = f(x kernel + bias); the workspace holds the transposed kernel. */
static void NAME(layer_forward)(const struct network_layer *layer, const REAL *params, const REAL *x, ptrdiff_t rows,
                                int activation, REAL *y, REAL *workspace) {
    const ptrdiff_t D = layer->inputs, M = layer->outputs;
    struct NAME(product) p = {x, params + layer->kernel, layer->bias < 0 ? NULL : params + layer->bias, y, y,
                              D, 1, M, M, rows, M, D, activation == RELU ? AT_LEAST_ZERO : KEEP};
    if (layer->kernel < 0) {
        memcpy(y, x, (size_t)(rows * M) * sizeof(REAL));
        NAME(activate)(activation, y, rows, M);
        return;
    }
    if (M >= LANES) {
        NAME(product)(&p);
    } else if (D >= LANES && rows >= FEW_ROWS) {
        NAME(transpose)(p.b, M, D, M, workspace, D);
        p.b = workspace;
        p.b_row = D;
        NAME(dots)(&p);
    } else {
        NAME(thin)(&p);
    }
    if (activation != RELU) NAME(activate)(activation, y, rows, M);
}

/* dkernel (D, M) = x' dz. */
static void NAME(kernel_gradient)(const REAL *x, const REAL *dz, ptrdiff_t rows, ptrdiff_t D, ptrdiff_t M,
                                  REAL *dkernel, REAL *workspace) {
    struct NAME(product) p = {x, dz, NULL, NULL, dkernel, 1, D, M, M, D, M, rows, KEEP};
    if (M >= LANES) {
        NAME(product)(&p);
    } else if (D >= LANES) {
        struct NAME(product) turned = {dz, x, NULL, NULL, workspace, 1, M, D, D, M, D, rows, KEEP};
        NAME(product)(&turned);
        NAME(transpose)(workspace, D, M, D, dkernel, M);
    } else {
        NAME(thin)(&p);
    }
}

/* dbias (M,) = sum of the rows of dz. */
static void NAME(bias_gradient)(const REAL *dz, ptrdiff_t rows, ptrdiff_t M, REAL *dbias) {
    ptrdiff_t n, m;
    for (m = 0; m < M; m++) dbias[m] = 0;
    for (n = 0; n + 4 <= rows; n += 4, dz += 4 * M)
        for (m = 0; m < M; m++) dbias[m] += (dz[m] + dz[m + M]) + (dz[m + 2 * M] + dz[m + 3 * M]);
    for (; n < rows; n++, dz += M)
        for (m = 0; m < M; m++) dbias[m] += dz[m];
}

/* dx (N, D) = dz kernel'. With a gate (N, D), dx is 0 where the gate is not above 0. */
static void NAME(input_gradient)(const REAL *dz, const REAL *kernel, ptrdiff_t rows, ptrdiff_t D, ptrdiff_t M,
                                 const REAL *gate, REAL *dx, REAL *workspace) {
    struct NAME(product) p = {dz, kernel, NULL, gate, dx, M, 1, M, D, rows, D, M, gate ? GATED : KEEP};
    if (M >= LANES && D < LANES) {
        NAME(dots)(&p); /* the rows of the kernel are what a dot product reads */
        return;
    }
    NAME(transpose)(kernel, M, D, M, workspace, D);
    p.b = workspace;
    p.b_row = D;
    if (D >= LANES) NAME(product)(&p);
    else NAME(thin)(&p);
}

static void NAME(chain_forward)(const struct network_pass *pass) {
    const struct network *net = pass->net;
    const REAL *x = pass->x;
    REAL *y = pass->hidden, *workspace = pass->workspace;
    int l;
    for (l = 0; l < net->layers; l++) {
        const struct network_layer *layer = net->layer + l;
        int last = l + 1 == net->layers;
        if (last) y = pass->y;
        NAME(layer_forward)(layer, net->params, x, pass->rows, last && pass->logits ? LINEAR : layer->activation, y, workspace);
        x = y;
        y += pass->rows * layer->outputs;
    }
}

static void NAME(chain_backward)(const struct network_pass *pass) {
    const struct network *net = pass->net;
    const ptrdiff_t rows = pass->rows;
    REAL *grads = net->grads, *workspace = pass->workspace;
    REAL *next = workspace + network_kernel_size(net), *other = next + network_gradient_size(net, rows);
    const REAL *params = net->params, *y = pass->y, *dz = pass->dy, *x;
    const REAL *inside = (const REAL *)pass->hidden + rows * network_hidden_width(net);
    int l, passed = pass->logits; /* passed: dz has gone through the layer's activation already */
    for (l = net->layers - 1; l >= 0; l--) {
        const struct network_layer *layer = net->layer + l;
        const ptrdiff_t D = layer->inputs, M = layer->outputs;
        REAL *swap, *dx = l ? other : pass->dx;
        int gates = l && layer[-1].activation == RELU && layer->kernel >= 0;
        if (l) inside -= rows * D;
        x = l ? inside : pass->x;
        if (!passed && (layer->activation != LINEAR || layer->kernel < 0)) {
            REAL *to = layer->kernel < 0 ? dx : next;
            if (to) NAME(through_activation)(layer->activation, y, dz, to, rows, M);
            dz = to;
        } else if (layer->kernel < 0 && dx) {
            memcpy(dx, dz, (size_t)(rows * M) * sizeof(REAL));
        }
        if (layer->kernel >= 0) {
            NAME(kernel_gradient)(x, dz, rows, D, M, grads + layer->kernel, workspace);
            if (layer->bias >= 0) NAME(bias_gradient)(dz, rows, M, grads + layer->bias);
            if (dx) NAME(input_gradient)(dz, params + layer->kernel, rows, D, M, gates ? x : NULL, dx, workspace);
        }
        passed = gates;
        y = x;
        dz = dx;
        swap = next, next = other, other = swap;
    }
}

static void NAME(network_forward)(const struct network_pass *pass) {
    struct network_pass chain = *pass;
    if (pass->net->convs) {
        NAME(convolve_forward)(pass);
        chain.x = (const REAL *)pass->maps + small_maps_size(pass->net, pass->rows, IMAGES);
    }
    NAME(chain_forward)(&chain);
}

static void NAME(network_backward)(const struct network_pass *pass) {
    const struct network *net = pass->net;
    struct network_pass chain = *pass;
    REAL *drows;
    if (!net->convs) {
        NAME(chain_backward)(pass);
        return;
    }
    drows = (REAL *)pass->workspace + network_kernel_size(net) + 2 * network_gradient_size(net, pass->rows);
    chain.x = (const REAL *)pass->maps + small_maps_size(net, pass->rows, IMAGES);
    chain.dx = drows;
    NAME(chain_backward)(&chain);
    NAME(convolve_backward)(pass, drows, drows + pass->rows * net->layer[0].inputs);
}
