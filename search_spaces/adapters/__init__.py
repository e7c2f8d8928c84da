"""A search space in other terms: HyperOpt's, Ray Tune's, and vectors."""

from __future__ import annotations
