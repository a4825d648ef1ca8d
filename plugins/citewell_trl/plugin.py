"""Registers the trainer `trl`; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from citewell import Context, MissingExtra, Trainer, TrainerSpec, TrainingError, hookimpl
from citewell.training import ExampleKind
from citewell_trl.settings import LEARNS, TrlConfig

_PACKAGES = ("torch", "transformers", "peft", "trl", "datasets", "accelerate", "safetensors")


@asynccontextmanager
async def build(config: TrlConfig, context: Context) -> AsyncIterator[Trainer]:
    """Make the trainer; its process starts with each training.

    Raises:
        MissingExtra: a package that trains is not installed.
    """
    for package in _PACKAGES:
        if find_spec(package) is None:
            raise MissingExtra(f'trainer "{context.name}"', package=package, extra="train")
    from citewell_trl.trainer import TrlTrainer

    yield TrlTrainer(config, context)


def learns(config: TrlConfig) -> frozenset[ExampleKind]:
    """Return what the method learns from."""
    return LEARNS[config.method]


def check(config: TrlConfig, base: Path, base_dir: Path) -> Iterator[tuple[str, str]]:
    """Tell what keeps a base from learning, before anything heavy is loaded."""
    from citewell_trl.bases import check_base

    template = config.chat_template
    if template is not None and not (base_dir / template.expanduser()).is_file():
        said = f"{template} is not there; expected a file with Jinja: check the path"
        yield "chat_template", said
    try:
        check_base(base)
    except TrainingError as error:
        yield "", str(error)


@hookimpl
def register_trainers() -> Iterable[TrainerSpec[Any]]:
    """Offer `trl`."""
    return (
        TrainerSpec(
            name="trl",
            summary="a LoRA adapter by TRL and PEFT, on this machine, in a process of its own",
            config=TrlConfig,
            build=build,
            learns=learns,
            check=check,
            extra="train",
        ),
    )
