"""Private names of Keras and TensorFlow, each guarded; no other module uses any."""
