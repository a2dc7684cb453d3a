"""The screens of N games to stacks of frames: luminance, nearest pixel, the last K frames.

    grey = (19595 R + 38470 G + 7471 B + 32768) >> 16          (ITU-R 601, as pillow's convert("L") computes it)
    stack[n, y, x, :] = (stack[n, y, x, 1:], grey[n, rows[y], columns[x]]);  K copies of grey where fresh[n]

Contract: the caller checks sizes. Nothing here allocates, raises or holds the GIL.
Twin: nnlite/reference/frames.py; tests/ext/test_frames.py keeps the two equal."""

from libc.stdint cimport uint32_t
from libc.string cimport memcpy, memset

cdef extern from *:
    """
    /* Four bytes in memory moved down by one, with a new last byte; works for either byte order. */
    static uint32_t next_word(uint32_t word, uint32_t last) {
        const union { uint32_t word; unsigned char bytes[4]; } one = {1};
        return one.bytes[0] ? (word >> 8) | (last << 24) : (word << 8) | last;
    }
    """
    uint32_t next_word(uint32_t word, uint32_t last) noexcept nogil


def push(const unsigned char[:, :, :, ::1] screens,    # IN  (N, H, W, 3) or (N, H, W, 1)
         const Py_ssize_t[::1] rows,                   # IN  (h,) screen row of each row of the stack
         const Py_ssize_t[::1] columns,                # IN  (w,)
         const unsigned char[::1] fresh,               # IN  (N,) 1 where a game begins: the whole stack is filled
         unsigned char[:, :, :, ::1] stack):           # IN/OUT (N, h, w, K) oldest first
    cdef Py_ssize_t n, y
    cdef bint colour = screens.shape[3] == 3
    with nogil:
        for n in range(stack.shape[0]):
            for y in range(stack.shape[1]):
                push_row(&screens[n, rows[y], 0, 0], columns, colour, fresh[n], stack.shape[3], &stack[n, y, 0, 0])


cdef inline void push_row(const unsigned char* pixels, const Py_ssize_t[::1] columns, bint colour, bint fresh,
                          Py_ssize_t depth, unsigned char* cell) noexcept nogil:
    """Push one row of one stack. Four frames, the usual depth, are shifted as one 32-bit word."""
    cdef Py_ssize_t x, k
    cdef unsigned char grey
    for x in range(columns.shape[0]):
        grey = luminance(pixels + 3 * columns[x]) if colour else pixels[columns[x]]
        if fresh:
            memset(cell, grey, depth)
        elif depth == 4:
            shift_four(cell, grey)
        else:
            for k in range(depth - 1):
                cell[k] = cell[k + 1]
            cell[depth - 1] = grey
        cell += depth


cdef inline unsigned char luminance(const unsigned char* pixel) noexcept nogil:
    return <unsigned char>((19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + 32768) >> 16)


cdef inline void shift_four(unsigned char* cell, unsigned char grey) noexcept nogil:
    """cell[0..3] = cell[1..3], grey."""
    cdef uint32_t word
    memcpy(&word, cell, 4)
    word = next_word(word, grey)
    memcpy(cell, &word, 4)
