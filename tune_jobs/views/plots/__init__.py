"""Pictures, drawn by matplotlib: an extra, `pip install 'tune-jobs[plots]'`."""
