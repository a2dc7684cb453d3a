/* The loops of gemm.h for one target and type; included by each_target.h. */

#define MOST_ROWS 8
#define DEPTH_BLOCK 128 /* rows of b that one visit of a tile sums over: with the columns of a tile, 16 kB */
#define DEPTH_TURNED 32 /* the same where a is read by columns, each row on a page of its own */
#define PACK_ROWS 16    /* that many rows of c are worth a copy of b */
#define INPUT_ROWS 64   /* rows of the kernel that make one block of dx */

#undef WIDE
#undef WIDE_ONE
#if REGISTERS == 32
#define WIDE 2
#define WIDE_ONE 16
#else
#define WIDE 1
#define WIDE_ONE 8
#endif

/* c[p, :V vectors] = sum over k of a[p, k] * b[k, :V vectors], for P rows; continues from c unless `fresh`.
   turned: a is stored by columns, a[k*a_row + p]. */
INLINE void NAME(product_tile)(const int P, const int V, const int turned, ptrdiff_t depth, const REAL *a, ptrdiff_t a_row,
                               const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t c_row, int fresh) {
    const REAL *rows[MOST_ROWS];
    vector sum[MOST_ROWS][WIDE_ONE];
    ptrdiff_t k;
    int p, v;
    UNROLL for (p = 0; p < P; p++) {
        rows[p] = turned ? a + p : a + p * a_row;
        UNROLL for (v = 0; v < V; v++) sum[p][v] = fresh ? (vector){0} : load(c + p * c_row + v * LANES);
    }
    for (k = 0; k < depth; k++) {
        vector right[WIDE_ONE];
        UNROLL for (v = 0; v < V; v++) right[v] = load(b + v * LANES);
        b += b_row;
        UNROLL for (p = 0; p < P; p++)
            UNROLL for (v = 0; v < V; v++) sum[p][v] += right[v] * (turned ? a[p] : rows[p][k]);
        if (turned) a += a_row;
    }
    UNROLL for (p = 0; p < P; p++)
        UNROLL for (v = 0; v < V; v++) store(c + p * c_row + v * LANES, sum[p][v]);
}

/* All `count` rows of c times V vectors, by eights, fours, twos and ones. */
INLINE void NAME(product_strip)(const int V, const int turned, ptrdiff_t count, ptrdiff_t depth, const REAL *a,
                                ptrdiff_t a_row, const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t c_row, int fresh) {
    const ptrdiff_t next = turned ? 1 : a_row;
    for (; count >= 8; count -= 8, a += 8 * next, c += 8 * c_row)
        NAME(product_tile)(8, V, turned, depth, a, a_row, b, b_row, c, c_row, fresh);
    if (count & 4) {
        NAME(product_tile)(4, V, turned, depth, a, a_row, b, b_row, c, c_row, fresh);
        a += 4 * next, c += 4 * c_row;
    }
    if (count & 2) {
        NAME(product_tile)(2, V, turned, depth, a, a_row, b, b_row, c, c_row, fresh);
        a += 2 * next, c += 2 * c_row;
    }
    if (count & 1) NAME(product_tile)(1, V, turned, depth, a, a_row, b, b_row, c, c_row, fresh);
}

/* Columns [first, last) of c that are no whole number of blocks: all of the depth at once and from zero, so that the
   last block may overlap finished columns, whose sums it repeats. */
INLINE void NAME(product_tail)(const int turned, ptrdiff_t count, ptrdiff_t depth, const REAL *a, ptrdiff_t a_row,
                               const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t c_row, ptrdiff_t first, ptrdiff_t last) {
    ptrdiff_t column = last - (last - first) % (WIDE * LANES), start;
    while (column < last) {
        int V = vectors_for(last - column, last - first, LANES, WIDE);
        start = column < last - V * LANES ? column : last - V * LANES;
        if (V == 2) NAME(product_strip)(2, turned, count, depth, a, a_row, b + start, b_row, c + start, c_row, 1);
        else NAME(product_strip)(1, turned, count, depth, a, a_row, b + start, b_row, c + start, c_row, 1);
        column += V * LANES;
    }
}

/* The block of b that a tile reads, its rows side by side. */
INLINE const REAL *NAME(packed)(REAL *pack, ptrdiff_t depth, const REAL *b, ptrdiff_t b_row) {
    ptrdiff_t k;
    int v;
    for (k = 0; k < depth; k++)
        UNROLL for (v = 0; v < WIDE; v++) store(pack + (k * WIDE + v) * LANES, load(b + k * b_row + v * LANES));
    return pack;
}

/* Columns [first, last) of c, a block of the depth at a time so that its part of b stays in the cache. */
INLINE void NAME(product)(const int turned, ptrdiff_t count, ptrdiff_t depth, const REAL *a, ptrdiff_t a_row,
                          const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t c_row, ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t whole = last - (last - first) % (WIDE * LANES), most = turned ? DEPTH_TURNED : DEPTH_BLOCK;
    const int packs = !turned && count >= PACK_ROWS;
    REAL pack[DEPTH_BLOCK * WIDE * LANES];
    ptrdiff_t k, column, block;
    for (k = 0; k < depth; k += block) {
        const REAL *left = turned ? a + k * a_row : a + k;
        block = depth - k < most ? depth - k : most;
        for (column = first; column < whole; column += WIDE * LANES) {
            const REAL *right = b + k * b_row + column;
            NAME(product_strip)(WIDE, turned, count, block, left, a_row,
                                packs ? NAME(packed)(pack, block, right, b_row) : right, packs ? WIDE * LANES : b_row,
                                c + column, c_row, k == 0);
        }
    }
    NAME(product_tail)(turned, count, depth, a, a_row, b, b_row, c, c_row, first, last);
}

