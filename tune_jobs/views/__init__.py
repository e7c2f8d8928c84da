"""Text, tables, pictures and live views for people. Nothing here changes a run."""
