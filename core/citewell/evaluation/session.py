"""One evaluation from its questions to its report."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import DecodeError, Struct, ValidationError
from msgspec import json as msgjson
from msgspec.structs import replace

from citewell import blocking
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.errors import CitewellError
from citewell.evaluation.answers import Answers, Key
from citewell.evaluation.arms import Arm, opened_arms
from citewell.evaluation.asking import Progress, Run, Task, Terms, key_of, tasks
from citewell.evaluation.report import CHANGED, SCHEMA, Report
from citewell.evaluation.reporting import Answered, Findings, questions_hash, report
from citewell.evaluation.scores import metric_score
from citewell.evaluation.verdict import Bounds
from citewell.protocols import Metric
from citewell.types.evaluation import EvalItem, Response, Score

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
    """

    items: Sequence[EvalItem]
    terms: Terms
    arms: Sequence[str] = ()
    questions_hash: str = ""
    warnings: tuple[str, ...] = ()
    leaked: int = 0


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
    arms = await opened_arms(runtime, wanted.arms)
    # A judge that cannot be had is known before anything is asked.
    metrics = await _metrics(runtime)
    before = await _versions(runtime, arms)
    progress = await Run(runtime, answers, wanted.terms, told).ask(tasks(arms, wanted.items))
    after = await _versions(runtime, arms)
    collected = await blocking.call(_collected, answers, arms, wanted, progress.moved)
    settings = runtime.settings.evaluation
    findings = Findings(
        arms=arms,
        items=wanted.items,
        answered=await _with_metrics(metrics, collected, wanted.items),
        versions=before | {id_: CHANGED for id_, _ in before.items() ^ after.items()},
        bounds=Bounds(margin=settings.margin, adequate=settings.adequate),
        machine_per_hour=settings.machine_per_hour,
        config=runtime.settings.generation,
        questions_hash=wanted.questions_hash or questions_hash(wanted.items),
        given_up=progress.given_up,
        warnings=(*wanted.warnings, *_moved(progress)),
        readers=wanted.terms.audience.readers,
        leaked=wanted.leaked,
    )
    return Outcome(await blocking.call(report, findings), progress)


def _moved(progress: Progress) -> Iterator[str]:
    """Say how many answers are from documents that changed after the first question."""
    if progress.moved:
        yield (
            f"the documents changed while questions were asked: {len(progress.moved)} of "
            f"{progress.asked} answers are from the changed ones"
        )


_Collected = Mapping[str, Sequence[Answered]]


def _collected(
    answers: Answers, arms: Sequence[Arm], wanted: Wanted, moved: Mapping[Key, Key]
) -> _Collected:
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


async def _metrics(runtime: Runtime) -> dict[str, Metric]:
    """Open the metrics of plugins that are computed."""
    wanted = runtime.settings.evaluation.metrics
    names = [*runtime.settings.metrics] if wanted is None else wanted
    return {name: await runtime.metric(name) for name in names}


async def _with_metrics(
    metrics: Mapping[str, Metric], answered: _Collected, items: Sequence[EvalItem]
) -> _Collected:
    """Add what the metrics of plugins say, one after the other: a judge may be a model."""
    if not metrics:
        return answered

    async def scored(item: EvalItem, one: Answered) -> Answered:
        if one.plain is None:
            return one
        more: dict[str, Score] = {
            name: await metric_score(metric, item, one.plain) for name, metric in metrics.items()
        }
        return replace(one, more=more)

    return {
        arm: [await scored(item, one) for item, one in zip(items, row, strict=True)]
        for arm, row in answered.items()
    }


async def _versions(runtime: Runtime, arms: Sequence[Arm]) -> dict[str, str]:
    found: dict[str, str] = {}
    profiles = {runtime.settings.profiles[arm.profile].retriever for arm in arms}
    for name in sorted(name for name in profiles if name is not None):
        found.update(await (await runtime.retriever(name)).versions())
    return found


def save_report(path: Path, found: Report) -> None:
    """Write a report; whoever reads meanwhile finds the old one or the new one.

    Raises:
        CitewellError: it cannot be written.
    """
    fresh = path.with_suffix(".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(encoded(found))
        fresh.replace(path)
    except OSError as error:
        raise CitewellError(f"{path} cannot be written: {error.strerror}") from error


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
