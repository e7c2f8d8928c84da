"""Loading of experiments: by the name of a shipped one, from a file, or from a module."""
