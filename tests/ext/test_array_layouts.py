"""Every compiled kernel refuses an array that it would misread, and takes a read-only input."""

import numpy as np
import pytest
from nnlite_ext import _adam, _conv, _crossentropy, _frames, _linear, _network, _patches, _replay, _td

from tests.ext.otherwise import NoLayers
from tests.layouts import LAYOUTS, byte_swapped, read_only, strided

rng = np.random.default_rng(0)
READ, WRITTEN = "read", "written"


def given(*shape):
    """An array that a kernel reads."""
    return READ, rng.standard_normal(shape).astype(np.float32)


def made(*shape):
    """An array that a kernel writes."""
    return WRITTEN, np.zeros(shape, np.float32)


def small(low, high, *shape, dtype=np.uint8):
    return READ, rng.integers(low, high, shape).astype(dtype)


# (kernel, arguments); an array is a pair (READ or WRITTEN, array). N 2, H 5, W 4, C 3, F 2, kernel 3 x 2,
# strides 2
KERNELS = {
    "sum_of_squares": (_adam.sum_of_squares, [given(6)]),
    "pad": (_conv.pad, [given(2, 5, 4, 3), made(2, 7, 6, 3), 1, 1, 1.0]),
    "pad of bytes": (_conv.pad, [small(0, 256, 2, 5, 4, 3), made(2, 7, 6, 3), 1, 1, 1.0]),
    "pad_gradient": (_conv.pad_gradient, [given(2, 2, 2, 2), given(2, 2, 2, 2), made(2, 4, 4, 2), 1, 1]),
    "conv_forward": (
        _conv.conv_forward,
        [given(2, 5, 4, 3), given(3, 2, 3, 2), given(2), made(2, 2, 2, 2), made(36), 2, 2, True],
    ),
    "conv_kernel_gradient": (
        _conv.conv_kernel_gradient,
        [given(2, 5, 4, 3), given(2, 2, 2, 2), made(3, 2, 3, 2), made(2), made(38), 2, 2, 0, 0, 2, 2],
    ),
    "conv_input_gradient": (
        _conv.conv_input_gradient,
        [given(2, 6, 6, 2), given(3, 2, 3, 2), made(2, 5, 4, 3), made(72), 0, 0, 2, 2],
    ),
    "linear forward": (_linear.forward, [given(4, 3), given(3, 2), given(2), made(4, 2), False]),
    "linear kernel_gradient": (_linear.kernel_gradient, [given(4, 3), given(4, 2), made(3, 2), made(2)]),
    "linear input_gradient": (_linear.input_gradient, [given(4, 2), given(3, 2), made(4, 3), made(72)]),
    "im2col": (_patches.im2col, [given(2, 5, 4, 3), 3, 2, 2, 2, 0, 0, made(2, 2, 2, 18)]),
    "col2im": (_patches.col2im, [given(2, 2, 2, 18), 3, 2, 2, 2, 0, 0, made(2, 5, 4, 3)]),
    "push": (
        _frames.push,
        [
            small(0, 256, 2, 5, 4, 3),
            small(0, 5, 3, dtype=np.intp),
            small(0, 4, 3, dtype=np.intp),
            small(0, 2, 2),
            (WRITTEN, np.zeros((2, 3, 3, 4), np.uint8)),
        ],
    ),
}
ARRAYS = [
    (name, place)
    for name, (_, told) in KERNELS.items()
    for place, a in enumerate(told)
    if isinstance(a, tuple)
]


MISREAD = {
    "strided": strided,
    "negative strides": LAYOUTS["negative strides"],
    "Fortran": lambda a: np.asfortranarray(a) if a.ndim > 1 else strided(a),
    "another type": lambda a: a.astype(np.float16),
    "byte-swapped": lambda a: byte_swapped(a) if a.itemsize > 1 else a.astype(np.int8),
    "objects": lambda a: a.astype(object),
    "one axis more": lambda a: a[None],
    "no axis": lambda a: a.reshape(-1)[:1].reshape(()),
    "list": lambda a: a.tolist(),
}


def call(name, changed=None, change=None):
    """Run a kernel on copies; returns what it gave and what it wrote."""
    kernel, arguments = KERNELS[name]
    arrays = [a[1].copy() if isinstance(a, tuple) else a for a in arguments]
    if changed is not None:
        arrays[changed] = change(arrays[changed])
    result = kernel(*arrays)
    return [result] + [b for a, b in zip(arguments, arrays) if isinstance(a, tuple) and a[0] == WRITTEN]


@pytest.mark.parametrize("version", MISREAD)
@pytest.mark.parametrize(("name", "place"), ARRAYS)
def test_a_kernel_refuses_what_it_would_misread(name, place, version):
    with pytest.raises((ValueError, TypeError)):
        call(name, place, MISREAD[version])


@pytest.mark.parametrize(("name", "place"), ARRAYS)
def test_read_only_arrays_are_read_and_never_written(name, place):
    if KERNELS[name][1][place][0] == WRITTEN:
        with pytest.raises(ValueError, match="read-only"):
            call(name, place, read_only)
    else:
        for expected, found in zip(call(name), call(name, place, read_only)):
            np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize("version", sorted(set(MISREAD) - {"no axis"}))
def test_adam_is_bound_to_plain_arrays_only(place, version):
    arrays = [np.zeros(6, np.float32) for _ in range(4)]
    arrays[place] = MISREAD[version](arrays[place])
    with pytest.raises((ValueError, AttributeError)):
        _adam.BoundAdam(*arrays, np.array([0, 6]))


def nothing(*arguments):
    return None


