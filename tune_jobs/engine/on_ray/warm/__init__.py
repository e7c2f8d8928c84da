"""A Ray that is kept between runs: the process that holds it, and what a run asks of it."""
