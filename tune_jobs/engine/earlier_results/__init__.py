"""The results of earlier searches, of whatever program, as a warm start of a run."""
