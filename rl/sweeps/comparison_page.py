"""The page of `python -m rl compare`: one HTML file with everything in it, in the look of the page of
`python -m rl all`.
"""

from __future__ import annotations

import re
from datetime import datetime
from html import escape

from rl.pages.embedding import data_address
from rl.pages.styles import HEAD
from rl.runs.run_folder import versions
from rl.sweeps import comparison_plots as plots
from rl.sweeps import comparison_text as text
from rl.sweeps.comparison import Comparison
from rl.sweeps.statistics import CURVE_RESAMPLES, RESAMPLES
from rl.tools.page import facts

BODY = """<body>
<main>
<h1>Runs compared</h1>
<p class="lede">What several seeds of each setting reached, and how sure that is: every interval holds 95&nbsp;%.
<span lang="ja">設定ごとに複数シードの結果を比べます。区間はすべて95%信頼区間です。</span></p>
<dl class="summary">__SUMMARY__</dl>
<div class="card scroll"><table class="figures compared"><caption hidden>All settings</caption>__TABLE__</table></div>
__NOTES__
__SECTIONS__
<footer class="about">
<div><h2>Versions</h2><dl>__VERSIONS__</dl></div>
<p>__DATE__. Definitions: Agarwal et al. 2021, <cite>Deep reinforcement learning at the edge of the statistical
precipice</cite>; Kaplan and Meier 1958. Intervals: percentile bootstrap, stratified by task, __RESAMPLES__.</p>
</footer>
</main>
</body>
</html>
"""
OWN_STYLE = """.scroll { overflow-x: auto; padding-bottom: 10px; }
.compared td, .compared tbody th { white-space: nowrap; padding-right: 22px; }
.compared thead th { white-space: normal; min-width: 6.5em; vertical-align: bottom; padding-right: 22px; }
@media (max-width: 760px) {
  .compared thead { display: none; }
  .compared tr, .compared td, .compared tbody th { display: block; padding: 2px 0; white-space: normal; }
  .compared tbody th { font-weight: 650; color: var(--ink); }
  .compared tr { padding: 12px 0; border-top: 1px solid var(--line); }
  .compared td::before { content: attr(data-name) ": "; color: var(--soft); } }
</style>"""
EXPLAINED = {
    "Score": (
        "The bar is the mean of the middle half of the runs (interquartile mean) with its interval; each "
        "point is a run. "
        "A lucky run does not move it as it moves a mean, and it uses more of the runs than a median.",
        "縦線は中央50%の平均（四分位平均）、帯はその区間、点は各シードの結果です。",
    ),
    "Performance profile": (
        "Which share of the runs is better than each score. A curve that lies above another everywhere "
        "is better in every "
        "respect; where they cross, one setting has better best runs and the other better worst ones.",
        "各スコアを上回ったシードの割合です。常に上にある曲線ほど優れています。",
    ),
    "Steps to the goal": (
        "The share of runs that have reached the goal, over steps (Kaplan and Meier). A cross marks a "
        "run that ended without "
        "it: such a run counts as one that would have taken longer (censored), and is neither left out "
        "nor taken for one "
        "that arrived. The median is where the curve crosses one half. The restricted mean is the area "
        "above the curve up to "
        "a number of steps common to all settings: the mean of the steps, where whoever takes longer "
        "counts with that number.",
        "目標に達したシードの割合です。×は達しないまま終わった実行で、打ち切りとして扱います。",
    ),
    "Learning curves": (
        "Mean over the runs of the return of the training episodes, with its interval. A run that "
        "stopped because it was "
        "solved counts on with its last value.",
        "訓練エピソードの収益の平均と区間です。解けて終了した実行は最後の値で続けます。",
    ),
}


def page(comparison: Comparison) -> str:
    """The whole page as text."""
    parts = {
        "TITLE": "Runs compared",
        "SUMMARY": summary(comparison),
        "TABLE": table(comparison),
        "NOTES": "".join(
            f'<p class="note">Left out: {escape(words)}</p>' for words in text.without_runs(comparison)
        ),
        "SECTIONS": "\n".join(sections(comparison)) + runs_table(comparison),
        "VERSIONS": facts(versions()),
        "DATE": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        "RESAMPLES": f"{RESAMPLES:,} resamples for scores, {CURVE_RESAMPLES:,} for all else",
    }
    frame = HEAD.replace("</style>", OWN_STYLE) + BODY
    return re.sub(
        r"__([A-Z]+)__", lambda found: parts[found[1]], frame
    )  # one pass: nothing that was put in is looked at again


def summary(comparison: Comparison) -> str:
    """The three figures at the top."""
    runs = [run for one in comparison.groups for run in one.group.runs]
    failed = sum(run.score is None for run in runs)
    figures = (
        (f"{len(comparison.groups)}", "settings", "設定"),
        (f"{len(runs)}", f"runs, {failed} of them failed" if failed else "runs", "実行"),
        (", ".join(comparison.tasks), "task" if len(comparison.tasks) == 1 else "tasks", "課題"),
    )
    return "".join(
        f'<div><dt>{english}<span lang="ja">{japanese}</span></dt><dd>{escape(figure)}</dd></div>'
        for figure, english, japanese in figures
    )


def table(comparison: Comparison) -> str:
    """A row for each group; on a narrow screen a block for each."""
    names = text.heads(comparison)
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    rows = []
    for one in comparison.groups:
        label, *cells = text.line(one)
        told = "".join(
            f'<td data-name="{escape(name)}">{escape(cell)}</td>' for name, cell in zip(names[1:], cells)
        )
        rows.append(f'<tr><th scope="row">{escape(label)}</th>{told}</tr>')
    return f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"


def sections(comparison: Comparison) -> list[str]:
    """The pictures that these runs have, each with how to read it."""
    shown = [("Score", plots.scores(comparison)), ("Performance profile", plots.profiles(comparison))]
    if any(one.reaching is not None for one in comparison.groups):
        shown.append(("Steps to the goal", plots.reaching(comparison)))
    if any(one.curve is not None for one in comparison.groups):
        shown.append(("Learning curves", plots.curves(comparison)))
    return [
        section(title, picture, f"The goal: {comparison.goal}." if "goal" in title else "")
        for title, picture in shown
    ]


def section(title: str, picture: bytes, note: str) -> str:
    """One picture."""
    english, japanese = EXPLAINED[title]
    image = f'<img src="{data_address(picture, "image/png")}" alt="{escape(title)}">'
    return f"""<section><header><h2>{escape(title)}</h2></header>
<div class="columns"><div class="words"><p>{english} {escape(note)}</p><p class="japanese" lang="ja">{japanese}</p></div>
<div class="pictures"><figure class="plot">{image}</figure></div></div></section>"""


def runs_table(comparison: Comparison) -> str:
    """Every run, behind a click."""
    lines = [f"{'setting':40} {'task':16} {'seed':>6} {'score':>12} {'steps':>12}  goal"]
    for one in comparison.groups:
        for run in one.group.runs:
            score = "FAILED" if run.score is None else f"{run.score:.6g}"
            state = run.error or ("reached" if run.solved else "not reached")
            lines.append(
                f"{one.group.label:40} {run.task:16} {run.seed:6} {score:>12} {run.steps:12,.0f}  {state}"
            )
    listed = escape("\n".join(lines))
    return f'<section class="single"><details><summary>Every run</summary><pre tabindex="0">{listed}</pre></details></section>'
