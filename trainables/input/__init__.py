"""From arrays to batches."""
