"""The table that `model.summary()` prints."""

from __future__ import annotations

from nnlite.network import Network


def summary_table(model: Network) -> str:
    """Return a line a layer (class, output shape, number of weights), then the totals, as Keras does."""
    names = [f"{layer.name} ({type(layer).__name__})" for layer in model.layers]
    column = max(29, 2 + max(map(len, names)))
    width = column + 36
    rows = [f"{'Layer (type)':<{column}}{'Output Shape':<26}{'Param #':<10}", "=" * width]
    for name, layer in zip(names, model.layers):
        shape = str((None, *(layer.output_shape or ())))
        rows.append(f"{name:<{column}}{shape:<26}{layer.count_params():<10,}")
    total = model.count_params()
    carried = int(model.state.size) + sum(place.stop - place.start for place in model.variables.frozen)
    return "\n".join(
        [
            f'Model: "{model.name}"',
            "_" * width,
            *rows,
            "=" * width,
            f"Total params: {total:,}",
            f"Trainable params: {total - carried:,}",
            f"Non-trainable params: {carried:,}",
            "_" * width,
        ]
    )
