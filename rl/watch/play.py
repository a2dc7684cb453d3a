"""Watch a trained agent: a short recording after every run, and `--play`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from nnlite.terminal import say
from rl.command.notes import extra
from rl.core.agent import Agent
from rl.watch import saliency
from rl.watch.animation import inline, write_gif, write_html
from rl.watch.recording import LONGEST, Recording, make_recording
from rl.watch.stage import Moment, Stage, showing, watch

if TYPE_CHECKING:
    from rl.watch.play_window import PlayWindow  # pygame

GAMES, STEPS = 2, 300  # at most, in the recording after a run: a second of work
PLAYED_GAMES, PLAYED_STEPS = 3, 3000  # at most, for --play without a screen
END_SECONDS = 0.7  # that the last picture of a game is shown


def record(folder: Path, agent: Agent, make_stage: Callable[[], Stage], title: str) -> None:
    """Write replay.gif and replay.html of greedy games into the run's folder."""
    with closing(make_stage()) as stage:
        write_files(folder, film(stage, agent, f"A trained agent on {title}", GAMES, STEPS))


def film(stage: Stage, agent: Agent, title: str, games: int, steps: int) -> Recording:
    """Record greedy games.

    games, steps  at most; of large pictures, which are slow to draw, only every second step is recorded
    """
    every = 2 if max(stage.size) > LONGEST else 1
    moments = watch(stage, agent, games, steps, every)
    return make_recording(moments, stage.fps // every, stage.actions, title, agent.measure)


def write_files(folder: Path, recorded: Recording) -> None:
    """Write replay.gif and replay.html."""
    write_gif(folder / "replay.gif", recorded)
    write_html(folder / "replay.html", recorded)


def play(agent: Agent, make_stage: Callable[[], Stage], title: str, folder: Path) -> None:
    """Show greedy games: in a window, in the notebook, or as files in the folder.

    Raises CannotRenderError when the environment has no pictures, or anything else prevents it.
    """
    with showing(title):
        from rl.envs.window import NoScreenError, require_screen  # pygame

        screen = not in_notebook()
        try:
            if screen:
                require_screen()  # before the environment draws: that may open a dummy display for good
        except NoScreenError:
            screen = False
        with closing(make_stage()) as stage:
            if screen:
                play_in_window(stage, agent, title)
            else:
                play_into_files(stage, agent, title, folder)


def play_into_files(stage: Stage, agent: Agent, title: str, folder: Path) -> None:
    """Write some games as GIF and page, for networks that read screens also saliency and filters.

    Prints where the files are.
    """
    recorded = film(stage, agent, title, PLAYED_GAMES, PLAYED_STEPS)
    for moment in recorded.moments:
        if moment.action < 0:
            say(f"Get reward {moment.score}.")
    if not stage.over:
        say(f"Reward {stage.score} after {stage.steps} steps of a longer game.")
    write_files(folder, recorded)
    names = ["replay.gif", "replay.html"]
    if saliency.looks_at_screens(agent.model):
        with extra("no saliency.png"):
            saliency.saliency_plot(folder / "saliency.png", agent.model, recorded.moments, stage.actions)
            names.append("saliency.png")
        if saliency.first_convolution(agent.model):
            with extra("no filters.png"):
                saliency.filters_plot(folder / "filters.png", agent.model)
                names.append("filters.png")
    if in_notebook():
        sys.modules["IPython"].display.display(inline(recorded))
    say("In the run's folder:" if in_notebook() else "There is no screen for a window; open instead")
    for name in names:
        say(f"  {folder / name}")


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which shows pictures itself."""
    return "ipykernel" in sys.modules and sys.modules["IPython"].get_ipython() is not None


def play_in_window(stage: Stage, agent: Agent, title: str) -> None:
    """Show games in a window until the user closes it."""
    from rl.watch.play_window import PlayWindow  # pygame

    looks = saliency.looks_at_screens(agent.model)
    with closing(PlayWindow(title, stage.size, stage.actions, agent.measure, stage.fps, looks)) as window:
        play_until_closed(window, stage, agent, looks)


def play_until_closed(window: PlayWindow, stage: Stage, agent: Agent, looks: bool) -> None:
    """Show one game after the other; `looks` as in PlayWindow."""
    controls = window.controls
    wait = 0  # frames that the end of a game is still shown
    while not controls.quit:
        if wait == 0 and stage.over:
            stage.next_game()
        observation = stage.observation
        if not stage.over:
            preferences = agent.preferences(observation)[0]
        action = -1 if stage.over else controls.choose(int(preferences.argmax()))
        moment = Moment(stage.picture, observation, preferences, action, stage.score, stage.game, stage.steps)
        glowing = looks and controls.saliency and not stage.over
        window.show(
            moment,
            saliency.overlay(moment.picture, saliency.saliency(agent.model, observation, action))
            if glowing
            else None,
        )
        window.read_keys()
        if controls.restart:
            controls.restart, wait = False, 0
            stage.restart()
        elif not controls.paused and stage.over:
            wait -= 1
        elif not controls.paused:
            stage.step(action)
            if stage.over:
                wait = max(1, int(END_SECONDS * stage.fps))
                say(f"Get reward {stage.score}.")
