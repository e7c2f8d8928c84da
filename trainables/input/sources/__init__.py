"""Sources as they are read: opened, in epochs, and checked."""
