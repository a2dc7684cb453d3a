"""Parts that the algorithms share: loop, observers, replay, rollout, returns, evaluation. Writes no files."""
