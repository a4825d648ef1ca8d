"""Members of groups of chat services, who may read what a source says is for them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from msgspec.structs import replace

from citewell.configs import ChatConfig
from citewell.engine.sections import LibrarySettings, Section
from citewell.errors import PluginError
from citewell.specs import Membership, SourceSpec
from citewell.types.documents import Labels
from citewell.types.questions import EVERYONE


def memberships(library: LibrarySettings) -> tuple[Membership, ...]:
    """Return whom the source of a library gives labels.

    Raises:
        PluginError: it fails to say so.
    """
    spec = cast("SourceSpec[Any]", library.section.spec)
    if spec.memberships is None:
        return ()
    try:
        return tuple(spec.memberships(library.section.config))
    except Exception as error:
        raise PluginError(
            f'source "{spec.name}" does not say who may read what it reads: {error}'
        ) from error


def known_labels(library: LibrarySettings) -> dict[str, Labels]:
    """Return the labels that documents of a library may have, as far as the settings say.

    By the pattern, or by the group for whose members a source says that they are: these `**` with
    `everyone` does not open.
    """
    given = {one.group: frozenset({one.label}) for one in memberships(library)}
    written = {
        glob: labels for glob, labels in library.labels if not (given and _opens(glob, labels))
    }
    return {**given, **written}


def _opens(glob: str, labels: Labels) -> bool:
    return glob == "**" and EVERYONE in labels


def with_memberships(
    adapters: Mapping[str, Section], libraries: Iterable[LibrarySettings]
) -> dict[str, Section]:
    """Return the chat services with the groups that libraries are about, beside their own.

    Raises:
        PluginError: a source fails to say who they are.
    """
    given = [one for library in libraries for one in memberships(library)]
    return {name: _with(section, given) for name, section in adapters.items()}


def _with(section: Section, given: Iterable[Membership]) -> Section:
    config = cast("ChatConfig", section.config)
    groups = {group: list(labels) for group, labels in config.groups.items()}
    for one in _of(section.use, given):
        labels = groups.setdefault(one.group, [])
        if one.label not in labels:
            labels.append(one.label)
    if groups == config.groups:
        return section
    return replace(section, config=config.model_copy(update={"groups": groups}))


def _of(service: str, given: Iterable[Membership]) -> Iterator[Membership]:
    return (one for one in given if one.service == service)
