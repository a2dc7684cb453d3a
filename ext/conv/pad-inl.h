/* The loops of pad.h; compiled once for each target and type, included by conv-inl.h. */

/* Number j of a source of bytes, floats or doubles; `source` is a constant where this is inlined. */
INLINE REAL NAME(number_of)(const int source, const void *from, ptrdiff_t j) {
    if (source == FROM_BYTES) return (REAL)((const uint8_t *)from)[j];
    if (source == FROM_FLOATS) return (REAL)((const float *)from)[j];
    return (REAL)((const double *)from)[j];
}

INLINE void NAME(pad_images)(const int source, const struct padding *job, int part, int parts) {
    const ptrdiff_t row = job->width * job->channels, padded_row = job->padded_width * job->channels;
    const ptrdiff_t itemsize = source == FROM_BYTES ? 1 : source == FROM_FLOATS ? sizeof(float) : sizeof(double);
    const REAL scale = (REAL)job->scale;
    ptrdiff_t y, j;
    long long n, last;
    share_of(job->images, 1, part, parts, &n, &last);
    for (; n < last; n++)
        for (y = 0; y < job->height; y++) {
            const ptrdiff_t first = (n * job->height + y) * row, to_row = n * job->padded_height + job->top + y;
            const void *from = (const char *)job->from + first * itemsize;
            REAL *to = (REAL *)job->to + to_row * padded_row + job->left * job->channels;
            if (job->y) {
                const REAL *gate = (const REAL *)job->y + first;
                for (j = 0; j < row; j++) to[j] = gate[j] > 0 ? NAME(number_of)(source, from, j) : 0;
            } else {
                for (j = 0; j < row; j++) to[j] = NAME(number_of)(source, from, j) * scale;
            }
        }
}

static void NAME(pad_bytes)(void *job, int part, int parts) { NAME(pad_images)(FROM_BYTES, job, part, parts); }
static void NAME(pad_floats)(void *job, int part, int parts) { NAME(pad_images)(FROM_FLOATS, job, part, parts); }
static void NAME(pad_doubles)(void *job, int part, int parts) { NAME(pad_images)(FROM_DOUBLES, job, part, parts); }
