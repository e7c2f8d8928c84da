"""The same work, as a careful user of each tool would write it."""
