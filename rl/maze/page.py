"""An episode as one self-contained HTML page: the maze as SVG, a walker, a slider; no network, no library."""

from __future__ import annotations

import html
import json
from pathlib import Path

from rl.envs.maze_layout import MazeLayout
from rl.maze.plots import centre, milliseconds, walls

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; margin: 1rem auto; max-width: 40rem; padding: 0 .5rem; }}
svg {{ width: 100%; max-height: 75vh; }}
.controls {{ display: flex; gap: .6rem; align-items: center; }}
input {{ flex: 1; }}
button {{ font-size: 1rem; padding: .3rem .9rem; }}
</style>
</head>
<body>
<h1 style="font-size:1.1rem">{title}</h1>
<svg viewBox="-0.1 -0.1 {view_width} {view_height}" role="img" aria-label="{title}">
{cells}
<path d="{walls}" stroke="#222" stroke-width="0.06" stroke-linecap="round" fill="none"/>
<polyline id="trail" fill="none" stroke="#e69f00" stroke-width="0.12" stroke-linejoin="round" opacity="0.6"/>
<circle id="walker" r="0.28" fill="#c83c28"/>
</svg>
<div class="controls">
<button id="play" type="button">Pause</button>
<input id="step" type="range" min="0" max="{last}" value="0" aria-label="step">
<span id="count"></span>
</div>
<script>
const points = {points};
const walker = document.getElementById("walker"), trail = document.getElementById("trail");
const slider = document.getElementById("step"), button = document.getElementById("play");
const count = document.getElementById("count");
let step = 0, timer = null;
function show(n) {{
  step = n;
  walker.setAttribute("cx", points[n][0]);
  walker.setAttribute("cy", points[n][1]);
  trail.setAttribute("points", points.slice(0, n + 1).map(p => p.join(",")).join(" "));
  slider.value = n;
  count.textContent = n + " / " + (points.length - 1);
}}
function stop() {{ clearInterval(timer); timer = null; button.textContent = "Play"; }}
function start() {{
  if (step >= points.length - 1) show(0);
  button.textContent = "Pause";
  timer = setInterval(() => {{ step < points.length - 1 ? show(step + 1) : stop(); }}, {delay});
}}
button.onclick = () => timer ? stop() : start();
slider.oninput = () => {{ stop(); show(Number(slider.value)); }};
show(0);
start();
</script>
</body>
</html>
"""


def write_page(path: Path, layout: MazeLayout, cells: list[int], title: str) -> None:
    """Write the walk through these cells as a page that plays it and has a slider for its steps."""
    page = PAGE.format(
        title=html.escape(title),
        view_width=layout.width + 0.2,
        view_height=layout.height + 0.2,
        cells="\n".join(_squares(layout)),
        walls="".join(f"M{x1} {y1}L{x2} {y2}" for x1, y1, x2, y2 in walls(layout)),
        last=len(cells) - 1,
        points=json.dumps([centre(layout, cell) for cell in cells]),
        delay=milliseconds(len(cells)),
    )
    path.write_text(page, encoding="utf-8", errors="replace")


def _squares(layout: MazeLayout) -> list[str]:
    """Return start, goal and solid cells as coloured SVG squares."""
    colours = {cell: "#222" for cell in range(layout.cells) if layout.is_solid(cell)}
    colours |= {layout.start: "#aac8f0", layout.goal: "#aae1aa"}
    squares = []
    for cell, colour in colours.items():
        row, column = divmod(cell, layout.width)
        squares.append(f'<rect x="{column}" y="{row}" width="1" height="1" fill="{colour}"/>')
    return squares
