"""From a name, a file or a module to an experiment."""
