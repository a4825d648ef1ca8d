"""The arms of an evaluation: profiles, with what makes each answer as it does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from msgspec import Struct

from citewell import blocking
from citewell.engine import tables
from citewell.engine.nearest import did_you_mean
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.errors import ConfigError
from citewell.evaluation.identity import FileHashes, Identity, identity


class Arm(Struct, frozen=True, kw_only=True):
    """One side of a comparison.

    Attributes:
        profile: how its questions are answered.
        tuned: whether its model is fine-tuned.
        rag: whether it retrieves.
        model: section of the model that the profile names first.
        is_local: whether that model runs on this machine.
        identity: what makes it answer as it does.
        training_cost: None where nobody said.
        training_s: likewise.
    """

    name: str
    profile: str
    tuned: bool
    rag: bool
    model: str
    is_local: bool
    identity: Identity
    training_cost: float | None = None
    training_s: float | None = None


def wanted_arms(settings: Settings, names: Sequence[str]) -> dict[str, tables.Arm]:
    """Return the arms with `names`, which may be profiles as well; all of the settings for none.

    Raises:
        ConfigError: there is no such arm or profile, or nothing to compare.
    """
    arms, profiles = settings.evaluation.arms, settings.profiles
    if not names and not arms:
        raise ConfigError(
            "nothing to compare: add [eval.arms] to the settings, as "
            'base = { profile = "default" }, or name profiles: citewell eval run --arms a,b'
        )
    known = [*arms, *(name for name in profiles if name not in arms)]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known, f"there are: {', '.join(known)}")
            raise ConfigError(f'no arm or profile "{name}"{hint}')
    chosen = dict.fromkeys(names) or dict.fromkeys(arms)
    return {name: arms.get(name) or tables.Arm(profile=name) for name in chosen}


async def opened_arms(runtime: Runtime, names: Sequence[str]) -> tuple[Arm, ...]:
    """Return the arms, once their retrievers are open and their files are read.

    Raises:
        ConfigError: an arm is not in the settings.
        CitewellError: a retriever cannot be opened.
    """
    files = FileHashes()
    wanted = wanted_arms(runtime.settings, names)
    return tuple([await _opened(runtime, name, arm, files) for name, arm in wanted.items()])


async def _opened(runtime: Runtime, name: str, arm: tables.Arm, files: FileHashes) -> Arm:
    settings = runtime.settings
    profile = settings.profiles[arm.profile]
    index = ""
    if profile.retriever is not None:
        # What retrieves is told from what does not, also while nothing is indexed.
        index = await (await runtime.retriever(profile.retriever)).identity() or "empty"
    return Arm(
        name=name,
        profile=arm.profile,
        tuned=arm.tuned,
        rag=profile.retriever is not None if arm.rag is None else arm.rag,
        model=profile.model,
        is_local=runtime.is_local(profile.model),
        identity=await blocking.call(identity, settings, profile, index, files),
        training_cost=arm.training_cost,
        training_s=arm.training_s,
    )


_OF_MODEL = ("model ", "order of the models")
_OF_RETRIEVAL = (
    "retriever ",
    "embedder ",
    "reranker ",
    "order of the rerankers",
    "verifier ",
    "library ",
    "documents",
)


def flags(arms: Sequence[Arm]) -> list[str]:
    """Name what arms differ in beside the factor that they are compared for, a line each."""
    return [line for one, other in combinations(arms, 2) for line in _flags(one, other)]


def _flags(one: Arm, other: Arm) -> Iterator[str]:
    if (one.tuned == other.tuned) == (one.rag == other.rag):
        return
    factor = "tuned" if one.tuned != other.tuned else "rag"
    expected = _OF_MODEL if factor == "tuned" else _OF_RETRIEVAL
    others = [
        part for part in one.identity.differs_from(other.identity) if not part.startswith(expected)
    ]
    if others:
        yield (
            f'{one.name} and {other.name} are to differ in "{factor}" alone; they differ also in: '
            f"{', '.join(others)}"
        )
