"""What people look at: a live view, plain lines, tables. Nothing here changes a run."""
