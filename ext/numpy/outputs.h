/* New arrays for results. Small ones are slices of a larger array, at half the cost of np.empty.

   A live result keeps its whole slab alive, at most SLAB_BYTES. Call arrays_prepare() first. */
#ifndef NNLITE_OUTPUTS_H
#define NNLITE_OUTPUTS_H

#include "numpy/arrays.h"

#define SLAB_BYTES 4096
#define SLAB_ARRAYS 64

struct outputs { /* all zero to begin with */
    PyObject *slab; /* (count, rows[, columns]) */
    char *start;
    Py_ssize_t rows, columns, size, next, count;
    int type;
};

static int outputs_renew(struct outputs *from, int type, Py_ssize_t rows, Py_ssize_t columns) {
    struct numbers found;
    Py_ssize_t size = rows * (columns ? columns : 1) * array_itemsizes[type];
    Py_ssize_t count = size * SLAB_ARRAYS <= SLAB_BYTES ? SLAB_ARRAYS : size * 2 <= SLAB_BYTES ? SLAB_BYTES / size : 1;
    const char *format = columns ? "(nnn)O" : "(nn)O";
    PyObject *slab = columns ? PyObject_CallFunction(numpy_facts.empty, format, count, rows, columns, numpy_facts.descr[type])
                             : PyObject_CallFunction(numpy_facts.empty, format, count, rows, numpy_facts.descr[type]);
    Py_CLEAR(from->slab);
    from->rows = -1;
    if (slab == NULL) return -1;
    if (!take_array(slab, type, columns ? 3 : 2, &found)) {
        Py_DECREF(slab);
        PyErr_SetString(PyExc_RuntimeError, "numpy.empty gave no plain array");
        return -1;
    }
    from->slab = slab;
    from->start = (char *)found.data;
    from->type = type, from->rows = rows, from->columns = columns, from->size = size;
    from->next = 0, from->count = count;
    drop_array(&found);
    return 0;
}

/* A new array (rows, columns), or (rows,) when columns is 0, and the address of its numbers; NULL with an exception set. */
static inline PyObject *new_output(struct outputs *from, int type, Py_ssize_t rows, Py_ssize_t columns, void **data) {
    if (rows != from->rows || columns != from->columns || type != from->type || from->next == from->count)
        if (outputs_renew(from, type, rows, columns) != 0) return NULL;
    *data = from->start + from->next * from->size;
    return PySequence_GetItem(from->slab, from->next++);
}

static inline void drop_outputs(struct outputs *from) { Py_CLEAR(from->slab); }

#endif
