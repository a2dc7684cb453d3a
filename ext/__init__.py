"""Compiled hot loops of nnlite and rl."""
