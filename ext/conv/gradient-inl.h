/* Sums over pixels, the gradient of the weights; compiled once for each target and type, included by conv-inl.h. */

/* `T` taps times `V` vectors of filters, `count` pixels that begin at starts[] in `in`; dy holds their V vectors side by side.
   sums: T rows, `sums_row` apart; `fresh` starts them at zero.
   adjacent: the taps are adjacent in `in`, so one address serves all of them. */
INLINE void NAME(gradient_taps)(const int T, const int V, const int adjacent, const struct kernel_gradient *job,
                                struct tap_walk tap, const ptrdiff_t *starts, const REAL *dy, ptrdiff_t count, REAL *sums,
                                ptrdiff_t sums_row, int fresh) {
    const REAL *taps[MOST_PIXELS];
    vector sum[MOST_PIXELS][MOST_VECTORS];
    ptrdiff_t i;
    int t, v;
    UNROLL for (t = 0; t < T; t++) {
        taps[t] = (const REAL *)job->in + tap.row * job->at.line + tap.column;
        if (!adjacent) pass_taps(&job->at, &tap, 1);
        UNROLL for (v = 0; v < V; v++) sum[t][v] = fresh ? (vector){0} : load(sums + t * sums_row + v * LANES);
    }
    UNROLL_4 for (i = 0; i < count; i++) {
        const ptrdiff_t start = starts[i];
        vector out[MOST_VECTORS];
        UNROLL for (v = 0; v < V; v++) out[v] = load(dy + v * LANES);
        dy += V * LANES;
        UNROLL for (t = 0; t < T; t++)
            UNROLL for (v = 0; v < V; v++) sum[t][v] += out[v] * (adjacent ? taps[0][start + t] : taps[t][start]);
    }
    UNROLL for (t = 0; t < T; t++)
        UNROLL for (v = 0; v < V; v++) store(sums + t * sums_row + v * LANES, sum[t][v]);
}

INLINE void NAME(gradient_tile)(const int T, const int V, const struct kernel_gradient *job, struct tap_walk tap,
                                const ptrdiff_t *starts, const REAL *dy, ptrdiff_t count, REAL *sums, ptrdiff_t sums_row,
                                int fresh) {
    if (tap.column + T <= job->at.run)
        NAME(gradient_taps)(T, V, 1, job, tap, starts, dy, count, sums, sums_row, fresh);
    else
        NAME(gradient_taps)(T, V, 0, job, tap, starts, dy, count, sums, sums_row, fresh);
}

/* to[] = V vectors of dy for each of `count` pixels, side by side; in dy they are a power of two apart. */
INLINE void NAME(gather_dy)(const int V, const struct kernel_gradient *job, ptrdiff_t filter, const ptrdiff_t *ends,
                            ptrdiff_t count, REAL *to) {
    const REAL *dy = (const REAL *)job->dy + filter;
    ptrdiff_t i;
    int v;
    for (i = 0; i < count; i++, to += V * LANES)
        UNROLL for (v = 0; v < V; v++) store(to + v * LANES, load(dy + ends[i] + v * LANES));
}

/* Lists the next pixels that are not blank, at most PIXEL_BLOCK, of the *left ones from `walk` on; gives their number. */
INLINE ptrdiff_t NAME(places_of_block)(const struct kernel_gradient *job, struct pixel_walk *walk, ptrdiff_t *left,
                                       ptrdiff_t *starts, ptrdiff_t *ends) {
    ptrdiff_t found = 0, seen, last;
    while (found < PIXEL_BLOCK && *left > 0) {
        last = found + *left < PIXEL_BLOCK ? found + *left : PIXEL_BLOCK;
        pixel_places(&job->at, walk, last - found, starts + found, ends + found);
        *left -= last - found;
        for (seen = found; seen < last; seen++) {
            if (NAME(is_blank)(&job->at, (const REAL *)job->in + starts[seen])) continue;
            starts[found] = starts[seen], ends[found++] = ends[seen];
        }
    }
    return found;
}

/* One tile over all pixels, summed apart: it may overlap finished taps and filters, whose sums it repeats. It is rare, so one
   version, for taps at any distance, is enough. */
INLINE void NAME(any_gradient_apart)(const int T, const int V, const struct kernel_gradient *job, ptrdiff_t tap,
                                     ptrdiff_t filter) {
    const ptrdiff_t filters = job->at.filters;
    ptrdiff_t starts[PIXEL_BLOCK], ends[PIXEL_BLOCK], left = job->at.images * job->at.height * job->at.width, count;
    REAL sums[MOST_PIXELS * MOST_VECTORS * LANES] = {0}, dy[PIXEL_BLOCK * WIDE * LANES];
    struct pixel_walk walk = {0, 0, 0};
    int t;
    while (left > 0) {
        count = NAME(places_of_block)(job, &walk, &left, starts, ends);
        NAME(gather_dy)(V, job, filter, ends, count, dy);
        NAME(gradient_taps)(T, V, 0, job, tap_at(&job->at, tap), starts, dy, count, sums, V * LANES, 0);
    }
    for (t = 0; t < T; t++)
        memcpy((REAL *)job->dkernel + (tap + t) * filters + filter, sums + t * V * LANES, V * LANES * sizeof(REAL));
}

