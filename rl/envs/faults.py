"""Tell an environment's mistake as the environment's: its name, the call, what came back, the line."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import gymnasium
from gymnasium.envs import registration
from gymnasium.vector import SyncVectorEnv, VectorEnv

from rl.command.errors import ANYTHING, EnvironmentFault, TwoLines, describe

Env = gymnasium.Env[Any, Any]
GivenEnv = str | Env | VectorEnv | Callable[[], Env]

PASSED = (str(Path(__file__).parents[1]), registration.__file__)  # code that only calls the environment
LIBRARIES = tuple(str(Path(sysconfig.get_path(name))) for name in ("stdlib", "purelib", "platlib"))
OLD_API = {
    "reset": "write it as reset(self, *, seed=None, options=None) -> (observation, info)",
    "step": "write it as step(self, action) -> (observation, reward, terminated, truncated, info)",
}
MAKING = "its constructor"


def name_of(env: GivenEnv) -> str:
    """The id of an environment, or the name of its class or function."""
    if isinstance(env, str):
        return env
    if isinstance(env.unwrapped if isinstance(env, VectorEnv) else None, SyncVectorEnv):
        return name_of(env.unwrapped.envs[0])  # type: ignore[union-attr]
    inside = env.unwrapped if isinstance(env, (gymnasium.Env, VectorEnv)) else env
    spec = getattr(inside, "spec", None)
    if isinstance(spec, registration.EnvSpec):
        return str(spec.id)
    return str(getattr(inside, "__name__", type(inside).__name__))


def raised(env: GivenEnv, call: str, problem: BaseException) -> EnvironmentFault:
    """Describe an exception that came out of a call: "reset()", "step(action) at its step 7"."""
    origin = _first_cause(problem)
    what = f"the environment {name_of(env)} raised {describe(origin)} in {call}"
    place, method = locate(origin.__traceback__), call.partition("(")[0]
    if not place and method in OLD_API and isinstance(origin, TypeError):  # the call does not fit
        return EnvironmentFault(what, OLD_API[method])
    remedy = "correct the environment; RL_TRACEBACK=1 shows the whole traceback"
    return EnvironmentFault(f"{what}, at {place}" if place else what, remedy)


@contextmanager
def telling(env: GivenEnv, call: str) -> Iterator[None]:
    """Tell what is raised in this block as the environment's; see `raised`."""
    try:
        yield
    except TwoLines:
        raise
    except ANYTHING as problem:
        raise raised(env, call, problem) from problem


def wrong(env: GivenEnv, call: str, what: str, expected: str) -> EnvironmentFault:
    """Describe a value that a call must not return.

    what      came back
    expected  in its place
    """
    return EnvironmentFault(f"the environment {name_of(env)} returned {what} from {call}", expected)


def locate(trace: TracebackType | None) -> str:
    """Return file:line of the innermost frame of a user's code, else of any other code than ours."""
    frames = [frame for frame in traceback.extract_tb(trace) if not _is_inside(frame.filename, *PASSED)]
    own = [frame for frame in frames if not _is_inside(frame.filename, *LIBRARIES)]
    return f"{(own or frames)[-1].filename}:{(own or frames)[-1].lineno}" if frames else ""


def _is_inside(file: str, *folders: str | Path) -> bool:
    return any(Path(file).is_relative_to(folder) for folder in folders) or file.startswith("<frozen")


def _first_cause(problem: BaseException) -> BaseException:
    """Return the exception of the user's code where gymnasium.make has raised another one from it."""
    frames = traceback.extract_tb(problem.__traceback__)
    repeated = bool(frames) and frames[-1].filename == registration.__file__
    return problem.__cause__ if repeated and problem.__cause__ is not None else problem
