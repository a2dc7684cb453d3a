"""The same numbers in other memory layouts: functions array -> array, by name."""

import numpy as np


def read_only(a):
    """A copy that refuses writes."""
    copy = a.copy()
    copy.flags.writeable = False
    return copy


def strided(a):
    """Every second number of the last axis of a larger array."""
    return np.repeat(a, 2, axis=-1)[..., ::2]


def byte_swapped(a):
    """The other byte order; types of one byte have none."""
    return a.astype(a.dtype.newbyteorder())


def unaligned(a):
    """The numbers begin one byte after an aligned address."""
    raw = np.zeros(a.nbytes + 1, np.uint8)
    raw[1:] = np.ascontiguousarray(a).view(np.uint8).reshape(-1)
    return raw[1:].view(a.dtype).reshape(a.shape)


LAYOUTS = {
    "read-only": read_only,
    "Fortran": np.asfortranarray,
    "strided": strided,
    "every second row": lambda a: np.repeat(a, 2, axis=0)[::2],
    "negative strides": lambda a: np.flip(np.ascontiguousarray(np.flip(a))),
    "a window": lambda a: np.pad(a, 1)[(slice(1, -1),) * a.ndim],
    "transposed": lambda a: np.ascontiguousarray(a.T).T,
    "byte-swapped": byte_swapped,
    "unaligned": unaligned,
}
