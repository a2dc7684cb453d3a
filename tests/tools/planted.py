"""`python -m tests.tools.planted [NAME ...]`: do the tests find the faults that people make?

Each fault of tests/tools/faults.txt (those whose name contains one of the NAMEs, or all) is planted in a copy
of the tree, alone, and the tests that must fail are run there. Prints `caught` or `missed` for each; exits
with 1 when one is missed, with 2 when a fault no longer fits the source or its tests fail without it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import nnlite_ext

ROOT = Path(__file__).parents[2]
COPIED = ("nnlite", "rl", "tests", "ext", "bench", "pyproject.toml", "setup.py")
LONGEST = 600  # seconds


class Fault(NamedTuple):
    """One mistake in one file, and the tests that must fail."""

    name: str
    file: str
    text: str
    faulty: str
    tests: str

    @property
    def module(self) -> str:
        """The module of nnlite_ext to compile again, or nothing."""
        return Path(self.file).stem if self.file.endswith(".pyx") else ""


def read_faults(table: str) -> list[Fault]:
    """The paragraphs of a fault table; faults.txt says what they look like."""
    faults = []
    for paragraph in table.split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        parts = {mark: [line[2:] for line in lines[2:] if line[:2].strip() == mark] for mark in "-+!"}
        if parts["-"] and parts["!"]:
            text, faulty, tests = ("\n".join(parts[mark]) for mark in "-+!")
            faults.append(Fault(lines[0], lines[1], text, faulty, tests))
    return faults


def copy_tree(target: Path) -> None:
    """Copy the sources and the compiled kernels; no bytecode, which could be older than a planted fault."""
    ignored = shutil.ignore_patterns("__pycache__", ".*", "*.so", "*.pyd")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=ignored)
        else:
            shutil.copy2(ROOT / name, target / name)
    kernels = Path(nnlite_ext.__file__).parent
    shutil.copytree(kernels, target / "nnlite_ext", ignore=shutil.ignore_patterns("__pycache__"))


def plant(fault: Fault, tree: Path) -> None:
    """Write the fault into the copy; raises ValueError unless its original text is there exactly once."""
    path = tree / fault.file
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text.count(fault.text) != 1:
        raise ValueError(f"{fault.file} has the original text {text.count(fault.text)} times, not once")
    path.write_text(text.replace(fault.text, fault.faulty), encoding="utf-8")


def build(module: str, tree: Path) -> None:
    """Compile one module of the copy's ext/ and put it where the copy imports it."""
    others = [path for path in (tree / "ext").glob("*.pyx") if path.stem != module]
    for path in others:
        path.rename(path.with_suffix(".aside"))
    command = [sys.executable, "setup.py", "-q", "build_ext", "--build-lib", "built", "--force"]
    done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
    for path in others:
        path.with_suffix(".aside").rename(path)
    if done.returncode:
        raise ValueError(f"{module} cannot be built: {done.stderr.strip()[-300:]}")
    for compiled in (tree / "built" / "nnlite_ext").iterdir():
        shutil.copy2(compiled, tree / "nnlite_ext" / compiled.name)


def run_tests(tests: str, tree: Path) -> int:
    """The exit code of pytest in the copy: 0 all passed, 1 a test failed, anything else is no answer."""
    options = ["-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-m", "thorough or not thorough"]
    command = [sys.executable, "-m", "pytest", *options, *tests.split()]
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(
            command, cwd=tree, env=environment, capture_output=True, timeout=LONGEST
        ).returncode
    except subprocess.TimeoutExpired:
        return -1


def judge(fault: Fault, tree: Path) -> str:
    """Plant one fault, run its tests, and undo it: "caught", "missed", or why neither can be said."""
    path = tree / fault.file
    sound = path.read_bytes() if path.is_file() else b""
    kernels = tree / "nnlite_ext"
    try:
        plant(fault, tree)
        if fault.module:
            shutil.copytree(kernels, tree / "sound_kernels")
            build(fault.module, tree)
        code = run_tests(fault.tests, tree)
        return {0: "missed", 1: "caught"}.get(code, f"no answer: pytest ended with {code}")
    except ValueError as problem:
        return f"not planted: {problem}"
    finally:
        if path.is_file():
            path.write_bytes(sound)
        if (tree / "sound_kernels").is_dir():
            shutil.rmtree(kernels)
            (tree / "sound_kernels").rename(kernels)


def main(names: list[str]) -> int:
    """Judge the faults; returns the exit code."""
    faults = read_faults((ROOT / "tests/tools/faults.txt").read_text(encoding="utf-8"))
    chosen = [fault for fault in faults if not names or any(name in fault.name for name in names)]
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        copy_tree(tree)
        sound = sorted({test for fault in chosen for test in fault.tests.split()})
        if not chosen or run_tests(" ".join(sound), tree) != 0:
            print(f"no fault of this name, or the tests fail without any: {' '.join(sound)}")
            return 2
        verdicts = []
        for fault in chosen:
            begin = time.perf_counter()
            verdicts.append(judge(fault, tree))
            seconds = time.perf_counter() - begin
            print(f"{verdicts[-1]:7} {seconds:4.0f} s  {fault.name}  ({fault.file})", flush=True)
    print(f"{verdicts.count('caught')} of {len(chosen)} caught")
    return 2 if set(verdicts) - {"caught", "missed"} else int("missed" in verdicts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
