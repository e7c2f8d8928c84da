"""YAML with the line of every key, so that a message about a mistake can name the line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import yaml

from trainables.exits import described
from tune_jobs.errors import RequestError

Keys = tuple[str, ...]

# A larger file is a trap (aliases of aliases), and walking it would never end.
_MOST_ENTRIES = 20_000
_DEEPEST = 40


@dataclass(frozen=True)
class Document:
    """The content of a YAML text.

    Attributes:
        name: The name of the text in messages.
        value: Its value: dictionaries with text as keys, lists, and single values.
        line_numbers: The line number of every entry, from 1, by the keys and indexes that lead to it.
        text: The text itself.
    """

    name: str
    value: Any
    line_numbers: Mapping[Keys, int] = field(repr=False)
    text: str = field(repr=False)

    def line(self, keys: Keys) -> str:
        """Return the line of an entry, or of the nearest one around it, as text: "cluster.yaml, line 7".

        Args:
            keys: The keys and indexes that lead to the entry.
        """
        while keys and keys not in self.line_numbers:
            keys = keys[:-1]
        return f"{self.name}, line {self.line_numbers[keys]}" if keys else self.name

    def lines_with(self, marker: str) -> list[str]:
        """Return the lines that contain a word outside of comments, each as ``line`` does."""
        lines = enumerate(self.text.splitlines(), start=1)
        return [f"{self.name}, line {number}" for number, line in lines if marker in line.partition("#")[0]]


def parse(text: str, name: str) -> Document:
    """Read one YAML document. Only plain values are ever made of it.

    Args:
        text: The text.
        name: The name of the text in messages.

    Raises:
        RequestError: It is no YAML document, or gives a key twice. Each mistake is told with its line.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        raise RequestError(_syntax_problem(error, name)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RequestError(f"{name} is not YAML: {' '.join(str(error).split())}") from error
    except Exception as error:  # a value that its tag does not allow makes PyYAML raise whatever Python does
        raise RequestError(_tag_problem(root, name) or f"{name} is not YAML: {described(error)}.") from error
    if root is None:
        raise RequestError(f"{name} is empty, but must be a YAML document.")
    line_numbers: dict[Keys, int] = {}
    problems = list(_walk(root, (), line_numbers, name))
    if problems:
        raise RequestError(*problems)
    return Document(name, value, line_numbers, text)


def _tag_problem(node: yaml.Node | None, name: str) -> str | None:
    """Return the line of the first value that its tag does not allow, such as ``!!timestamp x``."""
    if isinstance(node, yaml.ScalarNode):
        try:
            yaml.SafeLoader("").construct_object(node)
        except Exception:  # noqa: BLE001 - see parse
            kind = node.tag.rpartition(":")[2]
            return (
                f"{name}, line {node.start_mark.line + 1}: the value `{node.value}` is no {kind}, which its tag says."
            )
        return None
    parts = chain.from_iterable(node.value) if isinstance(node, yaml.MappingNode) else getattr(node, "value", ())
    return next(filter(None, (_tag_problem(part, name) for part in parts)), None)


def _syntax_problem(error: yaml.MarkedYAMLError, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    line = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    around = f" ({error.context}, line {error.context_mark.line + 1})" if error.context and error.context_mark else ""
    hint = _hint(error)
    return f"{line}: {error.problem}{around}.{hint}"


def _hint(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "expected a single document" in (error.context or ""):
        return " kubectl reads several documents (---); here must be one."
    if "'\\t'" in problem:
        return " YAML is indented with spaces, never with tabs."
    if "python/" in problem:
        return " Only plain values are read: no Python objects."
    return ""


def _walk(node: yaml.Node, keys: Keys, line_numbers: dict[Keys, int], name: str) -> Iterator[str]:
    """Collect the line number of everything below a node; yield the mistakes in its keys."""
    if len(line_numbers) > _MOST_ENTRIES or len(keys) > _DEEPEST:
        raise RequestError(
            f"{name} has more than {_MOST_ENTRIES:,} entries or {_DEEPEST} levels, its aliases resolved: simplify it."
        )
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            item_keys = (*keys, str(index))
            line_numbers[item_keys] = item.start_mark.line + 1
            yield from _walk(item, item_keys, line_numbers, name)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            item_keys = (*keys, str(key.value))
            if key.tag == "tag:yaml.org,2002:merge":
                for merged in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    yield from _walk(merged, keys, line_numbers, name)
                continue
            yield from _key_problems(key, line, first, name)
            line_numbers[item_keys] = first[str(key.value)] = line
            yield from _walk(item, item_keys, line_numbers, name)


def _key_problems(key: yaml.Node, line: int, first: Mapping[str, int], name: str) -> Iterator[str]:
    if key.tag != "tag:yaml.org,2002:str":
        kind = key.tag.rpartition(":")[2]
        yield f'{name}, line {line}: the key {key.value} is {kind} to YAML, but must be text: write "{key.value}".'
    elif key.value in first:
        yield (
            f"{name}, line {line}: the key `{key.value}` is given twice, first in line {first[key.value]}; "
            "only the last would count: leave one of them out."
        )
