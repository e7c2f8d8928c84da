"""A run on a cluster of two nodes on this machine."""
