"""The command `citewell slack`."""

from __future__ import annotations

import json
import re

import click
from pydantic import ValidationError

from citewell_slack.manifest import COMMAND, FEATURES, App, manifest
from citewell_slack.settings import PromptConfig

# As in the rest of the command line, also where this is called by itself.
_HELP = {"help_option_names": ["-h", "--help"]}


@click.group(context_settings=_HELP)
def slack() -> None:
    """Set the Slack app up."""


_EXAMPLES = """\b
Examples:
  citewell slack manifest
  citewell slack manifest --name Handbook --without files
  citewell slack manifest --url https://bot.example.com/slack/events
"""


@slack.command("manifest", epilog=_EXAMPLES, context_settings=_HELP)
@click.option("--name", default="Citewell", show_default=True, help="Name of the app and its bot.")
@click.option(
    "--description",
    default=App.description,
    show_default=True,
    help="What the app says about itself; at most 140 characters.",
)
@click.option(
    "--command", default="/ask", show_default=True, help="The command that asks privately."
)
@click.option(
    "--without",
    multiple=True,
    type=click.Choice(FEATURES),
    help="Leave a feature out, and its scopes; may be repeated.",
)
@click.option(
    "--url", help="Public request URL, for signed HTTP. Default: Socket Mode, which needs none."
)
@click.option(
    "--redirect-url", help="Public address of /slack/oauth_redirect, for several workspaces."
)
@click.option(
    "--prompt",
    "prompts",
    nargs=2,
    multiple=True,
    metavar="TITLE MESSAGE",
    help="Suggest a question in the messages tab; up to 4.",
)
def print_manifest(**options: object) -> None:
    """Print the manifest to paste at api.slack.com/apps, "From a manifest"."""
    click.echo(json.dumps(manifest(_app(**options)), indent=2, ensure_ascii=False))


def _app(**options: object) -> App:
    """Return what the options describe.

    Raises:
        click.BadParameter: Slack would not take it.
    """
    name, description = str(options["name"]), str(options["description"])
    command, without, prompts = str(options["command"]), options["without"], options["prompts"]
    assert isinstance(without, tuple)  # noqa: S101 - click's `multiple`
    assert isinstance(prompts, tuple)  # noqa: S101 - click's `multiple`
    if not 0 < len(name) <= 35:
        raise click.BadParameter("expected 1 to 35 characters", param_hint="--name")
    if len(description) > 140:
        raise click.BadParameter("expected at most 140 characters", param_hint="--description")
    if not re.fullmatch(COMMAND, command):
        raise click.BadParameter(
            f"expected / and 1 to 31 of a-z, 0-9, _ and -, got {command}", param_hint="--command"
        )
    if len(prompts) > 4:
        raise click.BadParameter("expected at most 4", param_hint="--prompt")
    for title, message in prompts:
        try:
            PromptConfig(title=title, message=message)
        except ValidationError as error:
            first = error.errors()[0]
            told = f"{first['loc'][0]}: {first['msg'].lower()}"
            raise click.BadParameter(told, param_hint="--prompt") from error
    for option in ("url", "redirect_url"):
        given = options[option]
        if given and not str(given).startswith("https://"):
            hint = f"--{option.replace('_', '-')}"
            raise click.BadParameter(f"expected https://..., got {given}", param_hint=hint)
    return App(
        name=name,
        description=description,
        command=command,
        features=frozenset(FEATURES).difference(without),
        url=_text(options["url"]),
        redirect_url=_text(options["redirect_url"]),
        prompts=prompts,
    )


def _text(value: object) -> str | None:
    return str(value) if value else None
