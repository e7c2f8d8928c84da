"""Searchers of other libraries: Optuna's samplers, and the searchers that Ray Tune knows."""
