"""How many actors can feed one learner?  `python -m bench.distributed parts`, then `scaling`.

Workload: `python -m rl.dqn --actors N`: Catcher from the screen, 8 games for each actor, default settings.
Needs Ray (`pip install '.[ray]'`); not part of `python -m bench`. docs/distributed.md explains the figures.

parts    the seconds of each part of a segment: an actor plays it (one thread), Ray transports it, the learner
         writes it into the replay, makes the updates it pays for (one thread and all cores) and broadcasts
         the weights; the bytes of segment and weights; from these the rates, and the number of actors that
         keep one learner busy
scaling  a learner with 1 to 12 real actors: the steps a second that it receives, beside the rate that the
         parts predict. Each actor waits until it makes a given number of steps a second, as with an expensive
         environment. Waiting needs no processor: a few cores are enough for them all.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import numpy as np

from bench.report import processor
from rl import dqn
from rl.actors import fleet
from rl.actors.actor import Actor, Segment, Weights
from rl.actors.ray_cluster import connect, import_ray
from rl.actors.slots import write_slots
from rl.command.threads import use_threads
from rl.core.observer import make_observed
from rl.core.seeding import streams
from rl.envs.make import actions_of

MAKER = "rl.dqn:DQN"
SETTINGS = dqn.Settings(actors=1, learning_starts=0, initial_epsilon=0.5, final_epsilon=0.5)
RATE = 60  # environment steps a second of a slowed actor
ACTORS = (1, 2, 3, 4, 6, 8, 12)
WARM_UP, MEASURED = 3.0, 8.0  # seconds


class Parts(NamedTuple):
    """Seconds of each part of a segment, and bytes."""

    play: float  # in an actor
    trip: float  # request and transport of a segment that is ready
    write: float  # into the replay
    update: dict[int, float]  # one update, by threads
    publish: float  # of the weights, in the learner
    take: float  # of the weights, in an actor, added to the trip
    segment_bytes: int
    weight_bytes: int

    @property
    def intake(self) -> float:
        """Seconds of the learner for each environment step, without updates."""
        return (self.trip + self.write) / steps_of_segment()

    def learner_rate(self, threads: int, train_freq: int) -> float:
        """Return the environment steps a second that keep the learner busy."""
        return train_freq / (
            self.update[threads] + train_freq * self.intake + self.publish / SETTINGS.broadcast
        )


def steps_of_segment() -> int:
    return SETTINGS.segment * SETTINGS.num_envs


def learner(actors: int) -> dqn.DeepQNetworkAgent:
    """Make the agent with a replay for this number of actors."""
    settings = replace(SETTINGS, actors=actors)
    envs = make_observed(settings.env_id, settings.num_envs, settings.max_episode_steps)
    return dqn.DeepQNetworkAgent(envs.single_observation_space, actions_of(envs), settings, streams(0))


def median(work: Callable[[], Any], seconds: float = 3.0) -> float:
    """Measure the median seconds of a call."""
    for _ in range(3):
        work()
    samples: list[float] = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(samples) < 5:
        start = time.perf_counter()
        work()
        samples.append(time.perf_counter() - start)
    return statistics.median(samples)


class Echo:
    """An actor whose segment is ready: it measures only Ray's transport."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.params = np.zeros(0)

    def play(self, updates: int, steps: int, weights: Weights | None) -> Segment:
        if weights is not None:
            self.params = weights.params.copy()
        return self.segment


class SlowActor(Actor):
    """An actor that waits until its segment has taken the time of RATE."""

    def play(self, updates: int, steps: int, weights: Weights) -> Segment:
        until = time.perf_counter() + steps_of_segment() / RATE
        segment = super().play(updates, steps, weights)
        time.sleep(max(0.0, until - time.perf_counter()))
        return segment


class SlowFleet(fleet.Fleet):
    """A fleet of slow actors."""

    actor_class = SlowActor


def measure_parts(ray: Any) -> Parts:
    """Measure every part alone."""
    agent = learner(1)
    weights = Weights(agent.model.params, agent.model.state)
    use_threads(1)
    actor = Actor(MAKER, asdict(SETTINGS), (fleet.KEY, 0, 0))
    play = median(lambda: actor.play(0, 10_000, weights), 6)
    segment = actor.play(0, 10_000, weights)
    write = median(lambda: write_slots(agent.replay, 0, segment.slots))
    update = {}
    for threads in sorted({1, os.cpu_count() or 1}):
        use_threads(threads)
        update[threads] = median(
            lambda: agent.update(agent.replay.sample(SETTINGS.batch_size, agent.rngs.replay)), 6
        )
    use_threads(1)
    echo = ray.remote(Echo).remote(segment)

    def trip(reference: Any) -> None:
        asked = echo.play.remote(0, 0, reference)
        ray.wait([asked])
        ray.get(asked)

    without = median(lambda: trip(None))
    publish = median(lambda: ray.put(weights))
    both = median(lambda: trip(ray.put(weights)))
    ray.kill(echo)
    size = weights.params.nbytes + weights.state.nbytes
    return Parts(
        play, without, write, update, publish, max(0.0, both - without - publish), segment.slots.nbytes, size
    )


