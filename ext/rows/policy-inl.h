/* The loops of policy.h; compiled once for each type. */

#include "rows/best-inl.h"

/* A uniform action with probability epsilon, else the best. */
static void NAME(epsilon_greedy)(const void *values, ptrdiff_t A, ptrdiff_t N, double epsilon, struct bitgen *bits,
                                 int64_t *actions) {
    const REAL *z = values;
    ptrdiff_t n;
    for (n = 0; n < N; n++, z += A)
        actions[n] = epsilon > 0 && draw(bits) < epsilon ? (int64_t)(draw(bits) * (double)A) : NAME(best_of)(z, A);
}

/* The first column at which the running sum of exp(z - max z) passes a uniform share of the whole sum. */
static void NAME(sample)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, struct bitgen *bits, int64_t *actions) {
    const REAL *z = output;
    ptrdiff_t n, a;
    for (n = 0; n < N; n++, z += row) {
        const REAL top = z[NAME(best_of)(z, A)];
        REAL sum = 0, passed = 0, share;
        for (a = 0; a < A; a++) sum += EXP(z[a] - top);
        share = (REAL)draw(bits) * sum;
        for (a = 0; a < A - 1; a++)
            if ((passed += EXP(z[a] - top)) > share) break;
        while (a > 0 && !(EXP(z[a] - top) > 0)) a--; /* rounding must not choose what has no share */
        actions[n] = a;
    }
}

/* Do the first A numbers of every row sum to 1, all above 0? Rows that are all the same may do so by chance. */
static int NAME(are_probabilities)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N) {
    const REAL *z = output, *first = output;
    int differ = 0;
    ptrdiff_t n, a;
    for (n = 0; n < N; n++, z += row) {
        double sum = 0;
        for (a = 0; a < A; a++) {
            if (!(z[a] > 0)) return 0;
            sum += (double)z[a];
            differ |= z[a] != first[a];
        }
        if (!(sum > 1 - 1e-5 && sum < 1 + 1e-5)) return 0;
    }
    return differ;
}

/* sums[0] = -mean A log pi(a|s), sums[1] = mean entropy; d(sums[0] - weight sums[1]) in the first A columns of dz. */
static void NAME(policy_loss)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const int64_t *actions,
                              const void *advantages, double weight, void *gradient, double *sums) {
    const REAL *z = output;
    const REAL rows = (REAL)N, entropy_weight = (REAL)weight;
    REAL *dz = gradient;
    ptrdiff_t n, a;
    sums[0] = sums[1] = 0;
    for (n = 0; n < N; n++, z += row, dz += row) {
        const REAL top = z[NAME(best_of)(z, A)], advantage = ((const REAL *)advantages)[n];
        REAL sum = 0, entropy = 0, log_sum;
        for (a = 0; a < A; a++) sum += dz[a] = EXP(z[a] - top);
        log_sum = LOG(sum);
        for (a = 0; a < A; a++) {
            dz[a] /= sum;
            entropy -= dz[a] * (z[a] - top - log_sum);
        }
        sums[0] -= (double)advantage * (double)(z[actions[n]] - top - log_sum);
        sums[1] += (double)entropy;
        for (a = 0; a < A; a++) {
            const REAL pi = dz[a];
            dz[a] = (pi * advantage - (a == actions[n] ? advantage : 0) +
                     entropy_weight * pi * (z[a] - top - log_sum + entropy)) / rows;
        }
    }
    sums[0] /= (double)N;
    sums[1] /= (double)N;
}

/* mean (z[n, A] - returns[n])^2; column A of dz = weight times its derivative. */
static double NAME(value_loss)(const void *output, ptrdiff_t row, ptrdiff_t A, ptrdiff_t N, const void *returns, double weight,
                               void *gradient) {
    const REAL *values = (const REAL *)output + A, *wanted = returns;
    const REAL scale = (REAL)(2 * weight / (double)N);
    REAL *dvalues = (REAL *)gradient + A;
    double sum = 0;
    ptrdiff_t n;
    for (n = 0; n < N; n++) {
        const REAL error = values[n * row] - wanted[n];
        sum += (double)error * (double)error;
        dvalues[n * row] = scale * error;
    }
    return sum / (double)N;
}
