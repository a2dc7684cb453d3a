/* The gradient of the weights by tiles; compiled once for each target and type, included by conv-inl.h.

   A part computes one row of points for a group of images: the sums of four points fit into the second cache beside its
   block. */

/* to[point of the row, tile, number] = B' d B */
INLINE void NAME(cells_to_row)(const int side, const struct winograd *job, ptrdiff_t row, const ptrdiff_t *starts,
                               ptrdiff_t count, REAL *to) {
    const ptrdiff_t column = job->pixel.in_column, cell = job->cell, next = job->pixel.line;
    const ptrdiff_t first = cell_rows[side - 2][row].first * job->pixel.in_row;
    const ptrdiff_t second = cell_rows[side - 2][row].second * job->pixel.in_row;
    const REAL sign = cell_rows[side - 2][row].sign, *in = job->gradient->in;
    ptrdiff_t tile, line, j;
    int x;
    for (tile = 0; tile < count; tile++)
        for (line = 0; line < job->lines; line++) {
            const REAL *from = in + starts[tile] + line * next;
            for (j = 0; j < cell; j += LANES, from += LANES, to += LANES) {
                vector a[4];
                UNROLL for (x = 0; x <= side; x++)
                    a[x] = load(from + first + x * column) + load(from + second + x * column) * sign;
                NAME(cells_to_points)(side, a, 1);
                UNROLL for (x = 0; x <= side; x++) store(to + x * POINT_SIZE, a[x]);
            }
        }
}

/* to[point of the row, panel, tile, filter of the panel] = A dy A' */
INLINE void NAME(slopes_to_row)(const int side, const struct winograd *job, ptrdiff_t row, const ptrdiff_t *ends,
                                ptrdiff_t count, ptrdiff_t width, REAL *to) {
    const ptrdiff_t filters = job->pixel.filters, down = job->pixel.out_row, column = job->pixel.out_column;
    const REAL upper = slope_rows[side - 2][row].upper, lower = slope_rows[side - 2][row].lower, *dy = job->gradient->dy;
    ptrdiff_t panel, tile, f;
    int x;
    for (panel = 0; panel < filters; panel += width)
        for (tile = 0; tile < count; tile++)
            for (f = 0; f < width; f += LANES, to += LANES) {
                const REAL *from = dy + ends[tile] + panel + f;
                vector a[4];
                UNROLL for (x = 0; x < 2; x++)
                    a[x] = load(from + x * column) * upper + load(from + down + x * column) * lower;
                NAME(slopes_to_points)(side, a, 1);
                UNROLL for (x = 0; x <= side; x++) store(to + x * POINT_SIZE, a[x]);
            }
}

/* `N` numbers of a cell times `V` vectors of filters at one point, summed over `count` tiles; added to the old
   sums unless `fresh`. */
INLINE void NAME(numbers_at_point)(const int N, const int V, const REAL *cells, ptrdiff_t depth, const REAL *slopes,
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

/* All `depth` numbers of a cell times V vectors of filters at one point. */
INLINE void NAME(any_slope_strip)(const int V, const REAL *cells, ptrdiff_t depth, const REAL *slopes, ptrdiff_t count,
                                  REAL *sums, int fresh) {
    ptrdiff_t number;
    for (number = 0; number < depth; number += NUMBERS)
        NAME(numbers_at_point)(NUMBERS, V, cells + number, depth, slopes, count, sums + number * V * LANES, fresh);
}

#define NNLITE_STRIP(name, V)                                                                                            \
    static APART void NAME(name)(const REAL *cells, ptrdiff_t depth, const REAL *slopes, ptrdiff_t count, REAL *sums,    \
                                 int fresh) {                                                                            \
        NAME(any_slope_strip)(V, cells, depth, slopes, count, sums, fresh);                                              \
    }
NNLITE_STRIP(slope_strip_2, 2)
NNLITE_STRIP(slope_strip_1, 1)
#undef NNLITE_STRIP

/* sums[panel, number, filter of the panel] of one point: cells' times slopes. */
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

/* dbias: the sum of all slopes. The middle point holds that sum for each tile. */
static void NAME(sum_slopes)(const REAL *slopes, ptrdiff_t filters, ptrdiff_t width, ptrdiff_t count, REAL *dbias, int fresh) {
    ptrdiff_t panel, tile, f;
    for (panel = 0; panel < filters; panel += width, slopes += count * width)
        for (f = 0; f < width; f += LANES) {
            vector sum = fresh ? (vector){0} : load(dbias + panel + f);
            for (tile = 0; tile < count; tile++) sum += load(slopes + tile * width + f);
            store(dbias + panel + f, sum);
        }
}

INLINE void NAME(gradient_row)(const int side, const struct winograd *job, ptrdiff_t row, long long first, long long last,
                               REAL *cells, REAL *sums) {
    const ptrdiff_t filters = job->pixel.filters, size = job->depth * filters, most = tiles_of_block(job);
    const ptrdiff_t width = NAME(panel_vectors)(filters, GRADIENT_WIDE) * LANES;
    REAL *slopes = cells + (side + 1) * POINT_SIZE, *dbias = sums + point_weights(job);
    ptrdiff_t starts[MOST_BLOCK_TILES], ends[MOST_BLOCK_TILES], count, x;
    struct pixel_walk walk = pixel_at(&job->tile, first);
    int fresh;
    for (fresh = 1; first < last; first += count, fresh = 0) {
        count = last - first < most ? last - first : most;
        pixel_places(&job->tile, &walk, count, starts, ends);
        NAME(cells_to_row)(side, job, row, starts, count, cells);
        NAME(slopes_to_row)(side, job, row, ends, count, width, slopes);
        for (x = 0; x <= side; x++)
            NAME(multiply_slopes)(job, cells + x * POINT_SIZE, slopes + x * POINT_SIZE, count,
                                  sums + (row * (side + 1) + x) * size, fresh);
        if (row == 1) NAME(sum_slopes)(slopes + POINT_SIZE, filters, width, count, dbias, fresh);
    }
}

static void NAME(tile_gradient_part)(void *context, int part, int parts) {
    const struct winograd *job = context;
    const ptrdiff_t tiles = job->tile.height * job->tile.width, row = part % (job->side + 1);
    const int group = part / (int)(job->side + 1), groups = parts / (int)(job->side + 1);
    REAL *block = (REAL *)job->blocks + part * row_block_size(job);
    REAL *sums = (REAL *)job->points + group * (point_weights(job) + job->pixel.filters);
    long long first, last;
    share_of(job->pixel.images, 1, group, groups, &first, &last);
    if (job->side == 2) NAME(gradient_row)(2, job, row, first * tiles, last * tiles, block, sums);
    else NAME(gradient_row)(3, job, row, first * tiles, last * tiles, block, sums);
}

/* The sum over the groups of the vectors at `from`, `step` apart. */
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

static void NAME(tile_sums_part)(void *context, int part, int parts) {
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
