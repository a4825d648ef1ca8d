"""Writes the parts of the documentation that the code knows best: `make docs`.

Each part stands between two comments, `<!-- generated:NAME -->` and `<!-- /generated:NAME -->`. A
test compares them with what this module makes of the code, so they cannot go stale.
"""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel

from citewell.cli.main import cli
from citewell.engine.registry import Registry
from citewell.engine.setting_reference import Setting, settings_of
from citewell.engine.tables import COMPONENTS, NAMED, SINGLES, Arm, Component
from citewell.evaluation.scores import MEASURES
from citewell.types.evaluation import EvalItem, Figure, Swap
from scripts import chat_docs

ROOT = Path(__file__).resolve().parent.parent
TRANSCRIPT = (
    "What happens to a sentence that fails its checks?",
    "Who is the chief executive of Citewell?",
)

KINDS = {
    "library": ("sources", "Sources"),
    "loader": ("loaders", "Loaders"),
    "retriever": ("retrievers", "Retrievers"),
    "model": ("models", "Models"),
    "embedder": ("embedders", "Embedders"),
    "engine": ("engines", "Engines"),
    "reranker": ("rerankers", "Rerankers"),
    "verifier": ("verifiers", "Verifiers"),
    "metric": ("metrics", "Metrics"),
    "formatter": ("formatters", "Formatters"),
    "adapter": ("adapters", "Chat services"),
    "trainer": ("trainers", "Trainers"),
    "exporter": ("exporters", "Exporters"),
}
# A recipe has one of each, under these names.
OF_RECIPES = {"trainer": "trainer", "exporter": "export"}
# They stand in for others in tests.
STAND_INS = {"scripted", "plainchat"}


def transcript() -> str:
    """Return what a terminal shows when Citewell is asked about itself."""
    with tempfile.TemporaryDirectory() as cache:
        shown = [
            f'$ citewell ask "{question}" --docs docs/\n{_answer(question, cache)}'
            for question in TRANSCRIPT
        ]
    return "```console\n" + "\n\n".join(shown) + "\n```"


def _answer(question: str, cache: str) -> str:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "citewell"), "ask", question, "--docs", "docs/"],
        check=False,
        cwd=ROOT,
        env={
            "HOME": cache,
            "XDG_CACHE_HOME": cache,
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        },
        capture_output=True,
        text=True,
    )
    return done.stdout.strip("\n")


def commands() -> str:
    """Return every command with its options."""
    return "\n\n".join(map(_command, _contexts(cli)))


def _command(context: click.Context) -> str:
    command = context.command
    usage = f"`{context.command_path} {' '.join(command.collect_usage_pieces(context))}`"
    paragraphs = inspect.cleandoc(command.help or "").replace("\b\n", "").split("\n\n")
    parts = [f"## {context.command_path}", usage, *(" ".join(p.split()) for p in paragraphs)]
    options = [option for option in command.get_params(context) if option.name != "help"]
    records = filter(None, (option.get_help_record(context) for option in options))
    rows = [f"| `{_cell(name)}` | {_cell(text)} |" for name, text in records if text]
    if rows:
        parts.append("\n".join(["| option | meaning |", "|---|---|", *rows]))
    if command.epilog:
        examples = [line.strip() for line in command.epilog.splitlines()]
        lines = [f"$ {line}" for line in examples if line.startswith("citewell")]
        parts.append("\n".join(["```console", *lines, "```"]))
    return "\n\n".join(parts)


def _contexts(
    command: click.Command, parent: click.Context | None = None
) -> Iterator[click.Context]:
    name = "citewell" if parent is None else command.name
    context = command.make_context(name, [], parent, resilient_parsing=True, max_content_width=90)
    yield context
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            if found is not None:
                yield from _contexts(found, context)


def sections() -> str:
    """Return the settings that the core knows, section by section."""
    parts = [
        f"## `[{name}.NAME]`\n\n{model.__doc__}\n\n{settings_table(model)}"
        for name, model in COMPONENTS.items()
        if model is not Component
    ]
    plain = [f"`[{name}.NAME]`" for name, model in COMPONENTS.items() if model is Component]
    parts.append(f"## {', '.join(plain)}\n\n{settings_table(Component)}")
    for name, model in NAMED.items():
        parts.append(f"## `[{name}.NAME]`\n\n{model.__doc__}\n\n{settings_table(model)}")
    parts += [
        f"## `[{name}]`\n\n{model.__doc__}\n\n{settings_table(model)}"
        for name, model in SINGLES.items()
    ]
    parts.append(f"## `[eval.arms.NAME]`\n\n{Arm.__doc__}\n\n{settings_table(Arm)}")
    return "\n\n".join(parts)


