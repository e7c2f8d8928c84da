"""Text about a run, a comparison, an evaluation, a job."""
