"""Declarations of outputs.h."""

cdef extern from "numpy/outputs.h":
    struct outputs:
        pass
    object new_output(outputs *from_, int type, Py_ssize_t rows, Py_ssize_t columns, void **data)
    void drop_outputs(outputs *from_)
