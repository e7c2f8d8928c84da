"""Tensors, pipelines and compiled models that a worker keeps between trials."""
