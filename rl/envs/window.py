"""A pygame window that shows small pictures, enlarged."""

from __future__ import annotations

import os
import sys

import numpy as np

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pygame as pygame

UNSEEN_DRIVERS = ("dummy", "offscreen")  # SDL falls back to these in silence when there is no screen


class NoScreenError(RuntimeError):
    """A window was asked for where none can be shown."""


class Window:
    """A window of `scale` times the size of the frames (H, W, 3) uint8 that it shows, at most `fps` of them a
    second.

    Raises NoScreenError when this machine has no screen, unless SDL_VIDEODRIVER asks for an unseen one by
    name.
    """

    def __init__(self, title: str, height: int, width: int, scale: int, fps: int) -> None:
        require_screen()
        self._surface = pygame.display.set_mode((width * scale, height * scale))
        pygame.display.set_caption(title)
        self._clock = pygame.time.Clock()
        self._fps = fps

    def show(self, frame: np.ndarray) -> None:
        """Show `frame` and wait for its turn; raises KeyboardInterrupt when the user has closed the
        window.
        """
        if pygame.event.peek(pygame.QUIT):
            self.close()
            raise KeyboardInterrupt("the window was closed")
        picture = pygame.surfarray.make_surface(frame.swapaxes(0, 1))  # pygame's axes are (x, y)
        pygame.transform.scale(picture, self._surface.get_size(), self._surface)
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        pygame.display.quit()


def require_screen() -> None:
    """Raise NoScreenError unless a window can be opened here."""
    wanted = os.environ.get("SDL_VIDEODRIVER")
    if sys.platform == "linux" and not (
        wanted or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        driver = "none"  # SDL would find out too, but complain about other things first
    else:
        try:
            pygame.display.init()
            driver = pygame.display.get_driver()
        except pygame.error as problem:
            driver = f"none: {problem}"
        else:
            if driver not in UNSEEN_DRIVERS or wanted == driver:
                return
            pygame.display.quit()
    raise NoScreenError(
        f"no screen to open a window on (SDL's video driver: {driver})\n"
        '  use render_mode="rgb_array", or run with a screen; over ssh, "ssh -X" or "xvfb-run" make one'
    )
