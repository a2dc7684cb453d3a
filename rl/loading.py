"""load: an agent from the folder of a run, or from a model file."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from nnlite import Sequential, clone_model, load_model
from nnlite.tensor_file import read_tensors
from rl.a2c import A2C
from rl.actors.slots import truncate_games
from rl.articles import module_of
from rl.command.config import NAME, NOT_SETTINGS, read_config
from rl.command.errors import UsageError, require
from rl.command.settings import ActorSettings, check_values
from rl.dqn import DQN
from rl.envs.faults import GivenEnv
from rl.policy_gradient import PolicyGradient
from rl.runs import checkpoint
from rl.runs.run_folder import BEST, LAST
from rl.training.algorithm import NOTES, Algorithm
from rl.training.keywords import fixed_by
from rl.value_function import ValueFunction

ALGORITHMS: tuple[type[Algorithm], ...] = (DQN, A2C, PolicyGradient, ValueFunction)
WHAT_TO_GIVE = "give the folder of a run of an agent, or the file of one"


def load(
    path: str | Path, env: GivenEnv | None = None, algorithm: type[Algorithm] | None = None, **own: Any
) -> Algorithm:
    """Load an agent that predicts, is evaluated, plays and learns on.

    path       the folder of a run; or a model file, that of `save` or one in such a folder
    env        the environment, where the agent was not trained on a Gymnasium id
    algorithm  the class, of an algorithm of one's own
    own        observer and reward, as they were given when the agent was made

    From a folder with a checkpoint the agent learns on exactly where its run stopped, replay and games
    included. From a file it has the network, and begins with an empty replay.

    Raises UsageError when there is no agent in it, it is damaged, or the environment does not fit.
    """
    where = Path(path)
    require(where.exists(), f"there is no file or folder {path}", WHAT_TO_GIVE)
    file = where
    if where.is_dir():
        models = [where / name for name in (LAST, BEST) if (where / name).is_file()]
        require(bool(models), f"{where} holds no model of an agent", WHAT_TO_GIVE)
        file = models[0]
    config = describe(file)
    found = algorithm_of(config, file) if algorithm is None else check_algorithm(algorithm, config, file)
    try:
        model = load_model(file)
        agent = make(found, config, model, env, own)
        if where.is_dir() and (where / checkpoint.NAME).is_file():
            go_on(agent, where)
        else:
            agent.agent.load(file)
    except UsageError:
        raise
    except (ValueError, OSError, MemoryError, OverflowError) as problem:
        what = (str(problem) or type(problem).__name__).splitlines()[0]
        raise UsageError(
            f"{path} cannot be loaded: {what}", "give another file, or its environment: env="
        ) from None
    return agent


def describe(file: Path) -> dict[str, Any]:
    """Read whose network a file holds: from its own notes, or from the config.json beside it."""
    try:
        _, metadata = read_tensors(file, lambda specs, metadata: None)
    except (ValueError, OSError) as problem:
        raise UsageError(str(problem), WHAT_TO_GIVE) from None
    if NOTES in metadata:
        try:
            config = json.loads(metadata[NOTES])
        except (ValueError, RecursionError) as problem:
            raise UsageError(f"the settings in {file} are unreadable: {problem}", WHAT_TO_GIVE) from None
        good = isinstance(config, dict) and isinstance(config.get("settings"), dict)
        require(good, f"the settings in {file} are not a table", WHAT_TO_GIVE)
        return dict(config)
    require((file.parent / NAME).is_file(), f"{file} does not say whose network it is", WHAT_TO_GIVE)
    return read_config(file.parent)


def algorithm_of(config: dict[str, Any], file: Path) -> type[Algorithm]:
    """The class behind the name of an article."""
    article = config.get("article")
    for algorithm in ALGORITHMS:
        if algorithm.article == article:
            return algorithm
    remedy = "nnlite.load_model reads its network; of an algorithm of your own, give algorithm="
    raise UsageError(f"{file} is of {module_of(str(article))}, which is no agent", remedy)


def check_algorithm(algorithm: Any, config: dict[str, Any], file: Path) -> type[Algorithm]:
    """Return the user's class; raises UsageError unless it is the one that the file names."""
    fits = isinstance(algorithm, type) and issubclass(algorithm, Algorithm)
    require(fits, f"algorithm is {algorithm!r}", "give a subclass of rl.training.algorithm.Algorithm")
    article = config.get("article")
    require(
        algorithm.article == article,
        f"{file} is of {article}, not of {algorithm.article}",
        "give its own class",
    )
    return cast(type[Algorithm], algorithm)


def make(
    algorithm: type[Algorithm],
    config: dict[str, Any],
    model: Sequential,
    env: GivenEnv | None,
    own: dict[str, Any],
) -> Algorithm:
    """Make an agent with these settings and a network of this architecture."""

    def network(shape: tuple[int, ...], outputs: int, rng: np.random.Generator) -> Sequential:
        if (model.input_shape, model.output_shape) != (shape, (outputs,)):
            what = f"its network reads {model.input_shape} and gives {model.output_shape}"
            raise ValueError(f"{what}, the environment needs {shape} and {(outputs,)}")
        return clone_model(model, rng)

    stored = {name: value for name, value in config["settings"].items() if name not in NOT_SETTINGS}
    values = check_values(algorithm.settings_class, stored)
    if env is not None:
        values |= {name: value for name, value in fixed_by(env).items() if name in values}
    settings = algorithm.settings_class(**values)
    if isinstance(settings, ActorSettings):  # its actors' games are played in this process
        settings = replace(settings, num_envs=settings.games, actors=0, ray_address="")
    if env is None and ":" in settings.env_id:  # the id's module would be imported because a file says so
        raise UsageError(
            f"the agent was trained on {settings.env_id}", f'give it: load(..., env="{settings.env_id}")'
        )
    if env is not None:
        return algorithm(env, network=network, settings=settings, **own)
    try:
        return algorithm(settings.env_id, network=network, settings=settings, **own)
    except UsageError as problem:
        remedy = "if the environment is your own, give it: load(path, env=...)"
        raise UsageError(problem.args[0], remedy) from None


def go_on(agent: Algorithm, folder: Path) -> None:
    """Put an agent into the state of a run's checkpoint."""
    state = checkpoint.Checkpoints(folder).load()
    try:
        agent.agent.set_state(state["agent"])
        if "games" in state:
            agent.source.set_state(state, agent.agent)
        else:  # actors played; their unfinished games are lost
            truncate_games(agent.agent.replay, 0, agent.settings.num_envs)  # type: ignore[attr-defined]
    except (KeyError, ValueError) as problem:
        raise UsageError(f"the checkpoint in {folder} does not fit: {problem}", f"load its {BEST}") from None
