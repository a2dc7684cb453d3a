"""Mutated model files: `python -m tests.tools.fuzz [NUMBER] [SEED]`, a million of them unless told otherwise.

A file of a small model is damaged in one of these ways, over and over:

    bytes     some are flipped, set, removed, inserted, doubled, or the file is cut off
    header    the same in the header only, its length put right
    JSON      a value of the header, the architecture or the optimizer is replaced by something nasty, removed
              or doubled
    sealed    as JSON, and the checksum made anew, as somebody would who knows the format
    arrays    another shape, dtype, name or number of arrays, sealed too

Reading it must give the model as it was, or a valid one of the mutated architecture when the file was sealed,
or raise ValueError. Anything else (another exception, a crash, memory beyond the limit, a second of time) is
a failure. Runs under a limit on the address space. Prints the counts as JSON; exit code 1 on a failure, with
the file's content in hex.
"""

import collections
import copy
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from nnlite import layers, optimizers, saving
from nnlite.models import Sequential, model_from_bytes
from nnlite.tensor_file import ENTRY, checksum, read_tensors_from_bytes

MEMORY = 1 << 28  # bytes more than the process has at the start
NUMBERS = [0, 1, -1, 2**31, 2**62, 2**63, -(2**63), 10**30, 10**400, 0.5, 1e-320, 1e22, 1e308]
TEXTS = ["", "x", "\ud800", "é" * 50, *"fuzz>Half Dense relu same valid float64 object V0 os.system".split()]
LISTS = [[], [1], [0], [-1], [2**40, 2**40], [1] * 40, [[[[]]]]]
NASTY: list[Any] = [None, True, *NUMBERS, *TEXTS, *LISTS, {}, {"a": 1}, {"name": "adam"}]
NASTY += [{"name": "l2", "l2": 1e308}, {"name": "exponential_decay", "decay_steps": 1e-320}]


@saving.register(package="fuzz")
class Half(layers.Layer):
    """A layer of one's own that checks nothing: a wrong argument must not come out as its own error."""

    def __init__(self, share: Any, **common: Any) -> None:
        super().__init__(**common)
        self.share, self.half = share, share / 2

    def build(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "share": self.share}


def model_bytes() -> bytes:
    """The file of a model that has a bit of everything."""
    same = {"padding": "same", "activation": "relu", "kernel_regularizer": "l1"}
    chain = [layers.Conv2D(2, 2, input_shape=(4, 4, 1), **same), layers.BatchNormalization()]
    chain += [layers.MaxPooling2D(2), layers.Dropout(0.1), layers.Flatten(), Half(0.5), layers.Dense(2)]
    model = Sequential(chain, seed=0)
    model.compile(optimizers.AdamW(optimizers.schedules.CosineDecay(0.1, 9)), "mse")
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model", include_optimizer=True)
        return (Path(folder) / "model").read_bytes()


def parted(data: bytes) -> tuple[bytes, bytes]:
    """(header, payload)."""
    length = int.from_bytes(data[:8], "little")
    return data[8 : 8 + length], data[8 + length :]


