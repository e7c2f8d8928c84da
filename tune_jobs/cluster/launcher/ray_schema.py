"""Ray's own judgement of a launcher file, with no cloud and no network; nothing else asks Ray's private functions."""

from __future__ import annotations

import contextlib
import copy
import difflib
import io
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tune_jobs.cluster.launcher.yaml_lines import Document
from tune_jobs.errors import RequestError

if TYPE_CHECKING:
    from jsonschema import ValidationError

# What Ray translates, drops or adds before it looks at its schema.
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


def prepared(document: Document) -> dict[str, Any]:
    """The file as `ray up` would see it, with Ray's defaults.

    Raises:
        RequestError: Ray could not read it, or its schema finds something; all of that is listed.
    """
    config, refusal = _prepare(document.value)
    problems = _schema_problems(document, config if refusal is None else document.value, refusal is None)
    if refusal is not None and not problems:
        problems = [_refused(document, refusal)]
    if problems:
        raise RequestError(*problems)
    return config


def last_word(document: Document, config: dict[str, Any]) -> list[str]:
    """What Ray has against a file that its schema has nothing against."""
    from ray.autoscaler._private.util import validate_config

    try:
        with _silence():
            validate_config(config)
    except Exception as error:  # noqa: BLE001 - nobody says what it raises
        return [_refused(document, error)]
    return []


def _refused(document: Document, error: Exception) -> str:
    import ray

    told = " ".join(str(error).split())
    if isinstance(error, KeyError):
        told = f"it has no {told}, but must."
    elif isinstance(error, TypeError | AttributeError):
        told = f"{type(error).__name__}: {told}"
    return f"{document.name}: Ray {ray.__version__} does not accept it: {told}"


def _prepare(value: dict[str, Any]) -> tuple[dict[str, Any], Exception | None]:
    from ray.autoscaler._private.util import prepare_config

    config = copy.deepcopy(value)
    try:
        with _silence():
            config = prepare_config(config)
        if config["provider"]["type"] == "aws":  # asked of AWS before the schema is looked at
            for node_type in config["available_node_types"].values():
                node_type.setdefault("resources", {})
    except Exception as error:  # noqa: BLE001 - it trusts its input: a wrong type is any error whatever
        return config, error
    return config, None


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Ray prints and logs what it thinks of a file as well as raising it."""
    logger = logging.getLogger("ray.autoscaler")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


def _schema_problems(document: Document, config: Mapping[str, Any], is_prepared: bool) -> list[str]:
    """What Ray's schema finds, in the order of the file."""
    import jsonschema
    import ray.autoscaler

    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    errors = jsonschema.Draft7Validator(schema).iter_errors(config)
    found = {
        (document.line_numbers.get(path, 0), f"{document.line(path)}: {told}")
        for error in errors
        for path, told in _in_words(error)
        if _is_own(error, path, document) and (is_prepared or path not in _RAYS_OWN)
    }
    return [told for _, told in sorted(found)]


def _is_own(error: ValidationError, path: tuple[str, ...], document: Document) -> bool:
    """Whether it is about what the file says; Ray copies values to where the file says nothing."""
    return error.validator == "required" or path in document.line_numbers


def _in_words(error: ValidationError) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each mistake that an error of the schema stands for, with the path of its key."""
    path = tuple(map(str, error.absolute_path))
    name = ".".join(path)
    wrong = f"the value of `{name}` is {_short(error.instance)}, but must be"
    match error.validator:
        case "additionalProperties":
            known = sorted(error.schema.get("properties", {}))
            for key in sorted(set(error.instance) - set(known)):
                yield (*path, key), _unknown(key, name, known)
        case "required":
            for key in set(error.validator_value) - set(error.instance):
                yield (*path, key), f"`{name or 'the file'}` has no `{key}`, but must.{_REMEDIES.get(key, '')}"
        case "type" if path[-2:-1] == ("resources",):
            yield path, f"{wrong} a whole number: a node has whole ones; a trial may ask for a part (--gpus 0.25)."
        case "type":
            kinds = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
            yield path, f"{wrong} {' or '.join(_KINDS.get(str(kind), str(kind)) for kind in kinds)}."
        case "minimum":
            yield path, f"{wrong} >= {error.validator_value}."
        case "enum":
            yield path, f"{wrong} one of {', '.join(map(str, error.validator_value))}."
        case _:
            yield path, f"`{name}`: {' '.join(error.message.split())}."


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