def measure_scaling(actors: int) -> dict[str, float]:
    """Measure steps and updates a second of a learner with slow actors, after a warm-up.

    The other figures are the fleet's status.
    """
    use_threads(1)
    agent = learner(actors)
    source = SlowFleet(dqn.DQN, replace(SETTINGS, actors=actors))
    turns = source.play(agent)
    next(turns)
    while source.status()["actors/playing"] < actors:
        next(turns)
    until = time.perf_counter() + WARM_UP
    while time.perf_counter() < until:
        next(turns)
    source.status()
    start, steps, updates = time.perf_counter(), agent.steps, agent.updates
    while time.perf_counter() < start + MEASURED:
        next(turns)
    passed = time.perf_counter() - start
    status = source.status()
    source.close()
    return {"steps": (agent.steps - steps) / passed, "updates": (agent.updates - updates) / passed, **status}


def print_parts(parts: Parts) -> None:
    """Print the parts, and the rates that follow from them."""
    steps, rate = steps_of_segment(), steps_of_segment() / parts.play
    print(
        f"segment: {SETTINGS.num_envs} games x {SETTINGS.segment} steps = {steps} steps, "
        f"{parts.segment_bytes / steps:,.0f} bytes a step"
    )
    print(
        f"  actor plays it            {1e3 * parts.play:8.2f} ms   {rate:10,.0f} steps/s of an actor (one "
        "thread)"
    )
    print(f"  Ray brings it             {1e3 * parts.trip:8.2f} ms   {steps / parts.trip:10,.0f} steps/s")
    print(f"  written into the replay   {1e3 * parts.write:8.2f} ms   {steps / parts.write:10,.0f} steps/s")
    for threads, update in parts.update.items():
        print(
            f"one update, {threads} thread{'s' if threads > 1 else ' '}        {1e3 * update:8.2f} ms   "
            f"{1 / update:10,.1f} updates/s"
        )
    print(
        f"weights: {parts.weight_bytes:,} bytes; put out by the learner in {1e3 * parts.publish:.2f} ms, "
        "taken in by an actor in",
        end="",
    )
    print(f" {1e3 * parts.take:.2f} ms")
    print("\nsteps/s that keep one learner busy, and the actors that give them")
    print(
        "train_freq  threads    steps/s   MB/s in   updates/s   Catcher's   1,000/s     100/s      10/s "
        "an actor"
    )
    for threads in parts.update:
        for train_freq in (4, 16, 64, 256):
            wanted = parts.learner_rate(threads, train_freq)
            numbers = "".join(f"{wanted / each:10,.1f}" for each in (rate, 1_000, 100, 10))
            megabytes = wanted * parts.segment_bytes / steps / 1e6
            print(
                f"{train_freq:10} {threads:8} {wanted:10,.0f} {megabytes:9,.1f} "
                f"{wanted / train_freq:11,.1f}  {numbers}"
            )


def print_scaling(parts: Parts) -> None:
    """Print the measured rate beside the predicted one, for each number of actors."""
    limit = parts.learner_rate(1, SETTINGS.train_freq)
    print(
        f"\nactors of {RATE} steps/s, learner with one thread, busy from {limit:,.0f} steps/s on: "
        f"{limit / RATE:.1f} actors"
    )
    print("actors   predicted   steps/s   ratio   updates/s   learner waits   weights behind")
    for actors in ACTORS:
        predicted, found = min(limit, actors * RATE), measure_scaling(actors)
        print(
            f"{actors:6} {predicted:11,.0f} {found['steps']:9,.0f} {found['steps'] / predicted:7.2f} "
            f"{found['updates']:11,.1f} "
            f"{found['actors/waited']:14.0%} {found['actors/lag']:8.1f} updates",
            flush=True,
        )


def main(argv: list[str]) -> int:
    """Run one of the two; returns the exit code."""
    if argv not in (["parts"], ["scaling"]):
        print("error: name what to measure\n  python -m bench.distributed parts, or scaling", file=sys.stderr)
        return 2
    ray = import_ray(local=True)
    print(
        f"{processor()}, {os.cpu_count()} cores, Ray {ray.__version__}, {dqn.Settings.env_id}, batch "
        f"{SETTINGS.batch_size}"
    )
    connect(ray, "", max(ACTORS))
    parts = measure_parts(ray)
    if argv == ["parts"]:
        print_parts(parts)
    else:
        print_scaling(parts)
    ray.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
