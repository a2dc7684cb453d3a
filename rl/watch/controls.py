"""The keys of the play window."""

from __future__ import annotations

from dataclasses import dataclass, field

from rl.envs.window import pygame

SPEEDS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
IDLE = ("stay", "none", "noop", "nothing")  # names of actions that do nothing


@dataclass
class Controls:
    """The state that the user's keys have set; independent of any window.

    yours  the user plays
    held   actions whose keys are down, the newest last
    last   the newest action of the user
    """

    actions: tuple[str, ...]
    paused: bool = False
    speed: int = SPEEDS.index(1.0)
    yours: bool = False
    saliency: bool = False
    restart: bool = False
    quit: bool = False
    held: list[int] = field(default_factory=list)
    last: int = 0

    def press(self, key: int, text: str) -> None:
        """Handle a key that went down.

        key   its code
        text  the character it types, because + and - have other keys on other keyboards
        """
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
        """Handle a key that went up."""
        action = self.action_of(key)
        self.held = [other for other in self.held if other != action]

    def action_of(self, key: int) -> int | None:
        """Return the action of an arrow, by the action's name, or of a number key; None for other keys."""
        arrows = {pygame.K_LEFT: "left", pygame.K_RIGHT: "right", pygame.K_UP: "up", pygame.K_DOWN: "down"}
        if arrows.get(key) in self.actions:
            return self.actions.index(arrows[key])
        if pygame.K_0 <= key <= pygame.K_9 and key - pygame.K_0 < len(self.actions):
            return key - pygame.K_0
        return None

    def choose(self, greedy: int) -> int:
        """Return the greedy action; if the user plays, the held key's, else an idle one, else the last."""
        if not self.yours:
            return greedy
        if self.held:
            return self.held[-1]
        idle = [index for index, name in enumerate(self.actions) if name in IDLE]
        return idle[0] if idle else self.last
