/* The loops of small_conv.h; compiled once for each target and type, included by passes-inl.h. */

#undef IMAGES
#define IMAGES (MOST_MAP_BYTES / (ptrdiff_t)sizeof(REAL)) /* numbers in a row of maps */

/* Calls tile(R, V, ...) with the constants for what is left of `filters` (R = 1..4) and of `columns` (V = 1 or 2). */
#undef WITH_ROWS
#undef WITH_TILE
#define WITH_ROWS(tile, rows, V, ...)                \
    if (rows >= 4) tile(4, V, __VA_ARGS__);          \
    else if (rows == 3) tile(3, V, __VA_ARGS__);     \
    else if (rows == 2) tile(2, V, __VA_ARGS__);     \
    else tile(1, V, __VA_ARGS__)
#define WITH_TILE(tile, rows, vectors, ...)                        \
    if (vectors >= 2) { WITH_ROWS(tile, rows, 2, __VA_ARGS__); }   \
    else { WITH_ROWS(tile, rows, 1, __VA_ARGS__); }

/* R filters of one output pixel, V vectors of images from `column` on. */
INLINE void NAME(small_forward_tile)(const int R, const int V, const struct small_conv *at, const REAL *x,
                                     const REAL *kernel, const REAL *bias, ptrdiff_t oy, ptrdiff_t ox, ptrdiff_t f,
                                     ptrdiff_t column, REAL *z) {
    const ptrdiff_t y0 = oy * at->stride_y - at->top, x0 = ox * at->stride_x - at->left, F = at->filters;
    ptrdiff_t ky, last_ky, first_kx, last_kx, t, run;
    vector sum[4][2];
    int r, v;
    taps_inside(y0, at->kernel_height, at->height, &ky, &last_ky);
    taps_inside(x0, at->kernel_width, at->width, &first_kx, &last_kx);
    run = (last_kx - first_kx) * at->channels;
    UNROLL for (r = 0; r < R; r++)
        UNROLL for (v = 0; v < V; v++) sum[r][v] = (vector){0} + (bias ? bias[f + r] : (REAL)0);
    for (; ky < last_ky; ky++) {
        const REAL *map = x + ((y0 + ky) * at->width + x0 + first_kx) * at->channels * IMAGES + column;
        const REAL *weight = kernel + (ky * at->kernel_width + first_kx) * at->channels * F + f;
        for (t = 0; t < run; t++, map += IMAGES, weight += F) {
            vector image[2];
            UNROLL for (v = 0; v < V; v++) image[v] = load(map + v * LANES);
            UNROLL for (r = 0; r < R; r++)
                UNROLL for (v = 0; v < V; v++) sum[r][v] += image[v] * weight[r];
        }
    }
    z += ((oy * at->out_width + ox) * F + f) * IMAGES + column;
    UNROLL for (r = 0; r < R; r++)
        UNROLL for (v = 0; v < V; v++)
            store(z + r * IMAGES + v * LANES, at->activation == RELU ? at_least_zero(sum[r][v]) : sum[r][v]);
}

/* z (OH*OW*F, IMAGES) of x (H*W*C, IMAGES), the first `columns` images; ReLU included. */
static void NAME(small_forward)(const struct small_conv *at, const REAL *x, const REAL *kernel, const REAL *bias,
                                ptrdiff_t columns, REAL *z) {
    ptrdiff_t oy, ox, f, column;
    for (column = 0; column < columns; column += 2 * LANES)
        for (oy = 0; oy < at->out_height; oy++)
            for (ox = 0; ox < at->out_width; ox++)
                for (f = 0; f < at->filters; f += 4) {
                    WITH_TILE(NAME(small_forward_tile), at->filters - f, (columns - column) / LANES, at, x, kernel, bias,
                              oy, ox, f, column, z)
                }
}

