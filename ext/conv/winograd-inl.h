/* The loops of winograd.h; compiled once for each target and type, included by conv-inl.h. */

/* As many sums as the registers hold: TILES_V tiles, or NUMBERS numbers of a cell, times V vectors of filters. */
#undef TILES_4
#undef TILES_2
#undef TILES_1
#undef GRADIENT_WIDE
#undef NUMBERS
#if REGISTERS == 32
#define TILES_4 5
#define TILES_2 10
#define TILES_1 10
#define NUMBERS 8
#else
#define TILES_4 1
#define TILES_2 5
#define TILES_1 10
#define NUMBERS 4
#endif
#define GRADIENT_WIDE 2
#define MOST_REGISTER_TILES 10

/* ---- the transforms: along one axis, in place, of numbers `step` apart ---- */

/* B': SIDE+1 cells to SIDE+1 points. */
INLINE void NAME(cells_to_points)(const int side, vector *a, int step) {
    const vector one = a[step], two = a[2 * step];
    if (side == 2) {
        a[0] -= one;
        a[2 * step] = one - two;
    } else {
        a[0] -= two;
        a[step] = one + two;
        a[2 * step] = two - one;
        a[3 * step] = one - a[3 * step];
    }
}

/* G: SIDE weights to SIDE+1 points. */
INLINE void NAME(weights_to_points)(const int side, vector *a, int step) {
    if (side == 2) {
        a[2 * step] = a[step];
        a[step] += a[0];
    } else {
        const vector ends = (a[0] + a[2 * step]) * (REAL)0.5, middle = a[step] * (REAL)0.5;
        a[3 * step] = a[2 * step];
        a[step] = ends + middle;
        a[2 * step] = ends - middle;
    }
}

/* A': SIDE+1 points to 2 outputs. */
INLINE void NAME(points_to_outputs)(const int side, vector *a, int step) {
    const vector one = a[step], two = a[2 * step];
    if (side == 2) {
        a[0] += one;
        a[step] = one - two;
    } else {
        a[0] += one + two;
        a[step] = one - two - a[3 * step];
    }
}

/* A: 2 slopes to SIDE+1 points. */
INLINE void NAME(slopes_to_points)(const int side, vector *a, int step) {
    const vector one = a[step];
    a[side * step] = (vector){0} - one;
    if (side == 3) a[2 * step] = a[0] - one;
    a[step] = a[0] + one;
}

/* G': SIDE+1 points to the gradients of SIDE weights. */
INLINE void NAME(points_to_weights)(const int side, vector *a, int step) {
    const vector one = a[step], two = a[2 * step];
    if (side == 2) {
        a[0] += one;
        a[step] = one + two;
    } else {
        const vector half = (one + two) * (REAL)0.5;
        a[0] += half;
        a[step] = (one - two) * (REAL)0.5;
        a[2 * step] = half + a[3 * step];
    }
}

/* Along both axes: `rows` rows of a first, then `columns` columns. */
#undef BOTH_AXES
#define BOTH_AXES(transform, side, a, rows, columns)                                          \
    do {                                                                                      \
        int axis;                                                                             \
        UNROLL for (axis = 0; axis < rows; axis++) transform(side, a + axis * (side + 1), 1); \
        UNROLL for (axis = 0; axis < columns; axis++) transform(side, a + axis, side + 1);    \
    } while (0)

/* to[point, tile, number] = B' d B */
INLINE void NAME(transform_cells)(const int side, const struct winograd *job, const REAL *in, const ptrdiff_t *starts,
                                  ptrdiff_t count, REAL *to) {
    const ptrdiff_t row = job->pixel.in_row, column = job->pixel.in_column, cell = job->cell, next = job->pixel.line;
    ptrdiff_t tile, line, j;
    int y, x, p;
    for (tile = 0; tile < count; tile++)
        for (line = 0; line < job->lines; line++)
            for (j = 0; j < cell; j += LANES, to += LANES) {
                const REAL *from = in + starts[tile] + line * next + j;
                vector a[MOST_POINTS];
                UNROLL for (y = 0; y <= side; y++, from += row)
                    UNROLL for (x = 0; x <= side; x++) a[y * (side + 1) + x] = load(from + x * column);
                BOTH_AXES(NAME(cells_to_points), side, a, side + 1, side + 1);
                UNROLL for (p = 0; p < (side + 1) * (side + 1); p++) store(to + p * POINT_SIZE, a[p]);
            }
}

