"""The faults of tests/tools/planted.py: the original text, the fault, and the tests that must fail."""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One mistake in one file.

    text    stands in the file exactly once
    tests   arguments of pytest: files, or single tests
    module  of nnlite_ext that has to be compiled again
    """

    name: str
    file: str
    text: str
    faulty: str
    tests: str
    module: str = ""


CHECKPOINT, KILL = "tests/rl/runs/test_checkpoint.py", "tests/rl/runs/test_kill.py"
AGENTS, TINY = "tests/rl/articles/test_every_agent.py", "tests/rl/articles/test_tiny_worlds.py"
ENVIRONMENT = "tests/rl/envs/test_every_environment.py"
TRAINER, GRADIENTS = "tests/rl/training/test_trainer.py", "tests/nnlite/test_gradients.py"
PASSES = "tests/nnlite/test_passes.py"

RUNS = (  # a run on disk
    Fault(
        "a write that is not atomic",
        "nnlite/tensor_file.py",
        "os.replace(temporary, path)",
        "path.write_bytes(data), os.unlink(temporary)",
        KILL,
    ),
    Fault(
        "old files removed before the new checkpoint stands",
        "rl/runs/checkpoint.py",
        "            state_file.write(self.path, snapshot.arrays, metadata)\n"
        "            self._remember(snapshot.stored)\n            self._remove_unused()\n",
        "            self._remember(snapshot.stored)\n            self._remove_unused()\n"
        "            state_file.write(self.path, snapshot.arrays, metadata)\n",
        KILL,
    ),
    Fault(
        "a checkpoint called finished too early",
        "rl/runs/checkpoint.py",
        "            self._thread.join()\n",
        "",
        f"{CHECKPOINT} {KILL}",
    ),
    Fault(
        "a snapshot that is no copy",
        "rl/runs/checkpoint.py",
        "{name: array.copy() for name, array in arrays.items()}",
        "dict(arrays)",
        CHECKPOINT,
    ),
    Fault(
        "a block taken for unchanged",
        "rl/runs/checkpoint.py",
        "(known.stop, known.stamp) == (rows.stop, block.stamp)",
        "known.stop == rows.stop",
        CHECKPOINT,
    ),
    Fault(
        "an error of a full disk swallowed",
        "rl/runs/checkpoint.py",
        "            self._problem = problem\n",
        "            pass\n",
        f"{CHECKPOINT} {KILL}",
    ),
    Fault(
        "a lock that is not held",
        "rl/runs/lock.py",
        "            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "            pass",
        "tests/rl/runs/test_lock.py",
    ),
    Fault(
        "a signal that is lost",
        "rl/runs/signals.py",
        "self.received or number",
        "self.received",
        "tests/rl/runs/test_signals.py tests/rl/runs/test_resume.py::test_what_is_kept_and_what_may_change",
    ),
    Fault(
        "a setting that resume no longer checks",
        "rl/runs/resume.py",
        '"total_timesteps", "eval_freq",',
        '"total_timesteps", "learning_rate", "eval_freq",',
        "tests/rl/runs/test_resume.py::test_what_is_kept_and_what_may_change",
    ),
    Fault(
        "the file's checksum is not compared",
        "nnlite/tensor_file.py",
        "if stated != checksum(tensors, metadata):",
        "if False:",
        "tests/nnlite/test_saving.py",
    ),
    Fault(
        "columns of the log exchanged",
        "rl/runs/logger.py",
        "{total:.6g},{length},",
        "{length},{total:.6g},",
        TRAINER,
    ),
    Fault(
        "means of the log are sums",
        "rl/runs/logger.py",
        "self._sums[name] / self._counts[name]",
        "self._sums[name]",
        f"{TRAINER} tests/rl/runs/test_logger.py",
    ),
)
ENGINE = (  # nnlite
    Fault(
        "a sign in an activation's derivative",
        "nnlite/activations.py",
        "        dz *= 1 + y\n",
        "        dz *= y - 1\n",
        GRADIENTS,
    ),
    Fault(
        "a mean for a sum in a bias gradient",
        "nnlite/normalization.py",
        "self.beta.gradient[...] = sum_dy ",
        "self.beta.gradient[...] = sum_dy / len(dy) ",
        GRADIENTS,
    ),
    Fault(
        "a gradient twice that of its loss",
        "nnlite/losses.py",
        "np.square(error))), error * prediction.dtype.type(2.0",
        "np.square(error))), error * prediction.dtype.type(4.0",
        f"tests/nnlite/test_losses.py {GRADIENTS}",
    ),
    Fault(
        "a stale view of the weights",
        "nnlite/layer.py",
        "self.W, self.dW = self.kernel.value",
        "self.W, self.dW = 1 * self.kernel.value",
        GRADIENTS,
    ),
    Fault(
        "a gradient of another shape broadcasts",
        "nnlite/passes.py",
        "if given.shape != self.pending:",
        "if given.ndim != len(self.pending):",
        PASSES,
    ),
    Fault(
        "a backward after a forward that failed",
        "nnlite/passes.py",
        "        self.pending = None\n        x = self.read(x)\n",
        "        x = self.read(x)\n",
        PASSES,
    ),
    Fault(
        "two backwards for one forward",
        "nnlite/passes.py",
        "gradient, need_dx)\n        self.pending = None\n",
        "gradient, need_dx)\n",
        PASSES,
    ),
    Fault(
        "the backward of an earlier forward by layers",
        "nnlite/passes.py",
        "        self.layers.pending = None\n        y = self.network",
        "        y = self.network",
        PASSES,
    ),
    Fault(
        "a prediction in the buffers of training",
        "nnlite/passes.py",
        "self.run(batch, False, logits), x",
        "self.run(batch, True, logits), x",
        PASSES,
    ),
    Fault(
        "compiled passes that forget to leave out the activation",
        "nnlite/passes.py",
        "(y := self.network.predict(x, logits))",
        "(y := self.network.predict(x))",
        PASSES,
    ),
    Fault(
        "a compiled bias one place too early",
        "nnlite/plan.py",
        "bias = kernel + layer.kernel.size if",
        "bias = kernel + layer.kernel.size - 1 if",
        "tests/nnlite/test_compiled.py",
    ),
    Fault(
        "padding that is off by one",
        "nnlite/convolution.py",
        "return total // 2, total - total // 2",
        "return total - total // 2, total // 2",
        "tests/nnlite/test_keras_semantics.py",
    ),
    Fault(
        "no gradient of the L1 penalty",
        "nnlite/regularizers.py",
        "w.dtype.type(self.l1) * np.sign(w) + ",
        "",
        GRADIENTS,
    ),
    Fault(
        "a normalization whose mean does not depend on x",
        "nnlite/normalization.py",
        "        dx -= sum_dy / count\n",
        "",
        GRADIENTS,
    ),
    Fault(
        "momentum on the new value",
        "nnlite/normalization.py",
        "        moving *= self.dtype.type(self.momentum)\n"
        "        moving += self.dtype.type(1 - self.momentum) * batch\n",
        "        moving *= self.dtype.type(1 - self.momentum)\n"
        "        moving += self.dtype.type(self.momentum) * batch\n",
        "tests/nnlite/test_keras_semantics.py tests/nnlite/test_layers.py",
    ),
    Fault(
        "clipnorm over all variables at once",
        "nnlite/optimizers.py",
        "itertools.pairwise(self.edges)",
        "[(0, self.grads.size)]",
        "tests/nnlite/test_optimizers.py",
    ),
    Fault(
        "a Nesterov step without its look ahead",
        "nnlite/optimizers.py",
        "change + number(self.momentum) * self.velocity if self.nesterov else self.velocity",
        "self.velocity",
        "tests/nnlite/test_optimizers.py",
    ),
    Fault(
        "a type that grows in silence",
        "nnlite/losses.py",
        "    return value, inside * prediction.dtype.type(1.0 / error.size)",
        "    return value, inside.astype(np.float64) / error.size",
        "tests/nnlite/test_losses.py tests/nnlite/test_array_layouts.py",
    ),
)
LEARNING = (  # rl
    Fault(
        "done taken for terminated",
        "rl/core/games.py",
        "Experience(observations, actions, rewards, last, terminated, truncated)",
        "Experience(observations, actions, rewards, last, terminated | truncated, truncated)",
        TRAINER,
    ),
    Fault(
        "the first observation of the next game",
        "rl/core/experience.py",
        '        last[game] = info["final_obs"][game]\n',
        "        pass\n",
        TRAINER,
    ),
    Fault(
        "a time limit taken for an end",
        "rl/dqn.py",
        "if s.life_loss_ends else experience.terminated",
        "if s.life_loss_ends else experience.done",
        f"{AGENTS} {TINY}",
    ),
    Fault(
        "a rollout that forgets where a game was cut off",
        "rl/core/rollout.py",
        "            following[t, game] = value\n",
        "            pass\n",
        f"tests/rl/core/test_rollout.py {TINY}",
    ),
    Fault(
        "returns of n + 1 steps",
        "rl/dqn.py",
        "n_step=settings.n_step,",
        "n_step=settings.n_step + 1,",
        f"tests/rl/articles/test_dqn.py {TINY}",
    ),
    Fault(
        "gamma twice",
        "rl/dqn.py",
        "gamma=settings.gamma,",
        "gamma=settings.gamma**2,",
        f"tests/rl/articles/test_dqn.py {TINY}",
    ),
    Fault(
        "a schedule by updates",
        "rl/dqn.py",
        "linear(self.steps - s.learning_starts",
        "linear(self.updates",
        "tests/rl/articles/test_dqn.py",
    ),
    Fault(
        "a target network that is never renewed",
        "rl/dqn.py",
        "self.updates % self.settings.target_update == 0",
        "self.updates == 0",
        "tests/rl/articles/test_dqn.py",
    ),
    Fault(
        "double DQN the wrong way round",
        "rl/dqn.py",
        "if self.settings.double else next_q",
        "if not self.settings.double else next_q",
        "tests/rl/articles/test_dqn.py",
    ),
    Fault(
        "a counter that resume forgets",
        "rl/policy_gradient.py",
        '"updates", "baseline", "spread")',
        '"updates", "baseline")',
        AGENTS,
    ),
    Fault(
        "two purposes with one stream",
        "rl/core/seeding.py",
        "np.random.default_rng(replay)",
        "np.random.default_rng(exploration)",
        "tests/rl/core/test_seeding.py",
    ),
    Fault(
        "an evaluation that explores",
        "rl/core/evaluation.py",
        "agent.greedy(observations)",
        "agent.act(observations)",
        AGENTS,
    ),
    Fault(
        "every evaluation with the same games",
        "rl/core/evaluation.py",
        "seed=self.seed + self.calls",
        "seed=self.seed",
        "tests/rl/core/test_evaluation.py",
    ),
    Fault(
        "the last model kept for the best",
        "rl/training/trainer.py",
        "result.score > self.best.score",
        "result.score > -1e9",
        TRAINER,
    ),
    Fault(
        "solved after one evaluation",
        "rl/training/trainer.py",
        "solved = result.solved and self.evaluator(self.agent).solved",
        "solved = result.solved",
        TRAINER,
    ),
    Fault(
        "a return that goes on into the next game",
        "rl/core/games.py",
        "        self._returns[done] = 0\n",
        "",
        TRAINER,
    ),
    Fault(
        "a stack that keeps the game before",
        "rl/core/observer.py",
        "        self._fresh[:] = 1\n        self._push(",
        "        self._fresh[:] = 0\n        self._push(",
        "tests/rl/core/test_observer.py",
    ),
    Fault(
        "a stack that is pushed across a reset",
        "rl/core/observer.py",
        "self._push(screens, self._fresh, self._stack)\n        return self._stack.copy(), rewards",
        "self._push(screens, 0 * self._fresh, self._stack)\n        return self._stack.copy(), rewards",
        "tests/rl/core/test_observer.py",
    ),
    Fault(
        "lambda without gamma",
        "rl/core/returns.py",
        "np.where(done, 0, gamma * lam)",
        "np.where(done, 0, lam)",
        "tests/rl/core/test_returns.py",
    ),
    Fault(
        "the sign of the entropy",
        "rl/core/policy.py",
        "        dlogits += number(entropy_weight)",
        "        dlogits -= number(entropy_weight)",
        "tests/rl/core/test_policy.py",
    ),
    Fault(
        "gradient through the advantage",
        "rl/a2c.py",
        "        returns = advantages + values\n        policy, entropy",
        "        returns = advantages\n        policy, entropy",
        "tests/rl/articles/test_a2c.py",
    ),
    Fault(
        "a network saved without its scale",
        "rl/value_function.py",
        "return self.scaler.fold_into(self.model)",
        "return self.model",
        f"tests/rl/articles/test_value_function.py {AGENTS}",
    ),
    Fault(
        "a replay that starts at an end",
        "ext/_replay.pyx",
        "if self.kind[n, at] == 3 or self.age[n, at] > offset:",
        "if self.age[n, at] > offset:",
        "tests/rl/core/test_replay.py",
        module="_replay",
    ),
    Fault(
        "a replay that draws slots it never wrote",
        "ext/_replay.pyx",
        "            filled = min(self.written[0], self.length)\n            while",
        "            filled = self.length\n            while",
        "tests/rl/core/test_replay.py",
        module="_replay",
    ),
)
ENVIRONMENTS = (  # games, their goals, and their evaluation
    Fault(
        "a time limit that terminates",
        "rl/envs/native_vector.py",
        "        observations, rewards, terminated, truncated = stepped\n",
        "        observations, rewards, terminated, truncated = stepped\n        terminated |= truncated\n",
        ENVIRONMENT,
    ),
    Fault(
        "the next game's start as final_obs",
        "rl/envs/native_vector.py",
        "final_obs[games] = observations[games]\n        infos",
        "self.start_games(games)\n        final_obs[games] = self.observe(games)\n        infos",
        ENVIRONMENT,
    ),
    Fault(
        "the last observation in place of the next game's",
        "rl/envs/native_vector.py",
        "        self.start_games(games)\n        observations[games] = self.observe(games)",
        "        observations[games] = self.observe(games)\n        self.start_games(games)",
        ENVIRONMENT,
    ),
    Fault(
        "a saved state that is no copy",
        "rl/envs/native_vector.py",
        '"states": self.states.copy()',
        '"states": self.states',
        ENVIRONMENT,
    ),
    Fault(
        "a generator that is not restored",
        "rl/envs/native_vector.py",
        '        self.np_random.bit_generator.state = state["np_random"]\n',
        "",
        ENVIRONMENT,
    ),
    Fault(
        "a saved state that is rounded",
        "rl/envs/native_vector.py",
        "        self.states[:] = saved",
        "        self.states[:] = saved.round()",
        ENVIRONMENT,
    ),
    Fault(
        "the first games restarted in place of those that ended",
        "rl/envs/native_vector.py",
        "games = np.flatnonzero(ended)",
        "games = np.arange(np.count_nonzero(ended))",
        ENVIRONMENT,
    ),
    Fault(
        "rewards of another type",
        "rl/envs/native_vector.py",
        "rewards = np.empty(self.num_envs)",
        "rewards = np.empty(self.num_envs, np.float32)",
        ENVIRONMENT,
    ),
    Fault(
        "one buffer for all observations",
        "rl/envs/native_vector.py",
        "        observations = np.empty(self._observation_shape, self._observation_dtype)\n",
        "        observations = np.empty(self._observation_shape, self._observation_dtype)\n"
        "        observations = self.__dict__.setdefault('buffer', observations)\n",
        ENVIRONMENT,
    ),
    Fault(
        "a limit of one step more",
        "rl/envs/native_vector.py",
        "sys.maxsize if max_episode_steps is None else max_episode_steps",
        "sys.maxsize if max_episode_steps is None else max_episode_steps + 1",
        ENVIRONMENT,
    ),
    Fault(
        "random numbers that are never drawn anew",
        "rl/envs/native_vector.py",
        "        if events & SPAWNED:\n            self.draw_ahead()\n",
        "",
        ENVIRONMENT,
    ),
    Fault(
        "a limit that terminates Catcher",
        "rl/envs/catcher_sim.py",
        "truncated[i] = state[STEPS] >= limit\n",
        "truncated[i] = state[STEPS] >= limit\n        terminated[i] |= truncated[i]\n",
        ENVIRONMENT,
    ),
    Fault(
        "a limit of one step more in the maze",
        "rl/envs/maze_sim.py",
        "truncated[i] = states[i, STEPS] >= limit",
        "truncated[i] = states[i, STEPS] > limit",
        ENVIRONMENT,
    ),
    Fault(
        "steps counted for the first game only",
        "rl/envs/cartpole_sim.py",
        "state[STEPS] += 1\n",
        "states[0, STEPS] += 1\n",
        ENVIRONMENT,
    ),
    Fault(
        "coins that follow from no seed",
        "rl/envs/bandit.py",
        "self.states[:, sim.NEXT] = self.np_random.random(self.num_envs)",
        "self.states[:, sim.NEXT] = np.random.random(self.num_envs)",
        ENVIRONMENT,
    ),
    Fault(
        "arms that remember the last game",
        "rl/envs/bandit.py",
        "        self.states[games] = 0.0\n",
        "",
        ENVIRONMENT,
    ),
    Fault(
        "a time limit that runs on in the next game",
        "rl/envs/cartpole.py",
        "        self.states[games, sim.STEPS] = 0\n",
        "",
        ENVIRONMENT,
    ),
    Fault(
        "all walkers back at the start",
        "rl/envs/maze.py",
        "        self.states[games] = self.layout.start, 0",
        "        self.states[:] = self.layout.start, 0",
        ENVIRONMENT,
    ),
    Fault(
        "a single game that ignores its seed",
        "rl/envs/native_env.py",
        "        self.games.np_random = self.np_random\n        observations",
        "        observations",
        ENVIRONMENT,
    ),
    Fault(
        "a single game played beyond its end",
        "rl/envs/native_env.py",
        "        self._playing = not terminated\n",
        "",
        ENVIRONMENT,
    ),
    Fault(
        "a saved game that is over, played on",
        "rl/envs/native_env.py",
        "        self._playing = not self.is_over()",
        "        self._playing = True",
        ENVIRONMENT,
    ),
    Fault(
        "an action counted from the end",
        "rl/envs/native_env.py",
        "if not 0 <= index < count:",
        "if not -count <= index < count:",
        ENVIRONMENT,
    ),
    Fault(
        "counts of games that go on in final_info",
        "rl/envs/catcher.py",
        "np.where(ended, values, 0) for",
        "values for",
        ENVIRONMENT,
    ),
    Fault(
        "only the first action checked",
        "rl/envs/catcher_sim.py",
        "    for i in range(len(actions)):\n        if actions[i] < 0",
        "    for i in range(1):\n        if actions[i] < 0",
        ENVIRONMENT,
    ),
    Fault(
        "Catcher solved by games that ended",
        "rl/envs/goals.py",
        "outcome.complete and outcome.terminated == 0 and",
        "outcome.complete and",
        "tests/rl/envs/test_goals.py",
    ),
    Fault(
        "a return that goes on into the next evaluated game",
        "rl/core/evaluation.py",
        "        self._returns[ended] = 0\n",
        "",
        "tests/rl/core/test_evaluation.py",
    ),
    Fault(
        "misses of games that do not count",
        "rl/core/evaluation.py",
        "self.losses += int(np.sum(running & (rewards < 0)))",
        "self.losses += int(np.sum(rewards < 0))",
        "tests/rl/core/test_evaluation.py",
    ),
)
FAULTS = RUNS + ENGINE + LEARNING + ENVIRONMENTS
