"""Where runs are kept, and what there is to work on them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from citewell.errors import CitewellError

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

    from citewell.engine.registry import Registry
    from citewell.tuning.runs.store import Run, Runs


class Home(Struct, frozen=True):
    """What the settings say, or where there are none.

    Attributes:
        data_dir: of the settings; without any, of the user.
    """

    registry: Registry
    data_dir: Path

    @property
    def runs(self) -> Runs:
        """All runs: those that are kept here, and those that were begun without settings."""
        from citewell.tuning.runs.store import Runs

        others = [_without_settings()]
        return Runs(self.data_dir, tuple(one for one in others if one != self.data_dir))

    def run(self, name: str) -> Run:
        """Return the run that people call so.

        Raises:
            CitewellError: there is none; names the nearest.
        """
        return self.runs.find(name)


def home(config: Path | None) -> Home:
    """Return where runs are kept: with the settings that were named, or with the nearest.

    Raises:
        ConfigError: the settings are wrong.
    """
    from citewell.engine.settings import find_config, load_registry, load_settings

    path = config or find_config(Path.cwd())
    if path is not None:
        settings = load_settings(path)
        return Home(settings.registry, settings.data_dir)
    return Home(load_registry(None), _without_settings())


def _without_settings() -> Path:
    """Return where runs are kept where there are no settings."""
    import platformdirs

    return platformdirs.user_data_path("citewell")


def complete_run(
    context: click.Context, _parameter: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the runs that a shell may complete."""
    from click.shell_completion import CompletionItem

    try:
        every = home(context.params.get("config")).runs.every()
    except CitewellError:
        return []
    return [CompletionItem(run.id) for run in every if run.id.startswith(incomplete)]
