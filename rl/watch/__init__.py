"""Pictures of a trained agent: games on a stage, windows, animations, pages, plots."""
