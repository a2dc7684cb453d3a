"""The articles' worlds as Gymnasium environments over numba simulators.

`make_vector` is the way in for agents: N games of any environment, stepped by one call.
"""

from rl.envs.make import make_vector

__all__ = ["make_vector"]
