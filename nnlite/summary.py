"""The table that `model.summary()` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnlite.models import Sequential

WIDTH = 65


def summary_table(model: Sequential) -> str:
    """Layer (class), output shape and number of weights, then the totals, as Keras lays them out in plain text."""
    rows = [f"{'Layer (type)':<29}{'Output Shape':<26}{'Param #':<10}", "=" * WIDTH]
    for layer in model.layers:
        shape = str((None, *(layer.output_shape or ())))
        rows.append(f"{layer.name + ' (' + type(layer).__name__ + ')':<29}{shape:<26}{layer.count_params():<10,}")
    total, carried = model.count_params(), int(model.state.size)
    return "\n".join(
        [
            f'Model: "{model.name}"',
            "_" * WIDTH,
            *rows,
            "=" * WIDTH,
            f"Total params: {total:,}",
            f"Trainable params: {total - carried:,}",
            f"Non-trainable params: {carried:,}",
            "_" * WIDTH,
        ]
    )
