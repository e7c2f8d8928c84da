"""The trainables of the shipped experiments."""
