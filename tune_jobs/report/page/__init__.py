"""The page of a run: its data, its scripts and its style, in one file or served while the run goes on."""
