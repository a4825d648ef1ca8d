"""`citewell completion`."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

_VARIABLE = "_CITEWELL_COMPLETE"


@click.command(
    "completion",
    epilog="\b\nExamples:\n"
    "  citewell completion bash >> ~/.bashrc\n"
    "  citewell completion zsh >> ~/.zshrc\n"
    "  citewell completion fish > ~/.config/fish/completions/citewell.fish",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(context: click.Context, shell: str) -> None:
    """Print a script that makes SHELL complete the commands and options of citewell."""
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"click cannot complete for {shell}")
    group = context.find_root().command
    click.echo(completion(group, {}, "citewell", _VARIABLE).source())
