/* Random numbers from a bit generator of NumPy, as its capsule "BitGenerator" holds it. */
#ifndef NNLITE_BITGEN_H
#define NNLITE_BITGEN_H

#include <stdint.h>

/* numpy/random/bitgen.h, part of NumPy's stable interface */
struct bitgen {
    void *state;
    uint64_t (*next_uint64)(void *);
    uint32_t (*next_uint32)(void *);
    double (*next_double)(void *);
    uint64_t (*next_raw)(void *);
};

/* Uniform in [0, 1). */
static inline double draw(struct bitgen *bits) { return bits->next_double(bits->state); }

#endif
