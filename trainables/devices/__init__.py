"""What a trial gets of its machine: threads, parts of GPUs, several GPUs."""
