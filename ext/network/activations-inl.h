/* Activation functions and their derivatives; compiled once for each target and type, included by passes-inl.h.

   Forward overwrites z with y = f(z). Backward computes dz from y and dy; dz may be dy itself. NaN stays NaN.
   exp and tanh are vector polynomials, exact to a few units in the last place: the C library's functions take one number at a
   time and would dominate a pass. */

#ifndef NNLITE_NETWORK_EXP
#define NNLITE_NETWORK_EXP
/* exp(x) = 2^n exp(r) with n = x / log 2 rounded, |r| <= log(2)/2, and exp(r) as a Taylor sum beyond the last bit.
   Adding ROUND leaves n in the low bits of the sum. log 2 comes in two parts so that n * LOG2_HIGH is exact. */
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

/* exp of numbers <= 0; numbers below EXP_LEAST give 0. */
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

/* z[i] = f(z[i]) for the activations that vectors compute, exp for a softmax among them; a constant where this is inlined. */
INLINE void NAME(activate_numbers)(const int activation, REAL *z, ptrdiff_t count) {
    ptrdiff_t i;
    for (i = 0; i < count; i += LANES) {
        const ptrdiff_t left = count - i < LANES ? count - i : LANES;
        const vector x = NAME(load_some)(z + i, left);
        NAME(store_some)(z + i,
                         activation == RELU      ? at_least_zero(x)
                         : activation == SIGMOID ? NAME(sigmoid_of)(x)
                         : activation == TANH    ? NAME(tanh_of)(x)
                                                 : NAME(exp_of)(x),
                         left);
    }
}

/* dz[i] = dy[i] f'(z[i]), f' taken from y[i]. */
INLINE void NAME(slope_numbers)(const int activation, const REAL *y, const REAL *dy, REAL *dz, ptrdiff_t count) {
    ptrdiff_t i;
    for (i = 0; i < count; i += LANES) {
        const ptrdiff_t left = count - i < LANES ? count - i : LANES;
        const vector out = NAME(load_some)(y + i, left), slope = NAME(load_some)(dy + i, left);
        NAME(store_some)(dz + i,
                         activation == RELU      ? NAME(gated)(slope, out)
                         : activation == SIGMOID ? slope * NAME(sigmoid_slope)(out)
                                                 : slope * NAME(tanh_slope)(out),
                         left);
    }
}

static void NAME(softmax_rows)(REAL *z, ptrdiff_t rows, ptrdiff_t columns) {
    ptrdiff_t n, m;
    for (n = 0; n < rows; n++) {
        REAL *row = z + n * columns, most = row[0];
        for (m = 1; m < columns; m++) most = row[m] > most || row[m] != row[m] ? row[m] : most;
        for (m = 0; m < columns; m++) row[m] -= most;
    }
    NAME(activate_numbers)(SOFTMAX, z, rows * columns);
    for (n = 0; n < rows; n++) {
        REAL *row = z + n * columns, sum = 0;
        for (m = 0; m < columns; m++) sum += row[m];
        for (m = 0; m < columns; m++) row[m] /= sum;
    }
}

static void NAME(activate)(int activation, REAL *z, ptrdiff_t rows, ptrdiff_t columns) {
    ptrdiff_t i, count = rows * columns;
    if (activation == RELU) {
        NAME(activate_numbers)(RELU, z, count);
    } else if (activation == SIGMOID) {
        NAME(activate_numbers)(SIGMOID, z, count);
    } else if (activation == TANH) {
        NAME(activate_numbers)(TANH, z, count);
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
        NAME(slope_numbers)(RELU, y, dy, dz, count);
    } else if (activation == SIGMOID) {
        NAME(slope_numbers)(SIGMOID, y, dy, dz, count);
    } else if (activation == TANH) {
        NAME(slope_numbers)(TANH, y, dy, dz, count);
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
