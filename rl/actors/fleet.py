"""Fleet: Ray actors on any number of machines play, the learner in this process learns (Ape-X: Horgan et al.

2018).

Every actor is asked for one segment at a time: the next one when its last has arrived, with the newest
weights. So an actor plays while the learner learns, and neither can run away from the other: an actor that is
ahead waits, with one segment ready, and the learner makes the updates that are due for the steps that have
come, no more.

The replay is sampled uniformly, as without actors. An actor that dies, alone or with its machine, is
replaced; its games are cut off where they were last seen. What an actor has not sent is lost, nothing else.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, cast

from nnlite.arrays import Array
from rl.actors.actor import Actor, ReplayAgent, Segment, Weights
from rl.actors.ray_cluster import connect, ray_module
from rl.actors.slots import truncate_games, write_slots
from rl.command.settings import ActorSettings
from rl.core.agent import Agent, Metrics
from rl.core.games import Turn
from rl.core.guards import locate

KEY = 5  # actors' generators come after those that streams() itself spawns
PATIENCE = 1.0  # seconds after which the loop looks around when nothing arrives: a signal may have come
SILENCE = 10.0  # seconds without a segment after which it is said
DEATHS = 3  # of one actor, one after the other, before it sent anything: then the cause is not chance
COLUMNS = ("actors/playing", "actors/waited", "actors/lag")


class Fleet:
    """The actors of a run, as a Trainer's source of experience.

    algorithm  the class from which the actors make their agents: a subclass of
               rl.training.algorithm.Algorithm

    Raises UsageError when Ray is missing. The first turn connects to the cluster, or raises UsageError.
    """

    columns: tuple[str, ...] = COLUMNS
    restorable = False  # the games go on where they are
    actor_class = Actor

    agent: ReplayAgent  # the learner

    def __init__(self, algorithm: type[Any], settings: ActorSettings) -> None:
        self.ray = ray_module(local=not settings.ray_address)
        self.maker, self.settings = f"{algorithm.__module__}:{algorithm.__qualname__}", settings
        self.stride = settings.segment * settings.num_envs
        self.births = 0  # actors ever started: no two get the same random numbers
        self._actors: list[Any] = []
        self._pending: dict[Any, int] = {}  # segment that was asked for -> number of its actor
        self._deaths: Counter[int] = Counter()  # since the actor last sent something
        self._playing: set[int] = set()  # actors that have sent something since they were started
        self._weights: tuple[int, Any] | None = None  # updates behind them, and where they are
        self._waited = self._lag = 0.0  # seconds, updates; since the last status
        self._segments = 0
        self._since = self._heard = time.perf_counter()
        self._started_ray = False

    def play(self, agent: Agent) -> Iterator[Turn]:
        """Take in segments and learn from them, without end; a turn without one when none arrives in a
        second.
        """
        self.agent = cast(ReplayAgent, agent)
        if not self._actors:
            self._begin()
        while True:
            yield self._turn()

    def _begin(self) -> None:
        """Connect, start all actors, and ask each for a segment."""
        self._started_ray = connect(self.ray, self.settings.ray_address, self.settings.actors)
        self._actors = [self._start_actor(number) for number in range(self.settings.actors)]
        for number in range(self.settings.actors):
            self._ask(number)
        self._since = self._heard = time.perf_counter()

    def _turn(self) -> Turn:
        """Take in the next segment that arrives, and learn from it."""
        asked = time.perf_counter()
        ready, _ = self.ray.wait(list(self._pending), timeout=PATIENCE)
        now = time.perf_counter()
        self._waited += now - asked
        if not ready:
            return Turn(message=self._report_silence(now))
        number = self._pending.pop(ready[0])
        try:
            segment: Segment = self.ray.get(ready[0])
        except (self.ray.exceptions.RayActorError, self.ray.exceptions.ObjectLostError) as problem:
            return Turn(message=self._replace(number, problem))
        except self.ray.exceptions.RayTaskError as problem:
            raise problem.cause from None
        self._heard = now
        self._playing.add(number)
        del self._deaths[number]
        self._segments += 1
        self._lag += self.agent.updates - segment.updates
        self._ask(number)
        write_slots(self.agent.replay, number * self.settings.num_envs, segment.slots)
        try:
            return Turn(self.agent.learn(segment.slots.steps), segment.episodes)
        except FloatingPointError as problem:
            raise locate(problem, self.agent.model, self.agent.steps) from None

    def status(self) -> Metrics:
        """How many actors have sent something, the share of time that the learner waited for them, how many
        updates old the weights were that they played with; the last two since the last call."""
        now = time.perf_counter()
        values = (
            len(self._playing),
            self._waited / max(now - self._since, 1e-9),
            self._lag / max(self._segments, 1),
        )
        self._since, self._waited, self._lag, self._segments = now, 0.0, 0.0, 0
        return dict(zip(COLUMNS, map(float, values)))

    def screens(self) -> list[Array]:
        return []

    def get_state(self) -> dict[str, Any]:
        return {"births": self.births}

    def set_state(self, state: dict[str, Any], agent: Agent) -> None:
        """Go on from what `get_state` gave; the games that were running are lost, new ones begin."""
        self.births = state["births"]
        truncate_games(cast(ReplayAgent, agent).replay, 0, self.settings.games)

    def close(self) -> None:
        """Stop the actors, and Ray where it was started for them."""
        for actor in self._actors:
            self.ray.kill(actor)
        self._actors, self._pending, self._weights = [], {}, None
        if self._started_ray:
            self.ray.shutdown()
            self._started_ray = False

    # --- one actor
    # ---------------------------------------------------------------------------------------------

    def _start_actor(self, number: int) -> Any:
        """A new actor in this place."""
        key = (KEY, number, self.births)
        self.births += 1
        return self.ray.remote(num_cpus=1)(self.actor_class).remote(self.maker, asdict(self.settings), key)

    def _ask(self, number: int) -> None:
        """The next segment of this actor, with weights at most `broadcast` updates old."""
        if self._weights is None or self.agent.updates - self._weights[0] >= self.settings.broadcast:
            self._weights = (
                self.agent.updates,
                self.ray.put(Weights(self.agent.model.params, self.agent.model.state)),
            )
        updates, weights = self._weights
        self._pending[self._actors[number].play.remote(updates, self.agent.steps, weights)] = number

    def _replace(self, number: int, problem: Exception) -> str:
        """This actor is gone: cut its games off, start another one; what is said of it.

        Raises RuntimeError when it cannot even start, or one after the other dies before it sent anything.
        """
        lines = str(problem).strip().splitlines()
        if getattr(problem, "actor_init_failed", False):
            remedy = "every machine needs this version of the project, and the environment's module"
            raise RuntimeError(f"actor {number} cannot start: {lines[-1]}\n  {remedy}")
        self._playing.discard(number)
        self._deaths[number] += 1
        if self._deaths[number] > DEATHS:
            what = f"actor {number} died {DEATHS + 1} times before it sent anything: {lines[0]}"
            raise RuntimeError(f"{what}\n  Ray's logs on its machine say more")
        self.ray.kill(self._actors[number])
        truncate_games(self.agent.replay, number * self.settings.num_envs, self.settings.num_envs)
        self._actors[number] = self._start_actor(number)
        self._ask(number)
        return f"actor {number} is gone ({type(problem).__name__}), another one takes its place"

    def _report_silence(self, now: float) -> str:
        """What is said when nothing has arrived for too long."""
        if now - self._heard < SILENCE:
            return ""
        self._heard = now
        absent = self.settings.actors - len(self._playing)
        waiting = f"; {absent} of {self.settings.actors} wait for a free core" if absent else ""
        return f"no actor has sent anything for {SILENCE:.0f} s{waiting}"
