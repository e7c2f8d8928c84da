"""The steps from arrays to batches."""
