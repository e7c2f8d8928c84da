"""Runs that are submitted to a cluster."""
