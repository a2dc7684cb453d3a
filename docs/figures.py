"""Write the measured figures of figures.json into the READMEs and docs/speed.md.

    python docs/figures.py

Each page marks the places: a line `<!-- figures: NAME -->`, the text, a line `<!-- end -->`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGES = {"README.md": "en", "README.ja.md": "ja", "docs/speed.md": "en"}
PLACE = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

HEAD = {
    "en": ("work", "here", "fastest framework", "times as fast", "on two threads"),
    "ja": ("処理", "nnlite-rl", "最速のフレームワーク", "速さの比", "2スレッド"),
}
CATCHER = {
    "en": (
        "The agent above learned Catcher from the screen. {solved} of {seeds} seeds solved it, "
        "after {least:,} to\n{most:,} steps (median {median:,}); "
        "{seconds_after_steps:,} steps took {seconds} s from the command to the saved model."
    ),
    "ja": (
        "上のエージェントは、画面だけを見てCatcherを覚えました。"
        "{seeds}個のシードのうち{solved}個が、{least:,}〜{most:,}ステップ（中央値{median:,}）で攻略しました。\n"
        "{seconds_after_steps:,}ステップの実行は、コマンドの開始からモデルの保存まで{seconds}秒でした。"
    ),
}


def main() -> None:
    """Update every page in place."""
    for page in PAGES:
        path = HERE.parent / page
        path.write_text(updated(page, path.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")


def updated(page: str, text: str) -> str:
    """The page's text with the figures as they are now."""
    figures, language = json.loads((HERE / "figures.json").read_text(encoding="utf-8")), PAGES[page]
    texts = {
        "catcher": catcher(figures["catcher"], language),
        "three": table([row for row in figures["speed"] if row["readme"]], language, columns=4),
        "speed": table(figures["speed"], language, columns=5),
    }
    return PLACE.sub(lambda place: f"{place[1]}{texts[place[2]]}\n{place[3]}", text)


def catcher(figures: dict[str, Any], language: str) -> str:
    """How soon DQN learns Catcher."""
    return CATCHER[language].format(**figures, **figures["steps"])


def table(rows: list[dict[str, Any]], language: str, columns: int) -> str:
    """Rows of speed, with the first `columns` columns."""
    cells = [HEAD[language], ("---",) * len(HEAD[language]), *(speed(row, language) for row in rows)]
    return "\n".join(f"| {' | '.join(line[:columns])} |".replace("|  |", "| |") for line in cells)


def speed(row: dict[str, Any], language: str) -> tuple[str, ...]:
    """The cells of one row."""
    comma, unit = (", ", " steps/s") if language == "en" else ("、", "ステップ/秒")
    here, peer = (row[side].replace(" steps/s", unit) for side in ("here", "peer"))
    return row[language], here, f"{peer}{comma}{row['by'][language]}", row["times"], row["two_threads"]


if __name__ == "__main__":
    main()
