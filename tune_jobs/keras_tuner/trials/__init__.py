"""The trials of a search: what is trained, by Keras's ``fit`` or by code of the user's own."""
