"""A whole small network, convolutions if any and Dense layers, in one call per pass, for float32 and float64.

    z[n, m] = bias[m] + sum over d  x[n, d] * kernel[d, m],    y = f(z),    layer after layer
    dkernel = x' dz,  dbias = sum of dz over n,  dx = dz kernel',    dz = dy f'(z)

On such networks Python objects cost more than the arithmetic. A CompiledNetwork therefore keeps the addresses of the flat
arrays and owns its workspace. Checking an array of the right type costs a comparison of pointers.

Contract: arrays that do not fit (a list, another type or shape, strides) go to `otherwise`, the passes layer by layer. They
convert them, refuse them, or run instead. After the first passes nothing is allocated but the returned arrays.
Threads: a short pass keeps the GIL, and is alone by that. A pass that releases it, or calls Python, takes its turn; as long as
somebody has it, every pass of another thread waits.
Twin: the layers of nnlite/layers/__init__.py; tests/nnlite/test_compiled.py keeps the two equal."""

cimport cython
from cpython.pycapsule cimport PyCapsule_GetPointer
from cpython.pythread cimport PyThread_get_thread_ident
from libc.stddef cimport ptrdiff_t

from threading import RLock

import numpy as np

from nnlite_ext import _threads

cdef extern from "threads/runtime.h" nogil:
    struct runtime:
        int level
    const char *NNLITE_RUNTIME_NAME

include "numpy/arrays.pxi"

cdef extern from "network/network.h" nogil:
    cpdef enum:
        MOST_LAYERS, MOST_CONVS
    struct network_layer:
        ptrdiff_t inputs, outputs, kernel, bias
        int activation
    struct small_conv:
        ptrdiff_t height, width, channels, kernel_height, kernel_width, stride_y, stride_x, top, left
        ptrdiff_t out_height, out_width, filters, kernel, bias
        int activation
    struct network:
        int convs, layers
        small_conv *conv
        network_layer *layer
        const void *params
        void *grads
    struct network_pass:
        const network *net
        ptrdiff_t rows
        const void *x
        void *maps
        void *hidden
        void *y
        void *workspace
        int logits
        const void *dy
        void *dx
    enum:
        FORWARD, BACKWARD
    void network_run(int direction, int itemsize, int level, const network_pass *) noexcept
    ptrdiff_t network_hidden_width(const network *) noexcept
    ptrdiff_t network_workspace_size(const network *, ptrdiff_t rows) noexcept
    ptrdiff_t network_maps_size(const network *, ptrdiff_t rows, int itemsize) noexcept

include "numpy/outputs.pxi"
include "numpy/block.pxi"

cdef const runtime *shared = <const runtime *> PyCapsule_GetPointer(_threads.runtime_capsule, NNLITE_RUNTIME_NAME)

ACTIVATIONS = ("linear", "relu", "sigmoid", "tanh", "softplus", "softmax")    # enum activation of network.h
cpdef enum:
    PREDICT_BATCH = 256         # the default batch_size of predict
cdef enum:
    MOST_AXES = 8
    LONG = 200000               # multiplications: longer passes release the GIL

cdef object empty = np.empty


arrays_prepare()


cdef inline unsigned long current_thread() noexcept:
    return <unsigned long> PyThread_get_thread_ident()


@cython.final
cdef class Turn:
    """The lock of a network; one thread may take it several times."""

    cdef object lock
    cdef readonly int busy                     # how often it is taken

    def __cinit__(self):
        self.lock = RLock()

    def __enter__(self):
        self.lock.acquire()
        self.busy += 1

    def __exit__(self, *problem):
        self.busy -= 1
        self.lock.release()


