"""Shared by the pages of sweeps and tools: learning curves, groups of runs, the frame, embedded files."""
