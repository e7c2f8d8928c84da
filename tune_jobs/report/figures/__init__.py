"""Interactive figures of a run, drawn with plotly, which is an extra: ``pip install 'tune-jobs[report]'``."""
