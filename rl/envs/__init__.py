"""The articles' worlds as Gymnasium environments over numba simulators.

`make_vector` is the way in for agents: N games of any environment, moved by one call. `goal_of` and
`action_names` return an environment's goal and the names of its actions.
"""

from rl.envs.actions import action_names
from rl.envs.goals import goal_of
from rl.envs.make import make_vector

__all__ = ["action_names", "goal_of", "make_vector"]
