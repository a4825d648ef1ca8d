"""What a scenario is: a test with a stage, the abilities that it needs, and what it says."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import wraps
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from citewell.types.rehearsal import ABILITIES

_KEPT = "scenario"


class Scenario(Struct, frozen=True, kw_only=True):
    """One scenario of the contract.

    Attributes:
        name: of its test, without `test_`.
        theme: name of the class that it stands in, in lower case.
        says: what it is about, in one line.
        needs: abilities of the service that it needs; it is not claimed without one of them.
        alone: it gets a stage for itself, because it leaves one behind that nobody else can use.
        cases: how many tests are made of it.
    """

    name: str
    theme: str
    says: str
    needs: tuple[str, ...] = ()
    alone: bool = False
    cases: int = 1

    def lacks(self, can: Collection[str]) -> tuple[str, ...]:
        """Return what a service that can do this does not have of what is needed."""
        return tuple(one for one in self.needs if one not in can)


class Row(Struct, frozen=True, kw_only=True):
    """A scenario beside the services that it is about.

    Attributes:
        lacks: by service, the abilities that it needs and that are not claimed.
    """

    scenario: Scenario
    lacks: dict[str, tuple[str, ...]]


def scenario(*needs: str, alone: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Make a test of what is played on a stage.

    Args:
        needs: abilities without which it cannot be played.
        alone: whether it gets a stage that nobody uses before or after it.
    """
    unknown = [one for one in needs if one not in ABILITIES]
    if unknown:
        raise ValueError(f"{unknown[0]} is no ability; there are: {', '.join(sorted(ABILITIES))}")

    def decorate(play: Callable[..., Awaitable[None]]) -> Callable[..., None]:
        signature = inspect.signature(play)
        others = [one for name, one in signature.parameters.items() if name != "stage"]
        told = Scenario(
            name=play.__name__.removeprefix("test_"),
            theme=play.__qualname__.partition(".")[0].lower(),
            says=(play.__doc__ or "").partition("\n")[0].rstrip("."),
            needs=needs,
            alone=alone,
        )

        @wraps(play)
        def test(contract: Any, /, *args: Any, **kwargs: Any) -> None:
            contract.perform(told, play, *args, **kwargs)

        # pytest takes each parameter for a fixture, and the stage is none.
        setattr(test, "__signature__", signature.replace(parameters=others))  # noqa: B010 - mypy
        setattr(test, _KEPT, told)
        return test

    return decorate


def scenarios_of(contract: type) -> list[Scenario]:
    """Return the scenarios of a contract, in the order in which they stand there."""
    found: dict[str, Scenario] = {}
    for base in reversed(contract.__mro__):
        for name, member in vars(base).items():
            told = getattr(member, _KEPT, None)
            if isinstance(told, Scenario):
                found[name] = replace(told, cases=_cases(member))
    return list(found.values())


def rows(scenarios: Iterable[Scenario], services: Mapping[str, Collection[str]]) -> list[Row]:
    """Return a table of scenarios and services.

    Args:
        scenarios: its rows.
        services: what each one can do, by name.
    """
    return [
        Row(scenario=one, lacks={name: one.lacks(can) for name, can in services.items()})
        for one in scenarios
    ]


def _cases(member: Any) -> int:
    """Return how many tests pytest makes of a function."""
    count = 1
    for mark in getattr(member, "pytestmark", []):
        if mark.name == "parametrize":
            count *= len(mark.args[1])
    return count
