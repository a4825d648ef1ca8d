"""What a plugin offers, for `citewell plugins show`: settings, and a section to paste."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click
from msgspec import Struct, to_builtins

from citewell.cli.wording import safe, safe_line

if TYPE_CHECKING:
    from citewell.engine.registry import PluginState, Registry
    from citewell.engine.setting_reference import Setting


_FORMS = '{ env = "NAME" } or { file = "PATH" }'


class Offered(Struct, frozen=True, kw_only=True):
    """One offer of a plugin.

    Attributes:
        name: with its kind, like `loader pdf`.
        settings: in the order of its config model.
        example: a section to paste; empty for what has no section.
    """

    name: str
    summary: str
    settings: tuple[Setting, ...] = ()
    example: str = ""


def offered(registry: Registry, state: PluginState) -> Iterator[Offered]:
    """Yield what is in use of a plugin."""
    from citewell.engine.example_sections import example_section
    from citewell.engine.setting_reference import settings_of
    from citewell.specs import CommandSpec, HealthCheck

    for offer in state.offers:
        kind, _, name = offer.rpartition(" ")
        spec = registry.offer(kind, name)
        if isinstance(spec, CommandSpec | HealthCheck):
            yield Offered(name=offer, summary=spec.summary)
        else:
            yield Offered(
                name=offer,
                summary=spec.summary,
                settings=settings_of(spec.config),
                example=example_section(kind, spec),
            )


def show_offer(offer: Offered) -> None:
    """Print an offer for people."""
    click.echo(f"\n{offer.name}: {safe_line(offer.summary)}")
    for setting in offer.settings:
        click.echo(f"  {setting.name}: {safe_line(_kind(setting))}")
        if setting.description:
            click.echo(f"      {safe_line(setting.description)}")
    if offer.example:
        click.echo(f"\n{safe(offer.example.rstrip())}")


def offer_fields(offer: Offered) -> dict[str, object]:
    """Return an offer for programs."""
    # Only the settings of the table itself, which is what this field held before there were more.
    described = {one.name: one.description for one in offer.settings if "." not in one.name}
    return {
        "offer": offer.name,
        "summary": offer.summary,
        "settings": described,
        "reference": to_builtins(offer.settings),
        "example": offer.example,
    }


def _kind(setting: Setting) -> str:
    given = f", given as {_FORMS}" if setting.is_secret else ""
    if setting.is_required:
        return f"{setting.type}{given}; required"
    default = "" if setting.default is None else f"; default {setting.default}"
    return f"{setting.type}{given}{default}"
