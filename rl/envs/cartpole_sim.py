"""CartPole, compiled: the physics of Gymnasium's classic-control environment, in float64, Euler steps.

    push    = (force + m_p l theta_dot^2 sin(theta)) / (m_c + m_p)
    theta'' = (g sin(theta) - cos(theta) push) / (l (4/3 - m_p cos(theta)^2 / (m_c + m_p)))
    x''     = push - m_p l theta'' cos(theta) / (m_c + m_p)

A game is one row of five floats: x, x_dot, theta, theta_dot and the steps taken. Units: m, kg, s, rad; l is
half the pole's length. The order of operations is Gymnasium's, so that steps agree to the last bits of
float64.

Source: Barto, Sutton and Anderson 1983; Florian 2007 for the equations.
"""

from __future__ import annotations

import math

from nnlite.arrays import Array
from rl.envs.compiled import njit

POSITION, VELOCITY, ANGLE, SPIN, STEPS = range(5)
COLUMNS = 5
ACTIONS = 2  # 0 pushes left, 1 right
START_REACH = 0.05  # a game starts with its four numbers uniform in +/- this
MAX_POSITION, MAX_ANGLE = 2.4, 12 * 2 * math.pi / 360
ENDED, BAD_ACTION = 2, -1  # as in rl.envs.native_vector

GRAVITY, FORCE, TIME_STEP = 9.8, 10.0, 0.02
POLE_MASS, HALF_LENGTH = 0.1, 0.5
TOTAL_MASS = POLE_MASS + 1.0
POLE_MOMENT = POLE_MASS * HALF_LENGTH


@njit()
def step_games(
    states: Array,
    actions: Array,
    limit: int,
    observations: Array,
    rewards: Array,
    terminated: Array,
    truncated: Array,
) -> int:
    """Move N games by one step.

    states        (N, 5) float64   IN/OUT
    actions       (N,) int64       IN      0 left, 1 right
    limit         int              IN      steps after which a game is truncated
    observations  (N, 4) float32   OUT
    rewards       (N,) float64, terminated (N,) bool, truncated (N,) bool      OUT

    Returns BAD_ACTION with nothing written, ENDED if a game ended, or 0.
    """
    for i in range(len(actions)):
        if actions[i] < 0 or actions[i] >= ACTIONS:
            return BAD_ACTION
    events = 0
    for i in range(len(actions)):
        state = states[i]
        force = FORCE if actions[i] == 1 else -FORCE
        velocity, angle, spin = state[VELOCITY], state[ANGLE], state[SPIN]
        cosine, sine = math.cos(angle), math.sin(angle)
        push = (force + POLE_MOMENT * (spin * spin) * sine) / TOTAL_MASS
        angular = (GRAVITY * sine - cosine * push) / (
            HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * (cosine * cosine) / TOTAL_MASS)
        )
        linear = push - POLE_MOMENT * angular * cosine / TOTAL_MASS
        state[POSITION] += TIME_STEP * velocity
        state[VELOCITY] = velocity + TIME_STEP * linear
        state[ANGLE] = angle + TIME_STEP * spin
        state[SPIN] = spin + TIME_STEP * angular
        state[STEPS] += 1
        for k in range(4):
            observations[i, k] = state[k]
        rewards[i] = 1.0
        terminated[i] = abs(state[POSITION]) > MAX_POSITION or abs(state[ANGLE]) > MAX_ANGLE
        truncated[i] = state[STEPS] >= limit
        if terminated[i] or truncated[i]:
            events = ENDED
    return events
