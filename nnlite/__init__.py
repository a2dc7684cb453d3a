"""nnlite: a small neural-network library with Keras's names, on NumPy and a few compiled loops.

    import nnlite as K

    model = K.Sequential([K.layers.Dense(4, activation="relu", input_shape=(2,)), K.layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    model.fit(x, y, epochs=8)

Every backward pass is written out; `nnlite.gradcheck` compares it with finite differences.
"""

from nnlite import activations, initializers, layers, losses, models, optimizers, regularizers, utils
from nnlite.models import Sequential

__version__ = "0.1.0"
__all__ = ["Sequential", "activations", "initializers", "layers", "losses", "models", "optimizers", "regularizers", "utils"]
