"""The use of earlier results in a search: a prior that has to prove itself, and loses its weight."""
