"""Embed files in a page: pictures as data: URLs, a player page as a frame."""

from __future__ import annotations

import io
from html import escape
from pathlib import Path

from PIL import Image

from rl.watch.animation import data_url

KINDS = {b"\x89PNG": "image/png", b"GIF8": "image/gif"}


def picture_url(path: Path) -> str:
    """Encode a PNG or GIF file; raises ValueError for another file."""
    content = path.read_bytes()
    if content[:4] not in KINDS:
        raise ValueError(f"{path} is neither PNG nor GIF")
    return data_url(content, KINDS[content[:4]])


def still_url(path: Path) -> str:
    """Encode the first picture of a GIF file as PNG."""
    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").quantize(64).save(buffer, "PNG", optimize=True)
    return data_url(buffer.getvalue(), "image/png")


def embed_player(path: Path, title: str) -> str:
    """Put a player page into a sandboxed frame behind a click; "" if the file does not exist."""
    if not path.is_file():
        return ""
    inside = escape(path.read_text(encoding="utf-8"))
    name = f"{escape(title)}, player"
    frame = f'<iframe sandbox="allow-scripts" loading="lazy" title="{name}" srcdoc="{inside}"></iframe>'
    return f'<details class="player"><summary>Pause, step, slow down</summary>{frame}</details>'
