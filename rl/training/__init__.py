"""One training run from settings to results."""
