"""Random programs that ask an ``hp`` for values: with branches, loops, and names that two branches share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Program = Callable[[Any], None]

KINDS: tuple[Callable[[Any, str], Any], ...] = (
    lambda hp, name: hp.Int(name, 1, 4),
    lambda hp, name: hp.Int(name, 0, 64, step=16),
    lambda hp, name: hp.Int(name, 1, 8, step=2, sampling="log"),
    lambda hp, name: hp.Choice(name, ["a", None, 3, True]),
    lambda hp, name: hp.Choice(name, [(3, 3), (5, 5)]),
    lambda hp, name: hp.Boolean(name),
    lambda hp, name: hp.Float(name, 0, 0.5, step=0.1),
    lambda hp, name: hp.Float(name, 1e-4, 1e-1, sampling="log"),
    lambda hp, name: hp.Fixed(name, "fixed"),
)
CONTINUUM, COUNTS = 7, (0, 1)


@dataclass(frozen=True)
class Ask:
    """Asks for a value."""

    name: str
    kind: int

    def run(self, hp: Any, values: dict[str, Any]) -> None:
        values[self.name] = KINDS[self.kind](hp, self.name)


@dataclass(frozen=True)
class If:
    """Goes on in one of two ways, by a value that was asked for."""

    name: str
    accepted: tuple[int, ...]
    then: tuple[Any, ...]
    otherwise: tuple[Any, ...]

    def run(self, hp: Any, values: dict[str, Any]) -> None:
        if self.name not in values:
            return
        value = values[self.name]
        is_number = type(value) in (int, float)
        is_right = value * 5 > self.accepted[0] + 1 if is_number else len(str(value)) % 3 in self.accepted
        for statement in self.then if is_right else self.otherwise:
            statement.run(hp, values)


@dataclass(frozen=True)
class Loop:
    """Asks for a value as often as another value says, at most three times."""

    name: str
    element: str
    kind: int

    def run(self, hp: Any, values: dict[str, Any]) -> None:
        count = values.get(self.name)
        for index in range(min(count, 3) if isinstance(count, int) else 0):
            Ask(f"{self.element}_{index}", self.kind).run(hp, values)


@st.composite
def programs(draw: st.DrawFn) -> tuple[Any, ...]:
    """Programs of up to eight statements, nested up to two deep."""
    number = [0]

    def name() -> str:
        number[0] += 1
        return f"p{number[0]}"

    def block(depth: int, known: list[tuple[str, int]]) -> tuple[Any, ...]:
        statements: list[Any] = []
        known = list(known)
        for _ in range(draw(st.integers(1, 3))):
            form = draw(st.sampled_from(["ask", "ask", "if", "loop"]))
            discrete = [one for one, kind in known if kind != CONTINUUM]
            counts = [one for one, kind in known if kind in COUNTS]
            if form == "if" and depth and discrete:
                parent = draw(st.sampled_from(discrete))
                accepted = tuple(draw(st.sets(st.integers(0, 2), min_size=1, max_size=2)))
                then, otherwise = block(depth - 1, known), block(depth - 1, known)
                if draw(st.booleans()):  # one name in two branches, with values of its own in each
                    shared = name()
                    first, second = draw(st.permutations(range(len(KINDS))))[:2]
                    then, otherwise = (*then, Ask(shared, first)), (*otherwise, Ask(shared, second))
                statements.append(If(parent, accepted, then, otherwise))
            elif form == "loop" and counts:
                statements.append(Loop(draw(st.sampled_from(counts)), name(), draw(st.integers(0, len(KINDS) - 1))))
            else:
                asked = Ask(name(), draw(st.integers(0, len(KINDS) - 1)))
                known.append((asked.name, asked.kind))
                statements.append(asked)
        return tuple(statements)

    return block(2, [])


def runner(statements: tuple[Any, ...]) -> Program:
    """Return a function of ``hp`` that runs a program."""

    def program(hp: Any) -> None:
        values: dict[str, Any] = {}
        for statement in statements:
            statement.run(hp, values)

    return program
