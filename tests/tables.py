"""Cases of a test, written as a table of text."""

import re


def rows(text):
    """The cells of every line; two spaces or more separate them. A line that begins with # is a comment."""
    lines = (line.strip() for line in text.splitlines())
    return [re.split(r" {2,}", line) for line in lines if line and not line.startswith("#")]
