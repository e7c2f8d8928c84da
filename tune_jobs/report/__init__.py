"""Reports of runs: interactive figures, one self-contained page, and a page that follows a run."""
