"""Modules that every other module may use."""