/* One row of c: b is read once, in runs of many columns. */
INLINE void NAME(row_product)(ptrdiff_t depth, const REAL *a, const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t first,
                              ptrdiff_t last) {
    ptrdiff_t column = first, start;
    while (column < last) {
        int V = vectors_for(last - column, last - first, LANES, WIDE_ONE);
        start = column < last - V * LANES ? column : last - V * LANES;
        if (V == 16) NAME(product_tile)(1, 16 < WIDE_ONE ? 16 : WIDE_ONE, 0, depth, a, 0, b + start, b_row, c + start, 0, 1);
        else if (V == 8) NAME(product_tile)(1, 8, 0, depth, a, 0, b + start, b_row, c + start, 0, 1);
        else if (V == 4) NAME(product_tile)(1, 4, 0, depth, a, 0, b + start, b_row, c + start, 0, 1);
        else if (V == 2) NAME(product_tile)(1, 2, 0, depth, a, 0, b + start, b_row, c + start, 0, 1);
        else NAME(product_tile)(1, 1, 0, depth, a, 0, b + start, b_row, c + start, 0, 1);
        column += V * LANES;
    }
}

static void NAME(forward_part)(void *context, int part, int parts) {
    const struct dense *job = context;
    const ptrdiff_t M = job->outputs;
    const REAL *x = job->x, *bias = job->bias;
    REAL *y = job->y;
    ptrdiff_t n, i;
    long long first, last;
    share_of(M, WIDE * LANES, part, parts, &first, &last);
    if (job->batch == 1) NAME(row_product)(job->inputs, x, job->kernel, M, y, first, last);
    else NAME(product)(0, job->batch, job->inputs, x, job->inputs, job->kernel, M, y, M, first, last);
    for (n = 0; n < job->batch; n++, y += M) {
        if (bias) for (i = first; i < last; i++) y[i] += bias[i];
        if (job->relu) for (i = first; i < last; i++) y[i] = y[i] < 0 ? 0 : y[i];
    }
}

/* Rows [first, last) of dkernel = x' dy. */
static void NAME(kernel_part)(void *context, int part, int parts) {
    const struct dense *job = context;
    const ptrdiff_t M = job->outputs;
    const REAL *dy = job->y;
    REAL *dbias = job->dbias;
    ptrdiff_t n, i;
    long long d, last, next;
    share_of(job->inputs, 8, part, parts, &d, &last);
    for (; d < last; d = next) {
        next = d + 8 < last ? d + 8 : last;
        NAME(product)(1, next - d, job->batch, (const REAL *)job->x + d, job->inputs, dy, M,
                      (REAL *)job->dkernel + d * M, M, 0, M);
    }
    if (part || dbias == NULL) return;
    for (i = 0; i < M; i++) dbias[i] = 0;
    for (n = 0; n < job->batch; n++, dy += M)
        for (i = 0; i < M; i++) dbias[i] += dy[i];
}

/* Examples [start, start + V vectors) of dx = dy kernel', as columns of dx' = kernel dy', INPUT_ROWS at a time. */
INLINE void NAME(input_strip)(const int V, const struct dense *job, ptrdiff_t d, ptrdiff_t last, const REAL *turned_dy,
                              ptrdiff_t start) {
    const ptrdiff_t M = job->outputs, D = job->inputs, count = last - d;
    REAL turned_dx[INPUT_ROWS * WIDE * LANES], *dx = (REAL *)job->dx + start * D + d;
    ptrdiff_t n, i;
    NAME(product_strip)(V, 0, count, M, (const REAL *)job->kernel + d * M, M, turned_dy, V * LANES, turned_dx, V * LANES, 1);
    for (n = 0; n < V * LANES; n++)
        for (i = 0; i < count; i++) dx[n * D + i] = turned_dx[i * V * LANES + n];
}

static void NAME(input_part)(void *context, int part, int parts) {
    const struct dense *job = context;
    const ptrdiff_t N = job->batch, M = job->outputs;
    ptrdiff_t n, start;
    long long d, last, next;
    share_of(job->inputs, 16, part, parts, &d, &last);
    for (; d < last; d = next) {
        next = d + INPUT_ROWS < last ? d + INPUT_ROWS : last;
        for (n = 0; n < N;) {
            int V = vectors_for(N - n, N, LANES, WIDE);
            start = n < N - V * LANES ? n : N - V * LANES;
            if (V == 2) NAME(input_strip)(2, job, d, next, (const REAL *)job->scratch + n * M, start);
            else NAME(input_strip)(1, job, d, next, (const REAL *)job->scratch + n * M, start);
            n += V * LANES;
        }
    }
}

/* scratch: dy' cut into the blocks of input_part, each (M, V vectors). */
static void NAME(turn_part)(void *context, int part, int parts) {
    const struct dense *job = context;
    const ptrdiff_t N = job->batch, M = job->outputs;
    REAL *to = job->scratch;
    ptrdiff_t n, start, width, i, j;
    (void)part, (void)parts;
    for (n = 0; n < N; n += width, to += width * M) {
        width = vectors_for(N - n, N, LANES, WIDE) * LANES;
        start = n < N - width ? n : N - width;
        for (j = 0; j < width; j++)
            for (i = 0; i < M; i++) to[i * width + j] = ((const REAL *)job->y)[(start + j) * M + i];
    }
}
