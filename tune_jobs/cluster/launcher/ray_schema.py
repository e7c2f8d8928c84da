"""Ray's own judgement of a launcher file, without a cloud or a network, in words that name the lines of the file."""

from __future__ import annotations

import copy
import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tune_jobs.cluster.internals import NotInThisRay, launcher
from tune_jobs.cluster.internals.launcher import FileRefused
from tune_jobs.cluster.launcher.yaml_lines import Document, Keys
from tune_jobs.errors import RequestError

if TYPE_CHECKING:  # it is slow to import
    from jsonschema import ValidationError

# Keys that Ray translates, drops or adds before it looks at its schema.
_RAYS_OWN = {("head_node",), ("worker_nodes",), ("min_workers",), ("cluster_name",)}
_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}
_LONGEST_VALUE = 60


def with_defaults(document: Document, notes: list[str]) -> tuple[dict[str, Any], bool]:
    """Return the content of a launcher file with Ray's defaults, as ``ray up`` would see it.

    Args:
        document: The file.
        notes: The list that gets a note for each check that has to be left out.

    Returns:
        The content, and whether it has all of Ray's defaults. Ray itself can only judge it when it has them.

    Raises:
        RequestError: Ray could not read it, or its schema finds mistakes: all of them are listed.
    """
    try:
        config = _prepared(document.value)
    except NotInThisRay as reason:
        notes.append(f"The file was read with fewer defaults than Ray has: {reason}.")
        if problems := _schema_problems(document, document.value, notes, is_prepared=False):
            raise RequestError(*problems) from None
        return _with_few_defaults(document), False
    except FileRefused as refusal:
        problems = _schema_problems(document, document.value, notes, is_prepared=False)
        raise RequestError(*(problems or [_refused(document, refusal.error)])) from refusal
    if problems := _schema_problems(document, config, notes, is_prepared=True):
        raise RequestError(*problems)
    return config, True


def objections(document: Document, config: dict[str, Any], notes: list[str]) -> list[str]:
    """Return what Ray objects to in a file that its schema has accepted.

    Args:
        document: The file.
        config: Its content, with all of Ray's defaults.
        notes: The list that gets a note for each check that has to be left out.
    """
    try:
        launcher.judge(config)
    except NotInThisRay as reason:
        notes.append(f"Ray itself was not asked about the file as a whole: {reason}.")
    except FileRefused as refusal:
        return [_refused(document, refusal.error)]
    return []


def _prepared(value: dict[str, Any]) -> dict[str, Any]:
    config = launcher.with_defaults(value)
    try:
        if config["provider"]["type"] == "aws":  # Ray asks AWS for them before it looks at its schema
            for node_type in config["available_node_types"].values():
                node_type.setdefault("resources", {})
    except (KeyError, TypeError, AttributeError) as error:
        raise FileRefused(error) from error
    return config


def _with_few_defaults(document: Document) -> dict[str, Any]:
    """Return the content of a launcher file with those of Ray 2.60's defaults that decide about nodes."""
    config = copy.deepcopy(document.value)
    try:
        if config["provider"]["type"] == "local":
            workers = len(config["provider"].get("worker_ips", ()))
            most = config.setdefault("max_workers", workers)
            kind = {"resources": {}, "min_workers": min(workers, most), "max_workers": most}
            config |= {"available_node_types": {"local.cluster.node": kind}, "head_node_type": "local.cluster.node"}
        few = {"cluster_name": "default", "max_workers": 2, "auth": {}, "file_mounts": {}}
        head_commands = ["ray start --head --autoscaling-config=~/ray_bootstrap_config.yaml"]
        few |= {"head_start_ray_commands": head_commands, "worker_start_ray_commands": []}
        kinds = {"head_node_type": "ray.head", "available_node_types": {"ray.head": {}, "ray.worker": {}}}
        config = {**few, **({} if "available_node_types" in config else kinds), **config}
        for name, node_type in config["available_node_types"].items():
            most = 0 if name == config["head_node_type"] else config["max_workers"]
            for key, default in (("resources", {}), ("min_workers", 0), ("max_workers", most)):
                if not isinstance(node_type.setdefault(key, default), type(default)):
                    raise TypeError(f"`{key}` of {name} is {node_type[key]!r}")
    except (KeyError, TypeError, AttributeError) as error:
        raise RequestError(_refused(document, error)) from error
    return config


def _refused(document: Document, error: Exception) -> str:
    import ray

    reason = " ".join(str(error).split())
    if isinstance(error, KeyError):
        reason = f"it has no {reason}, but must."
    elif isinstance(error, TypeError | AttributeError):
        reason = f"{type(error).__name__}: {reason}"
    return f"{document.name}: Ray {ray.__version__} does not accept it: {reason}"


def _schema_problems(document: Document, config: dict[str, Any], notes: list[str], *, is_prepared: bool) -> list[str]:
    """Return the mistakes that Ray's schema finds, in the order of the file."""
    import jsonschema

    try:
        schema = launcher.schema()
    except NotInThisRay as reason:
        notes.append(f"Keys and values were not compared with Ray's schema: {reason}.")
        return []
    errors = jsonschema.Draft7Validator(schema).iter_errors(config)
    problems = {
        (document.line_numbers.get(keys, 0), f"{document.line(keys)}: {problem}")
        for error in errors
        for keys, problem in _in_words(error)
        if _is_own(error, keys, document) and (is_prepared or keys not in _RAYS_OWN)
    }
    return [problem for _, problem in sorted(problems)]


def _is_own(error: ValidationError, keys: Keys, document: Document) -> bool:
    """Return whether an error is about the file's own words: where it says nothing, Ray copies values."""
    return error.validator == "required" or keys in document.line_numbers


def _in_words(error: ValidationError) -> Iterator[tuple[Keys, str]]:
    """Yield each mistake that an error of the schema stands for, after the keys that lead to it."""
    keys = tuple(map(str, error.absolute_path))
    name = ".".join(keys)
    wrong = f"the value of `{name}` is {_short(error.instance)}, but must be"
    match error.validator:
        case "additionalProperties":
            known = sorted(error.schema.get("properties", {}))
            for key in sorted(set(error.instance) - set(known)):
                yield (*keys, key), _unknown(key, name, known)
        case "required":
            for key in set(error.validator_value) - set(error.instance):
                yield (*keys, key), f"`{name or 'the file'}` has no `{key}`, but must.{_REMEDIES.get(key, '')}"
        case "type" if keys[-2:-1] == ("resources",):
            yield keys, f"{wrong} a whole number: a node has whole ones; a trial may ask for a part (--gpus 0.25)."
        case "type":
            kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
            yield keys, f"{wrong} {' or '.join(_KINDS.get(str(kind), str(kind)) for kind in kinds)}."
        case "minimum":
            yield keys, f"{wrong} >= {error.validator_value}."
        case "enum":
            yield keys, f"{wrong} one of {', '.join(map(str, error.validator_value))}."
        case _:
            yield keys, f"`{name}`: {' '.join(error.message.split())}."


_REMEDIES = {
    "resources": " Write what a node has: resources: {CPU: 8, GPU: 1}.",
    "node_config": " It says which machine the provider starts; {} takes its defaults.",
}


def _unknown(key: str, parent: str, known: list[str]) -> str:
    where = f"in `{parent}`" if parent else "at the top"
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.8)
    hint = f"did you mean `{near[0]}`?" if near else "leave it out."
    return f"`{key}` is no key that Ray knows {where}: {hint}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
