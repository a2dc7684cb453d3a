"""The page of `python -m rl all`: one HTML file with all figures, pictures and players in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from rl.articles import ARTICLES
from rl.command import templates
from rl.command.text import format_duration
from rl.pages import frame
from rl.pages.embedding import embed_player, picture_url, still_url
from rl.pages.frame import Headline
from rl.tools.exhibits import EXHIBITS, Picture
from rl.tools.figures import Row
from rl.tools.runner import Outcome

STATES = {"reached": "as expected", "missed": "not reached", "failed": "failed"}
NOT_SHOWN = "not shown"
LONGEST_FIGURE = 15  # characters: "0.792 to 0.801"
MOST_LINES = 120  # of an article's output, half from its beginning and half from its end
ARTICLE_OF = {article.module: article for article in ARTICLES}


@dataclass(frozen=True)
class Report:
    """The content of the page."""

    outcomes: list[Outcome]
    quick: bool
    seed: int
    seconds: float
    machine: dict[str, Any]
    versions: dict[str, str]


def render(report: Report) -> str:
    """Make the whole page."""
    fields = {
        "SUMMARY": frame.headlines(headlines(report)),
        "QUICK": quick_note(report) if report.quick else "",
        "OVERVIEW": "".join(overview_row(outcome) for outcome in report.outcomes),
        "SECTIONS": "\n".join(section(outcome, report.quick) for outcome in report.outcomes),
        "MACHINE": frame.facts(report.machine),
        "VERSIONS": frame.facts(report.versions),
        "DATE": frame.now(),
        "SEED": str(report.seed),
    }
    return frame.page("Ten articles, run again", templates.fill("rl.tools", "report.html", fields))


def headlines(report: Report) -> tuple[Headline, ...]:
    """Return the three figures at the top."""
    reached = sum(outcome.reached for outcome in report.outcomes)
    cores, kernels = report.machine.get("cores", "?"), report.machine.get("kernels", "")
    return (
        Headline(f"{reached} of {len(report.outcomes)}", "articles as expected", "期待どおり"),
        Headline(format_duration(report.seconds), "on this machine", "所要時間"),
        Headline(f"{cores} cores", f"{kernels} code, no GPU", "GPUなし"),
    )


def quick_note(report: Report) -> str:
    """Say that this was the quick run, and which articles had short settings."""
    short = [
        f"<code>rl.{outcome.module}</code>" for outcome in report.outcomes if EXHIBITS[outcome.module].quick
    ]
    which = (
        f"{' and '.join(short)} ran with short settings" if short else "no article of this page was cut short"
    )
    return (
        f'<p class="note">This is the <strong>quick run</strong>: {which}. '
        "<code>python -m rl all</code> runs everything in full. "
        '<span lang="ja">短縮版の結果です。</span></p>'
    )


def overview_row(outcome: Outcome) -> str:
    """Make one row of the table at the top."""
    article = ARTICLE_OF[outcome.module]
    row = outcome.headline
    headline = "" if row is None else f"{escape(row.name)}: <b>{escape(row.here)}</b>"
    return (
        f'<tr><td><a href="#{outcome.module}"><span lang="ja">{escape(article.title)}</span>'
        f'<code>rl.{outcome.module}</code></a></td><td class="wide">{headline}</td>'
        f'<td class="number">{format_duration(outcome.seconds)}</td><td>{badge(outcome)}</td></tr>\n'
    )


def badge(outcome: Outcome) -> str:
    """Show the state by colour and words."""
    return f'<span class="state {outcome.state}">{STATES[outcome.state]}</span>'


def section(outcome: Outcome, quick: bool) -> str:
    """Make the section of one article."""
    exhibit = EXHIBITS[outcome.module]
    note = f'<p class="small">{escape(exhibit.quick_note)}</p>' if quick and exhibit.quick_note else ""
    pictures = "" if outcome.folder is None else gallery(outcome.folder, exhibit.pictures, exhibit.animation)
    fields = {
        "ID": outcome.module,
        "TITLE": escape(ARTICLE_OF[outcome.module].title),
        "STATE": badge(outcome),
        "SINGLE": "" if pictures else " single",
        "QUESTION": escape(exhibit.question),
        "JAPANESE": escape(exhibit.japanese),
        "FIGURES": problem(outcome) if outcome.problem else figures_table(outcome.rows),
        "NOTE": note,
        "DURATION": format_duration(outcome.seconds),
        "COMMAND": escape(outcome.command),
        "OUTPUT": output(outcome, is_open=not pictures or bool(outcome.problem)),
        "PICTURES": pictures,
    }
    return templates.fill("rl.tools", "section.html", fields).rstrip("\n")


def figures_table(rows: Iterable[Row]) -> str:
    """Make the table of the article's figures and ours."""
    lines = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th>{article_cell(row.article)}'
        f"<td><b>{figure(row.here)}</b></td></tr>"
        for row in rows
    )
    heads = "".join(
        f'<th scope="col">{english} <span lang="ja">{japanese}</span></th>'
        for english, japanese in (("article", "記事"), ("here", "今回"))
    )
    return f'<table class="figures"><thead><tr><td></td>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def article_cell(text: str) -> str:
    """Make the cell of the article's figure, a dash if the article shows none."""
    return "<td class=absent>–</td>" if text == NOT_SHOWN else f"<td>{figure(text)}</td>"


def figure(text: str) -> str:
    """Keep a figure on one line with its unit; a longer text may be broken."""
    return escape(text.replace(" ", "\u00a0") if len(text) <= LONGEST_FIGURE else text)


def problem(outcome: Outcome) -> str:
    """Say why there are no figures."""
    return f'<p class="problem">{escape(outcome.problem)}</p>'


def gallery(folder: Path, pictures: tuple[Picture, ...], animation: str) -> str:
    """Show the animation and the plots that the run's folder has; "" if it has none."""
    shown = [moving_picture(folder, animation)] if animation else []
    for picture in pictures:
        if (folder / picture.file).is_file():
            caption = escape(picture.caption)
            image = f'<img src="{picture_url(folder / picture.file)}" alt="{caption}">'
            shown.append(f'<figure class="plot">{image}<figcaption>{caption}</figcaption></figure>')
    content = "\n".join(part for part in shown if part)
    return f'<div class="pictures">\n{content}\n</div>' if content else ""


def moving_picture(folder: Path, caption: str) -> str:
    """Show the GIF, a still picture for users who prefer reduced motion, and the player behind a click."""
    gif = folder / "replay.gif"
    if not gif.is_file():
        return ""
    still = f'<source media="(prefers-reduced-motion: reduce)" srcset="{still_url(gif)}">'
    image = f'<picture>{still}<img class="game" src="{picture_url(gif)}" alt="{escape(caption)}"></picture>'
    player = embed_player(folder / "replay.html", caption)
    return f'<figure class="moving">{image}<figcaption>{escape(caption)}</figcaption>{player}</figure>'


def output(outcome: Outcome, is_open: bool) -> str:
    """Show the article's output as it stood on the terminal at the end, the middle left out if it is long."""
    lines = [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).rpartition("\r")[2].rstrip()
        for line in outcome.output.split("\n")
    ]
    if len(lines) > MOST_LINES:
        left_out = f"... ({len(lines) - MOST_LINES} lines left out; all of them: {outcome.module}.txt)"
        lines = [*lines[: MOST_LINES // 2], left_out, *lines[-MOST_LINES // 2 :]]
    text = escape("\n".join(lines).strip("\n"))
    opened = " open" if is_open else ""
    return f'<details{opened}><summary>What it printed</summary><pre tabindex="0">{text}</pre></details>'
