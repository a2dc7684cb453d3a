"""Files as parts of a page: pictures as data: addresses, a player page as a frame that holds its own text."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path

KINDS = {b"\x89PNG": "image/png", b"GIF8": "image/gif"}


def picture_data(path: Path) -> str:
    """A PNG or GIF as a data: address; raises ValueError for another file."""
    content = path.read_bytes()
    if content[:4] not in KINDS:
        raise ValueError(f"{path} is neither PNG nor GIF")
    return data_address(content, KINDS[content[:4]])


def still_data(path: Path) -> str:
    """The first picture of a GIF."""
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(path) as image:
        image.convert("RGB").quantize(64).save(buffer, "PNG", optimize=True)
    return data_address(buffer.getvalue(), "image/png")


def data_address(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def player(path: Path, title: str) -> str:
    """The player page behind a click, shut off from the page around it; nothing when it does not exist."""
    if not path.is_file():
        return ""
    inside = escape(path.read_text(encoding="utf-8"))
    name = f"{escape(title)}, player"
    frame = f'<iframe sandbox="allow-scripts" loading="lazy" title="{name}" srcdoc="{inside}"></iframe>'
    return f'<details class="player"><summary>Pause, step, slow down</summary>{frame}</details>'