#define NNLITE_APART(name, T, V)                                                                             \
    static APART void NAME(name)(const struct kernel_gradient *job, ptrdiff_t tap, ptrdiff_t filter) {       \
        NAME(any_gradient_apart)(T, V, job, tap, filter);                                                    \
    }
NNLITE_APART(gradient_apart_4, TAPS_4, 4)
NNLITE_APART(gradient_apart_2, TAPS_2, 2)
NNLITE_APART(gradient_apart_1, TAPS_1, 1)
NNLITE_APART(gradient_tap_4, 1, 4)
NNLITE_APART(gradient_tap_2, 1, 2)
NNLITE_APART(gradient_tap_1, 1, 1)
#undef NNLITE_APART

INLINE void NAME(gradient_apart)(const int V, const struct kernel_gradient *job, ptrdiff_t tap, ptrdiff_t filter) {
    if (V == 4) NAME(gradient_apart_4)(job, tap, filter);
    else if (V == 2) NAME(gradient_apart_2)(job, tap, filter);
    else NAME(gradient_apart_1)(job, tap, filter);
}

INLINE void NAME(gradient_tap)(const int V, const struct kernel_gradient *job, ptrdiff_t tap, ptrdiff_t filter) {
    if (V == 4) NAME(gradient_tap_4)(job, tap, filter);
    else if (V == 2) NAME(gradient_tap_2)(job, tap, filter);
    else NAME(gradient_tap_1)(job, tap, filter);
}

/* Whole tiles of taps [first, last) times V vectors, over one block of pixels. Each size of tile has its own function, so that
   the loop over the pixels has all registers. */
INLINE void NAME(any_gradient_strip)(const int T, const int V, const struct kernel_gradient *job, ptrdiff_t first,
                                     ptrdiff_t last, ptrdiff_t filter, const ptrdiff_t *starts, const ptrdiff_t *ends,
                                     ptrdiff_t count, int fresh) {
    const ptrdiff_t filters = job->at.filters;
    struct tap_walk walk = tap_at(&job->at, first);
    REAL *sums = (REAL *)job->dkernel + first * filters + filter, dy[PIXEL_BLOCK * WIDE * LANES];
    NAME(gather_dy)(V, job, filter, ends, count, dy);
    for (; first + T <= last; first += T, sums += T * filters) {
        NAME(gradient_tile)(T, V, job, walk, starts, dy, count, sums, filters, fresh);
        pass_taps(&job->at, &walk, T);
    }
}

#define NNLITE_STRIP(name, T, V)                                                                                        \
    static APART void NAME(name)(const struct kernel_gradient *job, ptrdiff_t first, ptrdiff_t last, ptrdiff_t filter,  \
                                 const ptrdiff_t *starts, const ptrdiff_t *ends, ptrdiff_t count, int fresh) {          \
        NAME(any_gradient_strip)(T, V, job, first, last, filter, starts, ends, count, fresh);                           \
    }
NNLITE_STRIP(gradient_strip_4, TAPS_4, 4)
NNLITE_STRIP(gradient_strip_2, TAPS_2, 2)
NNLITE_STRIP(gradient_strip_1, TAPS_1, 1)
#undef NNLITE_STRIP

/* Whole tiles of taps [first, last) times all filters except a last block that overlaps finished ones. Blocks of pixels keep
   the data in the first cache. */
static void NAME(gradient_whole)(const struct kernel_gradient *job, ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t filters = job->at.filters;
    ptrdiff_t starts[PIXEL_BLOCK], ends[PIXEL_BLOCK], left = job->at.images * job->at.height * job->at.width, filter, count;
    struct pixel_walk walk = {0, 0, 0};
    int fresh;
    for (fresh = 1; left > 0; fresh = 0) {
        count = NAME(places_of_block)(job, &walk, &left, starts, ends);
        for (filter = 0; filter < filters;) {
            int V = vectors_for(filters - filter, filters, LANES, WIDE);
            if (filter > filters - V * LANES) break;
            if (V == 4) NAME(gradient_strip_4)(job, first, last, filter, starts, ends, count, fresh);
            else if (V == 2) NAME(gradient_strip_2)(job, first, last, filter, starts, ends, count, fresh);
            else NAME(gradient_strip_1)(job, first, last, filter, starts, ends, count, fresh);
            filter += V * LANES;
        }
    }
}

