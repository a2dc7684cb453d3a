"""Ray's calls in one process: an actor plays when its segment is fetched."""

from types import SimpleNamespace

import numpy as np

from rl.actors.actor import Weights


class RayActorError(Exception):
    actor_init_failed = False


class ObjectLostError(Exception):
    pass


class RayTaskError(Exception):
    def __init__(self, cause):
        self.cause = cause


class PaperRay:
    """Stands in for the module `ray`; `dies` maps an actor's number to the error of its next segment."""

    exceptions = SimpleNamespace(
        RayActorError=RayActorError, ObjectLostError=ObjectLostError, RayTaskError=RayTaskError
    )

    def __init__(self):
        self.born, self.killed, self.puts, self.dies = [], [], [], {}
        self.order = np.random.default_rng(0)

    def is_initialized(self):
        return True

    def put(self, value):
        self.puts.append(Weights(*(array.copy() for array in value)))
        return self.puts[-1]

    def kill(self, handle):
        self.killed.append(handle)

    def remote(self, num_cpus):
        assert num_cpus == 1

        def start(cls, *arguments):
            inner = cls(*arguments)
            handle = SimpleNamespace(inner=inner, key=arguments[2])
            handle.play = SimpleNamespace(remote=lambda *words: Asked(handle, words))
            self.born.append(handle)
            return handle

        return lambda cls: SimpleNamespace(remote=lambda *arguments: start(cls, *arguments))

    def wait(self, asked, timeout):
        assert timeout
        assert len({id(one.handle) for one in asked}) == len(asked)  # one segment of each actor, no more
        return [asked[self.order.integers(len(asked))]], []

    def get(self, asked):
        problem = self.dies.pop(asked.handle.key[1], None)
        if problem is not None:
            raise problem
        return asked.handle.inner.play(*asked.words)


class Asked:
    """The reference to a segment."""

    def __init__(self, handle, words):
        self.handle, self.words = handle, words
