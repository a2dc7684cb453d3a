"""Pictures of a run: games on a stage, windows, animations, player pages, plots."""
