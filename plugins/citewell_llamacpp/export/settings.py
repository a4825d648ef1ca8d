"""The exporter `gguf`: its settings, and how it is opened; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import Field

from citewell import Config, Context, Exporter, LocalPath, MissingExtra

Kind: TypeAlias = Literal["adapter", "F32", "F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M"]


class GgufConfig(Config):
    """Settings of the exporter `gguf`."""

    files: list[Kind] = Field(
        default=["adapter"],
        min_length=1,
        description="what is made: adapter is small and is used with a file of the base; the "
        "others hold the whole model, F16 in full and Q4_K_M at a quarter of its size",
    )
    base_gguf: LocalPath | None = Field(
        default=None,
        description="file of the base that the adapter is used with; default: one is made in F16",
    )
    min_agreement: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="share of the likeliest tokens that a quantised file must have in common with "
        "what was trained; an evaluation tells more",
    )
    threads: int | None = Field(
        default=None, ge=1, le=512, description="that compute; default: all processors"
    )


def check(config: GgufConfig, _base: Path, base_dir: Path) -> Iterator[tuple[str, str]]:
    """Yield what would end an export before its first file."""
    if config.base_gguf is not None:
        path = base_dir / config.base_gguf.expanduser()
        if not path.is_file():
            said = f"{path} is not there; expected a GGUF file of the base"
            yield "base_gguf", f"{said}: name another, or leave it out, and one is made"


@asynccontextmanager
async def build(config: GgufConfig, context: Context) -> AsyncIterator[Exporter]:
    """Open the exporter.

    Raises:
        MissingExtra: a package that it needs is not installed.
    """
    what = f'exporter "{context.name}"'
    if find_spec("llama_cpp") is None:
        raise MissingExtra(what, package="llama-cpp-python", extra="llamacpp")
    for package in ("gguf", "torch", "transformers", "peft"):
        if find_spec(package) is None:
            raise MissingExtra(what, package=package, extra="train")
    from citewell_llamacpp.export.exporter import GgufExporter

    yield GgufExporter(config, context)
