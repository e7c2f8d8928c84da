"""What is told of a run, a comparison, an evaluation, a job."""
