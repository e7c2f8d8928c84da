"""Trainables of the shipped experiments."""