/* The sums of V vectors of dy over all pixels: the gradient of the bias. */
INLINE void NAME(bias_tile)(const int V, const struct kernel_gradient *job, ptrdiff_t filter) {
    const struct geometry *at = &job->at;
    vector sum[MOST_VECTORS];
    ptrdiff_t n, y, x;
    int v;
    UNROLL for (v = 0; v < V; v++) sum[v] = (vector){0};
    for (n = 0; n < at->images; n++)
        for (y = 0; y < at->height; y++) {
            const REAL *dy = (const REAL *)job->dy + n * at->out_image + y * at->out_row + filter;
            for (x = 0; x < at->width; x++, dy += at->out_column)
                UNROLL for (v = 0; v < V; v++) sum[v] += load(dy + v * LANES);
        }
    UNROLL for (v = 0; v < V; v++) store((REAL *)job->dbias + filter + v * LANES, sum[v]);
}

/* The rest of taps [first, last) times V vectors, and the bias: the taps after the last whole tile, or all taps where the
   filters overlap finished ones. */
INLINE void NAME(gradient_rest)(const int T, const int V, const struct kernel_gradient *job, ptrdiff_t first, ptrdiff_t last,
                                ptrdiff_t filter, int overlaps, int takes_bias) {
    ptrdiff_t tap = overlaps ? first : last - (last - first) % T;
    for (; tap <= last - T; tap += T) NAME(gradient_apart)(V, job, tap, filter);
    if (takes_bias) NAME(bias_tile)(V, job, filter);
    if (tap == last) return;
    if (last - first >= T) NAME(gradient_apart)(V, job, last - T, filter);
    else for (; tap < last; tap++) NAME(gradient_tap)(V, job, tap, filter);
}

/* Part of the taps of one group of images. */
static void NAME(gradient_part)(void *context, int part, int parts) {
    struct kernel_gradient job = *(const struct kernel_gradient *)context;
    const ptrdiff_t filters = job.at.filters, weights = weights_of(&job.at), groups = job.groups, group = part % groups;
    const int cut = part / (int)groups, cuts = parts / (int)groups;
    ptrdiff_t filter, start;
    long long first, last;
    int blocks = 0;
    if (groups > 1) {
        share_of(job.at.images, 1, (int)group, (int)groups, &first, &last);
        job.at.images = last - first;
        job.in = (const REAL *)job.in + first * job.at.in_image;
        job.dy = (const REAL *)job.dy + first * job.at.out_image;
        job.dkernel = (REAL *)job.workspace + group * (weights + filters);
        if (job.dbias) job.dbias = (REAL *)job.dkernel + weights;
    }
    share_of(job.at.rows * job.at.run, TAPS_GRAIN, cut, cuts, &first, &last);
    NAME(gradient_whole)(&job, first, last);
    for (filter = 0; filter < filters;) {
        int V = vectors_for(filters - filter, filters, LANES, WIDE);
        int overlaps = filter > filters - V * LANES;
        int takes_bias = job.dbias && blocks++ % cuts == cut;
        start = overlaps ? filters - V * LANES : filter;
        if (V == 4) NAME(gradient_rest)(TAPS_4, 4, &job, first, last, start, overlaps, takes_bias);
        else if (V == 2) NAME(gradient_rest)(TAPS_2, 2, &job, first, last, start, overlaps, takes_bias);
        else NAME(gradient_rest)(TAPS_1, 1, &job, first, last, start, overlaps, takes_bias);
        filter += V * LANES;
    }
}

/* to[i] = the sum over all groups of their number `from` + i. */
static void NAME(sum_groups)(const struct kernel_gradient *job, ptrdiff_t from, ptrdiff_t count, REAL *to) {
    const ptrdiff_t whole = weights_of(&job->at) + job->at.filters;
    ptrdiff_t group, i;
    memcpy(to, (const REAL *)job->workspace + from, count * sizeof(REAL));
    for (group = 1; group < job->groups; group++) {
        const REAL *more = (const REAL *)job->workspace + group * whole + from;
        for (i = 0; i < count; i++) to[i] += more[i];
    }
}

static void NAME(sum_part)(void *context, int part, int parts) {
    const struct kernel_gradient *job = context;
    ptrdiff_t count;
    long long first, last;
    share_of(weights_of(&job->at), 1, part, parts, &first, &last);
    for (; first < last; first += count) {
        count = last - first < 1024 ? last - first : 1024;
        NAME(sum_groups)(job, first, count, (REAL *)job->dkernel + first);
    }
    if (job->dbias && part == 0) NAME(sum_groups)(job, weights_of(&job->at), job->at.filters, job->dbias);
}
