"""The model card: what exported files are, beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from citewell.engine.folders import make_folder
from citewell.engine.replacing import replace_content
from citewell.tuning.recipes.placing import name_of, placeless
from citewell.tuning.recipes.recipe import Recipe
from citewell.tuning.runs.record import DataFacts, Inputs, Record
from citewell.tuning.runs.saying import Facts, facts_of, figures_of, size, trained_line
from citewell.tuning.runs.store import Run

CARD = "card.md"


def write_card(run: Run, record: Record, recipe: Recipe) -> None:
    """Write the model card of a run beside its files.

    Raises:
        CitewellError: it cannot be written.
    """
    make_folder(run.export)
    text = card(facts_of(record, run.events()), recipe)
    replace_content(run.export / CARD, text.encode("utf-8", "replace"))


def card(facts: Facts, recipe: Recipe) -> str:
    """Return the card, in Markdown; its head is what model hubs read."""
    record = facts.record
    lines = [
        "---",
        f"base_model: {json.dumps(recipe.base.name)}",
        *([f"license: {json.dumps(recipe.license)}"] if recipe.license else []),
        "library_name: peft",
        "---",
        "",
        f"# {record.name}",
        "",
        f"What run {record.id} of Citewell {record.citewell} made; {record.created[:10]}.",
        "",
        *_made_from(record, recipe),
        *_training(facts),
        *_files(record),
        "## Recipe",
        "",
        *_fenced(placeless(recipe)),
    ]
    return "\n".join(lines) + "\n"


def _made_from(record: Record, recipe: Recipe) -> Iterator[str]:
    yield "## Made from"
    yield ""
    yield "| | what | examples | documents | SHA-256 |"
    yield "|---|---|---|---|---|"
    inputs = record.inputs
    if inputs is not None:
        yield f"| base | {_cell(recipe.base.name)} | | | {inputs.base_sha256} |"
        yield from _data(record, inputs)
    yield f"| recipe | {_cell(recipe.name)} | | | {record.recipe_sha256} |"
    yield f"| adapter | what was learnt | | | {record.adapter_sha256} |"
    yield ""
    licence = recipe.license or "not named in the recipe; look it up before you pass anything on"
    yield f"Licence of the base: {_cell(licence)}."
    yield ""


def _data(record: Record, inputs: Inputs) -> Iterator[str]:
    for name, facts in record.data:
        yield _row(name, facts)
    for file, sha256 in inputs.questions.items():
        yield f"| not learnt | {_cell(name_of(file))} | | | {sha256} |"


def _row(name: str, facts: DataFacts) -> str:
    file = _cell(name_of(facts.file))
    return f"| {name} | {file} | {facts.examples:,} | {facts.documents:,} | {facts.sha256} |"


def _training(facts: Facts) -> Iterator[str]:
    said = trained_line(facts)
    if not said:
        return
    yield "## Training"
    yield ""
    yield f"{said[:1].upper()}{said[1:]}."
    if facts.record.step is not None:
        yield f"The adapter holds the weights of step {facts.record.step:,}."
    yield ""


def _files(record: Record) -> Iterator[str]:
    if not record.made:
        return
    yield "## Files"
    yield ""
    yield "| kind | file | size | proof | SHA-256 |"
    yield "|---|---|---|---|---|"
    for one in record.made:
        cells = (one.kind, name_of(one.file), size(one.size), figures_of(one) or "-", one.sha256)
        yield f"| {' | '.join(map(_cell, cells))} |"
    yield ""


def _fenced(text: str) -> Iterator[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    yield f"{fence}toml"
    yield text.rstrip("\n")
    yield fence


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
