/* The loops of pad.h for one target and type; included by conv_kernels.h. */

#define NNLITE_PAD(name, source)                                                                            \
    static void NAME(name)(void *context, int part, int parts) {                                            \
        const struct padding *job = context;                                                                \
        const ptrdiff_t row = job->width * job->channels, padded_row = job->padded_width * job->channels;   \
        const ptrdiff_t left = job->left * job->channels;                                                   \
        const REAL scale = (REAL)job->scale;                                                                \
        ptrdiff_t y, j;                                                                                     \
        long long n, last;                                                                                  \
        share_of(job->images, 1, part, parts, &n, &last);                                                   \
        for (; n < last; n++)                                                                               \
            for (y = 0; y < job->padded_height; y++) {                                                      \
                REAL *to = (REAL *)job->to + (n * job->padded_height + y) * padded_row;                     \
                const ptrdiff_t from_row = (n * job->height + y - job->top) * row;                          \
                if (y < job->top || y >= job->top + job->height) {                                          \
                    memset(to, 0, padded_row * sizeof(REAL));                                               \
                    continue;                                                                               \
                }                                                                                           \
                memset(to, 0, left * sizeof(REAL));                                                         \
                memset(to + left + row, 0, (padded_row - left - row) * sizeof(REAL));                       \
                if (job->y) {                                                                               \
                    const source *from = (const source *)job->from + from_row;                              \
                    const REAL *gate = (const REAL *)job->y + from_row;                                     \
                    for (j = 0; j < row; j++) to[left + j] = gate[j] > 0 ? (REAL)from[j] : 0;               \
                } else {                                                                                    \
                    const source *from = (const source *)job->from + from_row;                              \
                    for (j = 0; j < row; j++) to[left + j] = (REAL)from[j] * scale;                         \
                }                                                                                           \
            }                                                                                               \
    }
NNLITE_PAD(pad_bytes, uint8_t)
NNLITE_PAD(pad_floats, float)
NNLITE_PAD(pad_doubles, double)
#undef NNLITE_PAD
