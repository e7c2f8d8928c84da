"""The folder of a run, and its copy in an object store."""
