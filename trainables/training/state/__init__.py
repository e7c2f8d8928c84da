"""The state of a trial's own code beside the weights of its model: kept in a checkpoint, or told to begin anew."""
