/* The loop of crossentropy.h; compiled once for each type. */

/* The mean over N rows of -sum over k of target log softmax(logits); dz (N, K) is its derivative by the logits. */
static double NAME(crossentropy)(const void *logits, const void *target, ptrdiff_t N, ptrdiff_t K, void *dz) {
    const REAL *z = logits, *wanted = target;
    REAL *slope = dz;
    double loss = 0;
    ptrdiff_t n, k;
    for (n = 0; n < N; n++, z += K, wanted += K, slope += K) {
        REAL most = z[0], sum = 0;
        double weight = 0, chosen = 0; /* sum of the targets, and of target * (logit - most) */
        for (k = 1; k < K; k++)
            if (!(z[k] <= most)) most = z[k];
        for (k = 0; k < K; k++) {
            REAL shifted = z[k] - most;
            slope[k] = EXP(shifted);
            sum += slope[k];
            weight += (double)wanted[k];
            if (wanted[k] != 0) chosen += (double)wanted[k] * (double)shifted;
        }
        loss += weight * log((double)sum) - chosen;
        for (k = 0; k < K; k++) slope[k] = (slope[k] / sum * (REAL)weight - wanted[k]) / (REAL)N;
    }
    return loss / (double)N;
}
