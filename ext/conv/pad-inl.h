/* The loops of pad.h for one target and type; included by direct-inl.h. */

#define NNLITE_PAD(name, source)                                                                            \
    static void NAME(name)(void *context, int part, int parts) {                                            \
        const struct padding *job = context;                                                                \
        const ptrdiff_t row = job->width * job->channels, padded_row = job->padded_width * job->channels;   \
        const REAL scale = (REAL)job->scale;                                                                \
        ptrdiff_t y, j;                                                                                     \
        long long n, last;                                                                                  \
        share_of(job->images, 1, part, parts, &n, &last);                                                   \
        for (; n < last; n++)                                                                               \
            for (y = 0; y < job->height; y++) {                                                             \
                const ptrdiff_t to_row = n * job->padded_height + job->top + y;                             \
                REAL *to = (REAL *)job->to + to_row * padded_row + job->left * job->channels;               \
                const source *from = (const source *)job->from + (n * job->height + y) * row;               \
                if (job->y) {                                                                               \
                    const REAL *gate = (const REAL *)job->y + (n * job->height + y) * row;                  \
                    for (j = 0; j < row; j++) to[j] = gate[j] > 0 ? (REAL)from[j] : 0;                      \
                } else {                                                                                    \
                    for (j = 0; j < row; j++) to[j] = (REAL)from[j] * scale;                                \
                }                                                                                           \
            }                                                                                               \
    }
NNLITE_PAD(pad_bytes, uint8_t)
NNLITE_PAD(pad_floats, float)
NNLITE_PAD(pad_doubles, double)
#undef NNLITE_PAD
