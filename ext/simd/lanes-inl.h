/* Operations across the lanes of vectors; compiled once for each target and type, included by products-inl.h.

     sum_lanes(v)          the sum of all lanes
     add_lanes(v[4], to)   to[r] = sum_lanes(v[r]), four at once: each vector is added in halves down to 16 bytes, then
                           the four are transposed and added
     transpose(...)        a transposed copy of a matrix, in square blocks of 16-byte rows */

#ifndef NNLITE_SHUFFLE
#if defined(__has_builtin)
#if __has_builtin(__builtin_shufflevector)
#define NNLITE_SHUFFLE 1
#endif
#endif
#ifndef NNLITE_SHUFFLE
#define NNLITE_SHUFFLE 0
#endif
#endif

#if VECTOR_BYTES
typedef REAL NAME(quarter) __attribute__((vector_size(16)));

#if VECTOR_BYTES > 16
typedef REAL NAME(half) __attribute__((vector_size(VECTOR_BYTES / 2)));
INLINE NAME(half) NAME(halved)(vector v) {
    union { vector whole; NAME(half) halves[2]; } u;
    u.whole = v;
    return u.halves[0] + u.halves[1];
}
#endif

/* The vector added in halves down to 16 bytes. */
INLINE NAME(quarter) NAME(folded)(vector v) {
#if VECTOR_BYTES == 64
    union { NAME(half) whole; NAME(quarter) halves[2]; } u;
    u.whole = NAME(halved)(v);
    return u.halves[0] + u.halves[1];
#elif VECTOR_BYTES == 32
    return NAME(halved)(v);
#else
    return v;
#endif
}

INLINE REAL NAME(sum_lanes)(vector v) {
    NAME(quarter) sum = NAME(folded)(v);
#if REAL_BYTES == 4
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
#else
    return sum[0] + sum[1];
#endif
}

INLINE void NAME(add_lanes)(const vector *v, REAL *to) {
    NAME(quarter) a = NAME(folded)(v[0]), b = NAME(folded)(v[1]), c = NAME(folded)(v[2]), d = NAME(folded)(v[3]);
#if NNLITE_SHUFFLE && REAL_BYTES == 4
    NAME(quarter) left = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    NAME(quarter) right = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
    NAME(quarter) sum = __builtin_shufflevector(left, right, 0, 1, 4, 5) + __builtin_shufflevector(left, right, 2, 3, 6, 7);
    memcpy(to, &sum, sizeof sum);
#elif NNLITE_SHUFFLE
    NAME(quarter) left = __builtin_shufflevector(a, b, 0, 2) + __builtin_shufflevector(a, b, 1, 3);
    NAME(quarter) right = __builtin_shufflevector(c, d, 0, 2) + __builtin_shufflevector(c, d, 1, 3);
    memcpy(to, &left, sizeof left);
    memcpy(to + 2, &right, sizeof right);
#else
    union { NAME(quarter) rows[4]; REAL lanes[4][16 / sizeof(REAL)]; } u;
    int r, s;
    u.rows[0] = a, u.rows[1] = b, u.rows[2] = c, u.rows[3] = d;
    UNROLL for (r = 0; r < 4; r++) to[r] = u.lanes[r][0];
    UNROLL for (s = 1; s < (int)(16 / sizeof(REAL)); s++)
        UNROLL for (r = 0; r < 4; r++) to[r] += u.lanes[r][s];
#endif
}
#else
INLINE REAL NAME(sum_lanes)(vector v) { return v; }
INLINE void NAME(add_lanes)(const vector *v, REAL *to) { to[0] = v[0], to[1] = v[1], to[2] = v[2], to[3] = v[3]; }
#endif

#if VECTOR_BYTES && NNLITE_SHUFFLE
#define BLOCK (16 / (ptrdiff_t)sizeof(REAL))
typedef REAL NAME(loose_quarter) __attribute__((vector_size(16), aligned(sizeof(REAL)), may_alias));
#define QUARTER(p) (*(const NAME(loose_quarter) *)(p))
#define SET_QUARTER(p, v) (*(NAME(loose_quarter) *)(p) = (v))

/* One block: to[j*to_row + i] = from[i*from_row + j]. */
INLINE void NAME(transpose_block)(const REAL *from, ptrdiff_t from_row, REAL *to, ptrdiff_t to_row) {
    NAME(quarter) a = QUARTER(from), b = QUARTER(from + from_row);
#if REAL_BYTES == 4
    NAME(quarter) c = QUARTER(from + 2 * from_row), d = QUARTER(from + 3 * from_row);
    NAME(quarter) ac0 = __builtin_shufflevector(a, c, 0, 4, 1, 5), ac1 = __builtin_shufflevector(a, c, 2, 6, 3, 7);
    NAME(quarter) bd0 = __builtin_shufflevector(b, d, 0, 4, 1, 5), bd1 = __builtin_shufflevector(b, d, 2, 6, 3, 7);
    SET_QUARTER(to, __builtin_shufflevector(ac0, bd0, 0, 4, 1, 5));
    SET_QUARTER(to + to_row, __builtin_shufflevector(ac0, bd0, 2, 6, 3, 7));
    SET_QUARTER(to + 2 * to_row, __builtin_shufflevector(ac1, bd1, 0, 4, 1, 5));
    SET_QUARTER(to + 3 * to_row, __builtin_shufflevector(ac1, bd1, 2, 6, 3, 7));
#else
    SET_QUARTER(to, __builtin_shufflevector(a, b, 0, 2));
    SET_QUARTER(to + to_row, __builtin_shufflevector(a, b, 1, 3));
#endif
}
#else
#define BLOCK 1
INLINE void NAME(transpose_block)(const REAL *from, ptrdiff_t from_row, REAL *to, ptrdiff_t to_row) { *to = *from; }
#endif

/* to (columns, rows) = from (rows, columns) transposed; rows of `from` are from_row apart, those of `to` to_row. */
static void NAME(transpose)(const REAL *from, ptrdiff_t from_row, ptrdiff_t rows, ptrdiff_t columns, REAL *to,
                            ptrdiff_t to_row) {
    const ptrdiff_t whole_rows = rows / BLOCK * BLOCK, whole_columns = columns / BLOCK * BLOCK;
    ptrdiff_t i, j;
    for (i = 0; i < whole_rows; i += BLOCK)
        for (j = 0; j < whole_columns; j += BLOCK)
            NAME(transpose_block)(from + i * from_row + j, from_row, to + j * to_row + i, to_row);
    for (j = whole_columns; j < columns; j++)
        for (i = 0; i < whole_rows; i++) to[j * to_row + i] = from[i * from_row + j];
    for (j = 0; j < columns; j++)
        for (i = whole_rows; i < rows; i++) to[j * to_row + i] = from[i * from_row + j];
}
#undef BLOCK
#undef QUARTER
#undef SET_QUARTER
