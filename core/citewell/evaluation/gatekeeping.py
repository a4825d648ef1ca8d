"""What asks the gate: which backends are to go live, and what is known of them now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from msgspec import DecodeError, Struct, ValidationError, field
from msgspec import json as msgjson

from citewell import blocking
from citewell.configs import ChatConfig
from citewell.engine.folders import make_folder
from citewell.engine.replacing import replace_content
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.engine.tables import Gate, Profile
from citewell.engine.trials import promoted
from citewell.errors import CitewellError
from citewell.evaluation.gating import Candidate, Ruling, Status, lasting, rule
from citewell.evaluation.identity import FileHashes, Identity, identity
from citewell.evaluation.questions import load_questions
from citewell.evaluation.report import Report
from citewell.evaluation.reporting import questions_hash
from citewell.evaluation.session import load_report, questions_path, report_path
from citewell.types.questions import Audience

_ON_TRIAL = ", on trial"


class Forced(Struct, frozen=True, kw_only=True):
    """A backend that somebody let go live all the same.

    Attributes:
        key: of its identity, documents left out.
        at: ISO 8601, UTC.
    """

    key: str
    profile: str
    who: str
    why: str
    at: str


class _ForcedFile(Struct):
    forced: list[Forced] = field(default_factory=list)


def live_profiles(settings: Settings) -> tuple[str, ...]:
    """Return the profiles that people are answered by; others are there to be measured."""
    named = [settings.default_profile]
    for section in settings.adapters.values():
        config = cast("ChatConfig", section.config)
        named += [config.profile or "", *(one.profile or "" for one in config.channels.values())]
    return tuple(name for name in dict.fromkeys(named) if name in settings.profiles)


class Gatekeeper:
    """Asks the gate; remembers what model files hold, which takes long to read."""

    def __init__(self) -> None:
        self._files = FileHashes()

    async def rulings(self, new: Runtime, old: Settings | None) -> dict[str, Ruling]:
        """Return what the gate says of each live profile that is not what answers already.

        Args:
            new: with the settings that are to be in force.
            old: in force now; None to ask about every live profile.

        Raises:
            CitewellError: a retriever cannot be opened.
        """
        if new.settings.gate is None:
            return {}
        found = {}
        for name, profile in _backends(new.settings):
            own = await blocking.call(identity, new.settings, profile, "", self._files)
            present = None if old is None else await blocking.call(self._present, old, name)
            if present != own:
                backend = _Backend(name, profile, own, present)
                found[name] = await _ruling(new, new.settings.gate, backend)
        return found

    async def refusals(self, new: Runtime, old: Settings) -> list[str]:
        """Return why new settings must not be put in force, a line each."""
        return [
            f"profile {name}: {reason}"
            for name, ruling in (await self.rulings(new, old)).items()
            if ruling.status is not Status.PASS
            for reason in ruling.reasons
        ]

    def _present(self, old: Settings, name: str) -> Identity:
        """Return the identity of what people get now where backend `name` will answer."""
        backends = dict(_backends(old))
        found = backends.get(name) or backends.get(name.removesuffix(_ON_TRIAL))
        return identity(old, found or backends[old.default_profile], "", self._files)


def _backends(settings: Settings) -> Iterator[tuple[str, Profile]]:
    """Yield what answers people, also on trial, by name."""
    for name in live_profiles(settings):
        yield from _of_profile(settings, name)


def _of_profile(settings: Settings, name: str) -> Iterator[tuple[str, Profile]]:
    profile = settings.profiles[name]
    yield name, profile
    if profile.canary is not None:
        # Measured is what it would be without the other one as its stand-in.
        yield name + _ON_TRIAL, promoted(profile, profile.canary)


class _Backend(Struct, frozen=True):
    """What is to answer people, and what does now."""

    name: str
    profile: Profile
    identity: Identity
    present: Identity | None


async def _ruling(runtime: Runtime, gate: Gate, backend: _Backend) -> Ruling:
    settings = runtime.settings
    if any(one.key == lasting(backend.identity).key for one in read_forced(settings)):
        return Ruling(status=Status.PASS, arm=None)
    try:
        report = await blocking.call(_report, settings)
    except CitewellError as error:
        return Ruling(status=Status.FAIL, arm=None, reasons=(str(error),))
    candidate = Candidate(
        profile=backend.name,
        identity=backend.identity,
        present=backend.present,
        questions_hash=await blocking.call(_questions_hash, settings),
        versions=await _versions(runtime, backend.profile),
        readers=Audience.of(*settings.reads).readers,
        now=datetime.now(UTC),
    )
    return rule(report, gate, candidate)


def _report(settings: Settings) -> Report | None:
    path = report_path(settings)
    return load_report(path) if path.exists() else None


def _questions_hash(settings: Settings) -> str | None:
    try:
        items = load_questions(questions_path(settings))
    except CitewellError:
        return None
    return questions_hash([item for item in items if not item.is_draft])


async def _versions(runtime: Runtime, profile: Profile) -> Mapping[str, str] | None:
    if profile.retriever is None:
        return None
    return await (await runtime.retriever(profile.retriever)).versions()


# --- by force --------------------------------------------------------------------------------


def forced_path(settings: Settings) -> Path:
    """Return where it is kept who forced what."""
    return report_path(settings).with_name("forced.json")


def read_forced(settings: Settings) -> Sequence[Forced]:
    """Return what was forced; nothing where that cannot be read."""
    try:
        return msgjson.decode(forced_path(settings).read_bytes(), type=_ForcedFile).forced
    except (OSError, DecodeError, ValidationError):
        return []


def force(settings: Settings, profile: str, *, who: str, why: str) -> None:
    """Let what answers by a profile go live whatever the gate says; it is remembered.

    Raises:
        CitewellError: that cannot be written.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds")
    files = FileHashes()
    forced = [
        Forced(
            key=lasting(identity(settings, backend, "", files)).key,
            profile=name,
            who=who,
            why=why,
            at=at,
        )
        for name, backend in _of_profile(settings, profile)
    ]
    path = forced_path(settings)
    make_folder(path.parent)
    replace_content(path, msgjson.encode(_ForcedFile([*read_forced(settings), *forced])))
