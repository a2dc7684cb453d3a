"""Make what plays for the Trainer: games in this process, or actors in others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gymnasium.vector import VectorEnv

from nnlite.arrays import Array
from rl.command.errors import require
from rl.command.settings import ActorSettings, AgentSettings
from rl.core.games import Games, Source


def make_source(
    algorithm: type[Any],
    settings: AgentSettings,
    envs: VectorEnv,
    seed: int,
    reward: Callable[[Array], Array] | None,
    plain: bool,
) -> Source:
    """Make Games of these environments, or a Fleet of actors that play others like them.

    seed    of the games' first reset
    reward  the rewards to learn from; see Games
    plain   the environment is given by its id, network and observer are the usual ones: actors can make the
            same

    Raises UsageError when the settings name actors that cannot play.
    """
    if not isinstance(settings, ActorSettings) or not settings.actors:
        return Games(envs, seed, reward, getattr(settings, "life_loss_ends", False))
    from rl.actors.fleet import Fleet  # Ray

    usual = plain and reward is None
    require(usual, "actors play an environment by its id, with nothing of one's own", "leave actors away")
    envs.close()
    return Fleet(algorithm, settings)
