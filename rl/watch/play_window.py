"""The window of --play: the game, what the agent thinks of each action, and the keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.envs.window import pygame, require_screen
from rl.watch.stage import Moment

GAME = 512  # pixels that the longer side of a game gets, about
PANEL, MARGIN, ROW = 300, 16, 26  # pixels
SPEEDS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
PAGE, INK, SOFT, TRACK, BAR, BEST, YOURS = (
    (22, 22, 24),
    (240, 240, 242),
    (160, 160, 168),
    (48, 48, 54),
    (47, 93, 124),
    (86, 180, 233),
    (230, 159, 0),
)
HELP = (
    "space pause    + - speed    r restart    esc quit",
    "arrows, numbers: play yourself    a: the agent plays",
)
SALIENCY_HELP = "s: what the network looks at"
IDLE = ("stay", "none", "noop", "nothing")  # names of actions that do nothing


@dataclass
class Controls:
    """What the user has asked for so far, key by key; knows nothing of pygame's window."""

    actions: tuple[str, ...]
    paused: bool = False
    speed: int = SPEEDS.index(1.0)
    yours: bool = False  # the user plays
    saliency: bool = False
    restart: bool = False
    quit: bool = False
    held: list[int] = field(default_factory=list)  # actions whose keys are down, the newest last
    last: int = 0

    def press(self, key: int, text: str) -> None:
        """A key went down: its code, and what it types, for + and - lie elsewhere on other keyboards."""
        action = self.action_of(key)
        if action is not None:
            self.yours = True
            self.held.append(action)
            self.last = action
        elif key == pygame.K_SPACE:
            self.paused = not self.paused
        elif key in (pygame.K_ESCAPE, pygame.K_q):
            self.quit = True
        elif key == pygame.K_r:
            self.restart = True
        elif key == pygame.K_a:
            self.yours = False
        elif key == pygame.K_s:
            self.saliency = not self.saliency
        elif text in ("+", "=") or key == pygame.K_KP_PLUS:
            self.speed = min(self.speed + 1, len(SPEEDS) - 1)
        elif text == "-" or key == pygame.K_KP_MINUS:
            self.speed = max(self.speed - 1, 0)

    def release(self, key: int) -> None:
        """A key went up."""
        action = self.action_of(key)
        self.held = [other for other in self.held if other != action]

    def action_of(self, key: int) -> int | None:
        """The action of an arrow, by its name, or of a number key; None for other keys."""
        arrows = {pygame.K_LEFT: "left", pygame.K_RIGHT: "right", pygame.K_UP: "up", pygame.K_DOWN: "down"}
        if arrows.get(key) in self.actions:
            return self.actions.index(arrows[key])
        if pygame.K_0 <= key <= pygame.K_9 and key - pygame.K_0 < len(self.actions):
            return key - pygame.K_0
        return None

    def choose(self, greedy: int) -> int:
        """The agent's action, or the user's: of the key held, else the one that does nothing, else the
        last.
        """
        if not self.yours:
            return greedy
        if self.held:
            return self.held[-1]
        idle = [index for index, name in enumerate(self.actions) if name in IDLE]
        return idle[0] if idle else self.last


