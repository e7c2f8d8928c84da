"""Private names of Keras and TensorFlow, each guarded and pinned by a test. No other module uses any."""
