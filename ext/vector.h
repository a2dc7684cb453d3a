/* The words of vector arithmetic for one target and type; included once for each by each_type.h.

     vector            LANES numbers of type REAL; + - * work lane by lane, also with one number
     load(p) store(p, v)   no alignment asked for
     at_least_zero(v)      max(v, 0), which keeps NaN
     mask, not_zero(m, p, n), any_lane(m)      lanes of a comparison
     INLINE, UNROLL        small functions are always inlined, their loops over constants unrolled
     UNROLL_4              a short loop in four steps at a time: how it ends is then foreseen by the processor
     APART                 never inlined: a loop that needs all registers for itself

   With VECTOR_BYTES 0 a vector is one number. */
#include <stddef.h>
#include <stdint.h>

#undef vector
#undef LANES
#undef load
#undef store
#undef at_least_zero
#undef mask
#undef not_zero
#undef any_lane
#define vector NAME(vector_type)
#define load NAME(load_vector)
#define store NAME(store_vector)
#define at_least_zero NAME(at_least_zero_vector)
#define mask NAME(mask_type)
#define not_zero NAME(not_zero_vector)
#define any_lane NAME(any_lane_vector)

#ifndef INLINE
#if NNLITE_VECTORS
#define INLINE static inline __attribute__((always_inline))
#define APART __attribute__((noinline))
#else
#define INLINE static __forceinline
#define APART __declspec(noinline)
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
typedef NAME(mask_vector) mask;
/* Which lanes have met a number that is not zero, after `count` more, no fewer than LANES; the last vector is moved back. */
INLINE mask not_zero(mask met, const REAL *from, ptrdiff_t count) {
    ptrdiff_t i;
    for (i = 0; i < count - LANES; i += LANES) met |= load(from + i) != (REAL)0;
    return met | (load(from + count - LANES) != (REAL)0);
}
INLINE int any_lane(mask met) {
    INTEGER any = 0;
    int i;
    UNROLL for (i = 0; i < LANES; i++) any |= met[i];
    return any != 0;
}
#else
#define LANES 1
typedef REAL vector;
INLINE vector load(const REAL *from) { return *from; }
INLINE void store(REAL *to, vector value) { *to = value; }
INLINE vector at_least_zero(vector value) { return value < 0 ? 0 : value; }
typedef int mask;
INLINE mask not_zero(mask met, const REAL *from, ptrdiff_t count) {
    ptrdiff_t i;
    for (i = 0; i < count; i++) met |= from[i] != 0;
    return met;
}
INLINE int any_lane(mask met) { return met; }
#endif
