"""`python -m rl.digits`: learn, print the report, draw."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.command.cli import exit_codes, parse
from rl.command.notes import extra
from rl.command.threads import use_threads
from rl.digits import Result, Settings, learn
from rl.digits.data import CLASSES
from rl.digits.plots import draw_confusion, draw_misread
from rl.runs.run_folder import create, write_json

SUMMARY = "Neural networks 4: handwritten digits and a convolutional network."
EXAMPLES = (
    "python -m rl.digits",
    "python -m rl.digits --recipe best",
    "python -m rl.digits --epochs 30 --seed 1",
)


@exit_codes
def main(argv: list[str] | None = None) -> None:
    settings = parse(Settings, "python -m rl.digits", SUMMARY, EXAMPLES, argv=argv)
    settings.validate()
    use_threads(settings.num_threads)
    run(settings)


def run(settings: Settings) -> Result:
    """Learn, print the report, draw; return the result."""
    from sklearn.metrics import classification_report, confusion_matrix

    folder = create(settings.out, "digits", settings.recipe, settings.seed, asdict(settings))
    result = learn(settings)
    counts = confusion_matrix(result.actual, result.predicted, labels=range(CLASSES))
    total = len(result.actual)
    print(f"\nThe {total} images held out, digit by digit:\n")
    print(classification_report(result.actual, result.predicted, labels=range(CLASSES), zero_division=0))
    print(
        "precision: of the images read as this digit, the share that is; recall: of its images, the "
        "share read so."
    )
    score = f"{100 * result.accuracy:.2f} %"
    misread = total - int(np.trace(counts))
    took = f"{result.seconds:.1f} s" if result.seconds >= 1 else f"{1000 * result.seconds:.0f} ms"
    print(f"\nAccuracy {score} (article: 93.43 %), {misread} misread, trained in {took}")
    wrong = result.predicted != result.actual
    result.model.save(folder / "best.safetensors")
    write_json(folder / "result.json", as_plain(result, counts))
    with extra("no confusion.png"):
        draw_confusion(folder / "confusion.png", counts, f"Digits read: {score} right")
    with extra("no misread.png"):
        images, actual = result.images[wrong, :, :, 0], result.actual[wrong]
        draw_misread(folder / "misread.png", images, actual, result.probabilities[wrong], total)
    print(f"confusion.png, misread.png and the model are in {folder}")
    return result


def as_plain(result: Result, counts: Array) -> dict[str, Any]:
    """Return the content of result.json."""
    return {"accuracy": result.accuracy, "confusion": counts.tolist(), "train_seconds": result.seconds}
