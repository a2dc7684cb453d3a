"""Games as files: a GIF that loops, and one HTML page that plays, pauses and steps.

Both need nothing but themselves.

All frames of a recording share one palette: a picture is one byte a pixel, and the whole small and quickly
written.
"""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nnlite.arrays import Array
from rl.watch.player_page import PAGE
from rl.watch.stage import Moment

LONGEST = 320  # pixels of a stored frame's longer side; larger ones are halved until they fit
SHOWN = 256  # pixels that the longer side of a small screen is enlarged to, about
SHEET = 2048  # pixels of a sprite sheet's side: phones refuse much larger images
SAMPLES = 8  # frames that the palette is chosen from
COLOURS = 256
GIF_TICK = 10  # milliseconds: the unit of a GIF's clock
GIF_FASTEST = 20  # milliseconds: browsers slow down what is faster


@dataclass(frozen=True)
class Recording:
    """Frames as indices into one palette, and what was thought at each."""

    frames: Array  # (T, H, W) uint8
    palette: Array  # (at most 256, 3) uint8
    moments: Sequence[Moment]
    fps: int
    actions: tuple[str, ...]
    title: str
    measure: str  # what the preferences are: "Q value", "probability"

    @property
    def scale(self) -> int:
        """How often a pixel is repeated when it is shown."""
        return max(1, SHOWN // int(max(self.frames.shape[1:])))


def recording(
    moments: Iterable[Moment], fps: int, actions: tuple[str, ...], title: str, measure: str
) -> Recording:
    """Shrink the pictures of these moments, as they come, to a size for files, and then to one palette.

    Raises ValueError when there are none, or their sizes differ.
    """
    small = [replace(moment, picture=shrunk(moment.picture)) for moment in moments]
    if not small:
        raise ValueError("there is no frame to record")
    pictures = np.stack([moment.picture for moment in small])
    palette = common_palette(pictures)
    return Recording(indexed(pictures, palette), palette, small, fps, actions, title, measure)


def shrunk(picture: Array) -> Array:
    """The picture (H, W, 3), made smaller by a whole number unless its longer side fits."""
    factor = -(-max(picture.shape[:2]) // LONGEST)
    return picture if factor == 1 else np.asarray(Image.fromarray(picture).reduce(factor))


def common_palette(pictures: Array) -> Array:
    """At most 256 colours (C, 3) uint8 for pictures (T, H, W, 3): their own, or the commonest and mixed
    ones.
    """
    sample = pictures[np.linspace(0, len(pictures) - 1, SAMPLES).astype(int)]
    mosaic = Image.fromarray(sample.reshape(-1, *pictures.shape[2:]))
    counted = sorted(mosaic.getcolors(mosaic.width * mosaic.height) or (), reverse=True)
    if len(counted) <= COLOURS:
        return np.array([colour for _, colour in counted], np.uint8)
    exact = np.array([colour for _, colour in counted[: COLOURS // 2]], np.uint8)
    mixed = mosaic.quantize(COLOURS // 2, dither=Image.Dither.NONE).getpalette() or []
    return np.concatenate([exact, np.array(mixed, np.uint8).reshape(-1, 3)[: COLOURS // 2]])


def indexed(pictures: Array, palette: Array) -> Array:
    """The index (T, H, W) uint8 of each pixel's colour in the palette, by a table of five bits a part."""
    table = nearest_table(palette)
    frames = np.empty(pictures.shape[:3], np.uint8)
    for picture, frame in zip(pictures, frames, strict=True):
        np.take(table, five_bits(picture), out=frame)
    return frames


def five_bits(colours: Array) -> Array:
    """Colours (..., 3) uint8 -> (...) of 15 bits, five for each part."""
    red, green, blue = (colours[..., part].astype(np.uint16) >> 3 for part in range(3))
    return np.asarray(red << 10 | green << 5 | blue)


def nearest_table(palette: Array) -> Array:
    """(32768,) uint8: the nearest entry of the palette (C, 3); of entries alike in five bits the first is
    found.
    """
    levels = np.arange(32) << 3 | np.arange(32) >> 2  # 0 .. 255
    corners = (
        np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
    )
    entries = palette.astype(np.float32)
    distance = np.square(entries).sum(axis=1) - 2 * corners @ entries.T  # (32768, C), less |corner|^2
    table: Array = distance.argmin(axis=1).astype(np.uint8)
    table[five_bits(palette)[::-1]] = np.arange(len(palette), dtype=np.uint8)[::-1]
    return table


def write_gif(path: Path, recorded: Recording) -> None:
    """A GIF that loops for ever, small screens enlarged; GIFs cannot be faster than 50 frames a second."""
    colours = recorded.palette.tobytes()
    images = []
    for frame in recorded.frames:
        image = Image.fromarray(frame.repeat(recorded.scale, 0).repeat(recorded.scale, 1)).convert("P")
        image.putpalette(colours)
        images.append(image)
    duration = max(GIF_FASTEST, round(1000 / recorded.fps / GIF_TICK) * GIF_TICK)
    images[0].save(
        path, "GIF", save_all=True, append_images=images[1:], duration=duration, loop=0, optimize=False
    )


def write_html(path: Path, recorded: Recording) -> None:
    """One page with all frames in it: play, pause, slider, speed, steps; the score and what the agent
    thought.
    """
    path.write_text(page(recorded), encoding="utf-8")


def inline(recorded: Recording | Path, height: int = 640) -> Any:
    """The player as an object that a notebook shows, of a recording or of a page written before (a run's
    replay.html).

    height  of the frame that it gets, pixels

    Raises ImportError where IPython is missing.
    """
    from IPython.display import HTML

    text = recorded.read_text(encoding="utf-8") if isinstance(recorded, Path) else page(recorded)
    player: Any = HTML  # has no hints
    return player(
        f'<div><iframe srcdoc="{html.escape(text)}" title="replay" '
        f'style="width:100%;height:{height}px;border:0"></iframe></div>'
    )


def page(recorded: Recording) -> str:
    """The player as text."""
    count, height, width = recorded.frames.shape
    columns, rows = max(1, SHEET // width), max(1, SHEET // height)
    data = {
        "title": recorded.title,
        "width": width,
        "height": height,
        "scale": recorded.scale,
        "fps": recorded.fps,
        "columns": min(columns, count),
        "rows": rows,
        "sheets": [
            sheet(recorded.frames[start : start + columns * rows], recorded.palette, min(columns, count))
            for start in range(0, count, columns * rows)
        ],
        "actions": recorded.actions,
        "measure": recorded.measure,
        "values": [[float(f"{value:.6g}") for value in moment.preferences] for moment in recorded.moments],
        "chosen": [moment.action for moment in recorded.moments],
        "score": [float(f"{moment.score:.6g}") for moment in recorded.moments],
        "game": [moment.game for moment in recorded.moments],
        "step": [moment.step for moment in recorded.moments],
    }
    content = json.dumps(data, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    return PAGE.replace("__TITLE__", html.escape(recorded.title)).replace("__DATA__", content)


def sheet(frames: Array, palette: Array, columns: int) -> str:
    """Frames (T, H, W) side by side in rows of `columns`, as the data: address of one PNG."""
    count, height, width = frames.shape
    rows = -(-count // columns)
    tiles = np.zeros((rows * columns, height, width), np.uint8)
    tiles[:count] = frames
    picture = Image.fromarray(
        tiles.reshape(rows, columns, height, width).swapaxes(1, 2).reshape(rows * height, columns * width)
    ).convert("P")
    picture.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=6)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
