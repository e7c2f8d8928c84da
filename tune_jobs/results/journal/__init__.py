"""The journal of a run: its events, their lines, and the file that holds the lines."""
