"""Odd launcher files: YAML with wrong values, wrong tags, and other bytes."""

from __future__ import annotations

import json

from tests.fuzz.act import Act, command
from tests.fuzz.box import Box
from tests.fuzz.damage import damaged_bytes, damaged_json
from tests.fuzz.draw import Draw

_YAML = (
    *(
        "!!timestamp x",
        "!!timestamp 2001-99-99",
        "2001-99-99",
        "!!int x",
        "!!float x",
        "!!bool x",
        "!!binary 'é'",
        "!!null x",
    ),
    *(
        "!!set {a, b}",
        "!!omap [a: 1]",
        "!!pairs x",
        "!!python/object:os.system x",
        "!x y",
        "!<tag:x> y",
        "*nowhere",
        "&a [*a]",
    ),
    *(
        "&a {b: *a}",
        "1:60:60",
        "0o17",
        "0x",
        "0b",
        "1_0",
        ".inf",
        ".nan",
        "1e400",
        "<<: 1",
        "? [a]",
        "{<<: [1]}",
        "{<<: x}",
    ),
    *(
        "{[1]: 2}",
        "{? {a: b} : c}",
        "{null: 1}",
        "{1: 2, 1: 3}",
        "|",
        ">-",
        "%TAG",
        "@x",
        "`x`",
        "\t- x",
        "'",
        '"\\x"',
        "[" * 500,
    ),
    *(
        "{a: " * 500,
        "- - - - x",
        "!!str [1]",
        "!!map [1]",
        "!!seq {a: 1}",
        "9" * 5000,
        "~",
        "yes",
        "=",
        "!!value x",
        "!!merge x",
    ),
)


def launcher_file(draw: Draw, box: Box) -> Act:
    """Return an act that checks an odd launcher file."""
    import yaml

    path = box.root / "cluster.yaml"
    text = path.read_text()
    way = draw.one(("value", "value", "bytes", "tag"))
    if way == "value":
        value = damaged_json(draw, yaml.safe_load(text))
        try:
            text = yaml.safe_dump(value, allow_unicode=draw.chance(0.5))
        except RecursionError:
            text = json.dumps(value)  # which is YAML, too
    elif way == "tag":
        lines = text.splitlines()
        index = draw.random.randrange(len(lines))
        key = lines[index].partition(":")[0]
        lines[index] = f"{key}: {draw.one(_YAML)}"
        text = "\n".join(lines)
    content = text.encode("utf-8", "surrogatepass")
    path.write_bytes(damaged_bytes(draw, content) if way == "bytes" else content)
    arguments = [
        "cluster",
        "check",
        "cluster.yaml",
        *draw.one(([], ["--gpus", "0.5"], ["blobs.py"], ["--cpus", "1e-320"])),
    ]
    act = command(box, *arguments)
    return Act(f"cluster.yaml: {way}; {act.words}", act.work, act.writes)
