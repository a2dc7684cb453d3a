/* The instruction sets of the kernels: names, vector sizes, and which of them this machine has.

   Levels, each a superset of the one before:
     plain     one number at a time, any C compiler
     baseline  present on every processor of the architecture (SSE2 on x86-64, NEON on arm64)
     avx2      AVX2 and FMA
     avx512    AVX-512 F, BW, DQ, VL

   Compilers without vector extensions (MSVC) use the plain code on both of the first two levels. The others build it where
   setup.py defines NNLITE_WITH_PLAIN: for narrow blocks (blocks.h), or everywhere to test it. */
#ifndef NNLITE_CPU_H
#define NNLITE_CPU_H

#include <string.h>

#if defined(__GNUC__) || defined(__clang__)
#define NNLITE_VECTORS 1
#else
#define NNLITE_VECTORS 0
#endif

#if defined(NNLITE_WITH_PLAIN) || !NNLITE_VECTORS
#define NNLITE_HAS_PLAIN 1
#else
#define NNLITE_HAS_PLAIN 0
#endif

/* GCC for Windows cannot align the stack for vectors of more than 16 bytes. */
#if NNLITE_VECTORS && (defined(__x86_64__) || defined(__i386__)) && (!defined(_WIN32) || defined(__clang__))
#define NNLITE_X86 1
#else
#define NNLITE_X86 0
#endif

enum { NNLITE_PLAIN, NNLITE_BASELINE, NNLITE_AVX2, NNLITE_AVX512, NNLITE_LEVELS };

static const char *const nnlite_level_names[NNLITE_LEVELS] = {"plain", "baseline", "avx2", "avx512"};

/* Bytes of one vector at each level; 0 means one number at a time. */
static const int nnlite_vector_bytes[NNLITE_LEVELS] = {0, NNLITE_VECTORS ? 16 : 0, 32, 64};

static inline int nnlite_level_available(int level) {
    if (level == NNLITE_PLAIN) return NNLITE_HAS_PLAIN;
    if (level == NNLITE_BASELINE) return 1;
#if NNLITE_X86
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
    if (level == NNLITE_AVX2) return 1;
    if (level == NNLITE_AVX512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#endif
    return 0;
}

static inline int nnlite_best_level(void) {
    int level = NNLITE_LEVELS - 1;
    while (!nnlite_level_available(level)) level--;
    return level;
}

/* The level called `name`, or -1. */
static inline int nnlite_level_named(const char *name) {
    int level;
    for (level = 0; level < NNLITE_LEVELS; level++)
        if (strcmp(name, nnlite_level_names[level]) == 0) return level;
    return -1;
}

#endif
