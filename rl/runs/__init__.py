"""A run on disk: its folder, lock, checkpoints, logs, and how it is resumed."""
