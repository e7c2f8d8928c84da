"""Pictures drawn by matplotlib, which is an extra: ``pip install 'tune-jobs[plots]'``."""
