"""The instruction set and the thread pool that all compiled kernels share; see simd/cpu.h and threads/threads.h.

The environment variable NNLITE_TARGET forces one instruction set (a name of `targets()`). Importing this module raises
ValueError when this machine does not have it.
"""

import os

from cpython.pycapsule cimport PyCapsule_New

cdef extern from "simd/cpu.h" nogil:
    int NNLITE_LEVELS
    const char *nnlite_level_names[]
    const int nnlite_vector_bytes[]
    int nnlite_level_available(int level)
    int nnlite_best_level()
    int nnlite_level_named(const char *name)

cdef extern from "threads/threads.h" nogil:
    ctypedef void (*part_function)(void *job, int part, int parts) noexcept nogil
    struct runtime:
        int level
        int threads
        void (*run)(part_function work, void *job, int parts) noexcept nogil
    const char *NNLITE_RUNTIME_NAME
    cpdef enum:
        MOST_THREADS
    struct pool_type "pool":
        int wanted
    pool_type pool
    void pool_run(part_function work, void *job, int parts) noexcept nogil
    void pool_prepare()

cdef runtime shared
shared.threads = 1
shared.run = pool_run
pool_prepare()


def target() -> str:
    """The instruction set in use."""
    return nnlite_level_names[shared.level].decode()


def targets() -> list[str]:
    """The instruction sets that this machine and this build have, from the plainest up."""
    return [nnlite_level_names[level].decode() for level in range(NNLITE_LEVELS) if nnlite_level_available(level)]


def set_target(name: str) -> None:
    """Use the instruction set `name` from now on.

    Raises ValueError when the name is unknown or this machine lacks it.
    """
    cdef int level = nnlite_level_named(name.encode())
    if level < 0 or not nnlite_level_available(level):
        raise ValueError(f"target {name!r} is not available here; choose one of {', '.join(targets())}")
    shared.level = level


def lanes(itemsize: int = 4) -> int:
    """Numbers of `itemsize` bytes in one vector of the target in use; 1 without vectors."""
    return max(nnlite_vector_bytes[shared.level] // itemsize, 1)


def get_num_threads() -> int:
    """Threads a kernel may use, the calling one included; 1 until `set_num_threads` is called."""
    return shared.threads


def set_num_threads(count: int) -> None:
    """Let kernels use `count` threads. Do not call it while a kernel runs in another Python thread.

    Raises ValueError when count is not in 1..MOST_THREADS.
    """
    if not 1 <= count <= MOST_THREADS:
        raise ValueError(f"the number of threads must be between 1 and {MOST_THREADS}, not {count}")
    shared.threads = count
    pool.wanted = count - 1


def _initial_target() -> str:
    forced = os.environ.get("NNLITE_TARGET")
    if not forced:
        return nnlite_level_names[nnlite_best_level()].decode()
    if forced not in targets():
        raise ValueError(
            f"NNLITE_TARGET={forced!r} is not available here; unset it or choose one of {', '.join(targets())}"
        )
    return forced


set_target(_initial_target())
runtime_capsule = PyCapsule_New(<void *> &shared, NNLITE_RUNTIME_NAME, NULL)
