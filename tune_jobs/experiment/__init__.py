"""The declaration of an experiment."""
