"""A Ray cluster seen from outside: the file that launches it, the jobs that are sent to it."""
