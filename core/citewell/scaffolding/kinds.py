"""The kinds of plugins that can be begun, and what each brings and needs."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Kind(Struct, frozen=True, kw_only=True):
    """What is particular to a kind.

    Attributes:
        description: of what is written, unless the author gives another; without full stop.
        requirements: of the package, beside Citewell itself: what its module imports.
        extra: of Citewell, which its example needs.
        commands: that show the example at work.
        fits_a_file: whether it can be said in the few lines of a plugin file.
    """

    description: str
    requirements: tuple[str, ...] = ("pydantic>=2.11",)
    extra: str = ""
    commands: tuple[str, ...] = (
        "citewell sync",
        'citewell ask "How many days of leave does an employee have?"',
    )
    fits_a_file: bool = True


_STRUCTS = ("msgspec>=0.21", "pydantic>=2.11")

KINDS: Mapping[str, Kind] = {
    "retriever": Kind(
        description="finds passages by their words, in a small database of its own",
        requirements=_STRUCTS,
        fits_a_file=False,
    ),
    "model": Kind(description="answers with one sentence of the documents"),
    "formatter": Kind(description="a line for each statement, then the sources"),
    "source": Kind(description="reads documents from a file of JSON lines", fits_a_file=False),
    "loader": Kind(
        description="reads lines of text, without comments",
        commands=("citewell sync", 'citewell ask "Why did the backup server restart?"'),
    ),
    "embedder": Kind(
        description="vectors of how texts are spelled, without weights", extra="hybrid"
    ),
    "reranker": Kind(
        description="puts first what holds most words of the question", requirements=_STRUCTS
    ),
    "verifier": Kind(description="asks whether one passage holds most words of a statement"),
    "metric": Kind(
        description="whether an answer is neither too short nor too long",
        extra="eval",
        commands=("citewell sync", "citewell eval run"),
    ),
    "command": Kind(
        description="counts the words of Markdown files",
        requirements=("click>=8.2",),
        commands=("citewell {name} docs",),
    ),
}
