"""The experiments that are shipped, one per file. ``tune-jobs list`` shows them."""
