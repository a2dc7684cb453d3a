"""Benchmarks: one file for each question about speed, memory and growth. `python -m bench --help`"""
