"""Tables for the terminal, and for files."""
