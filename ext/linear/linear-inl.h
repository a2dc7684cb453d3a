/* The loops of linear.h; compiled once for each target and type by foreach_target.h.

     c[p, j] = sum over k of a[p, k] * b[k, j]

   A tile of ROWS rows and WIDE vectors of c stays in the registers while k runs. It reads adjacent numbers: a is copied to
   panels of as many rows as a tile has (panel[k*P + p]), b to panels of as many columns. In the matrices, rows of a and b are
   whole pages apart and would evict one another from the cache. */

#define MOST_ROWS 8
#define DEPTH_BLOCK 96  /* steps of k that a tile sums over in one visit */
#define ROWS_BLOCK 96   /* rows of c that are computed for all columns, so that their panels of a stay in the second cache */
#define ROWS_AT_ONCE 48 /* the same where one visit sums over all of k; c is then written nearly in order */
#define ROWS_GRAIN 24   /* a multiple of every tile height */
#define PACK_ROWS 16    /* with fewer rows of c, copying b costs more than it saves */
#define MATRIX_ROWS 8   /* rows of b that are added to one row of c at a time */
#define INPUT_ROWS 48   /* rows of the kernel that make one block of dx */

#undef ROWS
#undef WIDE
#define WIDE 2
#if REGISTERS == 32
#define ROWS 8
#else
#define ROWS 6
#endif

/* Rows of the next tile when `count` are left. */
INLINE int NAME(tile_rows)(ptrdiff_t count) {
    if (count >= ROWS && !(ROWS == 6 && count == 8)) return ROWS; /* 8 = 4 + 4: two rows do not fill the pipelines */
    return count >= 4 ? 4 : count >= 2 ? 2 : 1;
}

/* c[p, :V vectors] = sum over k of a[p, k] * b[k, :V vectors], for P rows; continues from c unless `fresh`.
   panel: a is a panel, a[k*P + p]; else its rows are a_row apart.
   soon: the next data from memory, V vectors for each k, soon_row apart. The weights of a large layer come from memory, in an
   order that the processor does not predict; prefetched here, they arrive while the sums run. */
INLINE void NAME(product_tile)(const int P, const int V, const int panel, ptrdiff_t depth, const REAL *a, ptrdiff_t a_row,
                               const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t c_row, int fresh, const REAL *soon,
                               ptrdiff_t soon_row) {
    const REAL *rows[MOST_ROWS];
    vector sum[MOST_ROWS][WIDE];
    ptrdiff_t k;
    int p, v;
    UNROLL for (p = 0; p < P; p++) {
        rows[p] = a + p * a_row;
        UNROLL for (v = 0; v < V; v++) sum[p][v] = fresh ? (vector){0} : load(c + p * c_row + v * LANES);
    }
    if (fresh) /* the next tile of c */
        UNROLL for (p = P; p < 2 * P; p++)
            UNROLL for (v = 0; v < V * VECTOR_BYTES; v += 64) FETCH_TO_WRITE(c + p * c_row + v / (int)sizeof(REAL));
    for (k = 0; k < depth; k++) {
        vector right[WIDE];
        UNROLL for (v = 0; v < V; v++) right[v] = load(b + v * LANES);
        UNROLL for (v = 0; v < V * VECTOR_BYTES; v += 64) FETCH(soon + v / (int)sizeof(REAL));
        b += b_row, soon += soon_row;
        UNROLL for (p = 0; p < P; p++)
            UNROLL for (v = 0; v < V; v++) sum[p][v] += right[v] * (panel ? a[p] : rows[p][k]);
        if (panel) a += P;
    }
    UNROLL for (p = 0; p < P; p++)
        UNROLL for (v = 0; v < V; v++) store(c + p * c_row + v * LANES, sum[p][v]);
}

/* All `count` rows of c times V vectors, tile after tile. `soon` is for panels; otherwise the rows of the next tile are
   prefetched. The four versions below are separate functions: inlined, they would lose a register to the caller and spill a
   sum to memory. */
