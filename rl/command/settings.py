"""The settings that articles share; each article adds its own in a dataclass of its own.

One definition gives the flags, the help, keywords in Python, `config.json` and its reading back. A setting's
docstring is its help.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

from nnlite_ext._threads import MOST_THREADS

from rl.command.errors import require

NEWEST = "newest"


class RunName(str):
    """A run: its folder, its name inside `out`, or NEWEST. A flag of this type may stand without a value."""


@dataclass
class Settings:
    """Settings of every article."""

    seed: int = 0
    """every random number of the run follows from it"""
    out: str = "runs"
    """folder that receives the run's own folder"""
    num_threads: int = 0
    """threads of the kernels; 0 = one for each core"""
    config: str = ""
    """take the settings of this config.json; other flags come on top"""

    def validate(self) -> None:
        """Raise UsageError for a value that cannot work."""
        require(self.seed >= 0, f"--seed is {self.seed}", "give a whole number >= 0")
        threads = f"--num-threads is {self.num_threads}"
        require(
            0 <= self.num_threads <= MOST_THREADS,
            threads,
            f"give 0 (all cores) or a number of threads up to {MOST_THREADS}",
        )
        require(self.out != "", "--out is empty", "name a folder, or leave --out away for runs/")


@dataclass
class AgentSettings(Settings):
    """Settings of every article with an agent and an environment.

    vectors  other defaults, of environments whose observations are vectors or labels
    """

    vectors: ClassVar[Mapping[str, Any]] = {}

    env_id: str = "CartPole-v0"
    """Gymnasium id; module:ID imports your own module first"""
    total_timesteps: int = 50_000
    """environment steps, over all parallel games"""
    num_envs: int = 1
    """parallel games"""
    max_episode_steps: int = 0
    """cut a game after so many steps; 0 = the environment's own limit"""
    gamma: float = 0.99
    """discount a step, 0 to 1"""
    learning_rate: float = 1e-3
    """Adam's step size"""
    eval_freq: int = 5_000
    """environment steps between evaluations; 0 = only at the end"""
    eval_episodes: int = 20
    """greedy games of an evaluation"""
    save_freq: int = 50_000
    """environment steps between checkpoints; 0 = only at the end"""
    keep_going: bool = False
    """go on to the last step even when the environment counts as solved"""
    test: bool = False
    """the article's short test: CartPole-v0"""
    resume: RunName = RunName("")
    """continue a run: the newest, or that folder"""
    play: RunName = RunName("")
    """show a trained agent: the newest run's, or that folder's"""

    def validate(self) -> None:
        super().validate()
        for name in ("total_timesteps", "num_envs", "eval_episodes"):
            require_at_least(self, name, 1)
        for name in ("max_episode_steps", "eval_freq", "save_freq"):
            require_at_least(self, name, 0)
        require(0 <= self.gamma <= 1, f"--gamma is {self.gamma}", "give a number from 0 to 1")
        require_positive(self, "learning_rate")


@dataclass
class ActorSettings(AgentSettings):
    """What an article understands besides whose agent can be fed by actors in other processes, on any number
    of machines.
    """

    actors: int = 0
    """Ray actors that play, each its own parallel games; 0 = no Ray"""
    ray_address: str = ""
    """a running Ray cluster (auto, or host:port); empty = one on this machine only"""
    segment: int = 16
    """steps of each game that an actor sends at a time"""
    broadcast: int = 8
    """updates between two broadcasts of the weights"""

    def validate(self) -> None:
        super().validate()
        for name, least in (("actors", 0), ("segment", 1), ("broadcast", 1)):
            require_at_least(self, name, least)
        require(
            self.actors > 0 or not self.ray_address,
            "--ray-address without --actors",
            "say how many actors play, --actors 4",
        )

    @property
    def games(self) -> int:
        """Parallel games of the whole run."""
        return self.num_envs * max(self.actors, 1)

    def for_actor(self) -> ActorSettings:
        """The same for a process that plays one actor's games and never learns: its replay need hold one
        segment only.
        """
        raise NotImplementedError(f"{type(self).__name__} has no actors")


def require_at_least(settings: Any, name: str, least: int) -> None:
    """Raise UsageError unless the setting is >= least."""
    value = getattr(settings, name)
    require(value >= least, f"{format_flag(name)} is {value}", f"give a whole number >= {least}")


def require_positive(settings: Any, name: str) -> None:
    """Raise UsageError unless the setting is a finite number > 0."""
    value = getattr(settings, name)
    require(0 < value < float("inf"), f"{format_flag(name)} is {value}", "give a number > 0")


def format_flag(name: str) -> str:
    """learning_rate -> --learning-rate"""
    return "--" + name.replace("_", "-")


def check_values(settings_class: type[Any], values: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Convert plain values, as keywords or a config.json give them, to the types of the settings.

    where  begins an error's line: the file's name and a colon

    Raises UsageError for a name that the class does not have and for a value of another type.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(settings_class)}
    for name in values:
        near = difflib.get_close_matches(name, defaults, 1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"{settings_class.__module__}.{settings_class.__qualname__} lists them"
        )
        require(name in defaults, f"{where}there is no setting {name!r}", hint)
    return {name: _convert(name, values[name], defaults[name], where) for name in values}


def _convert(name: str, value: Any, default: Any, where: str) -> Any:
    """The value in the type of the default; NumPy's numbers and JSON's lists count as Python's own."""
    if isinstance(default, tuple):
        like = default[0] if default else ""
        good = isinstance(value, (list, tuple)) and all(_fits(one, like) for one in value)
        require(good, f"{where}{name} is {value!r}", f"give a list of {type(like).__name__}s")
        return tuple(type(like)(one) for one in value)
    wanted = "str" if isinstance(default, str) else type(default).__name__
    require(_fits(value, default), f"{where}{name} is {value!r}", f"it must be of type {wanted}")
    return type(default)(value)


def _fits(value: Any, like: Any) -> bool:
    """Whether the value may stand where `like` stands."""
    if isinstance(like, (bool, str)) or isinstance(value, bool):
        return isinstance(value, bool if isinstance(like, bool) else str)
    return isinstance(value, Integral if isinstance(like, int) else Real)
