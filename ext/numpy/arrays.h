/* Access to the numbers of NumPy arrays, without NumPy's headers.

   take_array(x, type, axes, &array) is 1 when x is an aligned C-contiguous array of this type with this many axes. Then
   array.data and array.shape are valid until drop_array(&array). Otherwise it is 0, no exception is set, and the caller
   converts or refuses x.

   For an ndarray this takes nanoseconds: its first fields are read directly. NumPy's macros (PyArray_DATA, PyArray_DIMS,
   ...) compile the same fields into every extension, so its binary interface fixes them. arrays_prepare() still checks them
   on a known array first. Arrays that fail the direct test, and other objects with a buffer, use Python's buffer protocol. */
#ifndef NNLITE_ARRAYS_H
#define NNLITE_ARRAYS_H

#include <Python.h>
#include <stdint.h>
#include <string.h>

enum array_type { FLOAT32, FLOAT64, INT64, BOOL, BYTE, ARRAY_TYPES };

struct numbers {
    void *data;
    const Py_ssize_t *shape;
    int held; /* by the buffer protocol */
    Py_buffer buffer;
};

struct array_fields {
    PyObject_HEAD
    char *data;
    int axes;
    Py_ssize_t *shape, *strides;
    PyObject *base, *descr;
    int flags;
};

#define ARRAY_C_CONTIGUOUS 0x0001
#define ARRAY_ALIGNED 0x0100
#define ARRAY_READY (ARRAY_C_CONTIGUOUS | ARRAY_ALIGNED)

static struct {
    int known; /* struct array_fields matches an ndarray */
    PyTypeObject *ndarray;
    PyObject *empty; /* numpy.empty */
    PyObject *descr[ARRAY_TYPES];
} numpy_facts;

static const char *const array_formats[ARRAY_TYPES] = {"f", "d", "lq", "?", "B"};
static const Py_ssize_t array_itemsizes[ARRAY_TYPES] = {4, 8, 8, 1, 1};

static inline int take_fields(PyObject *x, int type, int axes, struct numbers *array) {
    const struct array_fields *fields = (const struct array_fields *)x;
    if (Py_TYPE(x) != numpy_facts.ndarray || fields->descr != numpy_facts.descr[type] || fields->axes != axes ||
        (fields->flags & ARRAY_READY) != ARRAY_READY)
        return 0;
    array->data = fields->data;
    array->shape = fields->shape;
    array->held = 0;
    return 1;
}

static inline int take_buffer(PyObject *x, int type, int axes, struct numbers *array) {
    Py_buffer *buffer = &array->buffer;
    if (!PyObject_CheckBuffer(x)) return 0;
    if (PyObject_GetBuffer(x, buffer, PyBUF_FORMAT | PyBUF_C_CONTIGUOUS) != 0) {
        PyErr_Clear();
        return 0;
    }
    if (buffer->ndim != axes || buffer->itemsize != array_itemsizes[type] || strlen(buffer->format) != 1 ||
        strchr(array_formats[type], buffer->format[0]) == NULL || (uintptr_t)buffer->buf % (size_t)buffer->itemsize) {
        PyBuffer_Release(buffer);
        return 0;
    }
    array->data = buffer->buf;
    array->shape = buffer->shape;
    array->held = 1;
    return 1;
}

static inline int take_array(PyObject *x, int type, int axes, struct numbers *array) {
    return (numpy_facts.known && take_fields(x, type, axes, array)) || take_buffer(x, type, axes, array);
}

static inline void drop_array(struct numbers *array) {
    if (array->held) PyBuffer_Release(&array->buffer);
    array->held = 0;
}

/* The arrays of one call, dropped together. */
struct arrays {
    struct numbers at[6];
    int count; /* 0 to begin with */
};

static inline int take_next(struct arrays *arrays, PyObject *x, int type, int axes) {
    return take_array(x, type, axes, &arrays->at[arrays->count]) && ++arrays->count;
}

/* Takes x as an array of either floating type; gives FLOAT32, FLOAT64, or -1 when it is neither. */
static inline int take_floating(struct arrays *arrays, PyObject *x, int axes) {
    return take_next(arrays, x, FLOAT32, axes) ? FLOAT32 : take_next(arrays, x, FLOAT64, axes) ? FLOAT64 : -1;
}

static inline void drop_arrays(struct arrays *arrays) {
    while (arrays->count) drop_array(&arrays->at[--arrays->count]);
}

/* Do the fields of `probe`, a float32 array of shape (2, 3), agree with its buffer? */
static inline int fields_agree(PyObject *probe) {
    struct numbers fields, buffer;
    int agree;
    if (!take_buffer(probe, FLOAT32, 2, &buffer)) return 0;
    agree = take_fields(probe, FLOAT32, 2, &fields) && fields.data == buffer.data && fields.shape[0] == 2 &&
            fields.shape[1] == 3;
    drop_array(&buffer);
    return agree;
}

/* Call once per module, before the first take_array; -1 with an exception set when there is no NumPy. */
static int arrays_prepare(void) {
    static const char *const names[ARRAY_TYPES] = {"float32", "float64", "int64", "bool", "uint8"};
    PyObject *numpy = PyImport_ImportModule("numpy"), *probe = NULL, *turned = NULL;
    struct numbers ignored;
    int type;
    if (numpy == NULL) return -1;
    numpy_facts.ndarray = (PyTypeObject *)PyObject_GetAttrString(numpy, "ndarray"); /* these references are kept */
    numpy_facts.empty = PyObject_GetAttrString(numpy, "empty");
    for (type = 0; type < ARRAY_TYPES; type++)
        numpy_facts.descr[type] = PyObject_CallMethod(numpy, "dtype", "s", names[type]);
    probe = PyObject_CallMethod(numpy, "zeros", "(ii)s", 2, 3, "float32");
    turned = probe ? PyObject_GetAttrString(probe, "T") : NULL;
    if (turned && numpy_facts.ndarray && numpy_facts.ndarray->tp_basicsize >= (Py_ssize_t)sizeof(struct array_fields))
        numpy_facts.known = fields_agree(probe) && !take_fields(turned, FLOAT32, 2, &ignored);
    Py_XDECREF(turned);
    Py_XDECREF(probe);
    Py_DECREF(numpy);
    return PyErr_Occurred() ? -1 : 0;
}

#endif