INLINE void NAME(any_strip)(const int V, const int panel, ptrdiff_t count, ptrdiff_t depth, const REAL *a,
                            ptrdiff_t a_row, const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t c_row, int fresh,
                            const REAL *soon, ptrdiff_t soon_row) {
    int P;
    for (; count > 0; count -= P, a += P * (panel ? depth : a_row), c += P * c_row) {
        P = NAME(tile_rows)(count);
        if (!panel) soon = a + P * a_row, soon_row = P;
        if (P == ROWS) NAME(product_tile)(ROWS, V, panel, depth, a, a_row, b, b_row, c, c_row, fresh, soon, soon_row);
        else if (P == 4) NAME(product_tile)(4, V, panel, depth, a, a_row, b, b_row, c, c_row, fresh, soon, soon_row);
        else if (P == 2) NAME(product_tile)(2, V, panel, depth, a, a_row, b, b_row, c, c_row, fresh, soon, soon_row);
        else NAME(product_tile)(1, V, panel, depth, a, a_row, b, b_row, c, c_row, fresh, soon, soon_row);
    }
}

#define NNLITE_STRIP(name, V, panel)                                                                                    \
    static APART void NAME(name)(ptrdiff_t count, ptrdiff_t depth, const REAL *a, ptrdiff_t a_row, const REAL *b,       \
                                 ptrdiff_t b_row, REAL *c, ptrdiff_t c_row, int fresh, const REAL *soon,                \
                                 ptrdiff_t soon_row) {                                                                  \
        NAME(any_strip)(V, panel, count, depth, a, a_row, b, b_row, c, c_row, fresh, soon, soon_row);                   \
    }
NNLITE_STRIP(wide_strip, WIDE, 1)
NNLITE_STRIP(thin_strip, 1, 1)
NNLITE_STRIP(wide_strip_of_rows, WIDE, 0)
NNLITE_STRIP(thin_strip_of_rows, 1, 0)
#undef NNLITE_STRIP

/* The panels of `count` rows of a; a[p, k] is at a + p*a_row + k*a_step. */
INLINE const REAL *NAME(panels_of_a)(REAL *panels, ptrdiff_t count, ptrdiff_t depth, const REAL *a, ptrdiff_t a_row,
                                     ptrdiff_t a_step) {
    REAL *to = panels;
    ptrdiff_t k;
    int P, p;
    for (; count > 0; count -= P, a += P * a_row) {
        P = NAME(tile_rows)(count);
        for (k = 0; k < depth; k++, to += P)
            for (p = 0; p < P; p++) to[p] = a[p * a_row + k * a_step];
    }
    return panels;
}

/* One panel of b: columns [0, WIDE vectors) of `depth` rows. */
INLINE const REAL *NAME(panel_of_b)(REAL *panel, ptrdiff_t depth, const REAL *b, ptrdiff_t b_row) {
    ptrdiff_t k;
    int v;
    for (k = 0; k < depth; k++)
        UNROLL for (v = 0; v < WIDE; v++) store(panel + (k * WIDE + v) * LANES, load(b + k * b_row + v * LANES));
    return panel;
}

/* Columns of c after its last whole panel, in one or two blocks of V vectors that may overlap finished columns. Their sums are
   kept apart until all of k is done. */
struct NAME(rest) {
    int V, blocks;
    ptrdiff_t starts[2];
};

INLINE struct NAME(rest) NAME(rest_of)(ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t width = (last - first) % (WIDE * LANES), columns = last - first;
    struct NAME(rest) rest = {1, width > 0, {last - LANES, last - LANES}};
    if (width <= LANES) return rest;
    if (columns >= WIDE * LANES) {
        rest.V = WIDE;
        rest.starts[0] = last - WIDE * LANES;
    } else {
        rest.blocks = 2;
        rest.starts[0] = first;
    }
    return rest;
}

