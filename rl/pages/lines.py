"""Line styles that distinguish up to 21 settings in a plot."""

from __future__ import annotations

COLOURS = (  # distinguishable with colour blindness
    "#0072b2",
    "#d55e00",
    "#009e73",
    "#cc79a7",
    "#e69f00",
    "#56b4e9",
    "#444444",
)
STYLES = ("-", "--", ":")  # the next one once all colours are used


def line_style(number: int) -> dict[str, str]:
    """Return matplotlib's colour and line style of setting `number`."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": STYLES[number // len(COLOURS) % len(STYLES)],
    }
