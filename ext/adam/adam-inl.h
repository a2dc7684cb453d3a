/* The loops of adam.h; compiled once for each target and type by foreach_target.h. */

#undef RESTRICT
#if NNLITE_VECTORS
#define RESTRICT __restrict__
#else
#define RESTRICT __restrict
#endif

/* `clips` is a constant where this is inlined, so the loop without clipping does no test. */
INLINE void NAME(adam_loop)(const int clips, const struct adam *job, long long first, long long last) {
    REAL *RESTRICT p = job->params, *RESTRICT m = job->m, *RESTRICT v = job->v;
    const REAL *RESTRICT grads = job->grads;
    const REAL lr_t = (REAL)job->lr_t, epsilon = (REAL)job->epsilon, scale = (REAL)job->scale;
    const REAL new1 = (REAL)(1 - job->beta1), new2 = (REAL)(1 - job->beta2);
    const REAL high = (REAL)job->clip_value, low = -high;
    long long i;
    for (i = first; i < last; i++) {
        REAL g = grads[i] * scale;
        if (clips) g = g > high ? high : g < low ? low : g;
        m[i] += new1 * (g - m[i]);
        v[i] += new2 * (g * g - v[i]);
        p[i] -= lr_t * m[i] / (SQRT(v[i]) + epsilon);
    }
}

static void NAME(adam_part)(void *context, int part, int parts) {
    const struct adam *job = context;
    long long first, last;
    share_of(job->size, 64, part, parts, &first, &last);
    if (job->clip_value > 0)
        NAME(adam_loop)(1, job, first, last);
    else
        NAME(adam_loop)(0, job, first, last);
}

#define SUMS 32 /* independent sums: enough to hide the latency of an addition */

static void NAME(squares_part)(void *context, int part, int parts) {
    struct squares *job = context;
    const REAL *x = job->x;
    double sums[SUMS] = {0}, sum = 0;
    long long i, last;
    int s;
    share_of(job->size, ADAM_BLOCK, part, parts, &i, &last);
    for (; i <= last - SUMS; i += SUMS)
        for (s = 0; s < SUMS; s++) sums[s] += (double)x[i + s] * x[i + s];
    for (; i < last; i++) sum += (double)x[i] * x[i];
    for (s = 0; s < SUMS; s++) sum += sums[s];
    job->sums[part] = sum;
}
#undef SUMS
