"""What a user types and is told: settings, flags, errors, text."""
