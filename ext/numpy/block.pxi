"""Block: memory that a compiled object owns."""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport uintptr_t


cdef class Block:
    """An owned, growable buffer, aligned to 64 bytes."""

    cdef void *raw
    cdef char *start
    cdef size_t size

    cdef int hold(self, size_t size) except -1:
        """Make it at least `size` bytes; growing loses the contents."""
        if size <= self.size:
            return 0
        PyMem_Free(self.raw)
        self.size = 0
        self.raw = PyMem_Malloc(size + 64)
        if self.raw == NULL:
            raise MemoryError
        self.start = <char *> ((<uintptr_t> self.raw + 63) // 64 * 64)
        self.size = size
        return 0

    def __dealloc__(self):
        PyMem_Free(self.raw)
