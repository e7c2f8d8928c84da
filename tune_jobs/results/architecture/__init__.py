"""Models from their descriptions, model.json, which anybody may have written."""