/* Columns [first, last) of `count` rows of c, no more than ROWS_BLOCK. */
static void NAME(product_rows)(ptrdiff_t count, ptrdiff_t depth, const REAL *a, ptrdiff_t a_row, ptrdiff_t a_step,
                               const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t c_row, ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t whole = last - (last - first) % (WIDE * LANES);
    const struct NAME(rest) rest = NAME(rest_of)(first, last);
    REAL left[ROWS_BLOCK * DEPTH_BLOCK], right[DEPTH_BLOCK * WIDE * LANES], apart[2][ROWS_BLOCK * WIDE * LANES];
    ptrdiff_t k, column, block, p;
    int r;
    for (k = 0; k < depth; k += block) {
        block = depth - k < DEPTH_BLOCK ? depth - k : DEPTH_BLOCK;
        NAME(panels_of_a)(left, count, block, a + k * a_step, a_row, a_step);
        for (column = first; column < whole; column += WIDE * LANES) {
            const REAL *from = b + k * b_row + column, *soon = from + block * b_row;
            const int copied = count >= PACK_ROWS;
            if (copied) from = NAME(panel_of_b)(right, block, from, b_row);
            NAME(wide_strip)(count, block, left, 0, from, copied ? WIDE * LANES : b_row, c + column, c_row, k == 0, soon, b_row);
        }
        for (r = 0; r < rest.blocks; r++) {
            const REAL *from = b + k * b_row + rest.starts[r], *soon = from + block * b_row;
            if (rest.V == 1) NAME(thin_strip)(count, block, left, 0, from, b_row, apart[r], LANES, k == 0, soon, b_row);
            else NAME(wide_strip)(count, block, left, 0, from, b_row, apart[r], WIDE * LANES, k == 0, soon, b_row);
        }
    }
    for (r = 0; r < rest.blocks; r++)
        for (p = 0; p < count; p++)
            memcpy(c + p * c_row + rest.starts[r], apart[r] + p * rest.V * LANES, rest.V * LANES * sizeof(REAL));
}

/* Columns [first, last) of all `count` rows of c. */
static void NAME(product)(ptrdiff_t count, ptrdiff_t depth, const REAL *a, ptrdiff_t a_row, ptrdiff_t a_step, const REAL *b,
                          ptrdiff_t b_row, REAL *c, ptrdiff_t c_row, ptrdiff_t first, ptrdiff_t last) {
    const ptrdiff_t rows = depth > DEPTH_BLOCK ? ROWS_BLOCK : ROWS_AT_ONCE;
    ptrdiff_t row;
    for (row = 0; row < count; row += rows)
        NAME(product_rows)(count - row < rows ? count - row : rows, depth, a + row * a_row, a_row, a_step, b, b_row,
                           c + row * c_row, c_row, first, last);
}

/* c[first..last) += sum over r < R of a[r] * b[r, first..last) */
INLINE void NAME(add_rows)(const int R, const REAL *a, const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t first, ptrdiff_t last) {
    ptrdiff_t column;
    int r;
    for (column = first; column <= last - LANES; column += LANES) {
        vector sum = load(c + column);
        UNROLL for (r = 0; r < R; r++) {
            sum += load(b + r * b_row + column) * a[r];
            FETCH(b + (r + R) * b_row + column);
        }
        store(c + column, sum);
    }
    for (; column < last; column++)
        UNROLL for (r = 0; r < R; r++) c[column] += a[r] * b[r * b_row + column];
}

/* One row of c: b comes from memory, so it is read once and in order. */
INLINE void NAME(row_product)(ptrdiff_t depth, const REAL *a, const REAL *b, ptrdiff_t b_row, REAL *c, ptrdiff_t first,
                              ptrdiff_t last) {
    ptrdiff_t k = 0;
    memset(c + first, 0, (last - first) * sizeof(REAL));
    for (; k <= depth - MATRIX_ROWS; k += MATRIX_ROWS) NAME(add_rows)(MATRIX_ROWS, a + k, b + k * b_row, b_row, c, first, last);
    for (; k < depth; k++) NAME(add_rows)(1, a + k, b + k * b_row, b_row, c, first, last);
}

static void NAME(forward_part)(void *context, int part, int parts) {
    const struct linear *job = context;
    const ptrdiff_t M = job->outputs;
    const REAL *x = job->x, *bias = job->bias;
    REAL *y = job->y;
    ptrdiff_t n, i;
    long long first, last;
    share_of(M, WIDE * LANES, part, parts, &first, &last);
    if (job->batch == 1) NAME(row_product)(job->inputs, x, job->kernel, M, y, first, last);
    else NAME(product)(job->batch, job->inputs, x, job->inputs, 1, job->kernel, M, y, M, first, last);
    for (n = 0; n < job->batch; n++, y += M) {
        if (bias) for (i = first; i < last; i++) y[i] += bias[i];
        if (job->relu) for (i = first; i < last; i++) y[i] = y[i] < 0 ? 0 : y[i];
    }
}

