/* All loops of convolution; compiled once for each target and type by foreach_target.h. */

#define MOST_PIXELS 12
#define MOST_VECTORS 4
#define PIXELS_GRAIN 12  /* parts are cut at multiples of this many pixels */
#define PIXELS_LIST 240  /* pixels whose places are listed at a time: a multiple of every tile height */
#define TAPS_GRAIN 12    /* parts are cut at multiples of this many taps, at least the longest tile */

/* Sizes of register tiles: as many sums as the registers hold beside the weights of one tap and one pixel.
   PIXEL_BLOCK: pixels that a tile of the gradient sums over in one visit, so that they stay in the first cache. */
#undef WIDE
#undef PIXEL_BLOCK
#undef PIXELS_4
#undef PIXELS_2
#undef PIXELS_1
#undef TAPS_4
#undef TAPS_2
#undef TAPS_1
#if VECTOR_BYTES == 64 /* 32 registers, and a number is multiplied straight from memory */
#define WIDE 4
#define PIXEL_BLOCK 80
#define PIXELS_4 6
#define PIXELS_2 12
#define PIXELS_1 10
#define TAPS_4 6
#define TAPS_2 8
#define TAPS_1 10
#elif REGISTERS == 32
#define WIDE 4
#define PIXEL_BLOCK 64
#define PIXELS_4 4
#define PIXELS_2 8
#define PIXELS_1 10
#define TAPS_4 4
#define TAPS_2 8
#define TAPS_1 10
#else
#define WIDE 2
#define PIXEL_BLOCK 64
#define PIXELS_4 1
#define PIXELS_2 6
#define PIXELS_1 8
#define TAPS_4 1
#define TAPS_2 6
#define TAPS_1 8
#endif

/* Is the whole patch zero, as in most of a game's screen? Then the pixel is its bias and adds nothing to a gradient. */
INLINE int NAME(is_blank)(const struct geometry *at, const REAL *patch) {
    ptrdiff_t r;
    if (at->run < LANES || *patch != 0) return 0;
    for (r = 0; r < at->rows; r++, patch += at->line)
        if (not_all_zero(patch, at->run)) return 0;
    return 1;
}

#include "conv/direct-inl.h"
#include "conv/gradient-inl.h"
#include "conv/pad-inl.h"
#include "conv/winograd-inl.h"
#include "conv/winograd_gradient-inl.h"
