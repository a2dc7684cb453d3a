"""Input: the shape of one example, before the layers that read it."""

from __future__ import annotations

from typing import Any

from nnlite.attributes import Guarded, argument
from nnlite.layers.layer import as_shape
from nnlite.utils import refuse_unknown
from nnlite.weights import Shape


class Input(Guarded):
    """The shape of one example, as the first entry of a model's layers. It computes nothing and is no layer.

    shape  without the batch axis: (2,) or (8, 8, 1)

        Sequential([Input(shape=(2,)), Dense(4)])   # is Sequential([Dense(4, input_shape=(2,))])
    """

    shape: Shape = argument()

    def __init__(self, shape: Any, **unknown: Any) -> None:
        refuse_unknown(unknown, "Input", type(self).__init__)
        self.shape = as_shape(shape)
