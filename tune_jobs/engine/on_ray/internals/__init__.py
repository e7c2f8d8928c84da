"""Private names of Ray, for the engine alone. Each is guarded: without it a run is slower or tells less.

``tests/tune_jobs/engine/on_ray/internals`` checks that the installed Ray has each name, and that a run goes on without.
"""