/* Rows [first, last) of dkernel = x' dy. */
static void NAME(kernel_part)(void *context, int part, int parts) {
    const struct linear *job = context;
    const ptrdiff_t M = job->outputs;
    const REAL *dy = job->y;
    REAL *dbias = job->dbias;
    ptrdiff_t n, i;
    long long d, last;
    share_of(job->inputs, ROWS_GRAIN, part, parts, &d, &last);
    NAME(product)(last - d, job->batch, (const REAL *)job->x + d, 1, job->inputs, dy, M, (REAL *)job->dkernel + d * M, M, 0, M);
    if (part || dbias == NULL) return;
    for (i = 0; i < M; i++) dbias[i] = 0;
    for (n = 0; n < job->batch; n++, dy += M)
        for (i = 0; i < M; i++) dbias[i] += dy[i];
}

/* The start of the next block of examples; the last block is moved back. A batch smaller than a vector is one block. */
INLINE ptrdiff_t NAME(block_of_examples)(ptrdiff_t n, ptrdiff_t batch, ptrdiff_t width) {
    return n + width <= batch ? n : batch > width ? batch - width : 0;
}

/* Examples [start, start + V vectors), up to the end of the batch, of dx = dy kernel', as columns of dx' = kernel dy'. */
INLINE void NAME(input_strip)(const int V, const struct linear *job, ptrdiff_t d, ptrdiff_t last, const REAL *transposed_dy,
                              ptrdiff_t start) {
    const ptrdiff_t M = job->outputs, D = job->inputs, count = last - d, left = job->batch - start;
    const ptrdiff_t examples = left < V * LANES ? left : V * LANES;
    REAL transposed_dx[INPUT_ROWS * WIDE * LANES], *dx = (REAL *)job->dx + start * D + d;
    ptrdiff_t n, i;
    (V == 1 ? NAME(thin_strip_of_rows) : NAME(wide_strip_of_rows))(count, M, (const REAL *)job->kernel + d * M, M, transposed_dy,
                                                                   V * LANES, transposed_dx, V * LANES, 1, NULL, 0);
    for (n = 0; n < examples; n++)
        for (i = 0; i < count; i++) dx[n * D + i] = transposed_dx[i * V * LANES + n];
}

static void NAME(input_part)(void *context, int part, int parts) {
    const struct linear *job = context;
    const ptrdiff_t N = job->batch, M = job->outputs;
    ptrdiff_t n, start;
    long long d, last, next;
    share_of(job->inputs, 16, part, parts, &d, &last);
    for (; d < last; d = next) {
        next = d + INPUT_ROWS < last ? d + INPUT_ROWS : last;
        for (n = 0; n < N;) {
            int V = vectors_for(N - n, N, LANES, WIDE);
            start = NAME(block_of_examples)(n, N, V * LANES);
            if (V == 2) NAME(input_strip)(2, job, d, next, (const REAL *)job->workspace + n * M, start);
            else NAME(input_strip)(1, job, d, next, (const REAL *)job->workspace + n * M, start);
            n += V * LANES;
        }
    }
}

/* workspace: dy' cut into the blocks of input_part, each (M, V vectors), with zeros after the end of the batch. */
static void NAME(transpose_part)(void *context, int part, int parts) {
    const struct linear *job = context;
    const ptrdiff_t N = job->batch, M = job->outputs;
    REAL *to = job->workspace;
    ptrdiff_t n, start, width, i, j;
    (void)part, (void)parts;
    for (n = 0; n < N; n += width, to += width * M) {
        width = vectors_for(N - n, N, LANES, WIDE) * LANES;
        start = NAME(block_of_examples)(n, N, width);
        for (j = 0; j < width; j++)
            for (i = 0; i < M; i++) to[i * width + j] = start + j < N ? ((const REAL *)job->y)[(start + j) * M + i] : 0;
    }
}
