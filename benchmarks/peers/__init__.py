"""The same work with each tool, as a careful user of the tool would write it."""
