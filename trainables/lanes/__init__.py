"""Trials that take turns within one process, and run the parts of their work together that are equal."""
