"""Declarations of bitgen.h, and the bit generator of a capsule."""

from cpython.pycapsule cimport PyCapsule_GetPointer

cdef extern from "numpy/bitgen.h" nogil:
    struct bitgen:
        pass
    double draw(bitgen *bits) noexcept


cdef inline bitgen *bits_of(bit_generator) except NULL:
    return <bitgen *> PyCapsule_GetPointer(bit_generator.capsule, "BitGenerator")
