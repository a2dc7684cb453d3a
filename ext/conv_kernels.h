/* The loops of conv.h for one target and type; included by each_target.h. */

#define MOST_PIXELS 12
#define MOST_VECTORS 4
#define PIXELS_GRAIN 12  /* parts are cut between that many pixels */
#define TAPS_GRAIN 12    /* and taps: no less than the longest tile */

/* Tile sizes: as many sums as registers hold, beside the weights of one tap and one pixel.
   PIXEL_BLOCK: pixels times vectors that one visit of a gradient's tile sums over. Their numbers lie a power of two apart, so
   far fewer than the first cache has room for stay in it: with 16 registers 0.16 of the time was lost at 384. */
#undef WIDE
#undef PIXEL_BLOCK
#undef PIXELS_4
#undef PIXELS_2
#undef PIXELS_1
#undef TAPS_4
#undef TAPS_2
#undef TAPS_1
#if VECTOR_BYTES == 64 /* 32 registers, and a number is multiplied straight from memory */
#define WIDE 4
#define PIXEL_BLOCK 384
#define PIXELS_4 6
#define PIXELS_2 12
#define PIXELS_1 10
#define TAPS_4 6
#define TAPS_2 8
#define TAPS_1 10
#elif REGISTERS == 32
#define WIDE 4
#define PIXEL_BLOCK 256
#define PIXELS_4 4
#define PIXELS_2 8
#define PIXELS_1 10
#define TAPS_4 4
#define TAPS_2 8
#define TAPS_1 10
#else
#define WIDE 2
#define PIXEL_BLOCK 112
#define PIXELS_4 1
#define PIXELS_2 6
#define PIXELS_1 8
#define TAPS_4 1
#define TAPS_2 6
#define TAPS_1 8
#endif

/* ---- sums over taps: forward, and the gradient of the input ---- */

