"""The pictures of docs/why.md: each failure has one, each page shows them all, and the command draws them."""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.thorough
DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def failures():
    return SimpleNamespace(**runpy.run_path(str(DOCS / "failures.py")))


@pytest.mark.parametrize("page", ["why.md", "ja/why.md"])
def test_each_failure_is_shown_once(failures, page):
    shown = re.findall(r"pictures/(\S+)\.png\)", (DOCS / page).read_text(encoding="utf-8"))
    assert sorted(shown) == sorted(failures.FAILURES)


def test_each_picture_is_there_on_white(failures):
    assert {path.stem for path in failures.PICTURES.glob("*.png")} == set(failures.FAILURES)
    for name in failures.FAILURES:
        pixels = np.asarray(Image.open(failures.PICTURES / f"{name}.png").convert("RGB"))
        assert (pixels[0] == 255).all() and (pixels == 255).mean() > 0.8, name


def test_the_right_way_is_better(failures):
    """In the quickest failure; in the others it takes a minute."""
    failure = failures.FAILURES["exploration"]
    right, wrong = (
        np.median([failures.curve(failure, side, seed)[-1] for seed in range(3)]) for side in failure.sides
    )
    assert right > 0.9 > 0.2 > wrong


@pytest.mark.parametrize("measure", ["evaluation", "training"])
def test_a_curve_has_a_point_for_each_part_of_the_run(failures, measure):
    failure = failures.FAILURES["evaluation"]._replace(steps=2_000)
    points = failures.curve(failure, failures.Side("", "", measure=measure), seed=0)
    assert points.shape == (failures.POINTS,) and np.isfinite(points).all()
    assert points.max() < 500  # so early
