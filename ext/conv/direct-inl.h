/* Direct sums over taps: forward, and the gradient of the input; compiled once for each target and type, included by conv-inl.h. */

/* Filters of a tile. With more filters, the rows of weights are often a power of two apart and evict one another from the
   cache, so they are copied to panels first: panel[tap*width + f]. */
enum { NAME(panel_filters) = WIDE * LANES };

static void NAME(pack_part)(void *context, int part, int parts) {
    const struct correlation *job = context;
    const ptrdiff_t taps = job->at.rows * job->at.run, filters = job->at.filters, width = WIDE * LANES;
    ptrdiff_t filter;
    long long tap, first, last;
    share_of(taps, 1, part, parts, &first, &last);
    for (filter = 0; filter < filters; filter += width) {
        REAL *panel = (REAL *)job->workspace + filter * taps;
        const REAL *weights = (const REAL *)job->weights + filter;
        for (tap = first; tap < last; tap++) memcpy(panel + tap * width, weights + tap * filters, width * sizeof(REAL));
    }
}

/* `P` pixels times `V` vectors of filters, all taps; the weights of successive taps are `weights_row` apart. */
INLINE void NAME(correlate_tile)(const int P, const int V, const struct correlation *job, const REAL *weights,
                                 ptrdiff_t weights_row, const ptrdiff_t *starts, const ptrdiff_t *ends, ptrdiff_t filter) {
    const ptrdiff_t run = job->at.run, line = job->at.line;
    const REAL *bias = job->bias ? (const REAL *)job->bias + filter : NULL;
    const REAL *in = job->in;
    REAL *out = (REAL *)job->out + filter;
    const REAL *patch[MOST_PIXELS];
    vector sum[MOST_PIXELS][MOST_VECTORS];
    ptrdiff_t rows = job->at.rows, r, j;
    int p, v;
    for (p = 0; p < P && NAME(is_blank)(&job->at, in + starts[p]); p++) {}
    if (p == P) rows = 0;
    UNROLL for (p = 0; p < P; p++) {
        patch[p] = in + starts[p];
        UNROLL for (v = 0; v < V; v++)
            sum[p][v] = bias ? load(bias + v * LANES) : (vector){0};
    }
    for (r = 0; r < rows; r++) {
        UNROLL_4 for (j = 0; j < run; j++) {
            vector weight[MOST_VECTORS];
            UNROLL for (v = 0; v < V; v++) weight[v] = load(weights + v * LANES);
            weights += weights_row;
            UNROLL for (p = 0; p < P; p++)
                UNROLL for (v = 0; v < V; v++) sum[p][v] += weight[v] * patch[p][j];
        }
        UNROLL for (p = 0; p < P; p++) patch[p] += line;
    }
    UNROLL for (p = 0; p < P; p++)
        UNROLL for (v = 0; v < V; v++)
            store(out + ends[p] + v * LANES, job->relu ? at_least_zero(sum[p][v]) : sum[p][v]);
}

/* `count` pixels times V vectors. The last tile is moved back over finished pixels and stores the same sums again.
   Fewer pixels than a tile are done one by one, so that no other part's pixels are written. */
INLINE void NAME(correlate_strip)(const int P, const int V, const struct correlation *job, const ptrdiff_t *starts,
                                  const ptrdiff_t *ends, ptrdiff_t count, ptrdiff_t filter) {
    const REAL *weights = (const REAL *)job->weights + filter;
    ptrdiff_t weights_row = job->at.filters, pixel;
    if (job->packed) {
        weights = (const REAL *)job->workspace + filter * job->at.rows * job->at.run;
        weights_row = WIDE * LANES;
    }
    if (count < P) {
        for (pixel = 0; pixel < count; pixel++)
            NAME(correlate_tile)(1, V, job, weights, weights_row, starts + pixel, ends + pixel, filter);
        return;
    }
    for (pixel = 0; pixel < count; pixel += P) {
        ptrdiff_t at = pixel > count - P ? count - P : pixel;
        NAME(correlate_tile)(P, V, job, weights, weights_row, starts + at, ends + at, filter);
    }
}

static void NAME(correlate_part)(void *context, int part, int parts) {
    const struct correlation *job = context;
    const ptrdiff_t filters = job->at.filters;
    ptrdiff_t starts[PIXELS_LIST], ends[PIXELS_LIST], filter, start, count;
    struct pixel_walk walk;
    long long first, last;
    share_of(job->at.images * job->at.height * job->at.width, PIXELS_GRAIN, part, parts, &first, &last);
    walk = pixel_at(&job->at, first);
    for (; first < last; first += count) {
        count = last - first < PIXELS_LIST ? last - first : PIXELS_LIST;
        pixel_places(&job->at, &walk, count, starts, ends);
        for (filter = 0; filter < filters;) {
            int V = vectors_for(filters - filter, filters, LANES, WIDE);
            start = filter < filters - V * LANES ? filter : filters - V * LANES;
            if (V == 4) NAME(correlate_strip)(PIXELS_4, 4, job, starts, ends, count, start);
            else if (V == 2) NAME(correlate_strip)(PIXELS_2, 2, job, starts, ends, count, start);
            else NAME(correlate_strip)(PIXELS_1, 1, job, starts, ends, count, start);
            filter += V * LANES;
        }
    }
}
