"""A space that is found by running the code that asks for hyperparameters."""
