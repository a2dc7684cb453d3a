/* The loops of winograd.h for one target and type; included by conv_kernels.h. */

/* Tile sizes: as many sums as registers hold. */
#undef SQUARES_4
#undef SQUARES_2
#undef SQUARES_1
#undef GRADIENT_WIDE
#undef NUMBERS
#if REGISTERS == 32
#define SQUARES_4 5
#define SQUARES_2 10
#define SQUARES_1 10
#define NUMBERS 8
#else
#define SQUARES_4 1
#define SQUARES_2 5
#define SQUARES_1 10
#define NUMBERS 4
#endif
#define GRADIENT_WIDE 2
#define MOST_TILE 10

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
        UNROLL for (axis = 0; axis < (rows); axis++) transform(side, a + axis * (side + 1), 1);  \
        UNROLL for (axis = 0; axis < (columns); axis++) transform(side, a + axis, side + 1);     \
    } while (0)

/* to[point, square, number] = B' d B */
INLINE void NAME(transform_cells)(const int side, const struct winograd *job, const REAL *in, const ptrdiff_t *starts,
                                  ptrdiff_t count, REAL *to) {
    const ptrdiff_t row = job->pixel.in_row, column = job->pixel.in_column, cell = job->cell, next = job->pixel.line;
    ptrdiff_t square, line, j;
    int y, x, p;
    for (square = 0; square < count; square++)
        for (line = 0; line < job->lines; line++)
            for (j = 0; j < cell; j += LANES, to += LANES) {
                const REAL *from = in + starts[square] + line * next + j;
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

/* `S` squares times `V` vectors of filters at one point. */
INLINE void NAME(square_tile)(const int S, const int V, const REAL *cells, ptrdiff_t depth, const REAL *weights, REAL *to,
                              ptrdiff_t filters) {
    vector sum[MOST_TILE][4];
    ptrdiff_t d;
    int s, v;
    UNROLL for (s = 0; s < S; s++)
        UNROLL for (v = 0; v < V; v++) sum[s][v] = (vector){0};
    UNROLL_4 for (d = 0; d < depth; d++) {
        vector weight[4];
        UNROLL for (v = 0; v < V; v++) weight[v] = load(weights + v * LANES);
        weights += V * LANES;
        UNROLL for (s = 0; s < S; s++)
            UNROLL for (v = 0; v < V; v++) sum[s][v] += weight[v] * cells[s * depth + d];
    }
    UNROLL for (s = 0; s < S; s++)
        UNROLL for (v = 0; v < V; v++) store(to + s * filters + v * LANES, sum[s][v]);
}

/* `count` squares times a panel of V vectors at one point. The last tile is moved back over finished squares. */
INLINE void NAME(any_square_strip)(const int S, const int V, const REAL *cells, ptrdiff_t depth, const REAL *weights,
                                   REAL *to, ptrdiff_t filters, ptrdiff_t count) {
    ptrdiff_t s;
    if (count < S) {
        for (s = 0; s < count; s++)
            NAME(square_tile)(1, V, cells + s * depth, depth, weights, to + s * filters, filters);
        return;
    }
    for (s = 0; s < count; s += S) {
        ptrdiff_t at = s > count - S ? count - S : s;
        NAME(square_tile)(S, V, cells + at * depth, depth, weights, to + at * filters, filters);
    }
}

#define NNLITE_STRIP(name, S, V)                                                                                       \
    static APART void NAME(name)(const REAL *cells, ptrdiff_t depth, const REAL *weights, REAL *to, ptrdiff_t filters, \
                                 ptrdiff_t count) {                                                                    \
        NAME(any_square_strip)(S, V, cells, depth, weights, to, filters, count);                                       \
    }
NNLITE_STRIP(square_strip_4, SQUARES_4, 4)
NNLITE_STRIP(square_strip_2, SQUARES_2, 2)
NNLITE_STRIP(square_strip_1, SQUARES_1, 1)
#undef NNLITE_STRIP

/* sums[point, square, filter] of the block's cells */
static void NAME(multiply_points)(const struct winograd *job, const REAL *cells, ptrdiff_t count, REAL *sums) {
    const ptrdiff_t filters = job->pixel.filters, depth = job->depth, points = points_of(job);
    const int V = NAME(panel_vectors)(filters, WIDE);
    ptrdiff_t point, f;
    for (point = 0; point < points; point++) {
        const REAL *at = cells + point * POINT_SIZE;
        REAL *to = sums + point * POINT_SIZE;
        for (f = 0; f < filters; f += V * LANES) {
            const REAL *weights = (const REAL *)job->points + (point * filters + f) * depth;
            if (V == 4) NAME(square_strip_4)(at, depth, weights, to + f, filters, count);
            else if (V == 2) NAME(square_strip_2)(at, depth, weights, to + f, filters, count);
            else NAME(square_strip_1)(at, depth, weights, to + f, filters, count);
        }
    }
}

/* y of the block: A' sums A, bias and ReLU. */
INLINE void NAME(transform_outputs)(const int side, const int relu, const struct winograd *job, const REAL *sums,
                                    const ptrdiff_t *ends, ptrdiff_t count) {
    const ptrdiff_t filters = job->pixel.filters, row = job->pixel.out_row, column = job->pixel.out_column;
    const REAL *bias = job->correlation->bias;
    REAL *out = job->correlation->out;
    ptrdiff_t square, f;
    int p, y, x;
    for (square = 0; square < count; square++)
        for (f = 0; f < filters; f += LANES, sums += LANES) {
            REAL *to = out + ends[square] + f;
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

static void NAME(squares_part)(void *context, int part, int parts) {
    const struct winograd *job = context;
    REAL *block = (REAL *)job->blocks + part * block_size(job);
    const ptrdiff_t most = squares_of_block(job);
    ptrdiff_t starts[MOST_SQUARES], ends[MOST_SQUARES], count;
    struct pixel_walk walk;
    long long first, last;
    share_of(pixels_of(&job->square), 1, part, parts, &first, &last);
    walk = pixel_at(&job->square, first);
    for (; first < last; first += count) {
        count = last - first < most ? last - first : most;
        pixel_places(&job->square, &walk, count, starts, ends);
        if (job->side == 2) NAME(correlate_block)(2, job, starts, ends, count, block);
        else NAME(correlate_block)(3, job, starts, ends, count, block);
    }
}

/* ---- the gradient of the weights: a part has one row of points of a group of images ---- */

/* to[point of the row, square, number] = B' d B */
INLINE void NAME(cells_to_row)(const int side, const struct winograd *job, ptrdiff_t row, const ptrdiff_t *starts,
                               ptrdiff_t count, REAL *to) {
    const ptrdiff_t column = job->pixel.in_column, cell = job->cell, next = job->pixel.line;
    const ptrdiff_t first = cell_rows[side - 2][row].first * job->pixel.in_row;
    const ptrdiff_t second = cell_rows[side - 2][row].second * job->pixel.in_row;
    const REAL sign = cell_rows[side - 2][row].sign, *in = job->gradient->in;
    ptrdiff_t square, line, j;
    int x;
    for (square = 0; square < count; square++)
        for (line = 0; line < job->lines; line++) {
            const REAL *from = in + starts[square] + line * next;
            for (j = 0; j < cell; j += LANES, from += LANES, to += LANES) {
                vector a[4];
                UNROLL for (x = 0; x <= side; x++)
                    a[x] = load(from + first + x * column) + load(from + second + x * column) * sign;
                NAME(cells_to_points)(side, a, 1);
                UNROLL for (x = 0; x <= side; x++) store(to + x * POINT_SIZE, a[x]);
            }
        }
}

/* to[point of the row, panel, square, filter of the panel] = A dy A' */
INLINE void NAME(slopes_to_row)(const int side, const struct winograd *job, ptrdiff_t row, const ptrdiff_t *ends,
                                ptrdiff_t count, ptrdiff_t width, REAL *to) {
    const ptrdiff_t filters = job->pixel.filters, down = job->pixel.out_row, column = job->pixel.out_column;
    const REAL upper = slope_rows[side - 2][row].upper, lower = slope_rows[side - 2][row].lower, *dy = job->gradient->dy;
    ptrdiff_t panel, square, f;
    int x;
    for (panel = 0; panel < filters; panel += width)
        for (square = 0; square < count; square++)
            for (f = 0; f < width; f += LANES, to += LANES) {
                const REAL *from = dy + ends[square] + panel + f;
                vector a[4];
                UNROLL for (x = 0; x < 2; x++)
                    a[x] = load(from + x * column) * upper + load(from + down + x * column) * lower;
                NAME(slopes_to_points)(side, a, 1);
                UNROLL for (x = 0; x <= side; x++) store(to + x * POINT_SIZE, a[x]);
            }
}

/* `N` numbers of a cell times `V` vectors of filters at one point, summed over `count` squares; when not `fresh`, on top of
   what is there. */
INLINE void NAME(slope_tile)(const int N, const int V, const REAL *cells, ptrdiff_t depth, const REAL *slopes,
                             ptrdiff_t count, REAL *sums, int fresh) {
    vector sum[NUMBERS][GRADIENT_WIDE];
    int n, v;
    UNROLL for (n = 0; n < N; n++)
        UNROLL for (v = 0; v < V; v++) sum[n][v] = fresh ? (vector){0} : load(sums + (n * V + v) * LANES);
    for (; count > 0; count--, cells += depth, slopes += V * LANES) {
        vector slope[GRADIENT_WIDE];
        UNROLL for (v = 0; v < V; v++) slope[v] = load(slopes + v * LANES);
        UNROLL for (n = 0; n < N; n++)
            UNROLL for (v = 0; v < V; v++) sum[n][v] += slope[v] * cells[n];
    }
    UNROLL for (n = 0; n < N; n++)
        UNROLL for (v = 0; v < V; v++) store(sums + (n * V + v) * LANES, sum[n][v]);
}

#define NNLITE_STRIP(name, V)                                                                                            \
    static APART void NAME(name)(const REAL *cells, ptrdiff_t depth, const REAL *slopes, ptrdiff_t count, REAL *sums,    \
                                 int fresh) {                                                                            \
        ptrdiff_t number;                                                                                                \
        for (number = 0; number < depth; number += NUMBERS)                                                              \
            NAME(slope_tile)(NUMBERS, V, cells + number, depth, slopes, count, sums + number * V * LANES, fresh);        \
    }
NNLITE_STRIP(slope_strip_2, 2)
NNLITE_STRIP(slope_strip_1, 1)
#undef NNLITE_STRIP

/* sums[panel, number, filter of the panel] of one point: cells' slopes. */
static void NAME(multiply_slopes)(const struct winograd *job, const REAL *cells, const REAL *slopes, ptrdiff_t count,
                                  REAL *sums, int fresh) {
    const ptrdiff_t filters = job->pixel.filters, depth = job->depth;
    const int V = NAME(panel_vectors)(filters, GRADIENT_WIDE);
    ptrdiff_t f;
    for (f = 0; f < filters; f += V * LANES) {
        if (V == 2) NAME(slope_strip_2)(cells, depth, slopes + f * count, count, sums + f * depth, fresh);
        else NAME(slope_strip_1)(cells, depth, slopes + f * count, count, sums + f * depth, fresh);
    }
}

/* dbias: the sum of all slopes, which the point in the middle holds for each square. */
static void NAME(sum_slopes)(const REAL *slopes, ptrdiff_t filters, ptrdiff_t width, ptrdiff_t count, REAL *dbias, int fresh) {
    ptrdiff_t panel, square, f;
    for (panel = 0; panel < filters; panel += width, slopes += count * width)
        for (f = 0; f < width; f += LANES) {
            vector sum = fresh ? (vector){0} : load(dbias + panel + f);
            for (square = 0; square < count; square++) sum += load(slopes + square * width + f);
            store(dbias + panel + f, sum);
        }
}

INLINE void NAME(gradient_row)(const int side, const struct winograd *job, ptrdiff_t row, long long first, long long last,
                               REAL *cells, REAL *sums) {
    const ptrdiff_t filters = job->pixel.filters, size = job->depth * filters, most = squares_of_block(job);
    const ptrdiff_t width = NAME(panel_vectors)(filters, GRADIENT_WIDE) * LANES;
    REAL *slopes = cells + (side + 1) * POINT_SIZE, *dbias = sums + point_weights(job);
    ptrdiff_t starts[MOST_SQUARES], ends[MOST_SQUARES], count, x;
    struct pixel_walk walk = pixel_at(&job->square, first);
    int fresh;
    for (fresh = 1; first < last; first += count, fresh = 0) {
        count = last - first < most ? last - first : most;
        pixel_places(&job->square, &walk, count, starts, ends);
        NAME(cells_to_row)(side, job, row, starts, count, cells);
        NAME(slopes_to_row)(side, job, row, ends, count, width, slopes);
        for (x = 0; x <= side; x++)
            NAME(multiply_slopes)(job, cells + x * POINT_SIZE, slopes + x * POINT_SIZE, count,
                                  sums + (row * (side + 1) + x) * size, fresh);
        if (row == 1) NAME(sum_slopes)(slopes + POINT_SIZE, filters, width, count, dbias, fresh);
    }
}

static void NAME(square_gradient_part)(void *context, int part, int parts) {
    const struct winograd *job = context;
    const ptrdiff_t squares = job->square.height * job->square.width, row = part % (job->side + 1);
    const int group = part / (int)(job->side + 1), groups = parts / (int)(job->side + 1);
    REAL *block = (REAL *)job->blocks + part * row_block_size(job);
    REAL *sums = (REAL *)job->points + group * (point_weights(job) + job->pixel.filters);
    long long first, last;
    share_of(job->pixel.images, 1, group, groups, &first, &last);
    if (job->side == 2) NAME(gradient_row)(2, job, row, first * squares, last * squares, block, sums);
    else NAME(gradient_row)(3, job, row, first * squares, last * squares, block, sums);
}

/* ptr[0] of every group, summed. */
INLINE vector NAME(sum_of_groups)(const REAL *from, ptrdiff_t groups, ptrdiff_t step) {
    vector sum = load(from);
    while (--groups > 0) sum += load(from += step);
    return sum;
}

/* dkernel = G' sums G, for one number of a cell */
INLINE void NAME(sums_to_weights)(const int side, const struct winograd *job, ptrdiff_t number) {
    const ptrdiff_t filters = job->pixel.filters, run = job->pixel.run, size = job->depth * filters, groups = job->groups;
    const ptrdiff_t width = NAME(panel_vectors)(filters, GRADIENT_WIDE) * LANES, step = point_weights(job) + filters;
    REAL *dkernel = (REAL *)job->gradient->dkernel + (number / job->cell * run + number % job->cell) * filters;
    const REAL *sums = (const REAL *)job->points + number * width;
    ptrdiff_t panel, f;
    int p, y, x;
    for (panel = 0; panel < filters; panel += width)
        for (f = 0; f < width; f += LANES) {
            const REAL *from = sums + panel * job->depth + f;
            REAL *to = dkernel + panel + f;
            vector a[MOST_POINTS];
            UNROLL for (p = 0; p < (side + 1) * (side + 1); p++) a[p] = NAME(sum_of_groups)(from + p * size, groups, step);
            BOTH_AXES(NAME(points_to_weights), side, a, side + 1, side);
            UNROLL for (y = 0; y < side; y++)
                UNROLL for (x = 0; x < side; x++)
                    store(to + (y * job->lines * run + x * job->cell) * filters, a[y * (side + 1) + x]);
        }
}

static void NAME(square_sums_part)(void *context, int part, int parts) {
    const struct winograd *job = context;
    const REAL *dbias = (const REAL *)job->points + point_weights(job);
    const ptrdiff_t step = point_weights(job) + job->pixel.filters;
    long long number, last;
    ptrdiff_t f;
    share_of(job->depth, 1, part, parts, &number, &last);
    for (; number < last; number++) {
        if (job->side == 2) NAME(sums_to_weights)(2, job, number);
        else NAME(sums_to_weights)(3, job, number);
    }
    for (f = 0; job->gradient->dbias && part == 0 && f < job->pixel.filters; f += LANES)
        store((REAL *)job->gradient->dbias + f, NAME(sum_of_groups)(dbias + f, job->groups, step));
}
