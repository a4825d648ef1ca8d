"""Opens a judge: its model, and the environment in which its package runs."""

from __future__ import annotations

import shlex
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from citewell import Context, PluginError
from citewell_judges.asking import JudgeModel
from citewell_judges.judge import Judge
from citewell_judges.kept import KeptScores
from citewell_judges.process import JudgeError, JudgeProcess, NotInstalled
from citewell_judges.settings import JudgeConfig
from citewell_judges.wire import Begin

_PYTHONS = ("bin/python", "Scripts/python.exe")


@asynccontextmanager
async def open_judge(config: JudgeConfig, context: Context) -> AsyncIterator[Judge]:
    """Yield the metric.

    Raises:
        PluginError: the package cannot be run; says what to do.
        CitewellError: the model cannot be opened.
    """
    if context.models is None:
        raise PluginError(f'metric "{context.name}": there are no models here')
    begin = Begin(library=config.library.name, measure=config.measure)
    process = JudgeProcess(_python(config, context), begin, log=context.log)
    model = JudgeModel(await context.models.open(config.model))
    try:
        version = await _started(process, config, context)
        judged_by = begin, version, context.models.identity(config.model)
        yield Judge(
            config,
            process,
            model,
            kept=KeptScores(context.data_dir / "scores.sqlite", judged_by, log=context.log),
            withholds=partial(context.models.withholds, config.model),
        )
    finally:
        await process.close()
        if model.cost:
            context.log.warning(
                "%s was asked %d times and cost %.4g, which no bound of the run counts",
                config.model,
                model.times,
                model.cost,
            )


async def _started(process: JudgeProcess, config: JudgeConfig, context: Context) -> str:
    """Start the process, and return the version of the package."""
    what = f'metric "{context.name}"'
    try:
        return await process.start()
    except NotInstalled as error:
        raise PluginError(
            f"{what} needs {config.library.name}, which is not installed "
            f"{_where(config, context)}; {_fix(config, context)}"
        ) from error
    except JudgeError as error:
        raise PluginError(
            f"{what}: {config.library.name} {_where(config, context)} cannot be used: {error}; "
            f"it was tried with what this installs: {config.library.installed_by}"
        ) from error


def _python(config: JudgeConfig, context: Context) -> Path:
    """Return the Python of the environment, if that is trusted."""
    if config.environment is None:
        return Path(sys.executable)
    folder = context.resolve(config.environment)
    # Whoever can write this file can write all others of the environment.
    marker = folder / "pyvenv.cfg"
    python = next((folder / name for name in _PYTHONS if (folder / name).exists()), None)
    if python is None or not marker.is_file():
        raise PluginError(
            f'metric "{context.name}": environment = "{config.environment}" is no virtual '
            f"environment; {_fix(config, context)}"
        )
    if context.trusted is None:
        raise PluginError(f"{folder} is code, and there is nobody here to ask whether it may run")
    context.trusted.content(marker)
    return python


def _where(config: JudgeConfig, context: Context) -> str:
    if config.environment is None:
        return "beside Citewell"
    return f"in {context.resolve(config.environment)}"


def _fix(config: JudgeConfig, context: Context) -> str:
    """Say what to run: an environment of its own, or Citewell's packages would be replaced."""
    own = config.environment is not None
    folder = str(context.resolve(config.environment or Path(f"{config.library.name}-judge")))
    made = (
        "" if Path(folder, "pyvenv.cfg").is_file() else f"python -m venv {shlex.quote(folder)} && "
    )
    python = shlex.quote(f"{folder}/bin/python")
    then = "" if own else f'; then set environment = "{config.library.name}-judge"'
    return f"run: {made}{python} -m pip install {config.library.installed_by}{then}"
