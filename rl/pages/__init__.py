"""What the pages of sweeps and tools share: curves, embedded pictures, styles."""
