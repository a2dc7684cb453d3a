"""Kills, and failing system calls, in the middle of checkpoints: `python -m tests.tools.kills random 1000`,
`python -m tests.tools.kills calls`, `python -m tests.tools.kills full`.

random N   SIGKILL at N random moments of a process that writes one checkpoint after the other
calls      SIGKILL at every system call of a checkpoint, and every error that a disk gives at every call that
           touches it; needs Linux and strace; `calls quick`: only those that touch the disk, one error each
full       the largest file that may be written is limited to every size that matters

After each: the checkpoint is read. It must be whole, not older than the last one that was finished, and after
a reported error byte for byte the one before (or the whole new one). Prints the counts as JSON; exit
code 1 unless all is well.
"""

import collections
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from rl.core.ring import Ring
from rl.runs.checkpoint import Checkpoints

ROWS, ROW = 160, 1 << 15  # a ring of 5 MB: it is kept in blocks
DISK_CALLS = ("openat", "write", "pwrite64", "writev", "fsync", "rename", "renameat2", "ftruncate", "mkdir")
ERRORS = ("ENOSPC", "EIO", "EROFS")


def state(number: int) -> dict[str, Any]:
    """The content of checkpoint `number`; the number determines every part."""
    frames = np.zeros((ROWS, ROW), np.uint8)
    written = 37 * number
    for row in range(max(0, written - ROWS), written):
        frames[row % ROWS, ::50] = row % 251
    generator = np.random.default_rng(number)
    return {
        "number": number,
        "frames": Ring(frames, ROWS, np.array([written])),
        "weights": generator.standard_normal(20_000).astype(np.float32),
        "generator": generator.bit_generator.state,
    }


def is_whole(found: dict[str, Any]) -> bool:
    """Check that the read state is exactly one of the states."""
    wanted = state(found["number"])
    return (
        np.array_equal(found["frames"], wanted["frames"].array)
        and found["weights"].tobytes() == wanted["weights"].tobytes()
        and found["generator"] == wanted["generator"]
    )


def write_on(folder: Path, tell: int, checkpoints: int) -> None:
    """Load the last checkpoint and write further ones, printing the number of each that is finished."""
    keeper = Checkpoints(folder)
    last = keeper.load()["number"] if keeper.path.exists() else 0
    os.write(tell, b"r\n")
    for number in range(last + 1, last + 1 + checkpoints):
        keeper.save(state(number))
        keeper.wait()
        os.write(tell, f"{number}\n".encode())


def forked(
    folder: Path, checkpoints: int, wait_for: int | None = None, limit: int | None = None
) -> tuple[int, int]:
    """(process, what it tells): a new process in write_on; it exits with 3 when a write was refused."""
    ears, tell = os.pipe()
    child = os.fork()
    if child:
        os.close(tell)
        return child, ears
    os.close(ears)
    try:
        if wait_for is not None:
            os.read(wait_for, 1)
        if limit is not None:
            import resource

            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        write_on(folder, tell, checkpoints)
    except OSError:
        os._exit(3)
    finally:
        os._exit(0)


def told(ears: int) -> int:
    """The last finished checkpoint that the dead process told; 0 for none."""
    text = b""
    while more := os.read(ears, 1 << 16):
        text += more
    os.close(ears)
    return max((int(line) for line in text.split() if line.isdigit()), default=0)


