"""The share of the machine that a trial gets: threads, a part of a GPU, or several GPUs."""
