/* Products of small matrices; compiled once for each target and type, included by passes-inl.h.

     c[i, j] = start[j] + sum over k < depth  a[i, k] * b[k, j]

   a is read at a + i*a_row + k*a_step, so it may be transposed. Rows of b and c are adjacent numbers. start NULL counts as
   zeros. `finish` says what is done to each sum before it is stored:
     KEEP   nothing       AT_LEAST_ZERO  max(sum, 0)       GATED  0 unless gate[i, j] > 0, with gate laid out like c */

#undef WIDE
#if REGISTERS == 32
#define WIDE 4
#else
#define WIDE 2
#endif

#ifndef NNLITE_NETWORK_FINISH
#define NNLITE_NETWORK_FINISH
enum finish { KEEP, AT_LEAST_ZERO, GATED };
#define TILE_ROWS 4
#define MOST_WIDE 4
#endif

struct NAME(product) {
    const REAL *a, *b, *start, *gate;
    REAL *c;
    ptrdiff_t a_row, a_step, b_row, c_row;
    ptrdiff_t rows, columns, depth;
    int finish;
};

INLINE REAL NAME(finished)(REAL sum, int finish, const REAL *gate) {
    if (finish == AT_LEAST_ZERO) return sum < 0 ? 0 : sum;
    if (finish == GATED) return *gate > 0 ? sum : 0;
    return sum;
}

#if VECTOR_BYTES
INLINE vector NAME(gated)(vector value, vector gate) {
    return (vector)((NAME(mask_vector))value & (NAME(mask_vector))(gate > (REAL)0));
}
#else
INLINE vector NAME(gated)(vector value, vector gate) { return gate > 0 ? value : 0; }
#endif

#include "simd/lanes-inl.h"

/* ---- rows of at least one vector: R rows times V vectors stay in registers ---- */

INLINE void NAME(product_tile)(const int R, const int V, const struct NAME(product) *p, ptrdiff_t i, ptrdiff_t j) {
    const REAL *a = p->a + i * p->a_row, *b = p->b + j;
    const ptrdiff_t a_row = p->a_row, a_step = p->a_step, b_row = p->b_row, depth = p->depth;
    const ptrdiff_t place = i * p->c_row + j;
    vector sum[TILE_ROWS][MOST_WIDE];
    ptrdiff_t k;
    int r, v;
    UNROLL for (r = 0; r < R; r++)
        UNROLL for (v = 0; v < V; v++) sum[r][v] = p->start ? load(p->start + j + v * LANES) : (vector){0};
    for (k = 0; k < depth; k++) {
        vector right[MOST_WIDE];
        UNROLL for (v = 0; v < V; v++) right[v] = load(b + v * LANES);
        UNROLL for (r = 0; r < R; r++)
            UNROLL for (v = 0; v < V; v++) sum[r][v] += right[v] * a[r * a_row];
        a += a_step;
        b += b_row;
    }
    if (p->finish == AT_LEAST_ZERO) {
        UNROLL for (r = 0; r < R; r++)
            UNROLL for (v = 0; v < V; v++) sum[r][v] = at_least_zero(sum[r][v]);
    } else if (p->finish == GATED) {
        UNROLL for (r = 0; r < R; r++)
            UNROLL for (v = 0; v < V; v++)
                sum[r][v] = NAME(gated)(sum[r][v], load(p->gate + place + r * p->c_row + v * LANES));
    }
    UNROLL for (r = 0; r < R; r++)
        UNROLL for (v = 0; v < V; v++) store(p->c + place + r * p->c_row + v * LANES, sum[r][v]);
}

/* All rows times V vectors. The last tile is moved back over finished rows and computes them again. */
INLINE void NAME(product_strip)(const int V, const struct NAME(product) *p, ptrdiff_t j) {
    ptrdiff_t i;
    if (p->rows < TILE_ROWS) {
        for (i = 0; i < p->rows; i++) NAME(product_tile)(1, V, p, i, j);
        return;
    }
    for (i = 0; i < p->rows; i += TILE_ROWS)
        NAME(product_tile)(TILE_ROWS, V, p, i < p->rows - TILE_ROWS ? i : p->rows - TILE_ROWS, j);
}

