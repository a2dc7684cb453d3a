/* The few atomic operations the thread pool needs, all sequentially consistent, for GCC, Clang and MSVC. */
#ifndef NNLITE_ATOMIC_H
#define NNLITE_ATOMIC_H

#include <stdint.h>

#if defined(__GNUC__) || defined(__clang__)

static inline int64_t atomic_get(volatile int64_t *at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }
static inline void atomic_set(volatile int64_t *at, int64_t value) { __atomic_store_n(at, value, __ATOMIC_SEQ_CST); }
static inline int64_t atomic_add(volatile int64_t *at, int64_t value) {
    return __atomic_add_fetch(at, value, __ATOMIC_SEQ_CST);
}
/* Writes `value` if the cell still holds `expected`; returns whether it did. */
static inline int atomic_replace(volatile int64_t *at, int64_t expected, int64_t value) {
    return __atomic_compare_exchange_n(at, &expected, value, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
#if defined(__x86_64__) || defined(__i386__)
static inline void spin_pause(void) { __builtin_ia32_pause(); }
#elif defined(__aarch64__)
static inline void spin_pause(void) { __asm__ __volatile__("yield"); }
#else
static inline void spin_pause(void) {}
#endif

#else

#include <intrin.h>

static inline int64_t atomic_add(volatile int64_t *at, int64_t value) {
    return _InterlockedExchangeAdd64((volatile long long *)at, value) + value;
}
static inline int64_t atomic_get(volatile int64_t *at) { return atomic_add(at, 0); }
static inline void atomic_set(volatile int64_t *at, int64_t value) {
    _InterlockedExchange64((volatile long long *)at, value);
}
static inline int atomic_replace(volatile int64_t *at, int64_t expected, int64_t value) {
    return _InterlockedCompareExchange64((volatile long long *)at, value, expected) == expected;
}
#if defined(_M_X64)
static inline void spin_pause(void) { _mm_pause(); }
#else
static inline void spin_pause(void) { __yield(); }
#endif

#endif
#endif
