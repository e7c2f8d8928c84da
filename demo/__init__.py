"""A demonstration: a run on a cluster of several nodes on this machine."""
