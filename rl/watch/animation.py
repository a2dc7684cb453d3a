"""Write recorded games as files: a GIF that loops, and an HTML page that plays, pauses and steps.

Each file is self-contained.
"""

from __future__ import annotations

import base64
import html
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from nnlite.arrays import Array
from nnlite.tensor_file import atomic_write
from rl.command import templates
from rl.watch.recording import Recording

SHEET = 2048  # pixels of a sprite sheet's side: phones refuse much larger images
GIF_TICK = 10  # milliseconds: the unit of a GIF's clock
GIF_FASTEST = 20  # milliseconds a frame: browsers slow down faster GIFs


def write_gif(path: Path, recorded: Recording) -> None:
    """Write a GIF that loops forever, with small screens enlarged, at no more than 50 frames a second."""
    colours = recorded.palette.tobytes()
    images = []
    for frame in recorded.frames:
        image = Image.fromarray(frame.repeat(recorded.scale, 0).repeat(recorded.scale, 1)).convert("P")
        image.putpalette(colours)
        images.append(image)
    duration = max(GIF_FASTEST, round(1000 / recorded.fps / GIF_TICK) * GIF_TICK)
    content = io.BytesIO()
    images[0].save(
        content, "GIF", save_all=True, append_images=images[1:], duration=duration, loop=0, optimize=False
    )
    atomic_write(path, content.getvalue())  # no half picture on a full disk


def write_html(path: Path, recorded: Recording) -> None:
    """Write the player page: all frames, with score and preferences; play, pause, slider, speed, steps."""
    atomic_write(path, render_player(recorded).encode("utf-8", "replace"))


def inline(recorded: Recording | Path, height: int = 640) -> Any:
    """Make a notebook object that shows the player of a recording, or of a page such as a run's replay.html.

    height  of its frame, in pixels

    Raises ImportError where IPython is missing.
    """
    from IPython.display import HTML  # optional

    text = recorded.read_text(encoding="utf-8") if isinstance(recorded, Path) else render_player(recorded)
    player: Any = HTML  # has no type hints
    return player(
        f'<div><iframe srcdoc="{html.escape(text)}" title="replay" '
        f'style="width:100%;height:{height}px;border:0"></iframe></div>'
    )


def render_player(recorded: Recording) -> str:
    """Make the player page."""
    content = json.dumps(player_data(recorded), separators=(",", ":"), allow_nan=False)
    fields = {
        "TITLE": html.escape(recorded.title),
        "STYLE": templates.read("rl.watch", "player.css"),
        "SCRIPT": templates.read("rl.watch", "player.js"),
        "DATA": content.replace("<", "\\u003c"),  # no text can end the script element
    }
    return templates.fill("rl.watch", "player.html", fields)


def player_data(recorded: Recording) -> dict[str, Any]:
    """Collect the data that player.js reads."""
    count, height, width = recorded.frames.shape
    columns, rows = max(1, SHEET // width), max(1, SHEET // height)
    sheets = range(0, count, columns * rows)
    return {
        "title": recorded.title,
        "width": width,
        "height": height,
        "scale": recorded.scale,
        "fps": recorded.fps,
        "columns": min(columns, count),
        "rows": rows,
        "sheets": [
            encode_sheet(
                recorded.frames[first : first + columns * rows], recorded.palette, min(columns, count)
            )
            for first in sheets
        ],
        "actions": recorded.actions,
        "measure": recorded.measure,
        "values": [[float(f"{value:.6g}") for value in moment.preferences] for moment in recorded.moments],
        "chosen": [moment.action for moment in recorded.moments],
        "score": [float(f"{moment.score:.6g}") for moment in recorded.moments],
        "game": [moment.game for moment in recorded.moments],
        "step": [moment.step for moment in recorded.moments],
    }


def encode_sheet(frames: Array, palette: Array, columns: int) -> str:
    """Place frames (T, H, W) side by side in rows of `columns`; returns the data: URL of the PNG."""
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
    return data_url(buffer.getvalue(), "image/png")


def data_url(content: bytes, kind: str) -> str:
    """Encode bytes of a media type as a data: URL."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
