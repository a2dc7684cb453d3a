/* Activation functions and their derivatives for one target and type; included by passes-inl.h.

   Forward overwrites z with y = f(z); backward gives dz from y and dy (dz may be dy itself). NaN stays NaN.
   exp and tanh are vector polynomials of a few units in the last place, so that the library's function, which takes
   one number at a time, is not what a pass waits for. */

#ifndef NNLITE_DENSE_EXP
#define NNLITE_DENSE_EXP
/* exp(x) = 2^n exp(r), n = x / log 2 rounded, |r| <= log(2)/2, exp(r) as its Taylor sum to beyond the last bit.
   ROUND, added, leaves n in the low bits of the sum; log 2 comes in two parts so that n * LOG2_HIGH is exact. */
#define EXP_ROUND_float 12582912.0f
#define EXP_LOG2_HIGH_float 0.693359375f
#define EXP_LOG2_LOW_float -2.12194440e-4f
#define EXP_LEAST_float -87.0f
#define EXP_TERMS_float 7
#define EXP_SHIFT_float 23
#define EXP_ROUND_double 6755399441055744.0
#define EXP_LOG2_HIGH_double 6.93145751953125e-1
#define EXP_LOG2_LOW_double 1.42860682030941723212e-6
#define EXP_LEAST_double -708.0
#define EXP_TERMS_double 13
#define EXP_SHIFT_double 52
static const double one_over_factorial[] = {
    1.0, 1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800,
    1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
/* tanh x = x (1 + x^2 T(x^2)) below TANH_SMALL: Taylor coefficients, from x^3 on. */
#define TANH_SMALL 0.25
static const double tanh_terms[] = {-1.0 / 3, 2.0 / 15, -17.0 / 315, 62.0 / 2835, -1382.0 / 155925, 21844.0 / 6081075,
                                    -929569.0 / 638512875, 6404582.0 / 10854718875, -443861162.0 / 1856156927625,
                                    18888466084.0 / 194896477400625};
#define TANH_TERMS_float 5
#define TANH_TERMS_double 10
#endif
#if VECTOR_BYTES
INLINE vector NAME(choose)(NAME(mask_vector) mask, vector yes, vector no) {
    return (vector)((mask & (NAME(mask_vector))yes) | (~mask & (NAME(mask_vector))no));
}
INLINE vector NAME(size_of)(vector x) { return NAME(choose)((NAME(mask_vector))(x < (REAL)0), -x, x); }

/* exp of numbers <= 0: what is below EXP_LEAST gives 0. */
INLINE vector NAME(exp_of)(vector x) {
    const REAL round = OF_TYPE(EXP_ROUND);
    vector bounded = NAME(choose)((NAME(mask_vector))(x < OF_TYPE(EXP_LEAST)), (vector){0} + OF_TYPE(EXP_LEAST), x);
    vector rounded = bounded * (REAL)1.4426950408889634074 + round;
    vector n = rounded - round;
    vector r = bounded - n * OF_TYPE(EXP_LOG2_HIGH) - n * OF_TYPE(EXP_LOG2_LOW);
    vector sum = (vector){0} + (REAL)one_over_factorial[OF_TYPE(EXP_TERMS)];
    int term;
    UNROLL for (term = OF_TYPE(EXP_TERMS) - 1; term >= 0; term--) sum = sum * r + (REAL)one_over_factorial[term];
    sum = (vector)((NAME(mask_vector))sum + ((NAME(mask_vector))rounded << OF_TYPE(EXP_SHIFT)));
    sum = (vector)((NAME(mask_vector))sum & ~(NAME(mask_vector))(x < OF_TYPE(EXP_LEAST)));
    return NAME(choose)((NAME(mask_vector))(x == x), sum, x);
}

INLINE vector NAME(tanh_of)(vector x) {
    vector size = NAME(size_of)(x), square = x * x;
    vector e = NAME(exp_of)(size * (REAL)-2);
    vector large = ((REAL)1 - e) / ((REAL)1 + e);
    vector sum = (vector){0} + (REAL)tanh_terms[OF_TYPE(TANH_TERMS) - 1];
    int term;
    UNROLL for (term = OF_TYPE(TANH_TERMS) - 2; term >= 0; term--) sum = sum * square + (REAL)tanh_terms[term];
    large = NAME(choose)((NAME(mask_vector))(x < (REAL)0), -large, large);
    return NAME(choose)((NAME(mask_vector))(size < (REAL)TANH_SMALL), x + x * square * sum, large);
}

INLINE vector NAME(sigmoid_of)(vector x) {
    vector e = NAME(exp_of)(-NAME(size_of)(x));
    return NAME(choose)((NAME(mask_vector))(x < (REAL)0), e, (vector){0} + (REAL)1) / ((REAL)1 + e);
}
#else
INLINE vector NAME(exp_of)(vector x) { return (REAL)exp((double)x); }
INLINE vector NAME(tanh_of)(vector x) { return (REAL)tanh((double)x); }
INLINE vector NAME(sigmoid_of)(vector x) {
    REAL e = (REAL)exp(x < 0 ? (double)x : -(double)x);
    return (x < 0 ? e : 1) / (1 + e);
}
#endif

INLINE vector NAME(tanh_slope)(vector y) { return ((REAL)1 - y) * ((REAL)1 + y); }
INLINE vector NAME(sigmoid_slope)(vector y) { return ((REAL)1 - y) * y; }

/* Defines to[i] = of(...) for all i < count; what is less than a vector goes through a vector of its own. */
#undef EACH
#define EACH(count, ...)                                                                      \
    for (i = 0; i < (count); i += LANES) {                                                    \
        const ptrdiff_t left = (count) - i < LANES ? (count) - i : LANES;                     \
        __VA_ARGS__                                                                           \
    }

INLINE vector NAME(load_some)(const REAL *from, ptrdiff_t count) {
    REAL lanes[LANES] = {0};
    if (LANES == 1 || count == LANES) return load(from);
    memcpy(lanes, from, (size_t)count * sizeof(REAL));
    return load(lanes);
}

INLINE void NAME(store_some)(REAL *to, vector value, ptrdiff_t count) {
    REAL lanes[LANES];
    if (LANES == 1 || count == LANES) {
        store(to, value);
        return;
    }
    store(lanes, value);
    memcpy(to, lanes, (size_t)count * sizeof(REAL));
}

static void NAME(softmax_rows)(REAL *z, ptrdiff_t rows, ptrdiff_t columns) {
    ptrdiff_t n, m, i, count = rows * columns;
    for (n = 0; n < rows; n++) {
        REAL *row = z + n * columns, most = row[0];
        for (m = 1; m < columns; m++) most = row[m] > most || row[m] != row[m] ? row[m] : most;
        for (m = 0; m < columns; m++) row[m] -= most;
    }
    EACH(count, NAME(store_some)(z + i, NAME(exp_of)(NAME(load_some)(z + i, left)), left);)
    for (n = 0; n < rows; n++) {
        REAL *row = z + n * columns, sum = 0;
        for (m = 0; m < columns; m++) sum += row[m];
        for (m = 0; m < columns; m++) row[m] /= sum;
    }
}

static void NAME(activate)(int activation, REAL *z, ptrdiff_t rows, ptrdiff_t columns) {
    ptrdiff_t i, count = rows * columns;
    if (activation == RELU) {
        EACH(count, NAME(store_some)(z + i, at_least_zero(NAME(load_some)(z + i, left)), left);)
    } else if (activation == SIGMOID) {
        EACH(count, NAME(store_some)(z + i, NAME(sigmoid_of)(NAME(load_some)(z + i, left)), left);)
    } else if (activation == TANH) {
        EACH(count, NAME(store_some)(z + i, NAME(tanh_of)(NAME(load_some)(z + i, left)), left);)
    } else if (activation == SOFTPLUS) {
        for (i = 0; i < count; i++) z[i] = (REAL)((z[i] > 0 ? (double)z[i] : 0.0) + log1p(exp(-fabs((double)z[i]))));
    } else if (activation == SOFTMAX) {
        NAME(softmax_rows)(z, rows, columns);
    }
}

/* dz = dy f'(z), every cell written. */
static void NAME(through_activation)(int activation, const REAL *y, const REAL *dy, REAL *dz, ptrdiff_t rows,
                                     ptrdiff_t columns) {
    ptrdiff_t i, n, m, count = rows * columns;
    if (activation == RELU) {
        EACH(count, vector g = NAME(gated)(NAME(load_some)(dy + i, left), NAME(load_some)(y + i, left));
             NAME(store_some)(dz + i, g, left);)
    } else if (activation == SIGMOID) {
        EACH(count, vector g = NAME(load_some)(dy + i, left) * NAME(sigmoid_slope)(NAME(load_some)(y + i, left));
             NAME(store_some)(dz + i, g, left);)
    } else if (activation == TANH) {
        EACH(count, vector g = NAME(load_some)(dy + i, left) * NAME(tanh_slope)(NAME(load_some)(y + i, left));
             NAME(store_some)(dz + i, g, left);)
    } else if (activation == SOFTPLUS) {
        for (i = 0; i < count; i++) dz[i] = (REAL)(dy[i] * -expm1(-(double)y[i]));
    } else if (activation == SOFTMAX) {
        for (n = 0; n < rows; n++, y += columns, dy += columns, dz += columns) {
            REAL shared = 0;
            for (m = 0; m < columns; m++) shared += dy[m] * y[m];
            for (m = 0; m < columns; m++) dz[m] = y[m] * (dy[m] - shared);
        }
    } else if (dz != dy) {
        memcpy(dz, dy, (size_t)count * sizeof(REAL));
    }
}
