"""Parts of this project as parts of Ray Tune's own ``Tuner``: a space, a searcher, a scheduler.

``space.for_ray()``, ``searcher.for_ray(space)`` and ``scheduler.for_ray()`` come here.
"""
