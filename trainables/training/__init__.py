"""The training of one configuration, with Keras and without Ray."""
