"""Every compiled kernel refuses an array that it would misread, and takes a read-only input."""

import pkgutil

import numpy as np
import pytest
from nnlite_ext import _adam, _network, _replay

from tests.ext.otherwise import NoLayers, hands_on, refuse
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


IMAGE, OUT = (2, 5, 4, 3), (2, 2, 2, 2)  # N 2, H 5, W 4, C 3; F 2, kernel 3 x 2, strides 2
CONV = given(*IMAGE), given(3, 2, 3, 2)
WEIGHTS = made(3, 2, 3, 2), made(2)
PUSHED = (WRITTEN, np.zeros((2, 3, 3, 4), np.uint8))
PLACES = small(0, 5, 3, dtype=np.intp), small(0, 4, 3, dtype=np.intp)
KERNELS = {  # arguments by the kernel's module and name; an array is a pair (READ or WRITTEN, array)
    "_adam.sum_of_squares": [given(6)],
    "_conv.pad": [given(*IMAGE), made(2, 7, 6, 3), 1, 1, 1.0],
    "_conv.pad of bytes": [small(0, 256, *IMAGE), made(2, 7, 6, 3), 1, 1, 1.0],
    "_conv.pad_gradient": [given(*OUT), given(*OUT), made(2, 4, 4, 2), 1, 1],
    "_conv.conv_forward": [*CONV, given(2), made(*OUT), made(36), 2, 2, True],
    "_conv.conv_kernel_gradient": [given(*IMAGE), given(*OUT), *WEIGHTS, made(38), 2, 2, 0, 0, 2, 2],
    "_conv.conv_input_gradient": [given(2, 6, 6, 2), CONV[1], made(*IMAGE), made(72), 0, 0, 2, 2],
    "_linear.forward": [given(4, 3), given(3, 2), given(2), made(4, 2), False],
    "_linear.kernel_gradient": [given(4, 3), given(4, 2), made(3, 2), made(2)],
    "_linear.input_gradient": [given(4, 2), given(3, 2), made(4, 3), made(72)],
    "_patches.im2col": [given(*IMAGE), 3, 2, 2, 2, 0, 0, made(2, 2, 2, 18)],
    "_patches.col2im": [given(2, 2, 2, 18), 3, 2, 2, 2, 0, 0, made(*IMAGE)],
    "_frames.push": [small(0, 256, *IMAGE), *PLACES, small(0, 2, 2), PUSHED],
}


def kernel_of(name):
    return pkgutil.resolve_name(f"nnlite_ext.{name.split()[0]}")


def places(kernels):
    """(name, place) of every array among the arguments."""
    return [(name, place) for name, a in kernels.items() for place, one in enumerate(a) if type(one) is tuple]


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
    kernel, arguments = kernel_of(name), KERNELS[name]
    arrays = [a[1].copy() if isinstance(a, tuple) else a for a in arguments]
    if changed is not None:
        arrays[changed] = change(arrays[changed])
    result = kernel(*arrays)
    return [result] + [b for a, b in zip(arguments, arrays) if isinstance(a, tuple) and a[0] == WRITTEN]


@pytest.mark.parametrize("version", MISREAD)
@pytest.mark.parametrize(("name", "place"), places(KERNELS))
def test_a_kernel_refuses_what_it_would_misread(name, place, version):
    with pytest.raises((ValueError, TypeError)):
        call(name, place, MISREAD[version])


@pytest.mark.parametrize(("name", "place"), places(KERNELS))
def test_read_only_arrays_are_read_and_never_written(name, place):
    if KERNELS[name][place][0] == WRITTEN:
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


STEPS = small(0, 2, 3, 2, dtype=np.float32)
FLAGS = small(0, 2, 3, 2, dtype=bool)
CHOSEN = small(0, 3, 4, dtype=np.int64)
HANDS_ON = {  # kernels that hand what they would misread to a function of the caller
    "_td.td_target": [given(4), given(4), given(4, 3), given(4, 3)],
    "_td.td_loss": [given(4, 3), CHOSEN, given(4), 1.0],
    "_crossentropy.crossentropy": [given(4, 3), given(4, 3)],
    "_returns.discounted_returns": [STEPS, FLAGS, FLAGS, STEPS, 0.9],
    "_returns.generalized_advantages": [STEPS, STEPS, STEPS, FLAGS, FLAGS, 0.9, 0.8],
    "_policy.policy_loss": [given(4, 3), CHOSEN, given(4), 0.1],
    "_policy.actor_critic_loss": [given(4, 4), CHOSEN, given(4), given(4), 0.1, 0.5],
}


@pytest.mark.parametrize("version", MISREAD)
@pytest.mark.parametrize(("name", "place"), places(HANDS_ON))
def test_a_kernel_hands_on_what_it_would_misread(name, place, version):
    kernel, arguments = kernel_of(name), [a[1] if isinstance(a, tuple) else a for a in HANDS_ON[name]]
    expected, array = kernel(*arguments, refuse), arguments[place]
    arguments[place] = MISREAD[version](array)
    assert hands_on(kernel, *arguments)
    arguments[place] = read_only(array)
    for one, other in zip(expected, kernel(*arguments, refuse)):
        np.testing.assert_array_equal(other, one)


@pytest.fixture
def net():
    params = np.arange(8, dtype=np.float32) / 8
    otherwise = NoLayers([], (3,), params.dtype, _network.Turn())
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
    kinds, ages, actions, rewards = (np.zeros((2, 6), dtype) for dtype in ("u1", "u1", "i8", "f4"))
    counts, frames = np.zeros(2, np.int64), np.zeros((12, 4), np.uint8)
    rings = _replay.Rings((2, 4), "uint8", frames, kinds, ages, actions, rewards, counts, counts.copy(), 1)
    observations, nothing = np.zeros((2, 4), np.uint8), np.zeros(2, bool)
    told = [observations, np.zeros(2, np.int64), np.zeros(2), nothing, nothing, observations]
    assert rings.add(*told) and counts[0] == 1
    told[place] = {**MISREAD, "longer": lambda a: np.concatenate([a, a])}[version](told[place])
    assert not rings.add(*told) and counts[0] == 1
