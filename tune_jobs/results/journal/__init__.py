"""The journal: its events, its lines, its file."""
