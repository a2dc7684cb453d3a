"""The window of --play: the game, the agent's preferences, and the keys."""

from __future__ import annotations

from typing import Any

import numpy as np

from nnlite.arrays import Array
from rl.envs.window import pygame, require_screen
from rl.watch.controls import SPEEDS, Controls
from rl.watch.stage import Moment

GAME = 512  # pixels, about, of the longer side of a game
PANEL, MARGIN, ROW = 300, 16, 26  # pixels
PAGE = (22, 22, 24)
INK, SOFT = (240, 240, 242), (160, 160, 168)
TRACK, BAR = (48, 48, 54), (47, 93, 124)
BEST, YOURS = (86, 180, 233), (230, 159, 0)
HELP = "space pause    + - speed    r restart    esc quit"
PLAY_HELP = "arrows, numbers: play yourself    a: the agent plays"
SALIENCY_HELP = "s: what the network looks at"


class PlayWindow:
    """Shows moments of a game, enlarged, and reads the keys.

    size      (H, W) of the pictures
    measure   name of the preferences
    looks     the network reads screens, so its saliency can be shown
    playable  the user can play too; False for a recorded game

    Raises NoScreenError where no window can be opened.
    """

    def __init__(
        self,
        title: str,
        size: tuple[int, int],
        actions: tuple[str, ...],
        measure: str,
        fps: int,
        looks: bool,
        playable: bool = True,
    ) -> None:
        require_screen()
        pygame.font.init()
        self.controls, self.measure, self.fps = Controls(actions), measure, fps
        height, width = size
        scale = GAME / max(size) if max(size) > GAME else max(1, GAME // max(size))
        self.game = pygame.Rect(MARGIN, MARGIN, round(width * scale), round(height * scale))
        self.help = [HELP, *([PLAY_HELP] if playable else []), *([SALIENCY_HELP] if looks else [])]
        inner = max(self.game.height, 150 + ROW * (len(actions) + 1))
        self.surface = pygame.display.set_mode(
            (self.game.width + PANEL + 3 * MARGIN, inner + 2 * MARGIN + 20 * len(self.help) + 8)
        )
        pygame.display.set_caption(title)
        pygame.key.stop_text_input()  # an input method would swallow the keys
        self.large, self.normal, self.small = (pygame.font.Font(None, points) for points in (44, 24, 20))
        self.clock = pygame.time.Clock()
        self.widest = 1e-9  # the largest spread of values so far: the length of a full bar

    def read_keys(self) -> None:
        """Pass the events since the last call to the controls."""
        for event in pygame.event.get():
            if event.type == pygame.QUIT:
                self.controls.quit = True
            elif event.type == pygame.KEYDOWN:
                self.controls.press(event.key, event.unicode)
            elif event.type == pygame.KEYUP:
                self.controls.release(event.key)
            elif event.type == pygame.WINDOWFOCUSLOST:
                self.controls.held.clear()  # the release of the key would not be reported

    def show(self, moment: Moment, picture: Array | None = None) -> None:
        """Draw the moment, with `picture` instead of its own if given, and wait for the next frame."""
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