/* dkernel of R filters at one tap and channel: sum over pixels and images of x * dz. V vectors of images at a time. */
INLINE void NAME(small_kernel_tile)(const int R, const int V, const struct small_conv *at, const REAL *x, const REAL *dz,
                                    ptrdiff_t ky, ptrdiff_t kx, ptrdiff_t c, ptrdiff_t f, ptrdiff_t columns, int adds,
                                    REAL *dkernel) {
    const ptrdiff_t step = at->stride_x * at->channels * IMAGES, F = at->filters;
    ptrdiff_t oy, ox, first_y, last_y, first_x, last_x, column;
    vector sum[4][2], both[4];
    REAL total[4];
    int r, v;
    outputs_inside(ky, at->top, at->stride_y, at->height, at->out_height, &first_y, &last_y);
    outputs_inside(kx, at->left, at->stride_x, at->width, at->out_width, &first_x, &last_x);
    UNROLL for (r = 0; r < 4; r++)
        UNROLL for (v = 0; v < 2; v++) sum[r][v] = (vector){0};
    for (oy = first_y; oy < last_y; oy++) {
        const ptrdiff_t iy = oy * at->stride_y + ky - at->top, ix = first_x * at->stride_x + kx - at->left;
        const REAL *map = x + ((iy * at->width + ix) * at->channels + c) * IMAGES;
        const REAL *slope = dz + ((oy * at->out_width + first_x) * F + f) * IMAGES;
        for (ox = first_x; ox < last_x; ox++, map += step, slope += F * IMAGES)
            for (column = 0; column < columns; column += V * LANES)
                UNROLL for (v = 0; v < V; v++) {
                    vector image = load(map + column + v * LANES);
                    UNROLL for (r = 0; r < R; r++)
                        sum[r][v] += image * load(slope + r * IMAGES + column + v * LANES);
                }
    }
    UNROLL for (r = 0; r < 4; r++) both[r] = sum[r][0] + sum[r][1];
    NAME(add_lanes)(both, total);
    dkernel += ((ky * at->kernel_width + kx) * at->channels + c) * F + f;
    UNROLL for (r = 0; r < R; r++) dkernel[r] = adds ? dkernel[r] + total[r] : total[r];
}

/* dkernel (KH, KW, C, F), written or, with `adds`, added to. Columns beyond the images must be 0 in x and dz. */
static void NAME(small_kernel_gradient)(const struct small_conv *at, const REAL *x, const REAL *dz, ptrdiff_t columns,
                                        int adds, REAL *dkernel) {
    const int vectors = columns % (2 * LANES) ? 1 : 2;
    ptrdiff_t ky, kx, c, f;
    for (ky = 0; ky < at->kernel_height; ky++)
        for (kx = 0; kx < at->kernel_width; kx++)
            for (c = 0; c < at->channels; c++)
                for (f = 0; f < at->filters; f += 4) {
                    WITH_TILE(NAME(small_kernel_tile), at->filters - f, vectors, at, x, dz, ky, kx, c, f, columns, adds,
                              dkernel)
                }
}

/* dbias (F,), written or added to in the same way. */
static void NAME(small_bias_gradient)(const struct small_conv *at, const REAL *dz, ptrdiff_t columns, int adds,
                                      REAL *dbias) {
    const ptrdiff_t pixels = at->out_height * at->out_width, F = at->filters;
    ptrdiff_t pixel, f, column;
    for (f = 0; f < F; f++) {
        vector sum = {0};
        for (pixel = 0; pixel < pixels; pixel++)
            for (column = 0; column < columns; column += LANES) sum += load(dz + (pixel * F + f) * IMAGES + column);
        dbias[f] = (adds ? dbias[f] : 0) + NAME(sum_lanes)(sum);
    }
}

/* dx of R channels of one input pixel, V vectors of images. */
INLINE void NAME(small_input_tile)(const int R, const int V, const struct small_conv *at, const REAL *dz,
                                   const REAL *kernel, ptrdiff_t iy, ptrdiff_t ix, ptrdiff_t c, ptrdiff_t column, REAL *dx) {
    const ptrdiff_t F = at->filters;
    ptrdiff_t ky, kx, f;
    vector sum[4][2];
    int r, v;
    UNROLL for (r = 0; r < R; r++)
        UNROLL for (v = 0; v < V; v++) sum[r][v] = (vector){0};
    for (ky = 0; ky < at->kernel_height; ky++) {
        const ptrdiff_t y = iy + at->top - ky, oy = y / at->stride_y;
        if (y < 0 || y % at->stride_y || oy >= at->out_height) continue;
        for (kx = 0; kx < at->kernel_width; kx++) {
            const ptrdiff_t x = ix + at->left - kx, ox = x / at->stride_x;
            const REAL *slope = dz + (oy * at->out_width + ox) * F * IMAGES + column;
            const REAL *weight = kernel + ((ky * at->kernel_width + kx) * at->channels + c) * F;
            if (x < 0 || x % at->stride_x || ox >= at->out_width) continue;
            for (f = 0; f < F; f++, slope += IMAGES) {
                vector image[2];
                UNROLL for (v = 0; v < V; v++) image[v] = load(slope + v * LANES);
                UNROLL for (r = 0; r < R; r++)
                    UNROLL for (v = 0; v < V; v++) sum[r][v] += image[v] * weight[r * F + f];
            }
        }
    }
    dx += ((iy * at->width + ix) * at->channels + c) * IMAGES + column;
    UNROLL for (r = 0; r < R; r++)
        UNROLL for (v = 0; v < V; v++) store(dx + r * IMAGES + v * LANES, sum[r][v]);
}

