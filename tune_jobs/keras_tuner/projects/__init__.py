"""The folders of searches: ours, and those that KerasTuner itself has left."""
