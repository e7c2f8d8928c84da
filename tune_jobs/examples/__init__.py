"""Experiments that are shipped, one a file: `tune-jobs list` shows them."""
