"""The replay's two hot loops: choosing n-step transitions at random, and rebuilding their frame stacks.

Each game owns a ring of `length` slots in order of time. A slot holds one frame and, where a transition starts there, its
action and reward. The kinds of slots:

    EMPTY        nothing written yet
    MOVE         a transition starts here; the next slot of the ring holds the next observation
    END          as MOVE, and the return ends with its reward: nothing is bootstrapped after it
    LAST         an episode's last frame: no transition starts here; a truncated return is bootstrapped from it

Contract: `add` checks its arguments and answers False to those that do not fit. The caller checks all other sizes. Nothing
here allocates or raises. Random numbers come from the caller's bit generator.
Twin: nnlite/reference/replay.py; tests/ext/test_replay.py keeps the two equal."""

from libc.stdint cimport int64_t
from libc.string cimport memcpy

include "numpy/arrays.pxi"
include "numpy/bitgen.pxi"

arrays_prepare()

cpdef enum:                                  # kinds of slots
    EMPTY, MOVE, END, LAST


cdef inline Py_ssize_t below(bitgen* bits, Py_ssize_t n) noexcept nogil:
    """A whole number uniform on 0..n-1; n is far below 2^53, so the bias is below 2^-26."""
    return <Py_ssize_t>(draw(bits) * n)


cdef inline Py_ssize_t follow(const unsigned char* kind, const float* reward, Py_ssize_t length, Py_ssize_t head,
                              Py_ssize_t at, Py_ssize_t steps, float gamma,
                              float* total, float* discount) noexcept nogil:
    """Sum an n-step return from slot `at` of one ring; gives the slot to bootstrap from, or -1 if it is not written yet."""
    cdef Py_ssize_t j
    total[0] = 0
    discount[0] = 1
    for j in range(steps):
        if at == head or kind[at] == EMPTY:
            return -1
        if kind[at] == LAST:
            return at
        total[0] += discount[0] * reward[at]
        discount[0] *= gamma
        if kind[at] == END:
            discount[0] = 0
            return at
        at = at + 1 if at + 1 < length else 0
    return -1 if at == head or kind[at] == EMPTY else at


