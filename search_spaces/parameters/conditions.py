"""One condition of a parameter: its parent must have one of the given values."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from search_spaces.json_values import identity, json_problem, plain
from search_spaces.messages import shown

if TYPE_CHECKING:
    from search_spaces.parameters import Parameter


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when `parent` has the value `given` or, when that is a list of several, any of them."""

    parent: str
    given: Any

    @classmethod
    def of(cls, parent: str, given: Any) -> "Condition":
        """Return the condition as it is kept: with a list for a tuple or a set."""
        if isinstance(given, set | frozenset):
            given = sorted(given, key=repr)  # a set of strings has another order in every process
        return cls(parent, plain(given))

    def accepted(self, parent: "Parameter") -> list[Any]:
        """Return the parent's values that fulfil the condition.

        A list means any of its values, unless it is itself one of the parent's values: then it means that.
        """
        if isinstance(self.given, list) and parent.problem_with(self.given) is not None:
            return self.given
        return [self.given]

    def problems(self) -> list[str]:
        """Return what can be said against the condition without knowing the parent."""
        if found := json_problem(self.given):
            return [f"The condition on `{self.parent}` {found}."]
        if self.given == []:
            return [f"The condition on `{self.parent}` lists no values: name at least one, or leave it out."]
        return []

    def __str__(self) -> str:
        if isinstance(self.given, list):
            return f"{self.parent} in {shown(self.given)}"
        return f"{self.parent} = {shown(self.given)}"


def same_values(some: list[Any], others: list[Any]) -> list[Any]:
    """Return those of the first values that are also among the second."""
    keys = {identity(each) for each in others}
    return [each for each in some if identity(each) in keys]