/* `P` pixels times `V` vectors of filters, all taps. */
INLINE void NAME(correlate_tile)(const int P, const int V, const struct correlation *job, const ptrdiff_t *starts,
                                 const ptrdiff_t *ends, ptrdiff_t filter) {
    const ptrdiff_t run = job->at.run, line = job->at.line, weights_row = job->weights_row;
    const REAL *weights = (const REAL *)job->weights + filter;
    const REAL *bias = job->bias ? (const REAL *)job->bias + filter : NULL;
    const REAL *in = job->in;
    REAL *out = (REAL *)job->out + filter;
    const REAL *patch[MOST_PIXELS];
    vector sum[MOST_PIXELS][MOST_VECTORS];
    ptrdiff_t r, j;
    int p, v;
    UNROLL for (p = 0; p < P; p++) {
        patch[p] = in + starts[p];
        UNROLL for (v = 0; v < V; v++)
            sum[p][v] = bias ? load(bias + v * LANES) : (vector){0};
    }
    for (r = 0; r < job->at.rows; r++) {
        for (j = 0; j < run; j++) {
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

/* Pixels [first, last) times V vectors. The last tile is moved back over finished pixels: same sums, same stores.
   Fewer pixels than a tile go one by one, so that no other part's pixels are written. */
INLINE void NAME(correlate_strip)(const int P, const int V, const struct correlation *job, ptrdiff_t first,
                                  ptrdiff_t last, ptrdiff_t filter) {
    ptrdiff_t starts[MOST_PIXELS], ends[MOST_PIXELS], pixel;
    struct pixel_walk walk = pixel_at(&job->at, first);
    if (last - first < P) {
        for (pixel = first; pixel < last; pixel++) {
            pixel_places(&job->at, &walk, 1, starts, ends);
            NAME(correlate_tile)(1, V, job, starts, ends, filter);
        }
        return;
    }
    for (pixel = first; pixel < last; pixel += P) {
        if (pixel > last - P) walk = pixel_at(&job->at, last - P);
        pixel_places(&job->at, &walk, P, starts, ends);
        NAME(correlate_tile)(P, V, job, starts, ends, filter);
    }
}

static void NAME(correlate_part)(void *context, int part, int parts) {
    const struct correlation *job = context;
    const ptrdiff_t filters = job->at.filters;
    ptrdiff_t filter, start;
    long long first, last;
    share_of(job->at.images * job->at.height * job->at.width, PIXELS_GRAIN, part, parts, &first, &last);
    for (filter = 0; filter < filters;) {
        int V = vectors_for(filters - filter, filters, LANES, WIDE);
        start = filter < filters - V * LANES ? filter : filters - V * LANES;
        if (V == 4) NAME(correlate_strip)(PIXELS_4, 4, job, first, last, start);
        else if (V == 2) NAME(correlate_strip)(PIXELS_2, 2, job, first, last, start);
        else NAME(correlate_strip)(PIXELS_1, 1, job, first, last, start);
        filter += V * LANES;
    }
}

/* ---- sums over pixels: the gradient of the weights ---- */

/* `T` taps times `V` vectors of filters, `count` pixels that begin at starts[] in `in` and at ends[] in dy.
   sums: T rows, `sums_row` apart; when `fresh` they begin at zero.
   adjacent: the taps lie side by side in `in`, so one address serves all of them. */
INLINE void NAME(gradient_taps)(const int T, const int V, const int adjacent, const struct kernel_gradient *job,
                                struct tap_walk tap, ptrdiff_t filter, const ptrdiff_t *starts, const ptrdiff_t *ends, ptrdiff_t count,
                                REAL *sums, ptrdiff_t sums_row, int fresh) {
    const REAL *taps[MOST_PIXELS], *dy = (const REAL *)job->dy + filter;
    vector sum[MOST_PIXELS][MOST_VECTORS];
    ptrdiff_t i;
    int t, v;
    UNROLL for (t = 0; t < T; t++) {
        taps[t] = (const REAL *)job->in + tap.row * job->at.line + tap.column;
        if (!adjacent) pass_taps(&job->at, &tap, 1);
        UNROLL for (v = 0; v < V; v++) sum[t][v] = fresh ? (vector){0} : load(sums + t * sums_row + v * LANES);
    }
    for (i = 0; i < count; i++) {
        const ptrdiff_t start = starts[i];
        vector out[MOST_VECTORS];
        UNROLL for (v = 0; v < V; v++) out[v] = load(dy + ends[i] + v * LANES);
        UNROLL for (t = 0; t < T; t++)
            UNROLL for (v = 0; v < V; v++) sum[t][v] += out[v] * (adjacent ? taps[0][start + t] : taps[t][start]);
    }
    UNROLL for (t = 0; t < T; t++)
        UNROLL for (v = 0; v < V; v++) store(sums + t * sums_row + v * LANES, sum[t][v]);
}

INLINE void NAME(gradient_tile)(const int T, const int V, const struct kernel_gradient *job, struct tap_walk tap,
                                ptrdiff_t filter, const ptrdiff_t *starts, const ptrdiff_t *ends, ptrdiff_t count,
                                REAL *sums, ptrdiff_t sums_row, int fresh) {
    if (tap.column + T <= job->at.run)
        NAME(gradient_taps)(T, V, 1, job, tap, filter, starts, ends, count, sums, sums_row, fresh);
    else
        NAME(gradient_taps)(T, V, 0, job, tap, filter, starts, ends, count, sums, sums_row, fresh);
}

/* One tile over all pixels, summed apart: it may overlap finished taps and filters, whose sums it repeats. */
INLINE void NAME(gradient_apart)(const int T, const int V, const struct kernel_gradient *job, ptrdiff_t tap,
                                 ptrdiff_t filter) {
    const ptrdiff_t pixels = job->at.images * job->at.height * job->at.width, filters = job->at.filters;
    ptrdiff_t starts[PIXEL_BLOCK], ends[PIXEL_BLOCK], pixel, count;
    REAL sums[MOST_PIXELS * MOST_VECTORS * LANES] = {0};
    struct pixel_walk walk = {0, 0, 0};
    int t;
    for (pixel = 0; pixel < pixels; pixel += count) {
        count = pixels - pixel < PIXEL_BLOCK ? pixels - pixel : PIXEL_BLOCK;
        pixel_places(&job->at, &walk, count, starts, ends);
        NAME(gradient_tile)(T, V, job, tap_at(&job->at, tap), filter, starts, ends, count, sums, V * LANES, pixel == 0);
    }
    for (t = 0; t < T; t++)
        memcpy((REAL *)job->dkernel + (tap + t) * filters + filter, sums + t * V * LANES, V * LANES * sizeof(REAL));
}

/* Whole tiles of taps [first, last) times V vectors, over one block of pixels. */
INLINE void NAME(gradient_strip)(const int T, const int V, const struct kernel_gradient *job, ptrdiff_t first, ptrdiff_t last,
                                 ptrdiff_t filter, const ptrdiff_t *starts, const ptrdiff_t *ends, ptrdiff_t count, int fresh) {
    const ptrdiff_t filters = job->at.filters;
    struct tap_walk walk = tap_at(&job->at, first);
    REAL *sums = (REAL *)job->dkernel + first * filters + filter;
    for (; first + T <= last; first += T, sums += T * filters) {
        NAME(gradient_tile)(T, V, job, walk, filter, starts, ends, count, sums, filters, fresh);
        pass_taps(&job->at, &walk, T);
    }
}

/* Whole tiles of taps [first, last) times all filters but those of a block that overlaps finished ones, a block of pixels at a
   time, so that what they read stays in the first cache. */
static void NAME(gradient_whole)(const struct kernel_gradient *job, ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t pixels = job->at.images * job->at.height * job->at.width, filters = job->at.filters;
    ptrdiff_t starts[PIXEL_BLOCK / WIDE], ends[PIXEL_BLOCK / WIDE], pixel, filter, count;
    struct pixel_walk walk = {0, 0, 0};
    for (pixel = 0; pixel < pixels; pixel += count) {
        count = pixels - pixel < PIXEL_BLOCK / WIDE ? pixels - pixel : PIXEL_BLOCK / WIDE;
        pixel_places(&job->at, &walk, count, starts, ends);
        for (filter = 0; filter < filters;) {
            int V = vectors_for(filters - filter, filters, LANES, WIDE);
            if (filter > filters - V * LANES) break;
            if (V == 4) NAME(gradient_strip)(TAPS_4, 4, job, first, last, filter, starts, ends, count, pixel == 0);
            else if (V == 2) NAME(gradient_strip)(TAPS_2, 2, job, first, last, filter, starts, ends, count, pixel == 0);
            else NAME(gradient_strip)(TAPS_1, 1, job, first, last, filter, starts, ends, count, pixel == 0);
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

/* What is left of taps [first, last) times V vectors: no whole tile, or all of them where the filters overlap finished ones;
   and their bias. */
INLINE void NAME(gradient_rest)(const int T, const int V, const struct kernel_gradient *job, ptrdiff_t first, ptrdiff_t last,
                                ptrdiff_t filter, int overlaps, int takes_bias) {
    ptrdiff_t tap = overlaps ? first : last - (last - first) % T;
    for (; tap <= last - T; tap += T) NAME(gradient_apart)(T, V, job, tap, filter);
    if (takes_bias) NAME(bias_tile)(V, job, filter);
    if (tap == last) return;
    if (last - first >= T) NAME(gradient_apart)(T, V, job, last - T, filter);
    else for (; tap < last; tap++) NAME(gradient_apart)(1, V, job, tap, filter);
}

static void NAME(gradient_part)(void *context, int part, int parts) {
    const struct kernel_gradient *job = context;
    const ptrdiff_t filters = job->at.filters;
    ptrdiff_t filter, start;
    long long first, last;
    int blocks = 0;
    share_of(job->at.rows * job->at.run, TAPS_GRAIN, part, parts, &first, &last);
    NAME(gradient_whole)(job, first, last);
    for (filter = 0; filter < filters;) {
        int V = vectors_for(filters - filter, filters, LANES, WIDE);
        int overlaps = filter > filters - V * LANES;
        int takes_bias = job->dbias && blocks++ % parts == part;
        start = overlaps ? filters - V * LANES : filter;
        if (V == 4) NAME(gradient_rest)(TAPS_4, 4, job, first, last, start, overlaps, takes_bias);
        else if (V == 2) NAME(gradient_rest)(TAPS_2, 2, job, first, last, start, overlaps, takes_bias);
        else NAME(gradient_rest)(TAPS_1, 1, job, first, last, start, overlaps, takes_bias);
        filter += V * LANES;
    }
}

/* ---- copies ---- */

#include "pad_kernels.h"
