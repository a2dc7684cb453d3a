"""The page of `python -m rl all`: one HTML file with everything in it, for wide and narrow screens, light
and dark.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from rl.articles import ARTICLES, Article
from rl.pages.embedding import picture_data, player, still_data
from rl.pages.styles import PAGE
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
    """What the page tells."""

    outcomes: list[Outcome]
    quick: bool
    seed: int
    seconds: float
    machine: dict[str, Any]
    versions: dict[str, str]


def page(report: Report) -> str:
    """The whole page as text."""
    reached = sum(outcome.reached for outcome in report.outcomes)
    parts = {
        "TITLE": "Ten articles, run again",
        "SUMMARY": summary(report, reached),
        "QUICK": quick_note(report) if report.quick else "",
        "OVERVIEW": "".join(overview_row(outcome) for outcome in report.outcomes),
        "SECTIONS": "\n".join(section(outcome, report.quick) for outcome in report.outcomes),
        "MACHINE": facts(report.machine),
        "VERSIONS": facts(report.versions),
        "DATE": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        "SEED": str(report.seed),
    }
    return re.sub(
        r"__([A-Z]+)__", lambda found: parts[found[1]], PAGE
    )  # one pass: nothing that was put in is looked at again


def summary(report: Report, reached: int) -> str:
    """The three figures at the top."""
    figures = (
        (f"{reached} of {len(report.outcomes)}", "articles as expected", "期待どおり"),
        (duration(report.seconds), "on this machine", "所要時間"),
        (
            f"{report.machine.get('cores', '?')} cores",
            f"{escape(str(report.machine.get('kernels', '')))} code, no GPU",
            "GPUなし",
        ),
    )
    return "".join(
        f'<div><dt>{english}<span lang="ja">{japanese}</span></dt><dd>{escape(figure)}</dd></div>'
        for figure, english, japanese in figures
    )


def quick_note(report: Report) -> str:
    """That this was the quick run, and what was short about it."""
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
    """One line of the table at the top."""
    article = ARTICLE_OF[outcome.module]
    row = outcome.headline
    headline = "" if row is None else f"{escape(row.name)}: <b>{escape(row.here)}</b>"
    return (
        f'<tr><td><a href="#{outcome.module}"><span lang="ja">{escape(article.title)}</span>'
        f'<code>rl.{outcome.module}</code></a></td><td class="wide">{headline}</td>'
        f'<td class="number">{duration(outcome.seconds)}</td><td>{badge(outcome)}</td></tr>\n'
    )


def badge(outcome: Outcome) -> str:
    """The state in colour and in words."""
    return f'<span class="state {outcome.state}">{STATES[outcome.state]}</span>'


def section(outcome: Outcome, quick: bool) -> str:
    """One article."""
    article, exhibit = ARTICLE_OF[outcome.module], EXHIBITS[outcome.module]
    note = f'<p class="small">{escape(exhibit.quick_note)}</p>' if quick and exhibit.quick_note else ""
    figures = trouble(outcome) if outcome.problem else table(outcome.rows)
    pictures = "" if outcome.folder is None else gallery(outcome.folder, exhibit.pictures, exhibit.animation)
    return f"""<section id="{outcome.module}" aria-labelledby="{outcome.module}-title">
<header>
<h2 id="{outcome.module}-title"><span lang="ja">{escape(article.title)}</span> <code>rl.{outcome.module}</code></h2>
{badge(outcome)}
</header>
<div class="columns{"" if pictures else " single"}">
<div class="words">
<p class="question">{escape(exhibit.question)}</p>
<p class="japanese" lang="ja">{escape(exhibit.japanese)}</p>
{figures}
{note}<p class="small"><span class="time">{duration(outcome.seconds)}</span> <code>{escape(outcome.command)}</code></p>
{printed(outcome, article, open_it=not pictures)}
</div>
{pictures}
</div>
</section>"""


def table(rows: Iterable[Row]) -> str:
    """The article's figures beside ours."""
    lines = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th><td{" class=absent" if row.article == NOT_SHOWN else ""}>'
        f"{'–' if row.article == NOT_SHOWN else figure(row.article)}</td><td><b>{figure(row.here)}</b></td></tr>"
        for row in rows
    )
    heads = "".join(
        f'<th scope="col">{english} <span lang="ja">{japanese}</span></th>'
        for english, japanese in (("article", "記事"), ("here", "今回"))
    )
    return f'<table class="figures"><thead><tr><td></td>{heads}</tr></thead><tbody>{lines}</tbody></table>'


def figure(text: str) -> str:
    """A figure stays on one line with its unit; a longer text may be broken."""
    return escape(text.replace(" ", "\u00a0") if len(text) <= LONGEST_FIGURE else text)


def trouble(outcome: Outcome) -> str:
    """Why there are no figures."""
    return f'<p class="problem">{escape(outcome.problem)}</p>'


def gallery(folder: Path, pictures: tuple[Picture, ...], animation: str) -> str:
    """The animation and the plots that the run left; nothing for what it did not."""
    shown = [moving(folder, animation)] if animation else []
    for picture in pictures:
        if (folder / picture.file).is_file():
            data = picture_data(folder / picture.file)
            caption = escape(picture.caption)
            image = f'<img src="{data}" alt="{caption}">'
            shown.append(f'<figure class="plot">{image}<figcaption>{caption}</figcaption></figure>')
    content = "\n".join(part for part in shown if part)
    return f'<div class="pictures">\n{content}\n</div>' if content else ""


def moving(folder: Path, caption: str) -> str:
    """The GIF, standing still for those who asked for less motion, and the player behind a click."""
    gif = folder / "replay.gif"
    if not gif.is_file():
        return ""
    quiet = f'<source media="(prefers-reduced-motion: reduce)" srcset="{still_data(gif)}">'
    image = f'<picture>{quiet}<img class="game" src="{picture_data(gif)}" alt="{escape(caption)}"></picture>'
    frame = player(folder / "replay.html", caption)
    return f'<figure class="moving">{image}<figcaption>{escape(caption)}</figcaption>{frame}</figure>'


def printed(outcome: Outcome, article: Article, open_it: bool) -> str:
    """What the article printed, as it stood on the terminal at the end."""
    lines = [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).rpartition("\r")[2].rstrip()
        for line in outcome.output.split("\n")
    ]
    if len(lines) > MOST_LINES:
        left_out = f"... ({len(lines) - MOST_LINES} lines left out; all of them: {article.module}.txt)"
        lines = [*lines[: MOST_LINES // 2], left_out, *lines[-MOST_LINES // 2 :]]
    text = "\n".join(lines).strip("\n")
    opened = " open" if open_it or outcome.problem else ""
    return (
        f'<details{opened}><summary>What it printed</summary><pre tabindex="0">{escape(text)}</pre></details>'
    )


def facts(values: dict[str, Any]) -> str:
    """Names and values."""
    return "".join(
        f"<div><dt>{escape(str(name))}</dt><dd>{escape(str(value))}</dd></div>"
        for name, value in values.items()
    )


def duration(seconds: float) -> str:
    """3.2 s, 48 s, 2 min 5 s."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
