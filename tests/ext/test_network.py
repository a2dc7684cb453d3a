"""The layers and inputs that CompiledNetwork refuses; tests/nnlite compares its passes with the layers."""

import numpy as np
import pytest
from nnlite_ext import _network, _threads

from tests.ext.otherwise import NoLayers

CONV = (3, 1, 1, 1, 1, 1, 1, 0, 0, 3, 1, 1, 0, -1, "relu")


def net(
    convs=(), layers=((3, 4, 0, 12, "relu"), (4, 2, 16, -1, "linear")), size=24, shape=(3,), dtype=np.float64
):
    params, grads, otherwise = (
        np.zeros(size, dtype),
        np.zeros(size, dtype),
        NoLayers([], shape, dtype, _network.Turn()),
    )
    return _network.CompiledNetwork(params, grads, list(convs), list(layers), shape, 100, otherwise)


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 23},  # the last kernel ends beyond params
        {"shape": (4,)},
        {"layers": [(3, 4, 0, 21, "relu")]},  # the bias does
        {"layers": [(3, 4, 0, 12, "relu"), (5, 2, 14, -1, "linear")]},
        {"layers": [(3, 4, -1, -1, "relu")]},  # a layer without weights changes no width
        {"layers": [(3, 0, 0, -1, "relu")]},
        {"layers": [(3, 4, 0, 12, "swish")]},
        {"layers": []},
        {"layers": [(3, 3, -1, -1, "relu")] * 17},
        {"convs": [(3, 1, 1, 1, 1, 1, 1, 0, 0, 3, 1, 1, 0, -1, "relu")]},  # reads (3, 1, 1), not (3,)
        {"convs": [CONV], "shape": (2, 2, 1)},  # the first dense layer reads 3 numbers
        {"convs": [(*CONV[:11], 1, 24, -1, "relu")], "shape": (3, 1, 1)},
        {"convs": [(*CONV[:11], 1, 0, 24, "relu")], "shape": (3, 1, 1)},
        {"convs": [(*CONV[:5], 0, *CONV[6:])], "shape": (3, 1, 1)},
        {"convs": [(*CONV[:7], -1, *CONV[8:])], "shape": (3, 1, 1)},
        {"convs": [(*CONV[:14], "softmax")], "shape": (3, 1, 1)},
        {"convs": [CONV] * 9, "shape": (3, 1, 1)},
    ],
)
def test_layers_that_do_not_fit_are_refused(wrong):
    net(), net(convs=[CONV], shape=(3, 1, 1))
    with pytest.raises(ValueError):
        net(**wrong)


@pytest.mark.parametrize(
    "x",
    [
        [[1.0, 2.0, 3.0]],
        np.zeros((2, 3), np.float32),
        np.zeros((2, 3), np.int64),
        np.zeros((2, 3), ">f8"),
        np.zeros((3, 2)).T,
        np.zeros((2, 6))[:, ::2],
        np.zeros((2, 4)),
        np.zeros(3),
        np.zeros((2, 3, 1)),
        np.zeros((0, 3)),
        np.zeros((101, 3)),
        np.frombuffer(bytes(49), np.uint8)[1:].view(np.float64).reshape(2, 3),  # not aligned
        None,
    ],
)
def test_inputs_that_do_not_fit_go_to_the_layers(x):
    network = net()
    assert network.predict(x) is NoLayers.answer
    assert network.forward(x) is NoLayers.answer
    assert network.backward(np.ones((2, 2))) is NoLayers.answer


@pytest.mark.parametrize(
    "same",
    [
        lambda x: x,
        lambda x: x.view(type("Named", (np.ndarray,), {})),
        lambda x: memoryview(x),
        lambda x: np.array(x, np.dtype(np.float64, metadata={"unit": "m"})),
    ],
)
def test_what_holds_the_same_numbers_gives_the_same_result(same):
    network = net()
    x = np.random.default_rng(0).standard_normal((5, 3))
    expected = network.predict(x)
    assert (network.predict(same(x)) == expected).all()
    assert (network.forward(same(x)) == expected).all()
    assert network.backward(np.ones((5, 2))) is None


def test_read_only_input_is_read_and_left_alone():
    x = np.ones((2, 3))
    x.flags.writeable = False
    assert net().predict(x).shape == (2, 2)
    assert net().forward(x).shape == (2, 2)


def test_a_target_that_is_chosen_later_counts():
    network = net()
    for target in _threads.targets():
        _threads.set_target(target)
        assert network.predict(np.ones((40, 3))).shape == (40, 2)
