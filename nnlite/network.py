"""Network: the passes and the weights of a chain of layers. `models.Sequential` adds Keras's methods.

`copy_from` is a memcpy, because all weights lie in flat arrays. The passes own all other arrays, one set for
each batch size in use, so a training step allocates nothing after the first.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
from nnlite_ext._network import CompiledNetwork

from nnlite.arrays import Array
from nnlite.attributes import checked
from nnlite.chain import Chain
from nnlite.layers import Input, Layer
from nnlite.passes import PREDICT_BATCH, LayerPasses, batches
from nnlite.plan import compiled_network
from nnlite.progress import Progress, verbosity
from nnlite.utils import flag, numbers, real
from nnlite.weights import Shape


class Network(Chain):
    """A model whose layers run one after the other; the arguments are explained in models.Sequential.

    Threads may share a network: its passes take turns where they use the same memory.
    """

    stop_training: bool = checked(flag)

    def __init__(
        self,
        layers: Iterable[Layer | Input] | None = None,
        name: str = "sequential",
        seed: Any = None,
        dtype: Any = "float32",
        passes: str = "compiled",
    ) -> None:
        if passes not in ("compiled", "layers"):
            raise ValueError(f"passes must be 'compiled' or 'layers', not {passes!r}")
        super().__init__(layers, name, seed, dtype)
        self._wanted_passes = passes
        self._passes: LayerPasses | CompiledNetwork = LayerPasses([], (), self.dtype, self.lock)
        self.stop_training = False

    def layer_changed(self) -> None:
        """Follow a layer whose activation or `trainable` was set. A pending backward is dropped."""
        super().layer_changed()
        if self._built:
            self._passes = self._choose_passes()

    def _choose_passes(self) -> LayerPasses | CompiledNetwork:
        layers = LayerPasses(self._layers, self.input_shape, self.dtype, self.lock)
        if self._wanted_passes == "layers":
            return layers
        return compiled_network(layers, self.params, self.grads) or layers

    # --- passes

    def forward(self, x: Any, logits: bool = False) -> Array:
        """Run a training pass: return y (N, ...) for x (N, ...) and keep what backward needs.

        logits  leave out the last layer's activation, and its derivative in the backward that follows

        y is the network's own buffer, valid until the next forward. x must not change until the backward.
        Raises ValueError if x has another shape than the network reads, or holds no example.
        """
        if not self._built:
            self.build_for(x)
        return self._passes.forward(x, logits)

    def backward(self, dy: Any, need_dx: bool = False) -> Array | None:
        """Overwrite `grads` from dL/dy (N, ...), regularizers included; return dL/dx (N, ...) if need_dx.

        Raises RuntimeError unless a forward came before it: one backward per forward. Raises ValueError if dy
        has another shape than y; the backward is still pending then.
        """
        dx = self._passes.backward(dy, need_dx)
        for weight in self._penalised:
            weight.gradient += weight.regularizer.gradient(weight.value)  # type: ignore[union-attr]
        for place in self._frozen:
            self.grads[place] = 0
        return dx

    def predict(
        self, x: Any, batch_size: int = PREDICT_BATCH, verbose: int = 0, logits: bool = False
    ) -> Array:
        """Return y (N, ...) for x (N, ...) in prediction mode, a new array. A pending backward stays valid.

        x           an array; or a utils.PyDataset or a generator of batches, x or (x, y)
        batch_size  examples at a time; it changes the memory in use, not the result
        verbose     1 or 2 prints Keras's line at the end
        logits      leave out the last layer's activation

        Several threads may call it, also while another one trains: each answer belongs to weights that the
        model had between two steps.
        """
        if not self._built:
            self.build_for(x)
        if not verbose:
            return self._passes.predict(x, batch_size, logits)
        progress = Progress(batches(x, batch_size), verbosity(verbose))
        y = self._passes.predict(x, batch_size, logits)
        progress.finish()
        return y

    __call__ = predict

    def penalty(self) -> float:
        """Return the sum of all regularizers, which is a part of the loss."""
        return sum((w.regularizer.value(w.value) for w in self._penalised if w.regularizer), 0.0)

    # --- weights

    def get_weights(self) -> list[Array]:
        """Return copies of all weights, layer by layer."""
        self.build()
        return [value for layer in self._layers for value in layer.get_weights()]

    def set_weights(self, values: list[Any]) -> None:
        """Overwrite all weights. Raises ValueError, and changes none, unless every shape fits."""
        self.build()
        wanted = self._shapes()
        values = [numbers(value, "a weight") for value in values]
        given = [value.shape for value in values]
        if wanted != given:
            raise ValueError(f"the model needs weights of shapes {wanted}, not {given}")
        with self.lock:
            for layer in self._layers:
                count = len(layer.weights)
                layer.set_weights(values[:count])
                values = values[count:]

    def copy_from(self, other: Network, tau: float = 1.0) -> None:
        """Move params and state towards `other`: w += tau (w_other - w). tau = 1 copies them.

        Layers that are not trainable take part too. Raises ValueError unless both have weights of the same
        shapes, and 0 <= tau <= 1.
        """
        self.build(other.build().input_shape)
        mine, theirs = self._shapes(), other._shapes()
        if mine != theirs:
            raise ValueError(f"weights of shapes {mine} cannot be copied from {theirs}")
        if real(tau, "tau", least=0) > 1:
            raise ValueError(f"tau must be in [0, 1], not {tau}")
        with self.lock:
            for target, source in ((self.params, other.params), (self.state, other.state)):
                if tau == 1.0:
                    np.copyto(target, source)
                else:
                    target += self.dtype.type(tau) * (source - target)

    def _shapes(self) -> list[Shape]:
        return [weight.shape for layer in self._layers for weight in layer.weights]

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a model cannot be copied or pickled, because its layers are views of its arrays; "
            "use clone_model and copy_from, or save and load_model"
        )

    def count_params(self) -> int:
        """Return the number of weights, trainable or not."""
        self.build()
        return int(self.params.size + self.state.size)
