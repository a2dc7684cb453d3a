/* Includes the file KERNELS for float and for double: a template in plain C.

   Such a file is named *-inl.h, has no include guard, and is written with
     REAL              float or double
     NAME(x)           the name x of this version: x_float or x_double
     OF_TYPE(x)        the constant x_float or x_double
     REAL_BYTES        4 or 8
     EXP LOG SQRT      the functions of math.h for REAL
   Within foreach_target.h a version also belongs to an instruction set: NAME(x) is then x_avx2_float, and the words of
   vector-inl.h are at hand. Without it the file is compiled twice, for what every processor of the architecture has.

   NNLITE_TYPES(x) is the table {x_float, x_double}, indexed by FLOAT32 and FLOAT64 of arrays.h, or by itemsize == 8. */
#include <math.h>

#ifndef NNLITE_TYPES
#define NNLITE_TYPES(x) {x##_float, x##_double}
#define NNLITE_PASTE_2_(x, real) x##_##real
#define NNLITE_PASTE_2(x, real) NNLITE_PASTE_2_(x, real)
#define NNLITE_PASTE_3_(x, target, real) x##_##target##_##real
#define NNLITE_PASTE_3(x, target, real) NNLITE_PASTE_3_(x, target, real)
#endif

#define OF_TYPE(x) NNLITE_PASTE_2(x, REAL)
#ifdef TARGET
#define NAME(x) NNLITE_PASTE_3(x, TARGET, REAL)
#else
#define NAME(x) OF_TYPE(x)
#endif

#define REAL float
#define REAL_BYTES 4
#define INTEGER int32_t
#define SIGN INT32_MIN
#define EXP expf
#define LOG logf
#define SQRT sqrtf
#ifdef TARGET
#include "simd/vector-inl.h"
#endif
#include KERNELS
#undef REAL
#undef REAL_BYTES
#undef INTEGER
#undef SIGN
#undef EXP
#undef LOG
#undef SQRT

#define REAL double
#define REAL_BYTES 8
#define INTEGER int64_t
#define SIGN INT64_MIN
#define EXP exp
#define LOG log
#define SQRT sqrt
#ifdef TARGET
#include "simd/vector-inl.h"
#endif
#include KERNELS
#undef REAL
#undef REAL_BYTES
#undef INTEGER
#undef SIGN
#undef EXP
#undef LOG
#undef SQRT

#undef NAME
#undef OF_TYPE