/* dx (H*W*C, IMAGES) of dz (OH*OW*F, IMAGES). */
static void NAME(small_input_gradient)(const struct small_conv *at, const REAL *dz, const REAL *kernel,
                                       ptrdiff_t columns, REAL *dx) {
    ptrdiff_t iy, ix, c, column;
    for (column = 0; column < columns; column += 2 * LANES)
        for (iy = 0; iy < at->height; iy++)
            for (ix = 0; ix < at->width; ix++)
                for (c = 0; c < at->channels; c += 4) {
                    WITH_TILE(NAME(small_input_tile), at->channels - c, (columns - column) / LANES, at, dz, kernel, iy, ix,
                              c, column, dx)
                }
}

/* ---- between rows of examples and maps ---- */

/* maps (features, IMAGES) of rows (images, features); 0 in the columns from `images` to `columns`. */
static void NAME(to_maps)(const REAL *rows, ptrdiff_t images, ptrdiff_t features, ptrdiff_t columns, REAL *maps) {
    ptrdiff_t feature;
    NAME(transpose)(rows, features, images, features, maps, IMAGES);
    if (columns > images)
        for (feature = 0; feature < features; feature++)
            memset(maps + feature * IMAGES + images, 0, (size_t)(columns - images) * sizeof(REAL));
}

static void NAME(to_rows)(const REAL *maps, ptrdiff_t images, ptrdiff_t features, REAL *rows) {
    NAME(transpose)(maps, IMAGES, features, images, rows, features);
}

/* ---- all convolutions before the Dense layers ---- */

/* Fills pass->maps and the rows (N, D) that the first Dense layer reads. */
static void NAME(convolve_forward)(const struct network_pass *pass) {
    const struct network *net = pass->net;
    const REAL *params = net->params, *x = pass->x;
    REAL *maps = pass->maps, *rows = maps + small_maps_size(net, pass->rows, IMAGES);
    ptrdiff_t left, m;
    int l;
    for (left = pass->rows; left > 0; left -= IMAGES) {
        const ptrdiff_t images = left < IMAGES ? left : IMAGES, columns = (images + LANES - 1) / LANES * LANES;
        const ptrdiff_t features = small_conv_inputs(net->conv);
        NAME(to_maps)(x, images, features, columns, maps);
        x += images * features;
        for (l = 0; l < net->convs; l++) {
            const struct small_conv *at = net->conv + l;
            const ptrdiff_t outputs = small_conv_outputs(at);
            REAL *z = maps + small_conv_inputs(at) * IMAGES;
            NAME(small_forward)(at, maps, params + at->kernel, at->bias < 0 ? NULL : params + at->bias, columns, z);
            if (at->activation != RELU && at->activation != LINEAR)
                for (m = 0; m < outputs; m++) NAME(activate)(at->activation, z + m * IMAGES, 1, columns);
            maps = z;
        }
        NAME(to_rows)(maps, images, small_conv_outputs(net->conv + net->convs - 1), rows);
        rows += images * small_conv_outputs(net->conv + net->convs - 1);
        maps += small_conv_outputs(net->conv + net->convs - 1) * IMAGES;
    }
}

/* From drows (N, D), the gradient of those rows; the workspace holds two gradients of maps. */
static void NAME(convolve_backward)(const struct network_pass *pass, const REAL *drows, REAL *workspace) {
    const struct network *net = pass->net;
    const ptrdiff_t widest = small_maps_widest(net) * IMAGES, block = small_maps_size(net, 1, IMAGES);
    const REAL *params = net->params, *end = pass->maps;
    REAL *grads = net->grads, *dx = pass->dx;
    ptrdiff_t left, m;
    int l;
    for (left = pass->rows; left > 0; left -= IMAGES) {
        const ptrdiff_t images = left < IMAGES ? left : IMAGES, columns = (images + LANES - 1) / LANES * LANES;
        const ptrdiff_t features = small_conv_outputs(net->conv + net->convs - 1);
        const int adds = left != pass->rows;
        const REAL *y = (end += block) - features * IMAGES;
        REAL *dz = workspace, *other = workspace + widest, *swap;
        NAME(to_maps)(drows, images, features, columns, dz);
        drows += images * features;
        for (l = net->convs - 1; l >= 0; l--) {
            const struct small_conv *at = net->conv + l;
            const ptrdiff_t outputs = small_conv_outputs(at);
            const REAL *x = y - small_conv_inputs(at) * IMAGES;
            if (at->activation != LINEAR)
                for (m = 0; m < outputs * IMAGES; m += IMAGES)
                    NAME(through_activation)(at->activation, y + m, dz + m, dz + m, 1, columns);
            NAME(small_kernel_gradient)(at, x, dz, columns, adds, grads + at->kernel);
            if (at->bias >= 0) NAME(small_bias_gradient)(at, dz, columns, adds, grads + at->bias);
            if (l == 0 && dx == NULL) break;
            NAME(small_input_gradient)(at, dz, params + at->kernel, columns, other);
            swap = dz, dz = other, other = swap;
            y = x;
        }
        if (dx == NULL) continue;
        NAME(to_rows)(dz, images, small_conv_inputs(net->conv), dx);
        dx += images * small_conv_inputs(net->conv);
    }
}
