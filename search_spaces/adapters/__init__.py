"""A search space in other terms: HyperOpt's, Ray Tune's, vectors, a table."""
