"""Fleet: Ray actors on any number of machines play, and the learner in this process learns.

The learner requests one segment at a time from each actor. When a segment arrives, it requests the next one,
with the newest weights. So an actor plays while the learner learns, and neither runs ahead: an actor has at
most one segment waiting, and the learner makes only the updates that are due for the steps it received.

The replay is sampled uniformly, as without actors. An actor that dies, alone or with its machine, is
replaced. Its games are truncated at their last known step. Only the steps that it had not sent are lost.

Source: Horgan et al. 2018 (Ape-X).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, cast

from nnlite.arrays import Array
from rl.actors.actor import Actor, ReplayAgent, Segment, Weights
from rl.actors.ray_cluster import connect, import_ray
from rl.actors.slots import truncate_games, write_slots
from rl.command.settings import ActorSettings
from rl.core.agent import Agent, Metrics
from rl.core.games import Turn
from rl.core.guards import locate

KEY = 5  # first number of an actor's spawn key; streams() itself uses 0 to 4
PATIENCE = 1.0  # seconds to wait for a segment before the loop checks for signals
SILENCE = 10.0  # seconds without a segment before the user sees a message
DEATHS = 3  # of one actor in a row, without a segment between them; more are no accident
COLUMNS = ("actors/playing", "actors/waited", "actors/lag")


class Fleet:
    """The actors of a run, as a Trainer's source of experience.

    algorithm  subclass of rl.training.algorithm.Algorithm; the actors make their agents from it

    Raises UsageError when Ray is missing. The first turn connects to the cluster, or raises UsageError.
    """

    columns: tuple[str, ...] = COLUMNS
    restorable = False  # the games are in other processes
    actor_class = Actor

    agent: ReplayAgent  # the learner

    def __init__(self, algorithm: type[Any], settings: ActorSettings) -> None:
        self.ray = import_ray(local=not settings.ray_address)
        self.maker, self.settings = f"{algorithm.__module__}:{algorithm.__qualname__}", settings
        self.stride = settings.segment * settings.num_envs
        self.births = 0  # actors ever started; part of the key, so no two draw the same random numbers
        self._actors: list[Any] = []
        self._pending: dict[Any, int] = {}  # requested segment -> number of its actor
        self._deaths: Counter[int] = Counter()  # of each actor since its last segment
        self._playing: set[int] = set()  # actors that have sent a segment since their start
        self._weights: tuple[int, Any] | None = None  # the update they come from, Ray's reference
        self._waited = self._lag = 0.0  # seconds, updates; since the last `status`
        self._segments = 0
        self._since = self._heard = time.perf_counter()
        self._started_ray = False

    def play(self, agent: Agent) -> Iterator[Turn]:
        """Receive segments and learn from them, without end.

        A turn without a segment comes after one second in which none arrives.
        """
        self.agent = cast(ReplayAgent, agent)
        if not self._actors:
            self._begin()
        while True:
            yield self._turn()

    def _begin(self) -> None:
        """Connect, start all actors, and request a segment from each."""
        self._started_ray = connect(self.ray, self.settings.ray_address, self.settings.actors)
        self._actors = [self._start_actor(number) for number in range(self.settings.actors)]
        for number in range(self.settings.actors):
            self._ask(number)
        self._since = self._heard = time.perf_counter()

    def _turn(self) -> Turn:
        """Receive the next segment and learn from it."""
        requested = time.perf_counter()
        ready, _ = self.ray.wait(list(self._pending), timeout=PATIENCE)
        now = time.perf_counter()
        self._waited += now - requested
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
        """Return the numbers of COLUMNS, the last two since the last call.

        playing  actors that have sent a segment
        waited   share of time that the learner waited for a segment, 0 to 1
        lag      mean age of the weights that the actors played with, in updates
        """
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
        """Restore the state of `get_state`. The unfinished games are lost; new ones begin."""
        self.births = state["births"]
        truncate_games(cast(ReplayAgent, agent).replay, 0, self.settings.games)

    def close(self) -> None:
        """Stop the actors, and Ray if this run started it."""
        for actor in self._actors:
            self.ray.kill(actor)
        self._actors, self._pending, self._weights = [], {}, None
        if self._started_ray:
            self.ray.shutdown()
            self._started_ray = False

    def _start_actor(self, number: int) -> Any:
        """Start a new actor with this number."""
        key = (KEY, number, self.births)
        self.births += 1
        return self.ray.remote(num_cpus=1)(self.actor_class).remote(self.maker, asdict(self.settings), key)

    def _ask(self, number: int) -> None:
        """Request the actor's next segment, with weights at most `broadcast` updates old."""
        if self._weights is None or self.agent.updates - self._weights[0] >= self.settings.broadcast:
            network = self.agent.network()  # reads what the games show; it has the shapes of the model
            weights = Weights(network.params, network.state)
            self._weights = (self.agent.updates, self.ray.put(weights))
        updates, reference = self._weights
        segment = self._actors[number].play.remote(updates, self.agent.steps, reference)
        self._pending[segment] = number

    def _replace(self, number: int, problem: Exception) -> str:
        """Truncate the games of a dead actor, start another one, and return a line for the user.

        Raises RuntimeError if the actor cannot start, or if DEATHS + 1 in a row died without a segment.
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
        """Return a line for the user if no segment has arrived for SILENCE seconds, else an empty one."""
        if now - self._heard < SILENCE:
            return ""
        self._heard = now
        absent = self.settings.actors - len(self._playing)
        waiting = f"; {absent} of {self.settings.actors} wait for a free core" if absent else ""
        return f"no actor has sent anything for {SILENCE:.0f} s{waiting}"
