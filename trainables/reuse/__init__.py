"""Compiled models that a worker trains again."""