/* ---- forward, and the gradient of the input ---- */

INLINE int NAME(panel_vectors)(ptrdiff_t filters, int widest) {
    while (filters % (widest * LANES)) widest /= 2;
    return widest;
}

/* points[point, panel, number, filter of the panel] = G g G' */
INLINE void NAME(transform_weights)(const int side, const struct winograd *job, ptrdiff_t number) {
    const ptrdiff_t filters = job->pixel.filters, run = job->pixel.run, size = job->depth * filters;
    const ptrdiff_t width = NAME(panel_vectors)(filters, WIDE) * LANES;
    const REAL *weights = (const REAL *)job->correlation->weights + (number / job->cell * run + number % job->cell) * filters;
    REAL *points = (REAL *)job->points + number * width;
    ptrdiff_t panel, f;
    int y, x, p;
    for (panel = 0; panel < filters; panel += width)
        for (f = 0; f < width; f += LANES) {
            const REAL *from = weights + panel + f;
            REAL *to = points + panel * job->depth + f;
            vector a[MOST_POINTS];
            UNROLL for (y = 0; y < side; y++)
                UNROLL for (x = 0; x < side; x++)
                    a[y * (side + 1) + x] = load(from + (y * job->lines * run + x * job->cell) * filters);
            BOTH_AXES(NAME(weights_to_points), side, a, side, side + 1);
            UNROLL for (p = 0; p < (side + 1) * (side + 1); p++) store(to + p * size, a[p]);
        }
}

static void NAME(weight_points_part)(void *context, int part, int parts) {
    const struct winograd *job = context;
    long long number, last;
    share_of(job->depth, 1, part, parts, &number, &last);
    for (; number < last; number++) {
        if (job->side == 2) NAME(transform_weights)(2, job, number);
        else NAME(transform_weights)(3, job, number);
    }
}

/* `T` tiles times `V` vectors of filters at one point. */
INLINE void NAME(tiles_at_point)(const int T, const int V, const REAL *cells, ptrdiff_t depth, const REAL *weights, REAL *to,
                              ptrdiff_t filters) {
    vector sum[MOST_REGISTER_TILES][4];
    ptrdiff_t d;
    int t, v;
    UNROLL for (t = 0; t < T; t++)
        UNROLL for (v = 0; v < V; v++) sum[t][v] = (vector){0};
    UNROLL_4 for (d = 0; d < depth; d++) {
        vector weight[4];
        UNROLL for (v = 0; v < V; v++) weight[v] = load(weights + v * LANES);
        weights += V * LANES;
        UNROLL for (t = 0; t < T; t++)
            UNROLL for (v = 0; v < V; v++) sum[t][v] += weight[v] * cells[t * depth + d];
    }
    UNROLL for (t = 0; t < T; t++)
        UNROLL for (v = 0; v < V; v++) store(to + t * filters + v * LANES, sum[t][v]);
}

/* `count` tiles times a panel of V vectors at one point, T tiles at a time. The last T are moved back over finished tiles. */
INLINE void NAME(any_tile_strip)(const int T, const int V, const REAL *cells, ptrdiff_t depth, const REAL *weights,
                                   REAL *to, ptrdiff_t filters, ptrdiff_t count) {
    ptrdiff_t t;
    if (count < T) {
        for (t = 0; t < count; t++)
            NAME(tiles_at_point)(1, V, cells + t * depth, depth, weights, to + t * filters, filters);
        return;
    }
    for (t = 0; t < count; t += T) {
        ptrdiff_t at = t > count - T ? count - T : t;
        NAME(tiles_at_point)(T, V, cells + at * depth, depth, weights, to + at * filters, filters);
    }
}

