/* Includes the file KERNELS for float and for double; a step of foreach_target.h. */
#define REAL float
#define INTEGER int32_t
#define SIGN INT32_MIN
#include "simd/vector-inl.h"
#include KERNELS
#undef REAL
#undef INTEGER
#undef SIGN

#define REAL double
#define INTEGER int64_t
#define SIGN INT64_MIN
#include "simd/vector-inl.h"
#include KERNELS
#undef REAL
#undef INTEGER
#undef SIGN

#undef TARGET
#undef VECTOR_BYTES
#undef REGISTERS
