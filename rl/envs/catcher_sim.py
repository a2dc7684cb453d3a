"""Catcher, compiled: the rules of PyGame-Learning-Environment's game, step for step, and its painter.

A game is one row of nine floats (the columns below); its screen is a function of that row alone. One call
moves all N games. A step may need one new fruit, so each game has its next spawn in its row: the kernel takes
it and leaves TAKEN, and the caller draws another one. Only `rollout` gets a random generator, once for all
steps: passing one to a compiled function is slow.

Positions are whole numbers stored as floats; velocities are in pixels per step. pygame's Rect truncates
floats in some releases and rounds them in others. Here they are truncated toward zero, as when the articles
were written.

Contract: arrays are C-contiguous and of the shapes given. Actions are checked here, before any game moves,
because a check in NumPy costs more than the step itself.
"""

from __future__ import annotations

import numpy as np

from nnlite.arrays import Array
from rl.envs.compiled import njit

SIZE = 64  # side of the screen, pixels
SCREEN_SHAPE = (SIZE, SIZE, 3)
LIVES = 3
ACTIONS = 3  # 0 left, 1 right, 2 stay

# The columns of a state row.
PADDLE_X, PADDLE_VEL, FRUIT_X, FRUIT_Y, NEXT_X, NEXT_Y, LIVES_LEFT, CATCHES, STEPS = range(9)
COLUMNS = 9
START = np.array([25, 0, 0, 0, 0, 0, LIVES, 0, 0], dtype=np.float64)
TAKEN = -1.0  # in NEXT_X: the spawn was used, draw another

# What `step_games` returns: a sum of flags, or BAD_ACTION, and then no game moved. As in
# rl.envs.native_vector; repeated here because numba's cache notices changes of this file only.
SPAWNED, ENDED, BAD_ACTION = 1, 2, -1

PADDLE_WIDTH, PADDLE_HEIGHT, PADDLE_Y = 13, 3, 58
FRUIT_SIDE = 4
PADDLE_PUSH, PADDLE_FRICTION = 1.344, 0.9
FRUIT_SPEED = 0.0608 * (1000.0 / 30.0)  # px a step: px/ms times the length of a frame
FRUIT_RED, FRUIT_GREEN_BLUE = 255, 120
PADDLE_LUMINANCE, FRUIT_LUMINANCE = 255, 160  # 0.299 R + 0.587 G + 0.114 B

# A spawn is (x, y): x one of 8, 12, ..., 52, then y one of -4, -8, ..., -28.
SPAWN_CHOICES = np.array([12.0, 7.0])
SPAWN_STRIDE = np.array([4.0, -4.0])
SPAWN_FIRST = np.array([8.0, -4.0])


def draw_spawns(rng: np.random.Generator, count: int) -> Array:
    """Draw `count` fruit positions, (count, 2) float64; row by row, x before y."""
    return np.floor(rng.random((count, 2)) * SPAWN_CHOICES) * SPAWN_STRIDE + SPAWN_FIRST


def start_games(states: Array, games: Array | slice, rng: np.random.Generator) -> None:
    """Start these rows of `states` (N, 9) again; each draws its fruit, then its next spawn."""
    states[games] = START
    count = len(states[games])
    states[games, FRUIT_X : NEXT_Y + 1] = draw_spawns(rng, 2 * count).reshape(count, 4)


def refill_spawns(states: Array, rng: np.random.Generator) -> None:
    """Draw the next spawn of every game that used its own up, in the order of the games."""
    games = np.flatnonzero(states[:, NEXT_X] == TAKEN)
    states[games, NEXT_X : NEXT_Y + 1] = draw_spawns(rng, len(games))


@njit()
def _step_game(state: Array, action: int) -> float:
    """Move the game in `state` (9,), IN/OUT, by one step; return its reward."""
    reward = 0.0
    missed = state[FRUIT_Y] >= SIZE
    gap = state[FRUIT_X] - state[PADDLE_X]
    caught = not missed and -7 <= gap <= 8 and 56 <= state[FRUIT_Y] <= 61
    if missed:
        reward -= 1.0
        state[LIVES_LEFT] -= 1
    elif caught:
        reward += 1.0
        state[CATCHES] += 1
    if missed or caught:
        state[FRUIT_X] = state[NEXT_X]
        state[FRUIT_Y] = state[NEXT_Y]
        state[NEXT_X] = TAKEN
    push = 0.0
    if action == 0:
        push = -PADDLE_PUSH
    elif action == 1:
        push = PADDLE_PUSH
    velocity = (state[PADDLE_VEL] + push) * PADDLE_FRICTION
    x = state[PADDLE_X] + velocity
    if x <= 0 or x + PADDLE_WIDTH >= SIZE:
        x = 0.0 if x <= 0 else float(SIZE - PADDLE_WIDTH)
        velocity = 0.0
    state[PADDLE_VEL] = velocity
    state[PADDLE_X] = int(x)  # truncates toward zero
    state[FRUIT_Y] = int(state[FRUIT_Y] + FRUIT_SPEED)
    state[STEPS] += 1
    if state[LIVES_LEFT] == 0:
        reward -= 5.0
    return reward


