"""The tools behind `python -m rl`."""
