"""Tests of the documentation: its pages, its examples and its reference."""
