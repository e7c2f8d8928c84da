"""The training of one configuration. Knows Keras, and no Ray."""
