"""One configuration being trained. Knows Keras and no Ray."""
