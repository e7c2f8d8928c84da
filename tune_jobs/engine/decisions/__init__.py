"""Every decision of a run, without Ray and without a disk."""
