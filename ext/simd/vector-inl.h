/* The words of vector arithmetic; compiled once for each target and type, included by foreach_type.h.

     vector                LANES numbers of type REAL; + - * work lane by lane, and with a single number
     load(p) store(p, v)   at any address
     at_least_zero(v)      max(v, 0); NaN stays NaN
     not_all_zero(p, n)    is any of n >= LANES numbers not zero?
     INLINE UNROLL         always inline a small function; unroll its loops over constants
     UNROLL_4              unroll a short loop four times: the processor then predicts its end
     APART                 never inline: the loop needs all registers
     FETCH FETCH_TO_WRITE  prefetch an address, which may be beyond the end of an array

   With VECTOR_BYTES 0 a vector is one number. */
#include <stddef.h>
#include <stdint.h>

#undef vector
#undef LANES
#undef load
#undef store
#undef at_least_zero
#undef not_all_zero
#define vector NAME(vector_type)
#define load NAME(load_vector)
#define store NAME(store_vector)
#define at_least_zero NAME(at_least_zero_vector)
#define not_all_zero NAME(not_all_zero_row)

#ifndef INLINE
#if NNLITE_VECTORS
#define INLINE static inline __attribute__((always_inline))
#define APART __attribute__((noinline))
#define FETCH(place) __builtin_prefetch(place, 0, 2)
#define FETCH_TO_WRITE(place) __builtin_prefetch(place, 1)
#else
#define INLINE static __forceinline
#define APART __declspec(noinline)
#define FETCH(place) ((void)(place))
#define FETCH_TO_WRITE(place) ((void)(place))
#endif
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define UNROLL_4 _Pragma("clang loop unroll_count(4)")
#elif defined(__GNUC__)
#define UNROLL _Pragma("GCC unroll 16")
#define UNROLL_4 _Pragma("GCC unroll 4")
#else
#define UNROLL
#define UNROLL_4
#endif
#endif

#if VECTOR_BYTES
#define LANES (VECTOR_BYTES / (ptrdiff_t)sizeof(REAL))
typedef REAL vector __attribute__((vector_size(VECTOR_BYTES)));
typedef REAL NAME(loose_vector) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
typedef INTEGER NAME(mask_vector) __attribute__((vector_size(VECTOR_BYTES)));

INLINE vector load(const REAL *from) { return *(const NAME(loose_vector) *)from; }
INLINE void store(REAL *to, vector value) { *(NAME(loose_vector) *)to = value; }
INLINE vector at_least_zero(vector value) {
    return (vector)((NAME(mask_vector))value & ~(NAME(mask_vector))(value < (REAL)0));
}
/* ORs the bits of all numbers; the last vector is moved back. -0.0 counts as zero. */
INLINE int not_all_zero(const REAL *from, ptrdiff_t count) {
    NAME(mask_vector) met = {0};
    INTEGER any = 0;
    ptrdiff_t i;
    for (i = 0; i < count - LANES; i += LANES) met |= (NAME(mask_vector))load(from + i);
    met |= (NAME(mask_vector))load(from + count - LANES);
    UNROLL for (i = 0; i < LANES; i++) any |= met[i];
    return any != 0 && any != SIGN;
}
#else
#define LANES 1
typedef REAL vector;
INLINE vector load(const REAL *from) { return *from; }
INLINE void store(REAL *to, vector value) { *to = value; }
INLINE vector at_least_zero(vector value) { return value < 0 ? 0 : value; }
INLINE int not_all_zero(const REAL *from, ptrdiff_t count) {
    ptrdiff_t i;
    for (i = 0; i < count; i++)
        if (from[i] != 0) return 1;
    return 0;
}
#endif
