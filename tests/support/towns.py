"""A library of towns with facts of their own, for examples to be built from."""

from contextlib import asynccontextmanager

from citewell import Audience
from citewell.cli.indexing import bring_up
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings

CONFIG = """
[library.docs]
use = "files"
path = "docs"
labels = { "**" = ["everyone"], "hr/**" = ["people-team"] }

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[model.inventive]
use = "scripted"
script = ["The mayor of Aachen earns 9 euros [1]."]

[profile.default]
retriever = "main"
model = "quotes"
passages = 4
instructions = "Answer in one sentence."

[profile.inventive]
retriever = "main"
model = "inventive"

[profile.free]
model = "quotes"
"""
TOWNS = (
    *("Aachen", "Bonn", "Coburg", "Dresden", "Essen", "Fulda", "Goslar", "Hamburg", "Jena"),
    *("Kassel", "Lemgo", "Minden", "Nauen", "Olpe", "Plauen", "Riesa", "Soest", "Trier"),
)


def town(number, name):
    return (
        f"# {name}\n\nThe library in {name} was founded in {1850 + number} by Anna Weber.\n\n"
        f"The library in {name} lends {200 + number} films to its readers.\n\n"
        f"| Fee | Amount |\n|---|---|\n| {name} card | {11 + number} EUR |\n"
    )


EVERYONE = Audience.of("everyone")


def write_towns(folder):
    """Write documents and settings into a folder; return the settings."""
    (folder / "docs" / "hr").mkdir(parents=True)
    for number, name in enumerate(TOWNS):
        (folder / "docs" / f"{name.lower()}.md").write_text(town(number, name))
    (folder / "docs" / "hr" / "pay.md").write_text("# Pay\n\nThe bonus pool holds 9000 euros.\n")
    config = folder / "citewell.toml"
    config.write_text(CONFIG)
    return config


@asynccontextmanager
async def opened(config):
    """Open the components of settings, with everything indexed."""
    async with open_runtime(load_settings(config)) as runtime:
        await bring_up(runtime)
        yield runtime
