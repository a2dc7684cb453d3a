"""How does the cost grow?

Measured are the time of a DQN update against batch, image side and width of a dense network; the steps a
second of the vector environments against the number of games; the memory against the size of the replay. Each
has a plot, with these expected bends:

batch.png    CNN 80x80x4. Less than proportional up to 16: every update reads and writes target, weights,
             gradient and both moments (34 MB, more than the cache holds). Then proportional. From 4 images on
             the second and third convolution use Winograd tiles, with fewer multiplications.
image.png    batch 32. The convolutions and the dense layer's weights grow with the area. The steps come from
             the ceil(side / 8) pixels of the last image; 96 and 128 are whole multiples of 8. All sides here
             leave images of even side, as the tiles require; a side of 84 would not.
width.png    4-W-W-3, batch 32. Proportional to W^2 above the fixed cost of a call. From W = 358 on, the
             network has more than 131,072 weights and runs layer by layer instead of in one compiled call.
             From 512 to 1,024 the time grows faster than W^2: parameters, target, gradient and moments then
             take 21 MB, more than the cache holds.
games.png    steps a second. They rise with N while more games share the fixed cost of a call. CartPole's
             flatten towards 4,096, where the step itself costs most. Catcher's fall where its screens (12 KB
             a game, a fresh array in each step) outgrow the caches and the memory that the allocator holds:
             then each step gets new pages, which the system clears first.
replay.png   6.4 KB a step (one frame of 80x80 bytes, 14 bytes of facts): a straight line through zero.

There are no peers. The curves are measured with the largest number of threads asked for.
"""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np

from bench import workloads as w
from bench.harness import compare
from bench.questions import Options, Question, Row, Side, Work

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
IMAGE_SIDES = (32, 48, 64, 80, 96, 112, 128, 144, 160)
WIDTHS = (8, 16, 32, 64, 128, 256, 357, 358, 512, 1024)
GAMES = (1, 4, 16, 64, 256, 1024, 4096)
REPLAY_SIZES = (1_000, 5_000, 10_000, 25_000, 50_000, 100_000)
SHORTER = 0.25  # of --seconds: a curve has many points, and no ratio depends on them


def update(threads: int, shape: tuple[int, ...], batch_size: int, hidden: tuple[int, ...]) -> Work:
    """Make a DQN update with this image or vector, batch and hidden layers."""
    from bench.ours import q_agent, use_threads
    from rl.core.replay import Batch

    use_threads(threads)
    agent = q_agent(tuple(shape), w.SCREEN_ACTIONS, tuple(hidden))
    batch = Batch(*w.transitions(tuple(shape), w.SCREEN_ACTIONS, batch_size))
    return Work(lambda: agent.update(batch))


def update_curve(work: str, values: tuple[int, ...], arguments_of) -> Question:
    sides = tuple(Side(str(x), "bench.growth:update", arguments_of(x), peer=False) for x in values)
    return Question("G", "growth", work, "updates/s", sides)


def games_curve(env_id: str) -> Question:
    sides = tuple(Side(str(n), "bench.environments:ours", (env_id, n), peer=False) for n in GAMES)
    return Question("G", "growth", f"{env_id}, steps by number of games", "steps/s", sides)


CURVES = (
    (
        "batch.png",
        "batch",
        update_curve("DQN update by batch, CNN 80x80x4", BATCHES, lambda n: (w.SCREEN, n, ())),
    ),
    (
        "image.png",
        "side of the image",
        update_curve("DQN update by side of the image, batch 32", IMAGE_SIDES, lambda s: ((s, s, 4), 32, ())),
    ),
    (
        "width.png",
        "width of both hidden layers",
        update_curve("DQN update by width, batch 32", WIDTHS, lambda h: (w.DENSE[:1], 32, (h, h))),
    ),
    ("games.png", "games", games_curve("CartPole-v1")),
    ("games.png", "games", games_curve("rl/Catcher-v0")),
)


def run(options: Options) -> list[Row]:
    # every point is a side, so all points take turns
    quick = Options((max(options.threads),), min(options.rounds, 3), SHORTER * options.seconds)
    answers = [(name, xlabel, compare(question, quick)) for name, xlabel, question in CURVES]
    memory, folder = replay_memory(), options.plots
    folder.mkdir(parents=True, exist_ok=True)
    for name in dict.fromkeys(name for name, _, _ in answers):
        same = [(xlabel, rows) for other, xlabel, rows in answers if other == name]
        draw(folder / name, same[0][0], [rows for _, rows in same])
    draw_memory(folder / "replay.png", memory)
    return [row for _, _, rows in answers for row in rows] + memory


def replay_memory() -> list[Row]:
    """Count the bytes of a replay of screens with tracemalloc."""
    from rl.core.replay import ReplayBuffer

    rows = []
    for size in REPLAY_SIZES:
        tracemalloc.start()
        replay = ReplayBuffer(size, 8, w.SCREEN, np.uint8, stack=4)
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        rows.append(
            Row(
                "G",
                "growth",
                "memory by size of the replay",
                str(size),
                1,
                bytes=held,
                note=f"{held / size:,.0f} bytes a step",
            )
        )
        del replay
    return rows


def draw(path: Path, xlabel: str, groups: list[list[Row]]) -> None:
    """Plot seconds of an update, or steps a second; a line for each question and number of threads."""
    from rl.watch.plots import new_figure  # pillow

    by_rate = "steps" in groups[0][0].unit
    figure, axes = new_figure(
        groups[0][0].work if len(groups) == 1 else "steps a second by number of games",
        xlabel,
        "steps a second" if by_rate else "milliseconds of an update",
    )
    for rows in groups:
        for threads in sorted({row.threads for row in rows}):
            found = [row for row in rows if row.threads == threads and row.seconds]
            heights = [row.rate if by_rate else 1e3 * (row.seconds or 0) for row in found]
            name = (
                rows[0].work.split(",")[0]
                if len(groups) > 1
                else f"{threads} thread{'s' if threads > 1 else ''}"
            )
            axes.plot([int(row.side) for row in found], heights, marker="o", markersize=4, label=name)
    axes.set(xscale="log", yscale="log")
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def draw_memory(path: Path, rows: list[Row]) -> None:
    from rl.watch.plots import new_figure

    figure, axes = new_figure("memory of a replay of 80x80 screens", "steps", "MB")
    axes.plot(
        [int(row.side) for row in rows], [(row.bytes or 0) / 1e6 for row in rows], marker="o", markersize=4
    )
    axes.set(xlim=0, ylim=0)
    figure.savefig(path, dpi=120)