@njit()
def paint_screens(states: Array, screens: Array) -> None:
    """Paint N games, the fruit over the paddle.

    states (N, 9) float64 IN, screens (N, 64, 64, 3) uint8 OUT
    """
    for i in range(len(states)):
        screen = screens[i]
        screen[:] = 0
        left = int(states[i, PADDLE_X])
        for y in range(PADDLE_Y, PADDLE_Y + PADDLE_HEIGHT):
            for x in range(left, left + PADDLE_WIDTH):
                for channel in range(3):
                    screen[y, x, channel] = 255
        left, top = int(states[i, FRUIT_X]), int(states[i, FRUIT_Y])
        for y in range(max(top, 0), min(top + FRUIT_SIDE, SIZE)):
            for x in range(left, left + FRUIT_SIDE):
                screen[y, x, 0] = FRUIT_RED
                screen[y, x, 1] = FRUIT_GREEN_BLUE
                screen[y, x, 2] = FRUIT_GREEN_BLUE


@njit()
def step_games(
    states: Array,
    actions: Array,
    limit: int,
    screens: Array,
    rewards: Array,
    terminated: Array,
    truncated: Array,
) -> int:
    """Move N games by one step.

    states      (N, 9) float64        IN/OUT
    actions     (N,) int64            IN      0 left, 1 right, 2 stay
    limit       int                   IN      steps after which a game is truncated
    screens     (N, 64, 64, 3) uint8  OUT     the screens after the step
    rewards     (N,) float64, terminated (N,) bool, truncated (N,) bool      OUT

    Returns BAD_ACTION with nothing written, or the sum of SPAWNED (a game used its next spawn up) and ENDED.
    """
    for i in range(len(actions)):
        if actions[i] < 0 or actions[i] >= ACTIONS:
            return BAD_ACTION
    spawned, ended = False, False
    for i in range(len(actions)):
        state = states[i]
        rewards[i] = _step_game(state, actions[i])
        terminated[i] = state[LIVES_LEFT] == 0
        truncated[i] = state[STEPS] >= limit
        spawned |= state[NEXT_X] == TAKEN
        ended |= terminated[i] or truncated[i]
    paint_screens(states, screens)
    return SPAWNED * spawned + ENDED * ended


@njit()
def render_luminance(states: Array, screens: Array) -> None:
    """Paint N games in grey: paddle 255, fruit 160.

    states (N, 9) float64 IN, screens (N, 64, 64) uint8 OUT
    """
    for i in range(len(states)):
        screen = screens[i]
        screen[:] = 0
        left = int(states[i, PADDLE_X])
        for y in range(PADDLE_Y, PADDLE_Y + PADDLE_HEIGHT):
            for x in range(left, left + PADDLE_WIDTH):
                screen[y, x] = PADDLE_LUMINANCE
        left, top = int(states[i, FRUIT_X]), int(states[i, FRUIT_Y])
        for y in range(max(top, 0), min(top + FRUIT_SIDE, SIZE)):
            for x in range(left, left + FRUIT_SIDE):
                screen[y, x] = FRUIT_LUMINANCE


@njit()
def _spawn(rng: np.random.Generator, state: Array, column: int) -> None:
    """Draw one spawn into two columns of `state`, as `draw_spawns` does."""
    for axis in range(2):
        state[column + axis] = (
            np.floor(rng.random() * SPAWN_CHOICES[axis]) * SPAWN_STRIDE[axis] + SPAWN_FIRST[axis]
        )


@njit()
def rollout(
    rng: np.random.Generator,
    states: Array,
    actions: Array,
    limit: int,
    screens: Array,
    rewards: Array,
    terminated: Array,
    truncated: Array,
) -> int:
    """Move N games by T steps in one call, restarting a game in the step that ends it.

    For benchmarks and tests. Draws from `rng` exactly as N games of CatcherVectorEnv do. actions, rewards,
    terminated and truncated are (T, N). `screens` (N, 64, 64, 3) is painted at every step and ends with the
    last ones, before any restart. Returns the number of steps taken: fewer than T after an invalid action.
    """
    for t in range(len(actions)):
        events = step_games(states, actions[t], limit, screens, rewards[t], terminated[t], truncated[t])
        if events == BAD_ACTION:
            return t
        for state in states:
            if state[NEXT_X] == TAKEN:
                _spawn(rng, state, NEXT_X)
        for i in range(len(states)):
            if terminated[t, i] or truncated[t, i]:
                states[i] = START
                _spawn(rng, states[i], FRUIT_X)
                _spawn(rng, states[i], NEXT_X)
    return len(actions)
