"""What several trials or runs tell together."""
