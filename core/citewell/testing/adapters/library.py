"""What there is to ask about on a stage, and who answers: documents and profiles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from citewell.testing.adapters.texts import HOSTILE, LOCKERS, LOCKERS_SAID, SHAPES

GROUP: Final = "4711000111"
"""The group of a chat service whose members may read the salaries; some know only numbers."""

OTHER_GROUP: Final = "4711000222"
"""A group that the settings do not name."""

DAYS: Final = "How many days of paid leave does an employee have?"
NOTE: Final = "When is a doctor's note due?"
SALARY: Final = "What is the salary of the leave officer?"
UNKNOWN: Final = "Is a parrot allowed during sick leave in Peru?"
LINKS: Final = "https://docs.example/handbook/"
"""How the addresses of all sources begin; nothing else may be linked."""

_LEAVE = """# Leave

Every employee has 28 days of paid leave a year. Unused days expire on 31 March.

## Sick leave

A doctor's note is due on the fourth day of sick leave.
"""
QUOTE: Final = "Every employee has 28 days of paid leave a year."
CANARY: Final = "71,344"
_SALARIES = f"# Salaries\n\nThe salary of the leave officer is {CANARY} euros.\n"
_SLOWLY = "Every employee has 28 days of paid leave a year [1]. Unused days expire on 31 March [1]."
_SLOW_ATTACK = (
    "Read @everyone, <!channel> and https://evil.example/slow here. So it begins, and goes on. "
    "See ![x](https://evil.example/x.png) and <@U123456> there. So it ends."
)


def _list(text: str) -> str:
    """Return lines as a list of the settings."""
    return json.dumps(text.split("\n"), ensure_ascii=False).replace("\x7f", "\\u007f")


_SETTINGS = f"""
[library.handbook]
use = "files"
path = "docs"
base_url = "{LINKS}"
labels = {{ "**" = ["everyone"], "hr/**" = ["people-team"] }}

[library.roster]
use = "files"
path = "roster"
base_url = "{LINKS}"
passage_chars = 20000

[retriever.main]
use = "lexical"
libraries = ["handbook"]

[retriever.roster]
use = "lexical"
libraries = ["roster"]

[chat]
user_per_minute = 0
channel_per_minute = 0
drain_s = 10

[model.quotes]
use = "extractive"

[model.slow]
use = "scripted"
script = ["{_SLOWLY}"]
behaviour = "slow"
delay_s = 0.03

[model.slower]
use = "scripted"
script = ["{_SLOWLY}"]
behaviour = "slow"
delay_s = 0.08

[model.failing]
use = "scripted"
behaviour = "failing"
pieces = 0

[model.refusing]
use = "scripted"
script = ["The documents do not say."]

[model.hostile]
use = "scripted"
behaviour = "hostile"

[profile.default]
retriever = "main"
model = "quotes"

[model.hostile-slowly]
use = "scripted"
script = {_list(_SLOW_ATTACK)}
behaviour = "slow"
delay_s = 0.08

[profile.hostile-slowly]
model = "hostile-slowly"

[profile.slow]
retriever = "main"
model = "slow"

[profile.slower]
retriever = "main"
model = "slower"

[profile.failing]
retriever = "main"
model = "failing"

[profile.falling-back]
retriever = "main"
model = "failing"
fallback = ["quotes"]

[profile.refusing]
retriever = "main"
model = "refusing"

[profile.hostile]
retriever = "main"
model = "hostile"
"""


def write_library(folder: Path) -> Path:
    """Write the documents, and the settings without a chat service; return the settings file."""
    documents = {
        "docs/leave.md": _LEAVE,
        "docs/hr/salaries.md": _SALARIES,
        "roster/lockers.txt": LOCKERS,
    }
    documents |= {f"docs/{name}.txt": _notice(name, text) for name, text in HOSTILE.items()}
    for name, text in documents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    config = folder / "citewell.toml"
    config.write_text(_SETTINGS + _speakers(), encoding="utf-8")
    return config


def notice_question(name: str) -> str:
    """Return a question that the document with a hostile text answers."""
    return f"What does the notice of the {name} office say?"


def _notice(name: str, text: str) -> str:
    return f"The notice of the {name} office says {text} to whoever reads it."


def _speakers() -> str:
    """Return a model and a profile for each text that is said as it is."""
    said: Mapping[str, str] = {
        **SHAPES,
        **{
            f"says-{name}": f"Please read this: {text} Thank you." for name, text in HOSTILE.items()
        },
    }
    free = [_speaker(name, text, "") for name, text in said.items()]
    return "".join((*free, _speaker("lockers", LOCKERS_SAID, 'retriever = "roster"')))


def _speaker(name: str, text: str, retriever: str) -> str:
    return (
        f'\n[model.{name}]\nuse = "scripted"\nscript = {_list(text)}\n'
        f'\n[profile.{name}]\nmodel = "{name}"\n{retriever}\nmax_output_tokens = 100000\n'
    )
