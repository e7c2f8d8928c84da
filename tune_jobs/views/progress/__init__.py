"""Views that are shown while a run goes on."""
