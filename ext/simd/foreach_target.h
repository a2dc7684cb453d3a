/* Includes the file KERNELS once for each instruction set and number type.

   The file is a template as foreach_type.h describes it, and is written with the vector words of vector-inl.h.

   NNLITE_TABLES(x) is the table [2][NNLITE_LEVELS] of all versions of x: first by type, as in NNLITE_TYPES, then by the
   level of cpu.h. A level that is not built has the version of the level below; without plain, the baseline's. */
#include "simd/cpu.h"

#if NNLITE_HAS_PLAIN
#define TARGET plain
#define VECTOR_BYTES 0
#define REGISTERS 16
#include "simd/foreach_type.h"
#undef TARGET
#undef VECTOR_BYTES
#undef REGISTERS
#define NNLITE_PLAIN_OF(x, real) x##_plain_##real
#else
#define NNLITE_PLAIN_OF(x, real) x##_baseline_##real
#endif

#if NNLITE_VECTORS
#define TARGET baseline
#define VECTOR_BYTES 16
#if defined(__aarch64__)
#define REGISTERS 32
#else
#define REGISTERS 16
#endif
#include "simd/foreach_type.h"
#undef TARGET
#undef VECTOR_BYTES
#undef REGISTERS
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
#undef TARGET
#undef VECTOR_BYTES
#undef REGISTERS
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
#undef TARGET
#undef VECTOR_BYTES
#undef REGISTERS
#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

#define NNLITE_TABLE(x, real) {NNLITE_PLAIN_OF(x, real), NNLITE_BASELINE_OF(x, real), x##_avx2_##real, x##_avx512_##real}
#else
#define NNLITE_TABLE(x, real) \
    {NNLITE_PLAIN_OF(x, real), NNLITE_BASELINE_OF(x, real), NNLITE_BASELINE_OF(x, real), NNLITE_BASELINE_OF(x, real)}
#endif
#define NNLITE_TABLES(x) {NNLITE_TABLE(x, float), NNLITE_TABLE(x, double)}
