"""YAML with the line of every key, so that a mistake can be told with its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from tune_jobs.errors import RequestError

Path = tuple[str, ...]

# Beyond these a file is a trap (aliases of aliases), and would be walked for ever.
_MOST_ENTRIES = 20_000
_DEEPEST = 40


@dataclass(frozen=True)
class Document:
    """What a YAML text says.

    Attributes:
        name: What the text is called in messages.
        value: Its value: dictionaries with text as keys, lists, and single values.
        lines: The line of every entry, from 1, by the keys and indexes that lead to it.
        text: What was read.
    """

    name: str
    value: Any
    lines: Mapping[Path, int] = field(repr=False)
    text: str = field(repr=False)

    def place(self, path: Path) -> str:
        """Where an entry stands, or the nearest one around it: "cluster.yaml, line 7"."""
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}, line {self.lines[path]}" if path else self.name

    def places_of(self, marker: str) -> list[str]:
        """Where a word stands, comments left out."""
        lines = enumerate(self.text.splitlines(), start=1)
        return [f"{self.name}, line {number}" for number, line in lines if marker in line.partition("#")[0]]


def parse(text: str, name: str) -> Document:
    """Reads one YAML document; nothing but plain values is ever made of it.

    Raises:
        RequestError: It is none, or says something twice; each mistake with its line.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        raise RequestError(_syntax_problem(error, name)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise RequestError(f"{name} is not YAML: {' '.join(str(error).split())}") from error
    if root is None:
        raise RequestError(f"{name} is empty, but must be a YAML document.")
    lines: dict[Path, int] = {}
    problems = list(_walk(root, (), lines, name))
    if problems:
        raise RequestError(*problems)
    return Document(name, value, lines, text)


def _syntax_problem(error: yaml.MarkedYAMLError, name: str) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    around = f" ({error.context}, line {error.context_mark.line + 1})" if error.context and error.context_mark else ""
    hint = _hint(error)
    return f"{place}: {error.problem}{around}.{hint}"


def _hint(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or ""
    if "expected a single document" in (error.context or ""):
        return " Several documents (---) are what kubectl reads; here one is wanted."
    if "'\\t'" in problem:
        return " YAML is indented with spaces, never with tabs."
    if "python/" in problem:
        return " Only plain values are read: no Python objects."
    return ""


def _walk(node: yaml.Node, path: Path, lines: dict[Path, int], name: str) -> Iterator[str]:
    """Notes the line of everything below a node; yields what is wrong with the keys."""
    if len(lines) > _MOST_ENTRIES or len(path) > _DEEPEST:
        raise RequestError(
            f"{name} has more than {_MOST_ENTRIES:,} entries or {_DEEPEST} levels, its aliases resolved: simplify it."
        )
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            here = (*path, str(index))
            lines[here] = item.start_mark.line + 1
            yield from _walk(item, here, lines, name)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, item in node.value:
            line = key.start_mark.line + 1
            here = (*path, str(key.value))
            if key.tag == "tag:yaml.org,2002:merge":
                for merged in item.value if isinstance(item, yaml.SequenceNode) else [item]:
                    yield from _walk(merged, path, lines, name)
                continue
            yield from _key_problems(key, line, first, name)
            lines[here] = first[str(key.value)] = line
            yield from _walk(item, here, lines, name)


def _key_problems(key: yaml.Node, line: int, first: Mapping[str, int], name: str) -> Iterator[str]:
    if key.tag != "tag:yaml.org,2002:str":
        kind = key.tag.rpartition(":")[2]
        yield f'{name}, line {line}: the key {key.value} is {kind} to YAML, but must be text: write "{key.value}".'
    elif key.value in first:
        yield (
            f"{name}, line {line}: the key `{key.value}` is given twice, first in line {first[key.value]}; "
            "only the last would count: leave one of them out."
        )
