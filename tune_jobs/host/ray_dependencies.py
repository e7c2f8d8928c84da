"""The packages that Ray imports in a worker, made early where Ray itself cannot be imported yet: before a fork.

They are half of the 0.2 CPU s that a worker takes to import Ray and to serialize for the first time (ray 2.60). Those
that are missing are not needed.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module

PACKAGES = (
    "jsonschema",
    "msgpack",
    "pyarrow.json",
    "pydantic.deprecated.class_validators",
    "pydantic.fields",
    "pydantic.main",
    "pydantic.v1",
    "starlette.datastructures",
    "tqdm",
    "yaml",
)

for _package in PACKAGES:
    with suppress(Exception):
        import_module(_package)
