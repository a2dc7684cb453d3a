"""The command line: settings, flags, errors, text."""
