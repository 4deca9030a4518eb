"""The shipped YAML, as a package so that a wheel carries it."""