class Judge:
    """Reads the checkpoint after each trial and counts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.finished = folder, 0
        self.counts: collections.Counter[str] = collections.Counter()

    def judge(self, finished: int, before: dict[str, bytes] | None = None) -> None:
        """finished: what the process told; before: the files, when it told that a write was refused."""
        self.finished = max(self.finished, finished)
        self.counts["trials"] += 1
        if not (self.folder / "checkpoint.safetensors").exists():
            self.counts["none yet" if self.finished == 0 else "LOST"] += 1
            return
        try:
            found = Checkpoints(self.folder).load()
        except (ValueError, OSError) as problem:
            print(problem, file=sys.stderr)
            self.counts["UNREADABLE"] += 1
            return
        if not is_whole(found):
            self.counts["MIXED"] += 1
        elif found["number"] < self.finished:
            self.counts["TOO OLD"] += 1
        else:
            self.counts["newer than told" if found["number"] > self.finished else "as told"] += 1
            self.finished = found["number"]
        if before is not None and kept_files(self.folder) != before and found["number"] == finished:
            self.counts["CHANGED BY A REFUSED WRITE"] += 1
        if list(self.folder.glob(".*.tmp")):
            self.counts["STALE FILES"] += 1

    def judge_write(self, status: int, finished: int, before: dict[str, bytes]) -> None:
        """The same for a process that ended by itself; exit code 3 says that a write was refused."""
        refused = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 3
        self.counts["refused" if refused else "accepted"] += 1
        self.judge(finished, before if refused else None)

    @property
    def bad(self) -> int:
        return sum(count for name, count in self.counts.items() if name.isupper())


def kept_files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("checkpoint*")}


def random_moments(folder: Path, number: int) -> Judge:
    """SIGKILL after a random time, over and over, in one folder."""
    judge, rng = Judge(folder), np.random.default_rng()
    for _ in range(number):
        child, ears = forked(folder, 1_000_000)
        os.read(ears, 2)  # it has loaded what was there
        time.sleep(rng.uniform(0, 0.12))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        judge.judge(told(ears))
    return judge


def traced(folder: Path, options: list[str], log: Path) -> tuple[int, int]:
    """(exit status, told): one checkpoint written by a process under strace."""
    hold, go = os.pipe()
    child, ears = forked(folder, 1, wait_for=hold)
    command = ["strace", "-f", "-p", str(child), "-o", str(log), *options]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    line = tracer.stderr.readline()
    if "attached" not in line:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise PermissionError(f"strace cannot attach here: {line.strip()}")
    os.write(go, b"g")
    _, status = os.waitpid(child, 0)
    tracer.wait()
    for end in (hold, go):
        os.close(end)
    return status, told(ears)


def calls_of_a_checkpoint(folder: Path, log: Path) -> dict[str, int]:
    """{system call: how often one thread makes it}, from one checkpoint that nothing disturbs."""
    traced(folder, [], log)
    per_thread = collections.Counter(re.findall(r"^(\d+) +(\w+)\(", log.read_text(), re.M))
    return {name: count for (_, name), count in sorted(per_thread.items(), key=lambda item: item[1])}


def every_call(folder: Path, log: Path, quick: bool) -> Judge:
    """SIGKILL at each system call of a checkpoint; each error of a disk at each that touches it."""

    def inject(call: str, fault: str, nth: int) -> tuple[int, int]:
        return traced(folder, ["-e", f"trace={call}", "-e", f"inject={call}:{fault}:when={nth}"], log)

    if shutil.which("strace") is None:
        raise PermissionError("strace is not installed")
    judge = Judge(folder)
    write_first(folder)
    calls = calls_of_a_checkpoint(folder, log)
    judge.judge(0)
    disk = {name: count for name, count in calls.items() if name in DISK_CALLS}
    for name, count in (disk if quick else calls).items():
        for nth in range(1, min(count, 40) + 1):
            status, finished = inject(name, "signal=SIGKILL", nth)
            judge.counts["killed" if os.WIFSIGNALED(status) else "survived"] += 1
            judge.judge(finished)
    for name, count in disk.items():
        for nth in range(1, count + 1):
            for error in ERRORS[:1] if quick else ERRORS:
                before = kept_files(folder)
                status, finished = inject(name, f"error={error}", nth)
                judge.judge_write(status, finished, before)
    return judge


def every_size(folder: Path) -> Judge:
    """A limit on the size of a file, as a full disk sets one, from 0 to more than a checkpoint takes."""
    judge = Judge(folder)
    write_first(folder)
    largest = max(path.stat().st_size for path in folder.glob("checkpoint*"))
    for limit in [0, 1, 4096, *np.linspace(1, largest + 10_000, 20).astype(int).tolist()]:
        before = kept_files(folder)
        child, ears = forked(folder, 1, limit=limit)
        _, status = os.waitpid(child, 0)
        judge.judge_write(status, told(ears), before)
    return judge


def write_first(folder: Path) -> None:
    """A checkpoint that can be lost."""
    child, ears = forked(folder, 3)
    os.waitpid(child, 0)
    told(ears)


def main() -> int:
    """See the module."""
    what, more = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        folder.mkdir()
        try:
            if what == "random":
                judge = random_moments(folder, int(more[0]))
            elif what == "calls":
                judge = every_call(folder, Path(place) / "log", "quick" in more)
            else:
                judge = every_size(folder)
        except PermissionError as problem:
            print(json.dumps({"skipped": str(problem)}))
            return 0
    print(json.dumps(judge.counts))
    return 1 if judge.bad else 0


if __name__ == "__main__":
    sys.exit(main())
