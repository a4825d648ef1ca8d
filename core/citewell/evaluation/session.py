"""One evaluation from its questions to its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import DecodeError, Struct, ValidationError
from msgspec import json as msgjson

from citewell import blocking
from citewell.engine.folders import make_folder
from citewell.engine.replacing import replace_content
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.errors import CitewellError
from citewell.evaluation.answers import Answers, Key
from citewell.evaluation.arms import Arm, opened_arms, wanted_arms
from citewell.evaluation.asking import Progress, Run, Task, Terms, key_of, tasks
from citewell.evaluation.judging import Collected, opened_metrics, with_metrics
from citewell.evaluation.labels import LABELS, Label
from citewell.evaluation.report import CHANGED, SCHEMA, Report
from citewell.evaluation.reporting import Answered, Findings, questions_hash, report
from citewell.evaluation.verdict import Bounds
from citewell.types.evaluation import EvalItem, Response

QUESTIONS = "questions.jsonl"
"""Name of the file with the questions, beside the settings."""

_FOLDER = "eval"


class Wanted(Struct, frozen=True, kw_only=True):
    """What is evaluated.

    Attributes:
        arms: names of arms or profiles; empty for all arms of the settings.
        questions_hash: of the whole set, where not all of it is asked; else that of `items`.
        warnings: lines that the report carries.
        leaked: how many of `items` stand in the training data.
        labels: what people say of answers.
    """

    items: Sequence[EvalItem]
    terms: Terms
    arms: Sequence[str] = ()
    questions_hash: str = ""
    warnings: tuple[str, ...] = ()
    leaked: int = 0
    labels: Sequence[Label] = ()


class Outcome(Struct, frozen=True):
    """What came of a run."""

    report: Report
    progress: Progress


def answers_path(settings: Settings) -> Path:
    """Return where answers are kept."""
    return settings.data_dir / _FOLDER / "answers.sqlite"


def questions_path(settings: Settings) -> Path:
    """Return the file with the questions that the settings name, or the usual one."""
    named = settings.evaluation.questions
    return settings.base_dir / (named.expanduser() if named else QUESTIONS)


def labels_path(settings: Settings) -> Path:
    """Return the file with what people say of answers."""
    named = settings.evaluation.labels
    if named is not None:
        return settings.base_dir / named.expanduser()
    return questions_path(settings).with_name(LABELS)


def report_path(settings: Settings) -> Path:
    """Return where the last report is."""
    return settings.data_dir / _FOLDER / "report.json"


async def evaluate(
    runtime: Runtime, answers: Answers, wanted: Wanted, told: Callable[[Progress], None]
) -> Outcome:
    """Ask what is not kept yet, score all of it, and return the report.

    Raises:
        CitewellError: an arm or a metric cannot be opened, or an answer cannot be kept.
    """
    # Opening arms takes long where their files do: what changes meanwhile has changed.
    before = await _versions(runtime, wanted.arms)
    arms = await opened_arms(runtime, wanted.arms)
    # A judge that cannot be had is known before anything is asked.
    metrics = await opened_metrics(runtime)
    progress = await Run(runtime, answers, wanted.terms, told).ask(tasks(arms, wanted.items))
    after = await _versions(runtime, wanted.arms)
    collected = await blocking.call(_collected, answers, arms, wanted, progress.moved)
    settings = runtime.settings.evaluation

    def judged(done: int, total: int) -> None:
        progress.judged, progress.to_judge = done, total
        told(progress)

    findings = Findings(
        arms=arms,
        items=wanted.items,
        answered=await with_metrics(metrics, collected, wanted.items, judged),
        versions=before | {id_: CHANGED for id_, _ in before.items() ^ after.items()},
        bounds=Bounds(margin=settings.margin, adequate=settings.adequate),
        machine_per_hour=settings.machine_per_hour,
        config=runtime.settings.generation,
        questions_hash=wanted.questions_hash or questions_hash(wanted.items),
        given_up=progress.given_up,
        warnings=(*wanted.warnings, *_moved(progress)),
        readers=wanted.terms.audience.readers,
        leaked=wanted.leaked,
        labels=wanted.labels,
    )
    return Outcome(await blocking.call(report, findings), progress)


def _moved(progress: Progress) -> Iterator[str]:
    """Say how many answers are from documents that changed after the first question."""
    if progress.moved:
        yield (
            f"the documents changed while questions were asked: {len(progress.moved)} of "
            f"{progress.asked} answers are from the changed ones"
        )


def _collected(
    answers: Answers, arms: Sequence[Arm], wanted: Wanted, moved: Mapping[Key, Key]
) -> Collected:
    def kept(task: Task) -> Response | None:
        key = key_of(task, wanted.terms)
        return answers.get(moved.get(key, key))

    return {
        arm.name: [
            Answered(
                plain=kept(Task(arm, item)),
                swapped=kept(Task(arm, item, swaps=True)) if item.swap else None,
            )
            for item in wanted.items
        ]
        for arm in arms
    }


async def _versions(runtime: Runtime, names: Sequence[str]) -> dict[str, str]:
    """Return the version of each document that an arm may find."""
    settings = runtime.settings
    arms = wanted_arms(settings, names).values()
    retrievers = {settings.profiles[arm.profile].retriever for arm in arms}
    found: dict[str, str] = {}
    for name in sorted(name for name in retrievers if name is not None):
        found.update(await (await runtime.retriever(name)).versions())
    return found


def save_report(path: Path, found: Report) -> None:
    """Write a report; whoever reads meanwhile finds the old one or the new one.

    Raises:
        CitewellError: it cannot be written.
    """
    make_folder(path.parent)
    replace_content(path, encoded(found))


def encoded(found: Report) -> bytes:
    """Return a report as JSON, always in the same order."""
    return msgjson.format(msgjson.encode(found, order="sorted"), indent=1) + b"\n"


def load_report(path: Path) -> Report:
    """Read a report.

    Raises:
        CitewellError: there is none, or it is of another version; says what to do.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise CitewellError("there is no report yet; run: citewell eval run") from error
    except OSError as error:
        raise CitewellError(f"{path} cannot be read: {error.strerror}") from error
    try:
        schema = msgjson.decode(content, type=_Versioned).schema
        if schema != SCHEMA:
            raise CitewellError(
                f"{path} has schema {schema}; this Citewell reads {SCHEMA}; run: citewell eval run"
            )
        return msgjson.decode(content, type=Report)
    except (DecodeError, ValidationError) as error:
        raise CitewellError(f"{path} holds no report: {error}; run: citewell eval run") from error


class _Versioned(Struct):
    """Any report."""

    schema: int
