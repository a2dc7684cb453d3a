/* The best of a row of values; compiled once for each type, included by td-inl.h and policy-inl.h. */

/* The column of the largest of A numbers; the first NaN counts as the largest. */
static inline ptrdiff_t NAME(best_of)(const REAL *row, ptrdiff_t A) {
    ptrdiff_t a, best = 0;
    for (a = 1; a < A; a++)
        if (row[best] == row[best] && !(row[a] <= row[best])) best = a;
    return best;
}
