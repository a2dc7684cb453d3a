"""Array: the type of every NumPy array in annotations, of any dtype and shape. Docstrings give the shapes."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
