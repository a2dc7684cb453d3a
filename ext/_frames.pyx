"""From the screens of N games to what a network reads: luminance, nearest neighbour, the last K frames.

    grey = (19595 R + 38470 G + 7471 B + 32768) >> 16          (ITU-R 601, as pillow's convert("L") computes it)
    stack[n, y, x, :] = (stack[n, y, x, 1:], grey[n, rows[y], columns[x]])      or K copies where fresh[n]

Contract: sizes are checked by the caller; nothing here allocates, raises or holds the GIL.
Twin: nnlite/reference.py; tests/ext keeps the two equal."""


def push(const unsigned char[:, :, :, ::1] screens,    # IN  (N, H, W, 3) or (N, H, W, 1)
         const Py_ssize_t[::1] rows,                   # IN  (h,) screen row of each row of the stack
         const Py_ssize_t[::1] columns,                # IN  (w,)
         const unsigned char[::1] fresh,               # IN  (N,) 1 where a game begins: the whole stack is filled
         unsigned char[:, :, :, ::1] stack):           # IN/OUT (N, h, w, K) oldest first
    cdef Py_ssize_t n, y, x, k, depth = stack.shape[3]
    cdef bint colour = screens.shape[3] == 3
    cdef const unsigned char* pixel
    cdef unsigned char* cell
    cdef unsigned char grey
    with nogil:
        for n in range(stack.shape[0]):
            for y in range(stack.shape[1]):
                cell = &stack[n, y, 0, 0]
                for x in range(stack.shape[2]):
                    pixel = &screens[n, rows[y], columns[x], 0]
                    if colour:
                        grey = <unsigned char>((19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + 32768) >> 16)
                    else:
                        grey = pixel[0]
                    for k in range(depth - 1):
                        cell[k] = grey if fresh[n] else cell[k + 1]
                    cell[depth - 1] = grey
                    cell += depth
