"""The frame of every page, and parts that several pages have."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from html import escape
from typing import Any, NamedTuple

from rl.command import templates


class Headline(NamedTuple):
    """A figure at the top of a page, with its label in English and in Japanese."""

    figure: str
    english: str
    japanese: str


def page(title: str, main: str, style: str = "") -> str:
    """Make a whole page.

    main   HTML below the title
    style  CSS added to that of all pages
    """
    fields = {
        "TITLE": escape(title),
        "STYLE": templates.read("rl.pages", "page.css") + style,
        "MAIN": main,
    }
    return templates.fill("rl.pages", "page.html", fields)


def headlines(figures: Iterable[Headline]) -> str:
    """List the figures at the top of a page."""
    return "".join(
        f'<div><dt>{escape(english)}<span lang="ja">{japanese}</span></dt><dd>{escape(figure)}</dd></div>'
        for figure, english, japanese in figures
    )


def facts(values: dict[str, Any]) -> str:
    """List names and values."""
    return "".join(
        f"<div><dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in values.items()
    )


def now() -> str:
    """Return date and time, as the foot of a page shows them."""
    return datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
