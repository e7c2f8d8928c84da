"""Constraints on what a trial measures, and the measurements of a model that need no training."""