FAST = {  # kernels that hand what they would misread to a function of the caller
    "td_target": (
        lambda *arrays: _td.td_target(*arrays, nothing),
        [given(4), given(4), given(4, 3), given(4, 3)],
    ),
    "td_loss": (
        lambda *arrays: _td.td_loss(*arrays, 1.0, nothing),
        [given(4, 3), small(0, 3, 4, dtype=np.int64), given(4)],
    ),
    "crossentropy": (
        lambda *arrays: _crossentropy.crossentropy(*arrays, nothing),
        [given(4, 3), given(4, 3)],
    ),
}


@pytest.mark.parametrize("version", MISREAD)
@pytest.mark.parametrize(
    ("name", "place"), [(name, place) for name, (_, a) in FAST.items() for place in range(len(a))]
)
def test_a_fast_path_leaves_what_it_would_misread_to_the_caller(name, place, version):
    function, arguments = FAST[name]
    arrays = [array for _, array in arguments]
    assert function(*arrays) is not None
    arrays[place] = MISREAD[version](arrays[place])
    assert function(*arrays) is None
    arrays[place] = read_only(arguments[place][1])
    for expected, found in zip(function(*[array for _, array in arguments]), function(*arrays)):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("actions", [[0, 1, 2, 3], [0, -1, 0, 0]])
def test_an_action_outside_the_row_is_left_to_the_caller(actions):
    q, targets = FAST["td_loss"][1][0][1], FAST["td_loss"][1][2][1]
    assert _td.td_loss(q, np.array(actions), targets, 1.0, nothing) is None


@pytest.fixture
def net():
    params = np.arange(8, dtype=np.float32) / 8
    otherwise = NoLayers([], (3,), params.dtype)
    return _network.CompiledNetwork(
        params, np.zeros_like(params), [], [(3, 2, 0, 6, "tanh")], (3,), 64, otherwise
    )


@pytest.mark.parametrize("version", [*MISREAD, "too many rows", "another width", "no rows"])
def test_the_compiled_passes_leave_what_they_would_misread_to_the_layers(net, version):
    x = rng.standard_normal((4, 3)).astype(np.float32)
    sizes = {"too many rows": (65, 3), "another width": (4, 2), "no rows": (0, 3)}
    odd = np.zeros(sizes[version], np.float32) if version in sizes else MISREAD[version](x)
    assert net.predict(odd) is NoLayers.answer
    assert net.forward(odd) is NoLayers.answer
    assert net.backward(np.zeros((4, 2), np.float32)) is NoLayers.answer
    np.testing.assert_array_equal(net.predict(read_only(x)), net.predict(x))


@pytest.mark.parametrize(
    "version", ["strided", "negative strides", "Fortran", "another type", "byte-swapped", "list"]
)
def test_a_gradient_of_another_layout_is_converted(net, version):
    x = rng.standard_normal((4, 3)).astype(np.float32)
    dy = np.arange(8, dtype=np.float32).reshape(4, 2)  # whole numbers: the same in half precision
    net.forward(x)
    expected = net.backward(dy, True).copy()
    net.forward(x)
    np.testing.assert_array_equal(net.backward(MISREAD[version](dy), True), expected)


@pytest.mark.parametrize("version", ["objects", "one axis more", "no axis"])
def test_a_gradient_that_cannot_be_read_is_refused_and_the_backward_stays_pending(net, version):
    net.forward(rng.standard_normal((4, 3)).astype(np.float32))
    with pytest.raises(ValueError, match="dy"):
        net.backward(MISREAD[version](np.ones((4, 2), np.float32)))
    assert net.backward(np.ones((4, 2), np.float32)) is None


@pytest.mark.parametrize(
    "layers",
    [
        [(3, 3, 0, 9, "tanh")],  # bias beyond the end
        [(3, 2, 3, -1, "tanh")],  # kernel beyond the end
        [(2, 2, 0, 6, "tanh")],  # reads another width
        [(3, 2, 0, 6, "softsign")],
        [(3, 2, 0, 6, "tanh"), (3, 1, 0, -1, "relu")],
        [],
    ],
)
def test_passes_that_would_leave_the_arrays_are_refused(layers):
    params = np.zeros(8, np.float32)
    with pytest.raises(ValueError):
        _network.CompiledNetwork(params, np.zeros_like(params), [], layers, (3,), 64, None)


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("version", ["strided", "another type", "list"])
def test_rings_refuse_what_they_would_misread(place, version):
    bytes_, floats, counts = np.zeros((6, 4), np.uint8), np.zeros((1, 6), np.float32), np.zeros(1, np.int64)
    kinds, actions = np.zeros((1, 6), np.uint8), np.zeros((1, 6), np.int64)
    arrays = [bytes_, kinds, kinds.copy(), actions, floats, np.repeat(counts, 2), counts]
    arrays[place] = MISREAD[version](arrays[place])
    with pytest.raises((ValueError, TypeError)):
        _replay.Rings((1, 4), "uint8", *arrays, 1)


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("version", ["strided", "another type", "list", "longer"])
def test_a_step_of_the_rings_is_refused_where_it_would_be_misread(place, version):
    kinds, counts = np.zeros((2, 6), np.uint8), np.zeros(2, np.int64)
    rings = _replay.Rings(
        (2, 4),
        "uint8",
        np.zeros((12, 4), np.uint8),
        kinds,
        kinds.copy(),
        np.zeros((2, 6), np.int64),
        np.zeros((2, 6), np.float32),
        counts,
        counts.copy(),
        1,
    )
    observations, nothing = np.zeros((2, 4), np.uint8), np.zeros(2, bool)
    told = [observations, np.zeros(2, np.int64), np.zeros(2), nothing, nothing, observations]
    assert rings.add(*told) and counts[0] == 1
    told[place] = (
        np.concatenate([told[place], told[place]]) if version == "longer" else MISREAD[version](told[place])
    )
    assert not rings.add(*told) and counts[0] == 1
