"""What every adapter must do, as tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from citewell.testing.adapters.access import Access
from citewell.testing.adapters.answering import Answering
from citewell.testing.adapters.asking import Asking
from citewell.testing.adapters.configuring import Configuring
from citewell.testing.adapters.lossless import Lossless
from citewell.testing.adapters.pressing import Pressing
from citewell.testing.adapters.remembering import Remembering
from citewell.testing.adapters.repeats import Repeats
from citewell.testing.adapters.restarting import Restarting
from citewell.testing.adapters.safety import Safety
from citewell.testing.adapters.scenario import Row, Scenario, rows, scenarios_of
from citewell.testing.adapters.theatre import Theatre


class AdapterContract(
    Asking,
    Configuring,
    Answering,
    Repeats,
    Lossless,
    Safety,
    Access,
    Pressing,
    Restarting,
    Remembering,
    Theatre,
):
    """Subclass it, set `name`, and pytest tests your adapter in its stand-in.

    A whole bot answers from a small library: people ask in `AdapterSpec.rehearsal`, and what they
    see there is compared with what they should see. What the stand-in does not claim in `can` is
    skipped.
    """


def adapter_scenarios() -> list[Scenario]:
    """Return the scenarios of the contract, theme by theme."""
    order = {base.__name__.lower(): at for at, base in enumerate(AdapterContract.__bases__)}
    return sorted(scenarios_of(AdapterContract), key=lambda one: order[one.theme])


def adapter_table(services: Mapping[str, Collection[str]]) -> list[Row]:
    """Return which scenarios test which services, and what each of the others lacks.

    Args:
        services: what each one can do, by name: `Rehearsal.can`.
    """
    return rows(adapter_scenarios(), services)
