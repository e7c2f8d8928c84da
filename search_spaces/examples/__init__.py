"""Spaces that are shipped, one a file."""
