"""Private names of Ray, each guarded; no other module uses any."""
