"""An episode in the maze to look at: as GIF, as page, in a window."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from nnlite.arrays import Array
from rl.envs.maze import paint
from rl.envs.maze_layout import ACTION_NAMES, MazeLayout
from rl.maze.plots import LONGEST_GIF, milliseconds, write_gif
from rl.watch.animation import write_html
from rl.watch.recording import make_recording
from rl.watch.stage import Moment

MEASURE = "probability"  # of each action, in the policy that walked
WINDOW_FPS = 20  # times a second that the window reads its keys


def moments_of(layout: MazeLayout, history: Sequence[tuple[int, int]], pi: Array) -> list[Moment]:
    """Return the moments of a walk of (cell, action) pairs, the end included; of a long one the last."""
    last, action = history[-1]
    steps = [*history, (int(layout.neighbour[last, action]), -1)]
    first, pi = max(0, len(steps) - LONGEST_GIF), np.nan_to_num(pi)  # the goal has no actions
    return [
        Moment(paint(layout, cell), np.array([cell]), pi[cell], action, 0.0 - step, 0, step)
        for step, (cell, action) in enumerate(steps[first:], start=first)
    ]


def write_replay(
    folder: Path, layout: MazeLayout, history: Sequence[tuple[int, int]], pi: Array, episode: int
) -> None:
    """Write the walk as replay.gif and replay.html, the player of all articles."""
    moments = moments_of(layout, history, pi)
    title, fps = f"Maze, episode {episode}: {len(history)} steps", round(1000 / milliseconds(len(moments)))
    write_gif(folder / "replay.gif", [moment.picture for moment in moments])
    write_html(folder / "replay.html", make_recording(moments, fps, ACTION_NAMES, title, MEASURE))


def show_in_window(moments: Sequence[Moment], title: str) -> bool:
    """Show a walk in the window of --play, and its end until a key closes it; False without a screen."""
    from rl.envs.window import NoScreenError
    from rl.watch.play_window import PlayWindow  # pygame

    size = moments[0].picture.shape[:2]
    try:
        window = PlayWindow(title, size, ACTION_NAMES, MEASURE, WINDOW_FPS, looks=False, playable=False)
    except NoScreenError:
        return False
    controls, frame = window.controls, 0
    frames_each = max(1, round(WINDOW_FPS * milliseconds(len(moments)) / 1000))
    while not controls.quit:
        window.show(moments[min(frame // frames_each, len(moments) - 1)])
        window.read_keys()
        controls.yours = False
        if controls.restart:
            controls.restart, frame = False, 0
        elif not controls.paused:
            frame += 1
    window.close()
    return True
