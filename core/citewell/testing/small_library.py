"""A small library for tests: a few documents, and a model of every behaviour to ask about them."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, TypeAlias

from citewell.protocols import Model
from citewell.testing.scripted import ScriptedConfig
from citewell.testing.scripts import ScriptedModel

Behaviour: TypeAlias = Literal["obedient", "hostile", "slow", "failing", "streaming"]

# Pieces that are cut anywhere are what streaming is about; waiting between them is `slow`.
_SCRIPTED: Final = {"streaming": "odd-pieces"}

DOCUMENTS: Final = {
    "leave.md": """# Leave

Every employee has 28 days of paid leave a year. Unused days expire on 31 March.

## Sick leave

A doctor's note is due on the fourth day of sick leave.
""",
    "printing.txt": "The printer on the second floor takes A3 paper from tray 4.\n",
    "hr/salaries.md": "# Salaries\n\nThe salary of the leave officer is 71,344 euros.\n",
}
"""Path to text; what is below `hr` is for the label `people-team` alone."""

_SETTINGS: Final = """\
[library.handbook]
use = "files"
path = "docs"
labels = { "**" = ["everyone"], "hr/**" = ["people-team"] }

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "quotes"
"""
_PROFILE: Final = """
[model.{name}]
use = "scripted"
behaviour = "{behaviour}"
delay_s = 0.02

[profile.{name}]
retriever = "main"
model = "{name}"
"""


def write_small_library(folder: Path) -> Path:
    """Write the documents and a settings file into `folder`; return the file.

    Its profile `default` quotes the documents; five more are named after the behaviours.
    """
    for name, text in DOCUMENTS.items():
        path = folder / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    profiles = [
        _PROFILE.format(name=name, behaviour=_SCRIPTED.get(name, name))
        for name in ("obedient", "hostile", "slow", "failing", "streaming")
    ]
    config = folder / "citewell.toml"
    config.write_text(_SETTINGS + "".join(profiles), encoding="utf-8")
    return config


def scripted_model(behaviour: Behaviour = "obedient", **settings: object) -> Model:
    """Return a model that behaves so; further settings are those of the model `scripted`."""
    named = {"behaviour": _SCRIPTED.get(behaviour, behaviour), **settings}
    return ScriptedModel(ScriptedConfig.model_validate(named))
