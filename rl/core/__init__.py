"""What the agents share: loop, observers, replay, returns, logs, folders, command line."""
