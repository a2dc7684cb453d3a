/* How a row of numbers is cut into vectors, so that no kernel has tail code.

   A row narrower than a vector uses a narrower target. Where a row is not a whole number of vectors, the last block is moved
   back over finished numbers and computes them again. */
#ifndef NNLITE_BLOCKS_H
#define NNLITE_BLOCKS_H

#include <stddef.h>

#include "simd/cpu.h"
#include "threads/runtime.h"

/* The chosen level, or the next lower one whose vectors are no wider than a row of `width` numbers. */
static inline int level_for(const struct runtime *runtime, ptrdiff_t width, int itemsize) {
    int level = runtime->level;
    while (level > NNLITE_PLAIN && nnlite_vector_bytes[level] > width * itemsize) level--;
    return level;
}

static inline ptrdiff_t lanes_of(int level, int itemsize) {
    return level == NNLITE_PLAIN ? 1 : nnlite_vector_bytes[level] / itemsize;
}

/* Vectors for the `left` numbers at the end of a row: at most `widest`, a power of 2, and never more than the row has. */
static inline int vectors_for(ptrdiff_t left, ptrdiff_t row, ptrdiff_t lanes, int widest) {
    int vectors = widest;
    while (vectors > 1 && (left <= vectors / 2 * lanes || row < vectors * lanes)) vectors /= 2;
    return vectors;
}

#endif
