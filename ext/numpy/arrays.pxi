"""Declarations of arrays.h."""

cdef extern from "numpy/arrays.h":
    enum:
        FLOAT32, FLOAT64, INT64, BOOL, BYTE
    struct numbers:
        void *data
        const Py_ssize_t *shape
    struct arrays:
        numbers at[6]
        int count
    bint take_array(object x, int type, int axes, numbers *found)
    void drop_array(numbers *found)
    bint take_next(arrays *taken, object x, int type, int axes)
    int take_floating(arrays *taken, object x, int axes)
    void drop_arrays(arrays *taken)
    int arrays_prepare() except -1
