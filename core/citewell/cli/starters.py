"""The settings files that `citewell init` writes: one approach each."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

Need: TypeAlias = Literal["facts", "behaviour", "both"]
NEEDS: tuple[Need, ...] = ("facts", "behaviour", "both")

_FACTS = """\
# Citewell answers from the documents below, each sentence with a checked citation.
# Every setting: citewell config schema. Check this file: citewell config check
# See it answer in chat, without an account: citewell try slack

[library.docs]
use = "files"
path = {docs}

[retriever.main]
use = "lexical"                 # finds passages by their words; embedded, nothing to download

[model.quotes]
use = "extractive"              # answers in the sources' own sentences; no weights, no key

[profile.default]
retriever = "main"
model = "quotes"
"""

_BEHAVIOUR = """\
# A model answers in the manner that you want, without documents. Each answer is labelled
# "answered without sources" and carries no citation.
# Every setting: citewell config schema. Check this file: citewell config check

[model.tuned]
use = {model}

[profile.default]               # no retriever: the model answers alone
model = "tuned"
instructions = "Answer in two short paragraphs, in plain words."
"""

_STAND_IN = """
# "scripted" stands in: no plugin that is installed offers a language model. Install one, put its
# name after `use`, and its settings below; nothing else changes.
"""

_LATER = {
    "facts": """
# Facts come first. A tuned model becomes worth adding when the facts are right and the manner is
# not: format, tone or vocabulary that instructions do not bring. Measure it on your own questions.
""",
    "behaviour": """
# Manner comes first. Documents become worth adding when people ask for facts: figures, rules,
# anything that changes or must be cited. Then add a [library] and a [retriever], name the retriever
# in the profile, and measure again: retrieval can spoil a model that was tuned without it.
""",
    "both": """
# You need both, so this begins with retrieval: it takes minutes, and every answer can be checked.
# Add the tuned model as a second profile, and keep it only where it answers your own questions
# better. The two can spoil each other: a model that was tuned without retrieved text may answer
# worse with it.
#
# [model.tuned]
# use = "..."
#
# [profile.tuned]
# retriever = "main"
# model = "tuned"
# fallback = ["quotes"]
""",
}

_NEXT = {
    "facts": "a tuned model is worth adding when the facts are right and the manner is not",
    "behaviour": "add documents when people ask for facts that change or need a source",
    "both": "add the tuned model when your own questions show that it helps",
}


class Starter(Struct, frozen=True):
    """A first settings file.

    Attributes:
        text: of the file.
        advice: when the other approach becomes worth adding, in one line.
    """

    text: str
    advice: str


def starter(need: Need, *, docs: str, model: str | None = None) -> Starter:
    """Return the settings file for the main need.

    Args:
        need: what is needed most.
        docs: the folder of documents.
        model: the component that answers where there are no documents; None for a stand-in.
    """
    if need == "behaviour":
        text = _BEHAVIOUR.format(model=quoted(model or "scripted"))
        text += "" if model else _STAND_IN
    else:
        text = _FACTS.format(docs=quoted(docs))
    return Starter(text + _LATER[need], _NEXT[need])


def quoted(text: str) -> str:
    """Return `text` as a TOML string."""
    import tomlkit

    return tomlkit.item(text).as_string()
