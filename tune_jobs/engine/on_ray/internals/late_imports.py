"""The imports that Ray makes when a process first serializes something, made early: they take 0.07 CPU s.

Names that are not documented (ray 2.60): ``ray._common.pydantic_compat`` imports all of pydantic, so that Ray can
serialize its models, and ``ray.util.serialization_addons`` imports parts of starlette and pyarrow. Without these names,
or without those packages, Ray imports what it needs when it needs it.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

IMPORTED = ("ray._common.pydantic_compat", "starlette.datastructures", "pyarrow.json")

for _module in IMPORTED:
    with suppress(Exception):  # Ray will meet it, and knows what to do
        import_module(_module)
