/* The cross-entropy of a softmax, taken from the logits. */
#ifndef NNLITE_CROSSENTROPY_H
#define NNLITE_CROSSENTROPY_H

#include <stddef.h>

#define KERNELS "rows/crossentropy-inl.h"
#include "simd/foreach_type.h"
#undef KERNELS

typedef double (*crossentropy_function)(const void *logits, const void *target, ptrdiff_t N, ptrdiff_t K, void *dz);

static const crossentropy_function crossentropy_of_type[] = NNLITE_TYPES(crossentropy);

#endif
