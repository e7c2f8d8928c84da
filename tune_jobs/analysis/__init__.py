"""Analyses of several trials or runs together: the comparison of runs, and the path of a sweep."""