def components() -> str:
    """Return every component that comes with Citewell, with its settings."""
    registry = Registry.load(strict=True)
    parts = []
    for section, (attribute, title) in KINDS.items():
        specs: Mapping[str, Any] = getattr(registry, attribute)
        if specs:
            parts.append(f"## {title}: `use` of `[{_section(section)}]`")
        parts += [_component(spec) for name, spec in sorted(specs.items()) if name not in STAND_INS]
    return "\n\n".join(parts)


def _section(kind: str) -> str:
    return OF_RECIPES.get(kind, f"{kind}.NAME")


def _component(spec: Any) -> str:
    extra = getattr(spec, "extra", None)
    needs = f' Needs `pip install "citewell[{extra}]"`.' if extra else ""
    suffixes = ", ".join(f"`{suffix}`" for suffix in getattr(spec, "suffixes", ()))
    files = f" Reads {suffixes}." if suffixes else ""
    summary = f"{_sentence(spec.summary)}{files}{needs}"
    return f"### {spec.name}\n\n{summary}\n\n{settings_table(spec.config)}"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def settings_table(model: type[BaseModel]) -> str:
    """Return a table of the settings of a config model; what stands in tables in it is left out."""
    rows = [
        f"| `{one.name}` | {_cell(one.type)} | {_default(one)} | "
        f"{_cell(_sentence(one.description))} |"
        for one in settings_of(model)
        if "." not in one.name
    ]
    if not rows:
        return "No settings."
    return "\n".join(["| setting | type | default | meaning |", "|---|---|---|---|", *rows])


def _default(setting: Setting) -> str:
    if setting.is_required:
        return "required"
    return "" if setting.default is None else f"`{setting.default}`"


def scores() -> str:
    """Return every score that Citewell computes itself."""
    rows = [f"| `{one.name}` | {one.title} | {one.explanation} |" for one in MEASURES]
    return "\n".join(["| name | score | what it is |", "|---|---|---|", *rows])


def question_fields() -> str:
    """Return what a line of a question set may hold."""
    rows = [f"| `{name}` | {_cell(_sentence(said))} |" for name, said in _attributes(EvalItem)]
    rows += [
        f"| `{field}.{name}` | {_cell(_sentence(said))} |"
        for field, kind in (("figures", Figure), ("swap", Swap))
        for name, said in _attributes(kind)
    ]
    return "\n".join(["| field | meaning |", "|---|---|", *rows])


def _attributes(kind: type) -> Iterator[tuple[str, str]]:
    """Yield the attributes that a docstring describes."""
    text = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")[2]
    for name, said in re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", text, re.MULTILINE):
        yield name, " ".join(said.split())


PARTS: Mapping[str, Callable[[], str]] = {
    "scores": scores,
    "question_fields": question_fields,
    "transcript": transcript,
    "commands": commands,
    "sections": sections,
    "components": components,
    "talk_slack": chat_docs.talk_slack,
    "talk_discord": chat_docs.talk_discord,
    "chat_features": chat_docs.features,
    "chat_scenarios": chat_docs.scenarios,
}


def renewed(text: str) -> str:
    """Return a page with every generated part written anew."""
    return re.sub(
        r"(<!-- generated:(\w+) -->\n).*?(<!-- /generated:\2 -->)",
        lambda marks: f"{marks[1]}\n{PARTS[marks[2]]()}\n\n{marks[3]}",
        text,
        flags=re.DOTALL,
    )


def without_ids(text: str) -> str:
    """Return `text` with every answer's reference, which is random, made the same."""
    return re.sub(r"(?<=citewell why )[0-9a-hjkmnp-tv-z]{10}\b", "ID", text)


def pages() -> list[Path]:
    """Return the pages that hold generated parts."""
    every = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in every if "<!-- generated:" in page.read_text(encoding="utf-8")]


def main() -> None:
    """Renew every page."""
    # The transcript quotes the other pages, so the README comes last.
    for page in reversed(pages()):
        text = page.read_text(encoding="utf-8")
        new = renewed(text)
        if without_ids(new) != without_ids(text):
            page.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
