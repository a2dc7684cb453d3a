/* Includes the file KERNELS once per instruction set and number type.

   The file is plain C written with
     REAL       float or double
     NAME(x)    x with the target's and the type's name behind it: x_avx2_float
     and the vector words of vector-inl.h

   DISPATCH(x, itemsize, level) is then the version of function x for a level of cpu.h. */
#include "simd/cpu.h"

#define NNLITE_PASTE_(x, target, real) x##_##target##_##real
#define NNLITE_PASTE(x, target, real) NNLITE_PASTE_(x, target, real)
#define NAME(x) NNLITE_PASTE(x, TARGET, REAL)

#define TARGET plain
#define VECTOR_BYTES 0
#define REGISTERS 16
#include "simd/foreach_type.h"

#if NNLITE_VECTORS
#define TARGET baseline
#define VECTOR_BYTES 16
#if defined(__aarch64__)
#define REGISTERS 32
#else
#define REGISTERS 16
#endif
#include "simd/foreach_type.h"
#define NNLITE_BASELINE_OF(x, real) x##_baseline_##real
#else
#define NNLITE_BASELINE_OF(x, real) x##_plain_##real
#endif

#if NNLITE_X86

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define TARGET avx2
#define VECTOR_BYTES 32
#define REGISTERS 16
#include "simd/foreach_type.h"
#if defined(__clang__)
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")
#endif
#define TARGET avx512
#define VECTOR_BYTES 64
#define REGISTERS 32
#include "simd/foreach_type.h"
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#define NNLITE_TABLE(x, real) {x##_plain_##real, NNLITE_BASELINE_OF(x, real), x##_avx2_##real, x##_avx512_##real}
#else
#define NNLITE_TABLE(x, real) \
    {x##_plain_##real, NNLITE_BASELINE_OF(x, real), NNLITE_BASELINE_OF(x, real), NNLITE_BASELINE_OF(x, real)}
#endif
