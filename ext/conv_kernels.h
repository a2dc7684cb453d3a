/* The loops of conv.h for one target and type; included by each_target.h. */

#define MOST_PIXELS 12
#define MOST_VECTORS 4
#define PIXELS_GRAIN 12  /* parts are cut between that many pixels */
#define TAPS_GRAIN 12    /* and taps: no less than the longest tile */
#define IMAGE_PIXELS 200 /* one visit of a tile sums over at least about that many pixels */

/* Tile sizes: as many sums as registers hold, beside the weights of one tap and one pixel. */
#undef WIDE
#undef PIXELS_4
#undef PIXELS_2
#undef PIXELS_1
#undef TAPS_4
#undef TAPS_2
#undef TAPS_1
#if REGISTERS == 32
#define WIDE 4
#define PIXELS_4 6
#define PIXELS_2 10
#define PIXELS_1 10
#define TAPS_4 6
#define TAPS_2 10
#define TAPS_1 10
#else
#define WIDE 2
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
    if (last - first < P) {
        for (pixel = first; pixel < last; pixel++) {
            pixel_places(&job->at, pixel, 1, starts, ends);
            NAME(correlate_tile)(1, V, job, starts, ends, filter);
        }
        return;
    }
    for (pixel = first; pixel < last; pixel += P) {
        pixel_places(&job->at, pixel < last - P ? pixel : last - P, P, starts, ends);
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

/* `T` taps times `V` vectors of filters, images [first, last); continues from dkernel unless first is 0. */
INLINE void NAME(gradient_tile)(const int T, const int V, const struct kernel_gradient *job, ptrdiff_t tap,
                                ptrdiff_t filter, ptrdiff_t first, ptrdiff_t last) {
    const struct geometry *at = &job->at;
    const ptrdiff_t width = at->width, in_column = at->in_column, out_column = at->out_column;
    REAL *dkernel = (REAL *)job->dkernel + tap * at->filters + filter;
    const REAL *taps[MOST_PIXELS];
    vector sum[MOST_PIXELS][MOST_VECTORS];
    ptrdiff_t n, y, x;
    int t, v;
    UNROLL for (t = 0; t < T; t++) {
        taps[t] = (const REAL *)job->in + (tap + t) / at->run * at->line + (tap + t) % at->run;
        UNROLL for (v = 0; v < V; v++)
            sum[t][v] = first ? load(dkernel + t * at->filters + v * LANES) : (vector){0};
    }
    for (n = first; n < last; n++) {
        for (y = 0; y < at->height; y++) {
            const REAL *dy = (const REAL *)job->dy + n * at->out_image + y * at->out_row + filter;
            ptrdiff_t offset = n * at->in_image + y * at->in_row;
            for (x = 0; x < width; x++) {
                vector out[MOST_VECTORS];
                UNROLL for (v = 0; v < V; v++) out[v] = load(dy + v * LANES);
                dy += out_column;
                UNROLL for (t = 0; t < T; t++)
                    UNROLL for (v = 0; v < V; v++) sum[t][v] += out[v] * taps[t][offset];
                offset += in_column;
            }
        }
    }
    UNROLL for (t = 0; t < T; t++)
        UNROLL for (v = 0; v < V; v++) store(dkernel + t * at->filters + v * LANES, sum[t][v]);
}

/* Taps [first, last) times V vectors, one image after the other so that it stays in the cache. What is fewer than a
   tile is done last, for all images at once and from zero: then it may overlap finished taps, whose sums it repeats. */
INLINE void NAME(gradient_strip)(const int T, const int V, const struct kernel_gradient *job, ptrdiff_t first,
                                 ptrdiff_t last, ptrdiff_t filter, int overlaps) {
    const ptrdiff_t images = job->at.images, whole = first + (last - first) / T * T;
    const ptrdiff_t step = overlaps ? images : 1 + IMAGE_PIXELS / (job->at.height * job->at.width);
    ptrdiff_t n, tap;
    for (n = 0; n < images; n += step)
        for (tap = first; tap < whole; tap += T)
            NAME(gradient_tile)(T, V, job, tap, filter, n, n + step < images ? n + step : images);
    if (whole == last) return;
    if (last - first >= T) NAME(gradient_tile)(T, V, job, last - T, filter, 0, images);
    else for (tap = first; tap < last; tap++) NAME(gradient_tile)(1, V, job, tap, filter, 0, images);
}

static void NAME(sum_pixels)(const struct kernel_gradient *job, ptrdiff_t first, ptrdiff_t last) {
    const struct geometry *at = &job->at;
    REAL *dbias = job->dbias;
    ptrdiff_t n, y, x, f;
    for (f = first; f < last; f++) dbias[f] = 0;
    for (n = 0; n < at->images; n++)
        for (y = 0; y < at->height; y++)
            for (x = 0; x < at->width; x++) {
                const REAL *dy = (const REAL *)job->dy + n * at->out_image + y * at->out_row + x * at->out_column;
                for (f = first; f < last; f++) dbias[f] += dy[f];
            }
}

static void NAME(gradient_part)(void *context, int part, int parts) {
    const struct kernel_gradient *job = context;
    const ptrdiff_t filters = job->at.filters;
    ptrdiff_t filter, start;
    long long first, last;
    share_of(job->at.rows * job->at.run, TAPS_GRAIN, part, parts, &first, &last);
    for (filter = 0; filter < filters;) {
        int V = vectors_for(filters - filter, filters, LANES, WIDE);
        int overlaps = filter > filters - V * LANES;
        start = overlaps ? filters - V * LANES : filter;
        if (V == 4) NAME(gradient_strip)(TAPS_4, 4, job, first, last, start, overlaps);
        else if (V == 2) NAME(gradient_strip)(TAPS_2, 2, job, first, last, start, overlaps);
        else NAME(gradient_strip)(TAPS_1, 1, job, first, last, start, overlaps);
        filter += V * LANES;
    }
    if (job->dbias == NULL) return;
    share_of(filters, 64 / sizeof(REAL), part, parts, &first, &last);
    NAME(sum_pixels)(job, first, last);
}

/* ---- copies ---- */

#include "pad_kernels.h"
