"""A pygame window that shows small pictures, enlarged."""

from __future__ import annotations

import os
import sys

from nnlite.arrays import Array

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

import pygame as pygame

HIDDEN_DRIVERS = ("dummy", "offscreen")  # SDL uses these, without a word, when there is no screen


class NoScreenError(RuntimeError):
    """There is no screen to open a window on."""


class Window:
    """A window for frames (height, width, 3) uint8, enlarged `scale` times, at most `fps` a second.

    Raises NoScreenError when this machine has no screen, unless SDL_VIDEODRIVER names a hidden one.
    """

    def __init__(self, title: str, height: int, width: int, scale: int, fps: int) -> None:
        require_screen()
        self._surface = pygame.display.set_mode((width * scale, height * scale))
        pygame.display.set_caption(title)
        self._clock = pygame.time.Clock()
        self._fps = fps

    def show(self, frame: Array) -> None:
        """Show `frame` when it is due. Raises KeyboardInterrupt when the user has closed the window."""
        if pygame.event.peek(pygame.QUIT):
            self.close()
            raise KeyboardInterrupt("the window was closed")
        picture = pygame.surfarray.make_surface(frame.swapaxes(0, 1))  # pygame's axes are (x, y)
        pygame.transform.scale(picture, self._surface.get_size(), self._surface)
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        """Close the window."""
        pygame.display.quit()


def require_screen() -> None:
    """Raise NoScreenError unless a window can be opened here."""
    wanted = os.environ.get("SDL_VIDEODRIVER")
    if sys.platform == "linux" and not (
        wanted or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        driver = "none"  # SDL would notice too, but complain about other things first
    else:
        try:
            pygame.display.init()
            driver = pygame.display.get_driver()
        except pygame.error as problem:
            driver = f"none: {problem}"
        else:
            if driver not in HIDDEN_DRIVERS or wanted == driver:
                return
            pygame.display.quit()
    raise NoScreenError(
        f"no screen to open a window on (SDL's video driver: {driver})\n"
        '  use render_mode="rgb_array", or run with a screen; over ssh, "ssh -X" or "xvfb-run" make one'
    )
