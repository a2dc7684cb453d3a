"""`python -m rl doctor`: the facts that a bug report needs, and whether each part works here."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
from importlib import metadata

PACKAGES = (
    "nnlite-rl",
    "numpy",
    "numba",
    "gymnasium",
    "pygame",
    "pygame-ce",
    "pillow",
    "matplotlib",
    "safetensors",
    "scikit-learn",
    "scipy",
    "joblib",
    "tensorboardX",
    "tensorboard",
    "ale-py",
    "onnx",
    "onnxruntime",
    "distributed",
    "ray",
    "pyarrow",
    "torch",
    "jax",
    "stable-baselines3",
    "keras-rl",
    "keras-rl2",
)
SLOWING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def main(argv: list[str]) -> int:
    """Print the facts; 0 when everything needed works, 1 otherwise."""
    if argv:
        if argv[0] in ("-h", "--help"):
            print(
                "usage: python -m rl doctor\n\nPrints versions, kernels, BLAS, threads and display; "
                "takes no flags."
            )
            return 0
        print(
            f"error: doctor takes no arguments, not {argv[0]}\n  run it alone: python -m rl doctor",
            file=sys.stderr,
        )
        return 2
    checks = (
        ("system", system),
        ("packages", packages),
        ("kernels", kernels),
        ("BLAS", blas),
        ("display", display),
        ("files", files),
    )
    healthy = True
    for title, check in checks:
        try:
            lines = check()
        except Exception as problem:  # a broken part must not hide the others
            lines, healthy = [f"BROKEN: {type(problem).__name__}: {problem}"], False
        print(title)
        for line in lines:
            print("  " + line)
    return 0 if healthy else 1


def system() -> list[str]:
    """Python and the machine."""
    return [
        f"Python {platform.python_version()} ({sys.executable})",
        platform.platform(),
        f"{os.cpu_count()} cores, {platform.machine()}",
    ]


def packages() -> list[str]:
    """Versions of what is installed; a warning for packages that share our names."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    lines = [f"{name} {version}" for name, version in found.items()]
    if {"keras-rl", "keras-rl2"} & set(found):
        lines.append(
            "WARNING: keras-rl also installs a package `rl`: pip uninstall keras-rl keras-rl2, then "
            "install this project again"
        )
    return lines


def kernels() -> list[str]:
    """Where the compiled part lies, what it was built for, and a product that shows it works."""
    import nnlite_ext
    import numpy as np
    from nnlite_ext import _threads

    from nnlite import Sequential
    from nnlite.layers import Conv2D

    model = Sequential([Conv2D(8, 3, padding="same")], seed=0).build((16, 16, 4))
    x = np.ones((8, 16, 16, 4), np.float32)
    model.predict(x)
    start = time.perf_counter()
    model.predict(x)
    seconds = time.perf_counter() - start
    return [
        os.path.dirname(nnlite_ext.__file__ or ""),
        f"instruction set {_threads.target()}; this machine has {', '.join(_threads.targets())}",
        f"{_threads.get_num_threads()} thread(s) unless --num-threads says more",
        f"a small convolution takes {seconds * 1e6:.0f} us",
    ]


def blas() -> list[str]:
    """NumPy's linear algebra, and settings in the environment that slow it down."""
    import numpy as np  # noqa: F401
    from threadpoolctl import threadpool_info

    found = [library for library in threadpool_info() if library["user_api"] == "blas"]
    lines = [
        f"{b['internal_api']} {b.get('version')} {b.get('architecture', '')}, {b['num_threads']} thread(s)"
        for b in found
    ]
    lines += [
        f"WARNING: {name}={os.environ[name]} is set and may slow it: unset {name}"
        for name in SLOWING
        if name in os.environ
    ]
    return lines or ["none found"]


def display() -> list[str]:
    """Whether --play can open a window."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return ["no screen: --play writes a GIF and a page instead"]
    return ["a screen is there: --play opens a window"]


def files() -> list[str]:
    """The current folder: can runs be written, and how much fits."""
    free = shutil.disk_usage(".").free / 1e9
    return [
        f"{os.getcwd()} is {'writable' if os.access('.', os.W_OK) else 'NOT writable'}, {free:.1f} GB free"
    ]
