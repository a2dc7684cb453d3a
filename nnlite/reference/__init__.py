"""The NumPy twin of every compiled kernel: one module for each .pyx in ext/, of its name.

What a kernel computes, in the fewest lines: its documentation, and the oracle of its test. Slow on purpose.
"""
