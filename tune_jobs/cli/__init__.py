"""The command line: parses and prints, one file a group of commands."""
