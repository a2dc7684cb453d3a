"""NumPy twins of the compiled kernels: one module for each .pyx in ext/, of its name.

A twin computes the same as its kernel in the fewest lines. It is the kernel's documentation, the oracle of
its test, and for some kernels the way for dtypes and layouts that they do not take. Two modules have none:
the twin of nnlite_ext._network is the layers themselves (nnlite/layers/), and nnlite_ext._threads
computes nothing.
"""
