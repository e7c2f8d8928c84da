"""The declaration of an experiment, and its record in a run's folder."""
