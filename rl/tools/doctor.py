"""`python -m rl doctor`: print the facts for a bug report, and whether each part works here."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import time
import warnings
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
    """Print the facts; returns 0 when every part works, 1 otherwise."""
    if argv and argv[0] in ("-h", "--help"):
        print("usage: python -m rl doctor\n\nPrints versions, kernels, folders, BLAS, threads and display.")
        return 0
    if argv:
        what = f"doctor takes no arguments, not {argv[0]}"
        print(f"error: {what}\n  run it alone: python -m rl doctor", file=sys.stderr)
        return 2
    healthy = True
    for title, check in CHECKS.items():
        try:
            lines = check()
        except Exception as problem:  # a broken part must not hide the others
            lines, healthy = [f"BROKEN: {type(problem).__name__}: {problem}"], False
        print(title)
        for line in lines:
            print("  " + line)
    return 0 if healthy else 1


def check_system() -> list[str]:
    """Name Python and the machine."""
    return [
        f"Python {platform.python_version()} ({sys.executable})",
        platform.platform(),
        f"{os.cpu_count()} cores, {platform.machine()}",
    ]


def check_packages() -> list[str]:
    """List the versions of installed packages; warn of packages that install our module names."""
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


def check_kernels() -> list[str]:
    """Locate the compiled kernels, name their instruction set, and time a convolution."""
    import nnlite_ext  # here: a broken installation must be reported, not raised
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


def check_simulators() -> list[str]:
    """Say where numba keeps the simulators' machine code, and whether it can."""
    from rl.envs.compiled import REMEDY, find_folder

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the same, for those who do not ask
        _, kept = find_folder()
    if not kept:
        return [f"WARNING: no folder for their machine code, every process compiles it: {REMEDY}"]
    return [f"machine code in {kept}, which is writable"]


def check_blas() -> list[str]:
    """Name NumPy's BLAS, and environment variables that slow it down."""
    import numpy  # noqa: F401  loads the BLAS
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


def check_display() -> list[str]:
    """Say whether --play can open a window."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return ["no screen: --play writes a GIF and a page instead"]
    return ["a screen is there: --play opens a window"]


def check_files() -> list[str]:
    """Say whether runs can be written into the current folder, and the free space."""
    free = shutil.disk_usage(".").free / 1e9
    return [
        f"{os.getcwd()} is {'writable' if os.access('.', os.W_OK) else 'NOT writable'}, {free:.1f} GB free"
    ]


CHECKS = {
    "system": check_system,
    "packages": check_packages,
    "kernels": check_kernels,
    "simulators": check_simulators,
    "BLAS": check_blas,
    "display": check_display,
    "files": check_files,
}
