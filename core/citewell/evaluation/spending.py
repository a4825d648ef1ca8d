"""What answers took: time, tokens, money; and when a training has paid for itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from statistics import fmean, quantiles

from msgspec import Struct

from citewell.types.evaluation import Response

_HOUR_S = 3600


class Spread(Struct, frozen=True):
    """Of some durations, in seconds."""

    p50: float
    p95: float


class Spent(Struct, frozen=True, kw_only=True):
    """What the answers of one arm took, a question.

    Attributes:
        first_token: None where no answer had a token.
        whole: until an answer was complete.
        retrieval_share: of all the time, in [0, 1].
        input_tokens: mean.
        output_tokens: mean.
        cost: mean, of the model and of this machine; None where some answer's is unknown.
    """

    first_token: Spread | None
    whole: Spread | None
    retrieval_share: float
    input_tokens: float
    output_tokens: float
    cost: float | None


def spent(responses: Sequence[Response], *, is_local: bool, machine_per_hour: float) -> Spent:
    """Return what `responses` took.

    Args:
        responses: at least one.
        is_local: whether this machine computed them, which costs `machine_per_hour`.
        machine_per_hour: in the currency of the models' prices.
    """
    whole = [one.seconds.get("total", 0.0) for one in responses]
    retrieved = [one.seconds.get("retrieve", 0.0) for one in responses]
    hourly = machine_per_hour if is_local else 0.0
    return Spent(
        first_token=_spread([
            one.seconds["first_token"] for one in responses if "first_token" in one.seconds
        ]),
        whole=_spread(whole),
        retrieval_share=math.fsum(retrieved) / (math.fsum(whole) or 1.0),
        input_tokens=fmean(one.input_tokens for one in responses),
        output_tokens=fmean(one.output_tokens for one in responses),
        cost=_mean_cost(responses, is_local=is_local, hourly=hourly),
    )


def break_even(training_cost: float, saved_per_question: float) -> int | None:
    """Return after how many questions a training has paid for itself; None for never."""
    if saved_per_question <= 0:
        return None
    # Exactly: a float would round a cost near nothing to no question at all.
    return math.ceil(Fraction(training_cost) / Fraction(saved_per_question))


def _mean_cost(responses: Sequence[Response], *, is_local: bool, hourly: float) -> float | None:
    """A model on this machine without a price costs what the machine does."""
    costs = [0.0 if one.cost is None and is_local else one.cost for one in responses]
    known = [cost for cost in costs if cost is not None]
    if len(known) < len(costs):
        return None
    machine = fmean(one.seconds.get("total", 0.0) for one in responses) * hourly / _HOUR_S
    return fmean(known) + machine


def _spread(seconds: Sequence[float]) -> Spread | None:
    if not seconds:
        return None
    if len(seconds) == 1:
        return Spread(seconds[0], seconds[0])
    cuts = quantiles(seconds, n=100, method="inclusive")
    return Spread(round(cuts[49], 6), round(cuts[94], 6))
