"""Record games: shrink the pictures and reduce them to one palette.

With one byte a pixel, the files are small and quick to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from nnlite.arrays import Array
from rl.watch.stage import Moment

LONGEST = 320  # pixels of a stored frame's longer side; larger frames are reduced
SHOWN = 256  # pixels, about, of the longer side of a small screen when enlarged
SAMPLES = 8  # frames from which the palette is chosen
COLOURS = 256


@dataclass(frozen=True)
class Recording:
    """Frames as indices into one palette, with the moment of each.

    measure  name of the preferences: "Q value", "probability"
    """

    frames: Array  # (T, H, W) uint8
    palette: Array  # (at most 256, 3) uint8
    moments: Sequence[Moment]
    fps: int
    actions: tuple[str, ...]
    title: str
    measure: str

    @property
    def scale(self) -> int:
        """Times that a pixel is repeated in each direction when it is shown."""
        return max(1, SHOWN // int(max(self.frames.shape[1:])))


def make_recording(
    moments: Iterable[Moment], fps: int, actions: tuple[str, ...], title: str, measure: str
) -> Recording:
    """Shrink the pictures of these moments and reduce them to one palette.

    Raises ValueError when there is no moment, or the sizes of the pictures differ.
    """
    small = [replace(moment, picture=shrink(moment.picture)) for moment in moments]
    if not small:
        raise ValueError("there is no frame to record")
    pictures = np.stack([moment.picture for moment in small])
    palette = common_palette(pictures)
    return Recording(index_colours(pictures, palette), palette, small, fps, actions, title, measure)


def shrink(picture: Array) -> Array:
    """Reduce a picture (H, W, 3) by a whole number, so that its longer side fits."""
    factor = -(-max(picture.shape[:2]) // LONGEST)
    return picture if factor == 1 else np.asarray(Image.fromarray(picture).reduce(factor))


def common_palette(pictures: Array) -> Array:
    """Choose at most 256 colours (C, 3) uint8 for pictures (T, H, W, 3).

    These are all their colours; of more than 256 the most frequent half, and a quantisation of all.
    """
    sample = pictures[np.linspace(0, len(pictures) - 1, SAMPLES).astype(int)]
    mosaic = Image.fromarray(sample.reshape(-1, *pictures.shape[2:]))
    counted = sorted(mosaic.getcolors(mosaic.width * mosaic.height) or (), reverse=True)
    if len(counted) <= COLOURS:
        return np.array([colour for _, colour in counted], np.uint8)
    exact = np.array([colour for _, colour in counted[: COLOURS // 2]], np.uint8)
    mixed = mosaic.quantize(COLOURS // 2, dither=Image.Dither.NONE).getpalette() or []
    return np.concatenate([exact, np.array(mixed, np.uint8).reshape(-1, 3)[: COLOURS // 2]])


def index_colours(pictures: Array, palette: Array) -> Array:
    """Replace each pixel by the index (T, H, W) uint8 of the nearest palette colour, compared in 15 bits."""
    table = nearest_table(palette)
    frames = np.empty(pictures.shape[:3], np.uint8)
    for picture, frame in zip(pictures, frames, strict=True):
        np.take(table, reduce_to_15_bits(picture), out=frame)
    return frames


def reduce_to_15_bits(colours: Array) -> Array:
    """Pack colours (..., 3) uint8 into (...) of 15 bits, five for each of red, green and blue."""
    red, green, blue = (colours[..., part].astype(np.uint16) >> 3 for part in range(3))
    return np.asarray(red << 10 | green << 5 | blue)


def nearest_table(palette: Array) -> Array:
    """Return the nearest palette entry (32768,) uint8 of every 15-bit colour; palette (C, 3).

    Of entries with the same 15 bits it is the first.
    """
    levels = np.arange(32) << 3 | np.arange(32) >> 2  # 0 .. 255
    corners = (
        np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
    )
    entries = palette.astype(np.float32)
    distance = np.square(entries).sum(axis=1) - 2 * corners @ entries.T  # (32768, C), less |corner|^2
    table: Array = distance.argmin(axis=1).astype(np.uint8)
    table[reduce_to_15_bits(palette)[::-1]] = np.arange(len(palette), dtype=np.uint8)[::-1]
    return table
