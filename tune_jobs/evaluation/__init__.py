"""What came out of a run's search: its trials on the test set, its best model in a file, its best trained anew.

Nothing is imported here: what can be told without Ray and TensorFlow need not wait for them.
"""
