"""The replay's two hot loops: choosing n-step transitions at random, and rebuilding their frame stacks.

Each game owns a ring of `length` slots, one after the other in time. A slot holds one frame and, where a transition starts
there, its action and reward. What a slot is:

    EMPTY        nothing written yet
    MOVE         a transition starts here; the next slot of the ring shows what came of it
    END          as MOVE, and the return ends with its reward: nothing is bootstrapped after it
    LAST         an episode's last frame: no transition starts here, a cut-off return is bootstrapped from it

Contract: sizes are checked by the caller; nothing here allocates, raises or holds the GIL; random numbers come from the
caller's own bit generator.  Twin: nnlite/reference.py; tests/ext keeps the two equal."""

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memcpy

EMPTY, MOVE, END, LAST = 0, 1, 2, 3

ctypedef struct bitgen_t:                    # numpy/random/bitgen.h, part of NumPy's stable interface
    void* state
    uint64_t (*next_uint64)(void*) noexcept nogil
    uint32_t (*next_uint32)(void*) noexcept nogil
    double (*next_double)(void*) noexcept nogil
    uint64_t (*next_raw)(void*) noexcept nogil


cdef inline Py_ssize_t below(bitgen_t* bits, Py_ssize_t n) noexcept nogil:
    """A whole number uniform on 0..n-1; n is far below 2^53, so the bias is below 2^-26."""
    return <Py_ssize_t>(bits.next_double(bits.state) * n)


cdef inline Py_ssize_t follow(const unsigned char* kind, const float* reward, Py_ssize_t length, Py_ssize_t head,
                              Py_ssize_t at, Py_ssize_t steps, float gamma,
                              float* total, float* discount) noexcept nogil:
    """Walk an n-step return from slot `at` of one ring; gives the slot to bootstrap from, or -1 while it is not yet known."""
    cdef Py_ssize_t j
    total[0] = 0
    discount[0] = 1
    for j in range(steps):
        if at == head or kind[at] == 0:
            return -1
        if kind[at] == 3:
            return at
        total[0] += discount[0] * reward[at]
        discount[0] *= gamma
        if kind[at] == 2:
            discount[0] = 0
            return at
        at = at + 1 if at + 1 < length else 0
    return -1 if at == head or kind[at] == 0 else at


def sample(bit_generator, Py_ssize_t steps, float gamma,
           const unsigned char[:, ::1] kind,           # IN  (N, L)
           const unsigned char[:, ::1] age,            # IN  (N, L) steps since the reset, at most depth - 1
           const float[:, ::1] reward,                 # IN  (N, L)
           const int64_t[::1] head,                    # IN  (N,)   the slot that is written next
           const int64_t[::1] filled,                  # IN  (N,)   slots in use
           int64_t[::1] slot,                          # OUT (B,)   game * L + slot where the transition starts
           int64_t[::1] next_slot,                     # OUT (B,)   where its return is bootstrapped
           float[::1] total,                           # OUT (B,)   sum of gamma^j r_j
           float[::1] discount,                        # OUT (B,)   gamma^n, 0 where nothing is bootstrapped
           Py_ssize_t tries):
    """Draw B transitions uniformly, with replacement; False when `tries` draws in a row find none."""
    cdef bitgen_t* bits = <bitgen_t*>PyCapsule_GetPointer(bit_generator.capsule, "BitGenerator")
    cdef Py_ssize_t games = kind.shape[0], length = kind.shape[1], b, game, at, offset, next_at, attempt
    cdef int64_t all_filled = 0, u
    cdef bint found = True
    with nogil:
        for game in range(games):
            all_filled += filled[game]
        for b in range(slot.shape[0]):
            found = False
            for attempt in range(tries):
                u = below(bits, all_filled)
                game = 0
                while u >= filled[game]:
                    u -= filled[game]
                    game += 1
                offset = u                                   # 0 is the oldest slot of this ring
                at = head[game] - filled[game] + offset
                if at < 0:
                    at += length
                if kind[game, at] == 3 or age[game, at] > offset:
                    continue                                 # no move starts here, or its stack is partly overwritten
                next_at = follow(&kind[game, 0], &reward[game, 0], length, head[game], at, steps, gamma,
                                 &total[b], &discount[b])
                if next_at >= 0:
                    slot[b] = game * length + at
                    next_slot[b] = game * length + next_at
                    found = True
                    break
            if not found:
                break
    return bool(found)


def gather(const unsigned char[:, ::1] frames,         # IN  (S, bytes of a frame)
           const unsigned char[::1] age,               # IN  (S,)
           Py_ssize_t length,                          # slots of one ring; S is a multiple of it
           const int64_t[::1] slots,                   # IN  (B,) newest frame of each stack
           unsigned char[:, :, ::1] out):              # OUT (B, bytes of a frame, depth) oldest first
    """out[b, :, depth-1-j] = frame min(j, age) steps back on the slot's ring; one byte a pixel unless depth is 1."""
    cdef Py_ssize_t b, size = frames.shape[1], depth = out.shape[2]
    with nogil:
        for b in range(slots.shape[0]):
            if depth == 1:
                memcpy(&out[b, 0, 0], &frames[slots[b], 0], size)
            elif depth == 4:
                stack_four(frames, age[slots[b]], length, slots[b], &out[b, 0, 0])
            else:
                stack_any(frames, age[slots[b]], length, slots[b], depth, &out[b, 0, 0])


cdef inline Py_ssize_t back(Py_ssize_t slot, Py_ssize_t steps, Py_ssize_t length) noexcept nogil:
    """The slot so many steps earlier on the same ring."""
    cdef Py_ssize_t start = slot - slot % length
    return slot - steps if slot - steps >= start else slot - steps + length


cdef inline void stack_four(const unsigned char[:, ::1] frames, Py_ssize_t age, Py_ssize_t length, Py_ssize_t slot,
                            unsigned char* out) noexcept nogil:
    cdef const unsigned char* f3 = &frames[slot, 0]
    cdef const unsigned char* f2 = &frames[back(slot, min(1, age), length), 0]
    cdef const unsigned char* f1 = &frames[back(slot, min(2, age), length), 0]
    cdef const unsigned char* f0 = &frames[back(slot, min(3, age), length), 0]
    cdef Py_ssize_t i
    for i in range(frames.shape[1]):
        out[4 * i] = f0[i]
        out[4 * i + 1] = f1[i]
        out[4 * i + 2] = f2[i]
        out[4 * i + 3] = f3[i]


cdef inline void stack_any(const unsigned char[:, ::1] frames, Py_ssize_t age, Py_ssize_t length, Py_ssize_t slot,
                           Py_ssize_t depth, unsigned char* out) noexcept nogil:
    cdef const unsigned char* frame
    cdef Py_ssize_t i, j
    for j in range(depth):
        frame = &frames[back(slot, min(j, age), length), 0]
        for i in range(frames.shape[1]):
            out[i * depth + depth - 1 - j] = frame[i]
