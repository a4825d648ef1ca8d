"""What a training needs, so small that it takes no time: a base, examples, a recipe."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from distributions import Site


def install(folder: Path, patch: Any) -> None:
    """Install the plugin whose trainer and exporter do as their settings say."""
    folder.mkdir(exist_ok=True)
    Site(folder / "packages", patch).install({"steps": "scripted_trainer"}, name="scripted-trainer")


def move_in(folder: Path, patch: Any) -> Path:
    """Work in a folder of one's own, with that plugin, without colours; return the folder."""
    install(folder / "site", patch)
    work = folder / "work"
    work.mkdir()
    patch.chdir(work)
    patch.setenv("NO_COLOR", "1")
    patch.setenv("XDG_DATA_HOME", str(folder / "home"))
    return work


def base(folder: Path) -> Path:
    """Make the folder of a model, without one."""
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"model_type": "none"}')
    (folder / "tokenizer.model").write_bytes(b"none")
    (folder / "model.safetensors").write_bytes(b"no weights")
    return folder


def words(folder: Path, *, context: int) -> None:
    """Let the base in a folder count words, and read so many of them."""
    model = {"type": "WordLevel", "vocab": {"?": 0}, "unk_token": "?"}
    tokenizer = {"version": "1.0", "model": model, "pre_tokenizer": {"type": "Whitespace"}}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
    config = {"model_type": "none", "max_position_embeddings": context}
    (folder / "config.json").write_text(json.dumps(config))


def adapter(folder: Path, weights: str = "made elsewhere") -> Path:
    """Make the folder that PEFT saves, without an adapter."""
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    (folder / "adapter_model.safetensors").write_text(weights)
    return folder


def chat(number: int, **more: Any) -> dict[str, Any]:
    """Return an example that is unlike the others."""
    messages = [
        {"role": "user", "content": f"What is thing {number}?"},
        {"role": "assistant", "content": f"Thing {number} is number {number} of all."},
    ]
    return {"messages": messages, "documents": [f"{number}.md"], **more}


def pair(number: int) -> dict[str, Any]:
    """Return a preference that is unlike the others."""
    return {"prompt": f"What is {number}?", "chosen": f"It is {number}.", "rejected": "Who knows."}


def write(path: Path, rows: Iterable[Any]) -> Path:
    """Write a file of examples."""
    lines = [one if isinstance(one, str) else json.dumps(one) for one in rows]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def recipe(
    folder: Path, *, name: str = "tiny", head: str = "", trainer: str = "", export: str | None = ""
) -> Path:
    """Write a recipe, with what it names beside it where that is not there.

    Args:
        folder: of all files.
        name: of the recipe.
        head: further settings at its top.
        trainer: further settings of the trainer.
        export: further settings of the exporter; None for no export.
    """
    if not (folder / "base").exists():
        base(folder / "base")
        write(folder / "train.jsonl", map(chat, range(30)))
        write(folder / "valid.jsonl", map(chat, range(100, 125)))
    path = folder / f"{name}.toml"
    exported = "" if export is None else f'\n[export]\nuse = "files"\n{export}\n'
    path.write_text(
        f'base = "base"\n{head}\n'
        '[data]\ntrain = "train.jsonl"\nvalidation = "valid.jsonl"\n\n'
        f'[trainer]\nuse = "steps"\n{trainer}\n{exported}',
        encoding="utf-8",
    )
    return path
