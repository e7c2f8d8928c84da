"""The command line: it parses and prints, one file a group of commands."""