/* columns >= LANES. The last vector is moved back over finished columns: the same sums, stored again. */
static void NAME(product)(const struct NAME(product) *p) {
    const ptrdiff_t columns = p->columns;
    ptrdiff_t j = 0;
    for (; j + WIDE * LANES <= columns; j += WIDE * LANES) NAME(product_strip)(WIDE, p, j);
#if WIDE > 2
    if (columns - j >= 2 * LANES) NAME(product_strip)(2, p, j), j += 2 * LANES;
#endif
    for (; j < columns; j += LANES) NAME(product_strip)(1, p, j < columns - LANES ? j : columns - LANES);
}

/* ---- few columns, much depth: c[i, j] = start[j] + sum over k  a[i, k] * b[j, k], both rows of adjacent numbers ---- */

INLINE void NAME(dot_tile)(const int R, const struct NAME(product) *p, ptrdiff_t i, ptrdiff_t j) {
    const REAL *a = p->a + i * p->a_row, *b = p->b + j * p->b_row;
    vector sum[TILE_ROWS];
    REAL total[TILE_ROWS];
    ptrdiff_t k;
    int r;
    UNROLL for (r = 0; r < R; r++) sum[r] = (vector){0};
    for (k = 0; k + LANES <= p->depth; k += LANES) {
        vector right = load(b + k);
        UNROLL for (r = 0; r < R; r++) sum[r] += right * load(a + r * p->a_row + k);
    }
    if (R == TILE_ROWS) NAME(add_lanes)(sum, total);
    else total[0] = NAME(sum_lanes)(sum[0]);
    for (; k < p->depth; k++)
        UNROLL for (r = 0; r < R; r++) total[r] += b[k] * a[r * p->a_row + k];
    UNROLL for (r = 0; r < R; r++) {
        ptrdiff_t place = (i + r) * p->c_row + j;
        p->c[place] = NAME(finished)(total[r] + (p->start ? p->start[j] : 0), p->finish, p->gate + place);
    }
}

/* b is read by rows: b + j*b_row + k; a_step is 1. */
static void NAME(dots)(const struct NAME(product) *p) {
    ptrdiff_t i, j;
    for (i = 0; i + TILE_ROWS <= p->rows; i += TILE_ROWS)
        for (j = 0; j < p->columns; j++) NAME(dot_tile)(TILE_ROWS, p, i, j);
    for (; i < p->rows; i++)
        for (j = 0; j < p->columns; j++) NAME(dot_tile)(1, p, i, j);
}

/* ---- anything small: one number at a time, several sums side by side ---- */

INLINE void NAME(thin_tile)(const int C, const int S, const struct NAME(product) *p, ptrdiff_t i, ptrdiff_t j) {
    const REAL *a = p->a + i * p->a_row, *b = p->b + j;
    REAL sum[4][4];
    ptrdiff_t k, place = i * p->c_row + j;
    int c, s;
    UNROLL for (s = 0; s < S; s++)
        UNROLL for (c = 0; c < C; c++) sum[s][c] = s || !p->start ? 0 : p->start[j + c];
    for (k = 0; k + S <= p->depth; k += S)
        UNROLL for (s = 0; s < S; s++)
            UNROLL for (c = 0; c < C; c++) sum[s][c] += a[(k + s) * p->a_step] * b[(k + s) * p->b_row + c];
    for (; k < p->depth; k++)
        UNROLL for (c = 0; c < C; c++) sum[0][c] += a[k * p->a_step] * b[k * p->b_row + c];
    UNROLL for (s = 1; s < S; s++)
        UNROLL for (c = 0; c < C; c++) sum[0][c] += sum[s][c];
    UNROLL for (c = 0; c < C; c++) p->c[place + c] = NAME(finished)(sum[0][c], p->finish, p->gate + place + c);
}

static void NAME(thin)(const struct NAME(product) *p) {
    ptrdiff_t i, j;
    for (i = 0; i < p->rows; i++) {
        for (j = 0; j + 4 <= p->columns; j += 4) NAME(thin_tile)(4, 2, p, i, j);
        if (p->columns - j >= 2) NAME(thin_tile)(2, 4, p, i, j), j += 2;
        if (j < p->columns) NAME(thin_tile)(1, 4, p, i, j);
    }
}
