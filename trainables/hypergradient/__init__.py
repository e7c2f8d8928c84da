"""Rates of a running trial that follow the gradient of the validation loss."""