@cython.final
cdef class CompiledNetwork:
    """The passes (see nnlite.passes) of a network with its weights in `params` (P,) and their gradients in `grads` (P,).

    convs        (H, W, C, KH, KW, SY, SX, top, left, OH, OW, F, kernel, bias, activation) of each convolution, named as in
                 small_conv.h; any activation but softmax
    layers       (inputs, outputs, kernel, bias, activation) of each Dense layer. kernel and bias are offsets in params;
                 bias -1: none, kernel -1: a layer without weights
    input_shape  of one example; without convolutions, several axes are read as one row
    most_rows    the largest batch; larger ones go to `otherwise`
    otherwise    the nnlite.passes.LayerPasses of the same network
    """

    cdef network net
    cdef network_pass kept_pass                # the last forward
    cdef numbers source                        # its x
    cdef object x, y, params, grads, dtype, ys, dxs
    cdef readonly object otherwise
    cdef Turn turn
    cdef unsigned long owner                            # the thread of the pending forward
    cdef bint pending, pending_otherwise       # is there a forward without a backward, here or by the layers?
    cdef int type, axes
    cdef Py_ssize_t shape[MOST_AXES]
    cdef Py_ssize_t inputs, outputs, itemsize, most_rows, work, hidden_row, workspace_rows, y_rows
    cdef tuple input_shape
    cdef Block kept, passing, workspace
    cdef outputs single, several               # for one row, for more

    def __cinit__(self, params, grads, convs, layers, input_shape, Py_ssize_t most_rows, otherwise):
        if len(convs) > MOST_CONVS or not 1 <= len(layers) <= MOST_LAYERS or not 1 <= len(input_shape) < MOST_AXES:
            raise ValueError(f"{len(convs)} + {len(layers)} layers, input shape {input_shape}: more than the compiled passes take")
        self.params, self.grads, self.dtype, self.most_rows = params, grads, params.dtype, most_rows
        self.otherwise, self.turn, self.itemsize = otherwise, otherwise.lock, self.dtype.itemsize
        self.type = FLOAT32 if self.itemsize == 4 else FLOAT64
        self.net.params, self.net.grads = self.flat(params), self.flat(grads)
        self.input_shape, self.axes, self.inputs = tuple(input_shape), len(input_shape) + 1, 1
        for axis, size in enumerate(input_shape):
            self.shape[axis] = size
            self.inputs *= size
        self.chain(layers, self.convolutions(convs))
        self.hidden_row = network_hidden_width(&self.net) * self.itemsize
        self.kept, self.passing, self.workspace = Block(), Block(), Block()
        self.ys, self.dxs = {}, {}

    def __dealloc__(self):
        drop_array(&self.source)
        drop_outputs(&self.single)
        drop_outputs(&self.several)

    cdef void *flat(self, object weights) except NULL:
        cdef numbers found
        if weights.dtype != self.dtype or weights.shape != self.params.shape or not take_array(weights, self.type, 1, &found):
            raise ValueError("params and grads must be flat, contiguous and alike")
        drop_array(&found)                     # the arrays of a model never move
        return found.data

    cdef Py_ssize_t convolutions(self, convs) except -1:
        """Check that the convolutions fit together and into params, and store them; gives the number of their outputs."""
        cdef small_conv *at
        cdef Py_ssize_t size = self.params.shape[0]
        shape = self.input_shape
        for index, (*sizes, bias, activation) in enumerate(convs):
            H, W, C, KH, KW, SY, SX, top, left, OH, OW, F, kernel = sizes
            if (H, W, C) != shape or min(*sizes[:7], OH, OW, F) < 1 or min(top, left, kernel) < 0 or activation == "softmax" \
                    or kernel + KH * KW * C * F > size or bias + F > size:
                raise ValueError(f"convolution {index} {tuple(sizes)} does not fit into {shape} or {size} weights")
            at = &self.net.conv[index]
            at.height, at.width, at.channels = H, W, C
            at.kernel_height, at.kernel_width, at.stride_y, at.stride_x, at.top, at.left = KH, KW, SY, SX, top, left
            at.out_height, at.out_width, at.filters, at.kernel, at.bias = OH, OW, F, kernel, bias
            at.activation = ACTIVATIONS.index(activation)
            self.work += OH * OW * KH * KW * C * F
            shape = OH, OW, F
        self.net.convs = len(convs)
        return int(np.prod(shape))

    cdef int chain(self, layers, Py_ssize_t width) except -1:
        """Check and store the Dense layers, of which the first reads `width` numbers."""
        cdef network_layer *layer
        cdef Py_ssize_t size = self.params.shape[0]
        for index, (inputs, outputs, kernel, bias, activation) in enumerate(layers):
            fits = inputs == width and outputs >= 1 and (kernel >= 0 or (inputs == outputs and bias < 0))
            if not fits or kernel + inputs * outputs * (kernel >= 0) > size or bias + outputs > size:
                raise ValueError(f"layer {index} ({inputs} -> {outputs}) does not fit")
            layer = &self.net.layer[index]
            layer.inputs, layer.outputs, layer.kernel, layer.bias = inputs, outputs, kernel, bias
            layer.activation = ACTIVATIONS.index(activation)
            self.work += inputs * outputs
            width = outputs
        self.net.layers = len(layers)
        self.outputs = width
        return 0

    cdef Py_ssize_t rows_of(self, const numbers *x) noexcept:
        """N of an x (N, ...) that fits, else 0."""
        cdef int axis
        for axis in range(self.axes - 1):
            if x.shape[axis + 1] != self.shape[axis]:
                return 0
        return x.shape[0] if x.shape[0] <= self.most_rows else 0

    def predict(self, x, batch_size=PREDICT_BATCH, bint logits=False):
        """y (N, M), a new array; with the default batch_size all rows at once, if they fit."""
        y = self.predict_at_once(x, logits) if batch_size == PREDICT_BATCH else None
        return self.otherwise.in_batches(self.predict_batch, x, batch_size, logits) if y is None else y

    def predict_batch(self, x, bint logits):
        """y (N, M) for one batch of `otherwise.in_batches`."""
        y = self.predict_at_once(x, logits)
        return self.otherwise.predict_batch(x, logits) if y is None else y

    cdef object predict_at_once(self, x, bint logits):
        """y (N, M), a new array; None when x does not fit."""
        cdef numbers found
        if not take_array(x, self.type, self.axes, &found):
            return None
        try:
            if self.rows_of(&found) == 0:
                return None
            if self.is_alone(found.shape[0]):
                return self.run_predict(&found, logits)
            with self.turn:
                return self.run_predict(&found, logits)
        finally:
            drop_array(&found)

    cdef object run_predict(self, const numbers *x, bint logits):
        cdef network_pass run
        run.rows = x.shape[0]
        self.prepare(self.passing, &run)
        y = new_output(&self.single if run.rows == 1 else &self.several, self.type, run.rows, self.outputs, &run.y)
        run.net, run.logits, run.x = &self.net, logits, x.data
        self.go(FORWARD, &run)
        return y

    cdef inline bint is_alone(self, Py_ssize_t rows) noexcept:
        """Can a pass of this number of rows run without taking its turn?"""
        return self.turn.busy == 0 and rows * self.work < LONG

    def forward(self, x, bint logits=False):
        """y (N, M), an array of this object, for a backward to follow."""
        if self.turn.busy == 0 and self.begin(x) and self.is_alone(self.kept_pass.rows):
            return self.run_forward(logits)
        with self.turn:
            if self.begin(x) or self.begin(self.otherwise.read(x)):
                return self.run_forward(logits)
            self.pending_otherwise = True
            return self.otherwise.forward(x, logits)

    cdef bint begin(self, x) except -1:
        """Forget the last forward, and keep x for a new one; False when it does not fit."""
        self.pending = False
        self.release()
        if self.pending_otherwise:
            self.otherwise.pending, self.pending_otherwise = None, False
        return self.hold(x)

    cdef object run_forward(self, bint logits):
        cdef network_pass *run = &self.kept_pass
        self.prepare(self.kept, run)
        if run.rows != self.y_rows:
            self.y, self.y_rows = self.buffer(self.ys, (run.rows, self.outputs), &run.y), run.rows
        run.net, run.logits, run.x = &self.net, logits, self.source.data
        self.go(FORWARD, run)
        self.pending, self.owner = True, current_thread()
        return self.y

    def backward(self, dy, bint need_dx=False):
        """Fill grads from dy (N, M), by the passes that ran the last forward; gives dx (N, ...) if need_dx."""
        cdef numbers found
        if not self.pending or self.owner != current_thread():
            return self.otherwise.backward(dy, need_dx)
        if not take_array(dy, self.type, 2, &found) or not self.fits_output(&found):
            dy = self.otherwise.read_gradient(dy, self.y.shape)
            take_array(dy, self.type, 2, &found)
        if self.is_alone(self.kept_pass.rows):
            return self.run_backward(&found, need_dx)
        with self.turn:
            return self.run_backward(&found, need_dx)

    cdef object run_backward(self, numbers *dy, bint need_dx):
        cdef network_pass *run = &self.kept_pass
        dx = None
        if not self.pending or self.owner != current_thread():    # another thread's forward came between
            drop_array(dy)
            return self.otherwise.backward(None, need_dx)
        self.pending = False
        run.dy, run.dx, run.workspace = dy.data, NULL, self.workspace.start
        if need_dx:
            dx = self.buffer(self.dxs, (run.rows, *self.input_shape), &run.dx)
        self.go(BACKWARD, run)
        drop_array(dy)
        self.release()
        return dx

    cdef inline bint hold(self, x) noexcept:
        """Keep x for the forward and its backward; False when it does not fit."""
        if not take_array(x, self.type, self.axes, &self.source):
            return False
        self.x, self.kept_pass.rows = x, self.rows_of(&self.source)
        if self.kept_pass.rows == 0:
            self.release()
        return self.kept_pass.rows != 0

    cdef inline void release(self) noexcept:
        self.x = None
        drop_array(&self.source)

    cdef inline void go(self, int direction, const network_pass *run) noexcept:
        cdef int itemsize = self.itemsize
        if run.rows * self.work < LONG:
            network_run(direction, itemsize, shared.level, run)
        else:
            with nogil:
                network_run(direction, itemsize, shared.level, run)

    cdef int prepare(self, Block inside, network_pass *run) except -1:
        """Point a pass to its memory: maps and hidden outputs in `inside`, everything else in the workspace."""
        cdef Py_ssize_t maps = 0
        if self.net.convs:
            maps = (network_maps_size(&self.net, run.rows, self.itemsize) * self.itemsize + 63) // 64 * 64
        inside.hold(maps + run.rows * self.hidden_row)
        if run.rows > self.workspace_rows:
            self.workspace.hold(network_workspace_size(&self.net, run.rows) * self.itemsize)
            self.workspace_rows = run.rows
        run.maps, run.hidden, run.workspace = inside.start, inside.start + maps, self.workspace.start
        return 0

    cdef object buffer(self, dict buffers, tuple shape, void **data):
        """The array of this shape in `buffers`, made at first use; *data is where its numbers begin."""
        cdef numbers found
        if shape not in buffers:
            buffers[shape] = empty(shape, self.dtype)
        array = buffers[shape]
        take_array(array, self.type, len(shape), &found)
        data[0] = found.data
        drop_array(&found)
        return array

    cdef bint fits_output(self, numbers *dy) noexcept:
        if dy.shape[0] == self.kept_pass.rows and dy.shape[1] == self.outputs:
            return True
        drop_array(dy)
        return False