cdef class Rings:
    """The slots of N games, L each, as views of the arrays that rl.core.replay owns.

    shape, type        of the observations of all games, (N, ...)
    frames    (N * L, bytes of a frame)
    kind, age (N, L)   the kind of the slot; steps since the reset, at most depth - 1
    actions   (N, L)   rewards (N, L)
    written   (N,)     slots that each game has written so far; the next one is written % L
    played    (N,)     steps of the unfinished game
    """

    cdef unsigned char[:, ::1] frames, kind, age
    cdef int64_t[:, ::1] actions
    cdef float[:, ::1] rewards
    cdef int64_t[::1] written, played
    cdef Py_ssize_t games, length, size, depth
    cdef int type
    cdef tuple shape

    def __init__(self, tuple shape, str type, unsigned char[:, ::1] frames, unsigned char[:, ::1] kind, unsigned char[:, ::1] age,
                 int64_t[:, ::1] actions, float[:, ::1] rewards, int64_t[::1] written, int64_t[::1] played, Py_ssize_t depth):
        self.frames, self.kind, self.age, self.actions, self.rewards = frames, kind, age, actions, rewards
        self.written, self.played, self.depth = written, played, depth
        self.shape, self.type = shape, {"float32": FLOAT32, "float64": FLOAT64, "int64": INT64, "uint8": BYTE}.get(type, -1)
        self.games, self.length, self.size = kind.shape[0], kind.shape[1], frames.shape[1]

    def add(self, observations, actions, rewards, ends, stops, following):
        """Store one step of every game; False, with nothing stored, unless the arrays are C-contiguous and of these types.

        observations  (N, ...) of the replay's type: those before the actions
        actions       (N,) int64    rewards (N,) float64
        ends          (N,) bool: the return ends with this reward
        stops         (N,) bool: the episode is over, terminated or truncated
        following     (N, ...) as observations: the real last observation, read only where the episode stops
        """
        cdef arrays taken
        taken.count = 0
        try:
            if not (self.take_observations(&taken, observations) and self.take_row(&taken, actions, INT64)
                    and self.take_row(&taken, rewards, FLOAT64) and self.take_row(&taken, ends, BOOL)
                    and self.take_row(&taken, stops, BOOL) and self.take_observations(&taken, following)):
                return False
            self.put(<unsigned char *> taken.at[0].data, <int64_t *> taken.at[1].data, <double *> taken.at[2].data,
                     <unsigned char *> taken.at[3].data, <unsigned char *> taken.at[4].data, <unsigned char *> taken.at[5].data)
            return True
        finally:
            drop_arrays(&taken)

    cdef bint take_observations(self, arrays *taken, x) except -1:
        cdef Py_ssize_t axis
        if self.type < 0 or not take_next(taken, x, self.type, <int> len(self.shape)):
            return False
        for axis in range(len(self.shape)):
            if taken.at[taken.count - 1].shape[axis] != <Py_ssize_t> self.shape[axis]:
                return False
        return True

    cdef bint take_row(self, arrays *taken, x, int type) noexcept:
        return take_next(taken, x, type, 1) and taken.at[taken.count - 1].shape[0] == self.games

    cdef void put(self, const unsigned char *observations, const int64_t *actions, const double *rewards,
                  const unsigned char *ends, const unsigned char *stops, const unsigned char *following) noexcept nogil:
        cdef Py_ssize_t n, at, size = self.size * self.depth
        for n in range(self.games):
            at = self.written[n] % self.length
            self.actions[n, at] = actions[n]
            self.rewards[n, at] = <float>rewards[n]
            self.write(n, at, END if ends[n] else MOVE, observations + n * size)
            self.played[n] += 1
            if stops[n]:
                self.write(n, self.written[n] % self.length, LAST, following + n * size)
                self.played[n] = 0

    def close(self, const unsigned char[:, ::1] observations):  # IN (N, bytes of a frame * depth)
        """Truncate every unfinished game; its last observation is given."""
        cdef Py_ssize_t n
        for n in range(self.games):
            if self.played[n]:
                self.write(n, self.written[n] % self.length, LAST, &observations[n, 0])
                self.played[n] = 0

    cdef inline void write(self, Py_ssize_t n, Py_ssize_t at, unsigned char kind, const unsigned char* observation) noexcept nogil:
        """Fill a slot with the newest frame of a stack, and advance to the next slot."""
        cdef unsigned char* frame = &self.frames[n * self.length + at, 0]
        cdef Py_ssize_t i
        if self.depth == 1:
            memcpy(frame, observation, self.size)
        else:
            for i in range(self.size):
                frame[i] = observation[i * self.depth + self.depth - 1]
        self.kind[n, at] = kind
        self.age[n, at] = <unsigned char>min(self.played[n], self.depth - 1)
        self.written[n] += 1

    def batch(self, unsigned char[:, :, ::1] observations,    # OUT (B, bytes of a frame, depth)
              int64_t[::1] actions,                           # OUT (B,)
              float[::1] total,                               # OUT (B,) sum of gamma^j r_j
              unsigned char[:, :, ::1] following,             # OUT (B, bytes of a frame, depth) where the return is bootstrapped
              float[::1] discount):                           # OUT (B,) gamma^n, 0 where nothing is bootstrapped
        """Bind the arrays of one batch, which `sample` fills."""
        cdef BoundBatch bound = BoundBatch.__new__(BoundBatch)
        bound.rings, bound.observations, bound.actions, bound.total = self, observations, actions, total
        bound.following, bound.discount = following, discount
        return bound

    cdef Py_ssize_t draw(self, bitgen* bits, Py_ssize_t steps, float gamma, Py_ssize_t tries,
                         float* total, float* discount, Py_ssize_t* later) noexcept nogil:
        """A slot where a complete transition starts; -1 when none is found."""
        cdef Py_ssize_t n, offset, filled, at, end, attempt
        cdef int64_t all_filled = 0
        for n in range(self.games):
            all_filled += min(self.written[n], self.length)
        if all_filled == 0:
            return -1
        for attempt in range(tries):
            offset = below(bits, all_filled)
            n = 0
            filled = min(self.written[0], self.length)
            while offset >= filled:
                offset -= filled
                n += 1
                filled = min(self.written[n], self.length)
            at = (self.written[n] - filled + offset) % self.length        # offset 0 is the oldest slot of this ring
            if self.kind[n, at] == LAST or self.age[n, at] > offset:
                continue                                    # no transition starts here, or its stack is partly overwritten
            end = follow(&self.kind[n, 0], &self.rewards[n, 0], self.length, self.written[n] % self.length, at, steps, gamma, total, discount)
            if end >= 0:
                later[0] = n * self.length + end
                return n * self.length + at
        return -1

    cdef inline void stack(self, Py_ssize_t slot, unsigned char* out) noexcept nogil:
        """Write the stack whose newest frame is in this slot."""
        cdef Py_ssize_t age = self.age[slot // self.length, slot % self.length]
        if self.depth == 1:
            memcpy(out, &self.frames[slot, 0], self.size)
        elif self.depth == 4:
            stack_four(self.frames, age, self.length, slot, out)
        else:
            stack_any(self.frames, age, self.length, slot, self.depth, out)

    def gather(self, const int64_t[::1] slots,                # IN  (B,) newest frame of each stack
               unsigned char[:, :, ::1] out):                 # OUT (B, bytes of a frame, depth) oldest first
        """out[b, :, depth-1-j] = the frame min(j, age) steps back on the slot's ring; one byte a pixel unless depth is 1."""
        cdef Py_ssize_t b
        with nogil:
            for b in range(slots.shape[0]):
                self.stack(slots[b], &out[b, 0, 0])


cdef class BoundBatch:
    """The arrays of one batch, bound once for all samples."""

    cdef Rings rings
    cdef unsigned char[:, :, ::1] observations, following
    cdef int64_t[::1] actions
    cdef float[::1] total, discount

    def sample(self, bit_generator, Py_ssize_t steps, float gamma, Py_ssize_t tries):
        """Draw B transitions, uniform with replacement; False when `tries` draws in a row find no complete one."""
        cdef bitgen* bits = bits_of(bit_generator)
        cdef Py_ssize_t b, slot = -1, later
        cdef Rings rings = self.rings
        with nogil:
            for b in range(self.actions.shape[0]):
                slot = rings.draw(bits, steps, gamma, tries, &self.total[b], &self.discount[b], &later)
                if slot < 0:
                    break
                self.actions[b] = rings.actions[slot // rings.length, slot % rings.length]
                rings.stack(slot, &self.observations[b, 0, 0])
                rings.stack(later, &self.following[b, 0, 0])
        return slot >= 0


cdef inline Py_ssize_t back(Py_ssize_t slot, Py_ssize_t steps, Py_ssize_t length) noexcept nogil:
    """The slot `steps` earlier on the same ring."""
    cdef Py_ssize_t start = slot - slot % length
    return slot - steps if slot - steps >= start else slot - steps + length


cdef inline void stack_four(unsigned char[:, ::1] frames, Py_ssize_t age, Py_ssize_t length, Py_ssize_t slot,
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


cdef inline void stack_any(unsigned char[:, ::1] frames, Py_ssize_t age, Py_ssize_t length, Py_ssize_t slot,
                           Py_ssize_t depth, unsigned char* out) noexcept nogil:
    cdef const unsigned char* frame
    cdef Py_ssize_t i, j
    for j in range(depth):
        frame = &frames[back(slot, min(j, age), length), 0]
        for i in range(frames.shape[1]):
            out[i * depth + depth - 1 - j] = frame[i]