#define NNLITE_STRIP(name, T, V)                                                                                       \
    static APART void NAME(name)(const REAL *cells, ptrdiff_t depth, const REAL *weights, REAL *to, ptrdiff_t filters, \
                                 ptrdiff_t count) {                                                                    \
        NAME(any_tile_strip)(T, V, cells, depth, weights, to, filters, count);                                       \
    }
NNLITE_STRIP(tile_strip_4, TILES_4, 4)
NNLITE_STRIP(tile_strip_2, TILES_2, 2)
NNLITE_STRIP(tile_strip_1, TILES_1, 1)
#undef NNLITE_STRIP

/* sums[point, tile, filter] of the block's cells */
static void NAME(multiply_points)(const struct winograd *job, const REAL *cells, ptrdiff_t count, REAL *sums) {
    const ptrdiff_t filters = job->pixel.filters, depth = job->depth, points = points_of(job);
    const int V = NAME(panel_vectors)(filters, WIDE);
    ptrdiff_t point, f;
    for (point = 0; point < points; point++) {
        const REAL *at = cells + point * POINT_SIZE;
        REAL *to = sums + point * POINT_SIZE;
        for (f = 0; f < filters; f += V * LANES) {
            const REAL *weights = (const REAL *)job->points + (point * filters + f) * depth;
            if (V == 4) NAME(tile_strip_4)(at, depth, weights, to + f, filters, count);
            else if (V == 2) NAME(tile_strip_2)(at, depth, weights, to + f, filters, count);
            else NAME(tile_strip_1)(at, depth, weights, to + f, filters, count);
        }
    }
}

/* y of the block: A' sums A, then bias and ReLU. */
INLINE void NAME(transform_outputs)(const int side, const int relu, const struct winograd *job, const REAL *sums,
                                    const ptrdiff_t *ends, ptrdiff_t count) {
    const ptrdiff_t filters = job->pixel.filters, row = job->pixel.out_row, column = job->pixel.out_column;
    const REAL *bias = job->correlation->bias;
    REAL *out = job->correlation->out;
    ptrdiff_t tile, f;
    int p, y, x;
    for (tile = 0; tile < count; tile++)
        for (f = 0; f < filters; f += LANES, sums += LANES) {
            REAL *to = out + ends[tile] + f;
            const vector more = bias ? load(bias + f) : (vector){0};
            vector a[MOST_POINTS];
            UNROLL for (p = 0; p < (side + 1) * (side + 1); p++) a[p] = load(sums + p * POINT_SIZE);
            BOTH_AXES(NAME(points_to_outputs), side, a, side + 1, 2);
            UNROLL for (y = 0; y < 2; y++, to += row)
                UNROLL for (x = 0; x < 2; x++) {
                    const vector sum = a[y * (side + 1) + x] + more;
                    store(to + x * column, relu ? at_least_zero(sum) : sum);
                }
        }
}

INLINE void NAME(correlate_block)(const int side, const struct winograd *job, const ptrdiff_t *starts, const ptrdiff_t *ends,
                                  ptrdiff_t count, REAL *cells) {
    REAL *sums = cells + points_of(job) * POINT_SIZE;
    NAME(transform_cells)(side, job, job->correlation->in, starts, count, cells);
    NAME(multiply_points)(job, cells, count, sums);
    if (job->correlation->relu) NAME(transform_outputs)(side, 1, job, sums, ends, count);
    else NAME(transform_outputs)(side, 0, job, sums, ends, count);
}

static void NAME(tiles_part)(void *context, int part, int parts) {
    const struct winograd *job = context;
    REAL *block = (REAL *)job->blocks + part * block_size(job);
    const ptrdiff_t most = tiles_of_block(job);
    ptrdiff_t starts[MOST_BLOCK_TILES], ends[MOST_BLOCK_TILES], count;
    struct pixel_walk walk;
    long long first, last;
    share_of(pixels_of(&job->tile), 1, part, parts, &first, &last);
    walk = pixel_at(&job->tile, first);
    for (; first < last; first += count) {
        count = last - first < most ? last - first : most;
        pixel_places(&job->tile, &walk, count, starts, ends);
        if (job->side == 2) NAME(correlate_block)(2, job, starts, ends, count, block);
        else NAME(correlate_block)(3, job, starts, ends, count, block);
    }
}