def joined(header: bytes, payload: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + payload


class Mutator:
    """Damaged copies of one file."""

    def __init__(self, data: bytes, seed: int) -> None:
        self.data, self.rng = data, np.random.default_rng(seed)
        self.header, self.payload = parted(data)
        self.tensors, self.metadata = read_tensors_from_bytes(data)
        self.kinds = [*[self.anywhere] * 4, *[self.head] * 2, self.json, self.json, self.sealed, self.arrays]

    def __call__(self) -> tuple[str, bytes]:
        kind = self.kinds[self.rng.integers(len(self.kinds))]
        return kind.__name__, kind()

    def anywhere(self) -> bytes:
        return self.damaged(self.data)

    def head(self) -> bytes:
        return joined(self.damaged(self.header), self.payload)

    def pick(self, values: Any) -> Any:
        return values[int(self.rng.integers(len(values)))]

    def damaged(self, data: bytes) -> bytes:
        rng, out = self.rng, bytearray(data)
        for _ in range(int(rng.integers(1, 5))):
            if not out:
                break
            at, size = int(rng.integers(len(out))), int(rng.integers(1, 9))
            first, last, put = self.pick(
                [
                    (at, at + 1, bytes([out[at] ^ 1 << int(rng.integers(8))])),
                    (at, at + 1, rng.bytes(1)),
                    (at, at + size, b""),
                    (at, at, rng.bytes(size)),
                    (at, at, out[at : at + size * 8]),
                    (at, at + 1, bytes([self.pick(b'[]{}",:0919eE-.\\')])),
                    (at, len(out), b""),
                ]
            )
            out[first:last] = put
        return bytes(out)

    def json(self) -> bytes:
        header = json.loads(self.header)
        if self.rng.random() < 0.5:
            return joined(self.text(self.changed(header)), self.payload)
        told = json.loads(header["__metadata__"][ENTRY])
        header["__metadata__"][ENTRY] = self.text(self.deep(told)).decode()
        return joined(json.dumps(header).encode(), self.payload)

    def sealed(self) -> bytes:
        return self.seal(self.tensors, self.deep(dict(self.metadata)))

    def arrays(self) -> bytes:
        rng, tensors = self.rng, dict(self.tensors)
        name = self.pick(sorted(tensors))
        array, way = tensors[name], rng.integers(6)
        if way == 0:
            del tensors[name]
        elif way == 1:
            tensors[f"{name}{rng.integers(3)}"] = array
        elif way == 2:
            tensors[name] = array.reshape(-1) if array.ndim > 1 else array.reshape(1, -1)
        elif way == 3:
            tensors[name] = array.astype(self.pick([np.float64, np.int64, np.uint8, np.bool_, np.int8]))
        elif way == 4:
            tensors[name] = np.zeros(rng.integers(0, 5, size=int(rng.integers(0, 4))), array.dtype)
        else:
            value = np.float32(self.pick([np.nan, np.inf, 0, 3e38, 5]))
            tensors[name] = np.full(array.shape, value).astype(array.dtype)
        return self.seal(tensors, dict(self.metadata))

    def seal(self, tensors: dict[str, Any], metadata: dict[str, Any]) -> bytes:
        """A file whose checksum is right."""
        from safetensors.numpy import save

        texts = {str(key): v if isinstance(v, str) else json.dumps(v) for key, v in metadata.items()}
        try:
            texts["sha256"] = checksum(tensors, texts)
        except ValueError:
            texts["sha256"] = ""
        return save(tensors, {ENTRY: json.dumps(texts)})

    def deep(self, told: dict[str, Any]) -> dict[str, Any]:
        """Metadata with something changed, at the top or inside the JSON of one of its texts."""
        key = self.pick(("architecture", "compiled"))
        if self.rng.random() < 0.15:
            return self.changed(told)
        inner = json.loads(told[key])
        for _ in range(int(self.rng.integers(1, 4))):
            inner = self.changed(inner)
        return {**told, key: self.text(inner).decode()}

    def changed(self, tree: Any) -> Any:
        """The tree, in place, with one of its values replaced, removed or doubled."""
        places: list[tuple[Any, Any]] = []
        stack = [tree]
        while stack:
            node = stack.pop()
            keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
            places += [(node, key) for key in keys]
            stack += [node[key] for key in keys]
        if not places:
            return self.nasty()
        node, key = self.pick(places)
        way = self.rng.random()
        if way < 0.15:
            del node[key]
        elif way < 0.3 and isinstance(node, list):
            node.insert(key, copy.deepcopy(node[key]))
        elif way < 0.4:
            other, place = self.pick(places)
            node[key] = copy.deepcopy(other[place]) if other is not node or place != key else None
        else:
            node[key] = self.nasty()
        return tree

    def nasty(self) -> Any:
        return copy.deepcopy(self.pick(NASTY))

    def text(self, tree: Any) -> bytes:
        """JSON, now and then such as Python accepts and nobody else."""
        text = json.dumps(tree)
        way = self.rng.random()
        if way < 0.02:
            text = text.replace(": 0", ": NaN", 1)
        elif way < 0.04:
            text = text.replace("{", '{"name": 1, "name": 2, ', 1)
        elif way < 0.05:
            text = "[" * 100_000 + text
        elif way < 0.06:
            text = text.replace(": 0", ": 1e999", 1)
        return text.encode()


def limit_memory() -> None:
    """No more than MEMORY bytes beyond what the process has now; where the system knows such a limit."""
    try:
        import resource

        with open("/proc/self/statm", encoding="ascii") as file:
            pages = int(file.read().split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except (ImportError, OSError):
        print("no memory limit on this system", file=sys.stderr)


def main() -> int:
    """See the module."""
    number, seed = (int(word) for word in (*sys.argv[1:], *("1000000", "0")[len(sys.argv) - 1 :]))
    data = model_bytes()
    params = model_from_bytes(data).params.tobytes()
    mutate = Mutator(data, seed)
    limit_memory()
    np.seterr(all="ignore")
    counts: collections.Counter[str] = collections.Counter()
    slowest, started = 0.0, time.perf_counter()
    for _ in range(number):
        kind, damaged = mutate()
        start = time.perf_counter()
        try:
            model = model_from_bytes(damaged)
            same = model.params.tobytes() == params
            counts["same" if same else f"another, {kind}"] += 1
            assert same or kind in ("sealed", "arrays"), "a damaged file gave other weights"
        except ValueError:
            counts["refused"] += 1
        except BaseException as problem:
            found = f"{kind}: {type(problem).__name__}: {problem}\n{damaged.hex()}"
            print(json.dumps(counts), found, file=sys.stderr)
            return 1
        slowest = max(slowest, time.perf_counter() - start)
    seconds = round(time.perf_counter() - started, 1)
    print(json.dumps({**counts, "mutations": number, "seconds": seconds, "slowest": round(slowest, 3)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
