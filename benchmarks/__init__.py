"""Benchmarks of this project, alone and beside its peers."""
