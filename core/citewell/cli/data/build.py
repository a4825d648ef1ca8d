"""`citewell data build`: examples of documents, of questions, or of votes."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from citewell.cli.forms import document
from citewell.cli.options import (
    FAILED,
    Where,
    examples,
    profile_option,
    reader_option,
    share,
    where,
    where_options,
)
from citewell.cli.wording import counted, safe_line

if TYPE_CHECKING:
    from citewell.engine.runtime import Runtime
    from citewell.tuning.building.building import Built
    from citewell.tuning.building.guarding import Guard
    from citewell.tuning.building.teaching import Terms
    from citewell.types.evaluation import EvalItem

_MOST = 100_000


class Chosen(Struct, frozen=True, kw_only=True):
    """What the command line says.

    Attributes:
        kind: "answers", "votes" or "pairs".
    """

    where: Where
    out: Path
    number: int
    from_file: Path | None
    from_journal: bool
    kind: str
    keep_out: Path | None
    refused: float
    swapped: float
    conflicts: float
    all_ways: bool
    profile: str | None
    labels: tuple[str, ...]
    seed: int


@click.command(
    "build",
    epilog=examples(
        "citewell data build train.jsonl",
        "citewell data build train.jsonl --keep-out questions.jsonl --number 2000",
        "citewell data build train.jsonl --from reviewed.jsonl",
        "citewell data build votes.jsonl --from-journal --kind votes",
    ),
)
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@where_options
@click.option(
    "-n",
    "--number",
    type=click.IntRange(1, _MOST),
    default=1000,
    show_default=True,
    help="Of so many questions, or as many as can be made.",
)
@click.option(
    "--from",
    "from_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Take these questions with their quotes, as `citewell eval init` and `review` write them.",
)
@click.option("--from-journal", is_flag=True, help="Take answers that people voted on.")
@click.option(
    "--kind",
    type=click.Choice(["answers", "votes", "pairs"]),
    default="answers",
    show_default=True,
    help="Of the journal: good answers, every vote (for KTO), or a better answer beside a worse "
    "one (for DPO).",
)
@click.option(
    "--keep-out",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    metavar="FILE",
    help="Questions of an evaluation: neither they nor their documents are learnt.",
)
@click.option(
    "--refused",
    metavar="SHARE",
    default="20%",
    show_default=True,
    callback=share,
    help="So many examples lack the passage that answers, and teach to say so.",
)
@click.option(
    "--swapped",
    metavar="SHARE",
    default="10%",
    show_default=True,
    callback=share,
    help="So many have another number in the passages, and teach to obey these.",
)
@click.option(
    "--conflicts",
    metavar="SHARE",
    default="10%",
    show_default=True,
    callback=share,
    help="So many have two passages that disagree, and teach to tell both.",
)
@click.option(
    "--all-ways",
    is_flag=True,
    help="Make of each question all that it can teach, whatever the shares.",
)
@profile_option
@reader_option
@click.option("--seed", default=0, show_default=True, help="Another one makes others.")
@click.option("--force", is_flag=True, help="Replace OUT.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(out: Path, force: bool, as_json: bool, **options: Any) -> int:
    """Make examples that teach to answer from passages, and write them to OUT.

    Each question is looked up as when people ask, and its prompt is the one that a model gets then.
    The answer is what the documents say, with the number of the passage; one that the evidence
    checks would not let through is left out, and so is one that holds a secret. Without --from and
    --from-journal, questions are made of the documents, without a model.

    To let a model draft questions, run `citewell eval init --model NAME drafts.jsonl` and `citewell
    eval review drafts.jsonl`, and name that file with --from.

    Whatever the reader may read (--as), a model may repeat to everybody once it is trained.
    """
    from citewell.tuning.data.writing import check_new, save

    chosen = Chosen(out=out, where=where(options.pop("config"), options.pop("docs")), **options)
    if chosen.from_file is not None and chosen.from_journal:
        raise click.UsageError("--from and --from-journal exclude each other; run one, then merge")
    if chosen.kind != "answers" and not chosen.from_journal:
        raise click.UsageError(f"--kind {chosen.kind} needs --from-journal, where the votes are")
    check_new(out, *filter(None, (chosen.from_file, chosen.keep_out)), force=force)
    built = asyncio.run(_built(chosen))
    if built.examples:
        save(out, built.examples)
    if as_json:
        fields: dict[str, object] = {
            "out": str(out) if built.examples else None,
            "examples": len(built.examples),
            "teaches": dict(built.teaches),
            "documents": len({name for one in built.examples for name in one.documents}),
            "declined": dict(built.declined),
        }
        click.echo(document("data-build", fields))
    else:
        _show(out, built)
    return 0 if built.examples else FAILED


def _show(out: Path, built: Built) -> None:
    for reason, number in built.declined.most_common():
        click.echo(safe_line(f"left out {number:,}: {reason}"))
    if not built.examples:
        click.echo(f"error: no example can be made; {safe_line(str(out))} is not written", err=True)
        return
    documents = {name for one in built.examples for name in one.documents}
    said = ", ".join(f"{number:,} {name}" for name, number in built.teaches.most_common())
    click.secho(safe_line(f"{out}: {counted(len(built.examples), 'example')}"), bold=True, nl=False)
    click.echo(f" of {counted(len(documents), 'document')}: {said}")
    click.secho(
        f"next: citewell data check {safe_line(str(out))}, then citewell data split", dim=True
    )


async def _built(chosen: Chosen) -> Built:
    from citewell.cli.assisting import named_profile, open_named, reader
    from citewell.cli.progress import counting_bar
    from citewell.evaluation.questions import load_questions
    from citewell.tuning.building.building import Wish, of_questions
    from citewell.tuning.building.guarding import Guard
    from citewell.tuning.building.lessons import Shares
    from citewell.tuning.building.teaching import Terms
    from citewell.tuning.data.private import Private

    settings = chosen.where.settings()
    profile = named_profile(chosen.profile, settings)
    keep_out = [] if chosen.keep_out is None else load_questions(chosen.keep_out)
    terms = Terms(profile=profile, audience=reader(chosen.labels, settings))
    shares = Shares(refused=chosen.refused, swapped=chosen.swapped, conflict=chosen.conflicts)
    wish = Wish(terms=terms, shares=None if chosen.all_ways else shares, seed=chosen.seed)
    with Private() as private:
        guard = Guard(private, keep_out)
        async with open_named(chosen.where, settings) as runtime:
            if chosen.from_journal:
                return await _of_journal(chosen, runtime, terms, guard)
            items = await _items(chosen, runtime, terms)
            with counting_bar(sys.stderr, "Building", "examples") as told:
                return await of_questions(runtime, items, wish, guard, told)


async def _items(chosen: Chosen, runtime: Runtime, terms: Terms) -> list[EvalItem]:
    """Return the questions of a file, or of the documents."""
    from citewell.cli.eval.sets import documents_read
    from citewell.evaluation.making.drawing import draw
    from citewell.evaluation.making.elsewhere import Elsewhere
    from citewell.evaluation.making.material import Wish
    from citewell.evaluation.questions import load_questions

    if chosen.from_file is not None:
        return load_questions(chosen.from_file)[: chosen.number]
    name = runtime.settings.profiles[terms.profile].retriever
    if name is None:
        return []
    retriever = await runtime.retriever(name)
    wish = Wish(number=chosen.number, seed=chosen.seed, with_gaps=False, several=0.1)
    reading = await documents_read(retriever, terms.audience, wish)
    return (await draw(reading, Elsewhere(retriever, terms.audience, frozenset()), wish)).items


async def _of_journal(chosen: Chosen, runtime: Runtime, terms: Terms, guard: Guard) -> Built:
    from citewell.cli.people import note_words_of_people, open_journal
    from citewell.journal.feedback import Feedback
    from citewell.journal.journal import Journal
    from citewell.tuning.building.building import of_votes
    from citewell.tuning.building.voted import read_votes
    from citewell.tuning.data.examples import Kind

    kinds = {"answers": Kind.CHAT, "votes": Kind.VOTE, "pairs": Kind.PREFERENCE}
    with open_journal(runtime.settings) as engine:
        found = await read_votes(Journal(engine), Feedback(engine), terms.profile)
    built = await of_votes(runtime, found[: chosen.number], kinds[chosen.kind], terms, guard)
    if built.examples:
        note_words_of_people()
    return built
