"""Checkpoints: states come back as they were, only what is new is written, damaged files are refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from rl.core import ring as ring_module
from rl.core.replay import ReplayBuffer
from rl.core.ring import Ring, last_write
from rl.runs import checkpoint as module
from rl.runs.checkpoint import Checkpoints
from rl.runs.state_file import load_state, save_state
from tests.examples import examples
from tests.processes import run_python
from tests.same import assert_same

numbers = st.none() | st.booleans() | st.integers(-(2**130), 2**130) | st.floats() | st.text(max_size=5)
tables = arrays.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
keys = st.text(max_size=4).filter(lambda key: not key.startswith("$"))
trees = st.recursive(
    numbers | tables,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@examples(60)
@given(state=st.dictionaries(keys, trees, max_size=4))
def test_any_state_comes_back_as_it_was(state, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "state"
    save_state(path, state)
    assert_same(load_state(path), state)


@pytest.mark.parametrize("name", ["PCG64", "MT19937", "Philox", "SFC64"])
def test_generators_go_on(name, tmp_path):
    rng = np.random.Generator(getattr(np.random, name)(3))
    rng.random(7)
    rng.integers(5, dtype=np.int32)
    save_state(tmp_path / "state", {"rng": rng.bit_generator.state})
    drawn = rng.random(5)
    rng.bit_generator.state = load_state(tmp_path / "state")["rng"]
    np.testing.assert_array_equal(rng.random(5), drawn)


def test_what_a_state_cannot_hold_is_named(tmp_path):
    for bad, where in (
        ({"a": [object()]}, "state/a/0"),
        ({"$array": 1}, "begin with"),
        ({1: 2}, "texts"),
        ({"a": {2j}}, "set"),
    ):
        with pytest.raises(TypeError, match=where):
            save_state(tmp_path / "state", bad)
    with pytest.raises(ValueError, match="cannot be kept"):
        save_state(tmp_path / "state", {"a": np.array(["x"])})
    assert list(tmp_path.iterdir()) == []


@examples(300)
@given(
    written=st.integers(0, 60), length=st.integers(1, 12), first=st.integers(0, 11), size=st.integers(1, 12)
)
def test_the_age_of_a_block_is_when_one_of_its_slots_was_last_written(written, length, first, size):
    last = min(first + size, length)
    seen = [w + 1 for w in range(written) if first <= w % length < last]
    if first < last:
        assert last_write(written, length, first, last) == max(seen, default=0)


def replay(capacity=1600, games=2):
    return ReplayBuffer(capacity, games, (64, 64, 4), np.uint8, stack=4)


def play(buffer, steps, rng):
    for _ in range(steps):
        n = buffer.num_envs
        frames = np.full((n, 64, 64, 4), rng.integers(0, 255, (n, 1, 1, 1)), np.uint8)
        ends, stops = rng.random((2, n)) < 0.05
        buffer.add(frames, rng.integers(3, size=n), rng.random(n), ends, stops, frames)


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(ring_module, "BLOCK_BYTES", 1 << 18)


def test_a_replay_comes_back_after_every_checkpoint_and_only_new_blocks_are_written(
    tmp_path, monkeypatch, small_blocks
):
    buffer, rng, keeper = replay(), np.random.default_rng(0), Checkpoints(tmp_path)
    fresh = []

    def write(path, kept, metadata, write=module.state_file.write):
        fresh.append(len(kept))
        write(path, kept, metadata)

    monkeypatch.setattr(module.state_file, "write", write)
    for steps in (3, 0, 100, 150, 700, 2000, 1, 0):
        play(buffer, steps, rng)
        fresh.clear()
        keeper.save({"replay": buffer.get_state()})
        keeper.wait()
        blocks = 2 * -(-buffer.length // Ring(buffer.frames, buffer.length, buffer.written).block_rows())
        told = fresh[0] if len(fresh) == 2 else 0  # blocks, then the checkpoint itself
        assert told <= min(blocks, 2 * (steps * 1.3 // 50 + 3)) and (steps == 0) == (told == 0)
        other = replay()
        other.set_state(Checkpoints(tmp_path).load()["replay"])
        assert all(np.array_equal(getattr(other, name), getattr(buffer, name)) for name in buffer.STATE)
    named = {f"checkpoint-{block.file}.blocks" for block in keeper._stored.values()}
    assert {path.name for path in tmp_path.iterdir()} == named | {"checkpoint.safetensors"}
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < buffer.nbytes / 20


def test_a_resumed_keeper_goes_on_with_the_blocks_that_are_there(tmp_path, small_blocks):
    buffer, rng = replay(), np.random.default_rng(0)
    play(buffer, 400, rng)
    first = Checkpoints(tmp_path)
    first.save({"replay": buffer.get_state()})
    first.wait()
    blocks = {path.name: path.read_bytes() for path in tmp_path.glob("*.blocks")}
    second, other = Checkpoints(tmp_path), replay()
    other.set_state(second.load()["replay"])
    play(other, 5, rng)
    second.save({"replay": other.get_state()})
    second.wait()
    assert all((tmp_path / name).read_bytes() == content for name, content in blocks.items())
    newest = max(tmp_path.glob("*.blocks"), key=lambda path: int(path.stem.split("-")[1]))
    assert newest.name not in blocks and newest.stat().st_size < max(map(len, blocks.values())) / 3


def test_training_may_go_on_while_a_checkpoint_is_written(tmp_path, monkeypatch, small_blocks):
    buffer, rng, keeper = replay(), np.random.default_rng(0), Checkpoints(tmp_path)
    play(buffer, 500, rng)
    before = {name: getattr(buffer, name).copy() for name in buffer.STATE}
    write = keeper._write

    def slow(*arguments):
        buffer.frames[:] = 7  # what happens meanwhile must not be seen
        buffer.rewards[:] = 7
        write(*arguments)

    monkeypatch.setattr(keeper, "_write", slow)
    keeper.save({"replay": buffer.get_state()})
    keeper.wait()
    found = Checkpoints(tmp_path).load()["replay"]
    assert all(np.array_equal(found[name.lstrip("_")], before[name]) for name in buffer.STATE)


@pytest.mark.parametrize("kind", ["*.safetensors", "*.blocks"])
def test_a_damaged_missing_or_foreign_file_is_refused(kind, tmp_path, small_blocks):
    buffer, keeper = replay(), Checkpoints(tmp_path)
    play(buffer, 300, np.random.default_rng(0))
    keeper.save({"replay": buffer.get_state()})
    keeper.wait()
    (path,) = tmp_path.glob(kind)
    whole = path.read_bytes()
    for damaged in (whole[:-1], whole[:100], b"", whole[:-9] + b"x" * 9, whole[:60] + b"?" + whole[61:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="is not usable"):
            Checkpoints(tmp_path).load()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        Checkpoints(tmp_path).load()


def test_stale_files_are_swept_at_the_next_start(tmp_path):
    keeper = Checkpoints(tmp_path)
    keeper.save({"a": 1})
    keeper.wait()
    for name in (".checkpoint.safetensors.12-ab.tmp", ".best.safetensors.1-0.tmp", "checkpoint-77.blocks"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    assert Checkpoints(tmp_path).load() == {"a": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint.safetensors", "mine.txt"]


SEED_RUN = """
import hashlib, sys
from pathlib import Path
from rl.runs.logger import Logger
from rl.training import train as training
from rl.training.progress import Progress
from tests.rl.helpers import train

training.draw = lambda *_: None
quiet, out = sys.argv[1] == "quiet", sys.argv[2]
if quiet:
    for name in ("episode", "row", "scalars", "strip"):
        setattr(Logger, name, lambda *_: {})
    Progress.say = lambda *_: None
kept = {"eval_freq": 0 if quiet else 300, "save_freq": 0 if quiet else 200}
game = {"env_id": "CartPole-v1", "num_envs": 2, "total_timesteps": 1200, "eval_episodes": 2}
run = train("dqn", **game, **kept, learning_starts=100, train_freq=2, keep_going=True, out=out)
print(hashlib.sha256(Path(run.folder, "last.safetensors").read_bytes()).hexdigest(), run.returns[-5:])
"""


@pytest.mark.parametrize("runs", [2, pytest.param(5, marks=pytest.mark.thorough)])
def test_runs_of_one_seed_are_one_result(runs, tmp_path):
    results = set()
    for run, words in enumerate(["quiet", "loud", "quiet", "loud", "loud"][:runs]):
        done = run_python("-c", SEED_RUN, words, tmp_path / str(run), PYTHONHASHSEED=str(run * 1000))
        results.add(done.stdout.splitlines()[-1])
    assert len(results) == 1, results
