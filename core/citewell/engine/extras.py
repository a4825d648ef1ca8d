"""Which optional packages are there."""

from __future__ import annotations

import re
from importlib import metadata

from msgspec.structs import replace

from citewell.engine.registry import PluginState, Registry
from citewell.errors import MissingExtra

_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def missing_packages(distribution: str, extra: str) -> list[str]:
    """Return the packages of `distribution[extra]` that are not installed."""
    try:
        requirements = metadata.requires(distribution) or []
    except metadata.PackageNotFoundError:
        return []
    marker = re.compile(rf"""extra\s*==\s*["']{re.escape(extra)}["']""")
    packages = [_PACKAGE.match(one) for one in requirements if marker.search(one)]
    return [package[0] for package in packages if package and not _is_installed(package[0])]


def missing_extra(registry: Registry, kind: str, name: str) -> str | None:
    """Return the install command that the component lacks, or None when it lacks nothing."""
    extra = getattr(registry.offer(kind, name), "extra", None)
    distribution = registry.distribution_of(kind, name)
    if extra is None or not missing_packages(distribution, extra):
        return None
    return f'pip install "{distribution}[{extra}]"'


def need_extra(registry: Registry, kind: str, name: str) -> None:
    """Let a component be opened.

    Raises:
        MissingExtra: it lacks an optional package; says the install command.
    """
    extra = getattr(registry.offer(kind, name), "extra", None)
    distribution = registry.distribution_of(kind, name)
    missing = [] if extra is None else missing_packages(distribution, extra)
    if extra is not None and missing:
        raise MissingExtra(
            f'{kind} "{name}"', package=missing[0], extra=extra, distribution=distribution
        )


def plugin_states(registry: Registry) -> tuple[PluginState, ...]:
    """Return the plugins; one of which a component lacks an extra says so."""
    return tuple(_with_extras(registry, state) for state in registry.plugins)


def _with_extras(registry: Registry, state: PluginState) -> PluginState:
    lacking: dict[str, str] = {}
    for offer in state.offers:
        kind, _, name = offer.rpartition(" ")
        command = missing_extra(registry, kind, name)
        if command is not None:
            lacking[offer] = command
    if not lacking:
        return state
    extras = sorted({command.rpartition("[")[2].rstrip(']"') for command in lacking.values()})
    reasons = [f"{offer} needs: {command}" for offer, command in lacking.items()]
    reason = "; ".join(filter(None, [state.reason, *reasons]))
    return replace(state, state=f"needs extra {', '.join(extras)}", reason=reason)


def _is_installed(package: str) -> bool:
    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        return False
    return True
