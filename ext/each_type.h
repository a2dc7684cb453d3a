/* Includes the file KERNELS for float and for double; a step of each_target.h. */
#define REAL float
#define INTEGER int32_t
#include "vector.h"
#include KERNELS
#undef REAL
#undef INTEGER

#define REAL double
#define INTEGER int64_t
#include "vector.h"
#include KERNELS
#undef REAL
#undef INTEGER

#undef TARGET
#undef VECTOR_BYTES
#undef REGISTERS