class PlayWindow:
    """Shows moments of a game, enlarged, and reads the keys. Raises NoScreenError where no window can be.

    size     (H, W) of the pictures
    measure  what the preferences are
    looks    the network reads screens: there is a saliency picture to show
    """

    def __init__(
        self, title: str, size: tuple[int, int], controls: Controls, measure: str, fps: int, looks: bool
    ) -> None:
        require_screen()
        pygame.font.init()
        self.controls, self.measure, self.fps = controls, measure, fps
        height, width = size
        scale = GAME / max(size) if max(size) > GAME else max(1, GAME // max(size))
        self.game = pygame.Rect(MARGIN, MARGIN, round(width * scale), round(height * scale))
        self.help = HELP + ((SALIENCY_HELP,) if looks else ())
        inner = max(self.game.height, 150 + ROW * (len(controls.actions) + 1))
        self.surface = pygame.display.set_mode(
            (self.game.width + PANEL + 3 * MARGIN, inner + 2 * MARGIN + 20 * len(self.help) + 8)
        )
        pygame.display.set_caption(title)
        pygame.key.stop_text_input()  # an input method would swallow the keys
        self.large, self.normal, self.small = (pygame.font.Font(None, points) for points in (44, 24, 20))
        self.clock = pygame.time.Clock()
        self.widest = 1e-9  # the largest spread of values so far: the length of a full bar

    def read_keys(self) -> None:
        """Hand what happened since the last call to the controls."""
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self.controls.quit = True
            elif event.type == pygame.KEYDOWN:
                self.controls.press(event.key, event.unicode)
            elif event.type == pygame.KEYUP:
                self.controls.release(event.key)
            elif event.type == pygame.WINDOWFOCUSLOST:
                self.controls.held.clear()  # its key's release would never be told

    def show(self, moment: Moment, picture: Array | None = None) -> None:
        """Draw the moment, with another picture than its own if given, and wait for its turn."""
        self.surface.fill(PAGE)
        self._draw_game(moment.picture if picture is None else picture)
        left = self.game.right + MARGIN
        self._write(self.large, f"Score {moment.score:g}", left, MARGIN)
        self._write(self.normal, f"game {moment.game + 1}    step {moment.step}", left, MARGIN + 40, SOFT)
        self._write(self.normal, *self._state(), MARGIN + 66)
        self._draw_bars(moment, left, MARGIN + 104)
        for index, line in enumerate(self.help):
            self._write(
                self.small, line, MARGIN, self.surface.get_height() - 20 * (len(self.help) - index) - 6, SOFT
            )
        pygame.display.flip()
        self.clock.tick(
            max(1, self.fps * SPEEDS[self.controls.speed]) if not self.controls.paused else self.fps
        )

    def _state(self) -> tuple[str, int]:
        who = "you play" if self.controls.yours else "the agent plays"
        doing = "paused" if self.controls.paused else f"speed {SPEEDS[self.controls.speed]:g}x"
        return f"{who}, {doing}", self.game.right + MARGIN

    def _draw_game(self, picture: Array) -> None:
        surface = pygame.surfarray.make_surface(picture.swapaxes(0, 1))  # pygame's axes are (x, y)
        enlarge = (
            pygame.transform.scale if self.game.height >= picture.shape[0] else pygame.transform.smoothscale
        )
        self.surface.blit(enlarge(surface, self.game.size), self.game)
        pygame.draw.rect(self.surface, TRACK, self.game.inflate(2, 2), 1)

    def _draw_bars(self, moment: Moment, left: int, top: int) -> None:
        values = moment.preferences
        probable = self.measure == "probability"
        self._write(
            self.small,
            self.measure if probable else f"{self.measure}; bar: above the worst one",
            left,
            top,
            SOFT,
        )
        self.widest = max(self.widest, float(np.ptp(values)))
        lengths = values if probable else (values - values.min()) / self.widest
        colour = YOURS if self.controls.yours else BEST
        for action, name in enumerate(self.controls.actions):
            y = top + ROW * (action + 1)
            chosen = action == moment.action
            self._write(self.normal, name[:9], left, y, INK if chosen else SOFT)
            track = pygame.Rect(left + 80, y + 2, PANEL - 80 - 72, 13)
            pygame.draw.rect(self.surface, TRACK, track)
            pygame.draw.rect(
                self.surface,
                colour if chosen else BAR,
                (*track.topleft, round(track.width * float(lengths[action])), track.height),
            )
            number = self.normal.render(f"{values[action]:.3f}", True, INK if chosen else SOFT)
            self.surface.blit(number, number.get_rect(right=left + PANEL, top=y))

    def _write(self, font: Any, text: str, left: int, top: int, colour: tuple[int, int, int] = INK) -> None:
        self.surface.blit(font.render(text, True, colour), (left, top))

    def close(self) -> None:
        """Close the window."""
        pygame.display.quit()
