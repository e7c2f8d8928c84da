"""The kinds of parameter: ranges of numbers, listed values, and their form in JSON."""

from __future__ import annotations

from search_spaces.parameters.base import Parameter
from search_spaces.parameters.choices import Boolean, Choice, Fixed
from search_spaces.parameters.ranges import Float, Int
from search_spaces.parameters.serialization import (
    parameter_from_json,
    parameter_to_json,
    parameters_from_json,
    parameters_to_json,
)

__all__ = [
    "Boolean",
    "Choice",
    "Fixed",
    "Float",
    "Int",
    "Parameter",
    "parameter_from_json",
    "parameter_to_json",
    "parameters_from_json",
    "parameters_to_json",
]
