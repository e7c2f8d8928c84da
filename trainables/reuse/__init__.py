"""The room of what a worker keeps between trials: tensors, pipelines and compiled models."""
