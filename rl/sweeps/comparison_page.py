"""The page of `python -m rl compare`: one HTML file in the style of the page of `python -m rl all`."""

from __future__ import annotations

from html import escape

from rl.command import templates
from rl.pages import frame
from rl.pages.frame import Headline
from rl.runs.run_folder import list_versions
from rl.sweeps import comparison_plots as plots
from rl.sweeps import comparison_text as text
from rl.sweeps.comparison import Comparison
from rl.sweeps.statistics import CURVE_RESAMPLES, RESAMPLES
from rl.watch.animation import data_url

EXPLANATIONS = {  # how to read a picture, in English and in Japanese
    "Score": (
        "The bar is the mean of the middle half of the runs (interquartile mean) with its interval; each "
        "point is a run. A lucky run moves it less than a mean, and it uses more of the runs than a median.",
        "縦線は中央50%の平均（四分位平均）、帯はその区間、点は各シードの結果です。",
    ),
    "Performance profile": (
        "The share of the runs that is better than each score. A curve that is above another everywhere is "
        "better in every respect; where they cross, one setting has better best runs and the other better "
        "worst ones.",
        "各スコアを上回ったシードの割合です。常に上にある曲線ほど優れています。",
    ),
    "Steps to the goal": (
        "The share of runs that have reached the goal, over steps (Kaplan and Meier). A cross marks a run "
        "that ended without it. Such a run is censored: it counts as one that would have taken longer. The "
        "median is where the curve crosses one half. The restricted mean is the area above the curve up to "
        "a number of steps common to all settings: the mean of the steps, where a slower run counts with "
        "that number.",
        "目標に達したシードの割合です。×は達しないまま終わった実行で、打ち切りとして扱います。",
    ),
    "Learning curves": (
        "Mean over the runs of the return of the training episodes, with its interval. A run that stopped "
        "because it was solved continues with its last value.",
        "訓練エピソードの収益の平均と区間です。解けて終了した実行は最後の値で続けます。",
    ),
}


def render(comparison: Comparison) -> str:
    """Make the whole page."""
    notes = text.describe_left_out(comparison)
    fields = {
        "SUMMARY": frame.headlines(headlines(comparison)),
        "TABLE": table(comparison),
        "NOTES": "".join(f'<p class="note">Left out: {escape(words)}</p>' for words in notes),
        "SECTIONS": "\n".join(sections(comparison)) + runs_section(comparison),
        "VERSIONS": frame.facts(list_versions()),
        "DATE": frame.now(),
        "RESAMPLES": f"{RESAMPLES:,} resamples for scores, {CURVE_RESAMPLES:,} for all else",
    }
    main = templates.fill("rl.sweeps", "comparison.html", fields)
    return frame.page("Runs compared", main, templates.read("rl.sweeps", "comparison.css"))


def headlines(comparison: Comparison) -> tuple[Headline, ...]:
    """Return the three figures at the top."""
    results = [result for one in comparison.groups for result in one.group.results]
    failed = sum(result.score is None for result in results)
    return (
        Headline(f"{len(comparison.groups)}", "settings", "設定"),
        Headline(f"{len(results)}", f"runs, {failed} of them failed" if failed else "runs", "実行"),
        Headline(", ".join(comparison.tasks), "task" if len(comparison.tasks) == 1 else "tasks", "課題"),
    )


def table(comparison: Comparison) -> str:
    """Make a row for each group; the CSS makes a block of it on a narrow screen."""
    names = text.header(comparison)
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = []
    for one in comparison.groups:
        label, *cells = text.format_group(one)
        figures = "".join(
            f'<td data-name="{escape(name)}">{escape(cell)}</td>' for name, cell in zip(names[1:], cells)
        )
        rows.append(f'<tr><th scope="row">{escape(label)}</th>{figures}</tr>')
    return f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"


def sections(comparison: Comparison) -> list[str]:
    """Make a section for each picture that these results allow."""
    shown = [
        section("Score", plots.plot_scores(comparison)),
        section("Performance profile", plots.plot_profiles(comparison)),
    ]
    if any(one.time is not None for one in comparison.groups):
        goal = f"The goal: {comparison.goal}."
        shown.append(section("Steps to the goal", plots.plot_time_to_goal(comparison), goal))
    if any(one.curve is not None for one in comparison.groups):
        shown.append(section("Learning curves", plots.plot_curves(comparison)))
    return shown


def section(title: str, picture: bytes, note: str = "") -> str:
    """Show one picture with its explanation."""
    english, japanese = EXPLANATIONS[title]
    fields = {
        "TITLE": escape(title),
        "ENGLISH": f"{english} {escape(note)}",
        "JAPANESE": japanese,
        "IMAGE": data_url(picture, "image/png"),
    }
    return templates.fill("rl.sweeps", "comparison_section.html", fields).rstrip("\n")


def runs_section(comparison: Comparison) -> str:
    """List every run, behind a click."""
    lines = [f"{'setting':40} {'task':16} {'seed':>6} {'score':>12} {'steps':>12}  goal"]
    for one in comparison.groups:
        for result in one.group.results:
            score = "FAILED" if result.score is None else f"{result.score:.6g}"
            state = result.error or ("reached" if result.solved else "not reached")
            lines.append(
                f"{one.group.label:40} {result.task:16} {result.seed:6} {score:>12} {result.steps:12,.0f}"
                f"  {state}"
            )
    return (
        '<section class="single"><details><summary>Every run</summary><pre tabindex="0">'
        + escape("\n".join(lines))
        + "</pre></details></section>"
    )
