"""Sets of questions with what is right, as files of a user's own: JSON lines, or CSV."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import DecodeError, ValidationError
from msgspec.json import Decoder
from msgspec.structs import fields, replace

from citewell.engine.citing.words import words
from citewell.engine.replacing import replace_content
from citewell.errors import ConfigError
from citewell.evaluation.contents import content_of, lowered, wrong_lines
from citewell.evaluation.expecting import problems as problems_of
from citewell.evaluation.tabular import NAMES, Row, rows
from citewell.types.evaluation import EvalItem

_TABLES = {".csv", ".tsv"}

_decode = Decoder(EvalItem).decode


class _Reading:
    """One file on its way to questions; keeps what is wrong with it, by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.found: dict[str, tuple[int, EvalItem]] = {}
        self.problems: list[tuple[int, str]] = []

    def told(self, line: int, problem: str) -> None:
        """Keep what is wrong with a line."""
        self.problems.append((line, problem))

    def take(self, line: int, item: EvalItem) -> None:
        """Keep a question, with an id of its own."""
        wrong = [*problems_of(item)]
        for problem in wrong:
            self.told(line, problem)
        if wrong:
            return
        id_ = item.id or question_id(item.question)
        if id_ in self.found:
            first = self.found[id_][0]
            self.told(
                line,
                f'has the id "{id_}" of line {first}; expected another: change one of them'
                if item.id
                else f"asks what line {first} asks; expected each question once: delete one, or "
                "give both an id",
            )
        else:
            self.found[id_] = line, replace(item, id=id_)

    def result(self) -> list[EvalItem]:
        """Return the questions.

        Raises:
            ConfigError: something is wrong with the file.
        """
        items = [item for _, item in self.found.values()]
        for item in left_without(items):
            self.told(self.found[item.id][0], _says_left_without(item))
        if self.problems:
            raise wrong_lines(self.path, self.problems)
        if not self.found:
            raise ConfigError(
                f"{self.path}: holds no question; expected a JSON object in each line"
            )
        return items


def load_questions(path: Path) -> list[EvalItem]:
    """Read questions, each of which gets an id; drafts among them.

    A file that ends with .csv or .tsv has a header row that names fields; `|` parts the texts of a
    cell. Any other has a JSON object in each line. Names of other tools stand for ours, see
    `tabular.NAMES`.

    Raises:
        ConfigError: it cannot be read, holds none, or is wrong; names the first lines that are.
    """
    reading = _Reading(path)
    content = content_of(path, expected="a set of questions")
    if path.suffix.lower() in _TABLES:
        for line, values in rows(content.decode(), reading.told):
            _convert(line, values, reading)
    else:
        _read_lines(content, reading)
    return reading.result()


def question_id(question: str) -> str:
    """Return the id of what has none: 12 hex digits of its words, however they are written."""
    plain = " ".join(words(question)) or " ".join(question.split())
    return hashlib.blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def save_questions(path: Path, items: Iterable[EvalItem]) -> None:
    """Write JSON lines, without what is as it is by default; the file is the old or the new one.

    Raises:
        CitewellError: it cannot be written; it is as it was.
    """
    encode = partial(msgspec.json.encode, order="deterministic")
    replace_content(path, b"".join(encode(_sparse(item)) + b"\n" for item in items))


def placed(path: Path, questions: Sequence[EvalItem]) -> tuple[list[EvalItem], int]:
    """Return the questions of `path` that tell what is to be found, and how many others there are.

    Drafts are among the others, and so is what the documents do not say.

    Raises:
        ConfigError: there is none.
    """
    found = [
        one for one in questions if one.names_passages and not one.is_draft and not one.unanswerable
    ]
    if not found:
        raise ConfigError(
            f'{path}: no question tells what is to be found; expected "documents" or "quotes", and '
            "neither a draft nor an unanswerable one: add them"
        )
    return found, len(questions) - len(found)


def held_out(questions: Iterable[EvalItem]) -> frozenset[str]:
    """Return the documents that must not be found: those that unanswerable questions are from."""
    return frozenset(
        name for question in questions if question.unanswerable for name in question.documents
    )


def left_without(questions: Sequence[EvalItem]) -> list[EvalItem]:
    """Return the answerable questions whose every document others of the set leave out."""
    gone: set[str] = set()
    for name in held_out(questions):
        gone.update((name, name.partition(":")[2] or name))
    return [
        one
        for one in questions
        if not one.unanswerable and one.documents and gone.issuperset(one.documents)
    ]


def _says_left_without(item: EvalItem) -> str:
    return (
        f"is answered in {item.documents[0]}, which unanswerable questions leave out; expected one "
        "or the other: delete it, or the documents of those"
    )


def unknown(questions: Iterable[EvalItem], document_ids: Iterable[str]) -> list[str]:
    """Return the documents that questions name and that are not among `document_ids`."""
    known: set[str] = set()
    for id_ in document_ids:
        known.update((id_, id_.partition(":")[2]))
    named = dict.fromkeys(name for question in questions for name in question.documents)
    return [name for name in named if name not in known]


def _read_lines(content: bytes, reading: _Reading) -> None:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            item = _decode(line)
        except (ValidationError, DecodeError, RecursionError) as error:
            foreign = _foreign(line)
            if foreign is None:
                reading.told(number, lowered(str(error)))
            else:
                _convert(number, foreign, reading)
        else:
            reading.take(number, item)


def _foreign(line: bytes) -> dict[str, Any] | None:
    """Return the fields of a line that uses names of other tools; None for one that does not."""
    try:
        values = msgspec.json.decode(line)
    except (DecodeError, RecursionError):
        return None
    if not isinstance(values, dict) or values.keys().isdisjoint(NAMES):
        return None
    own: dict[str, Any] = {}
    for name, value in values.items():
        field = NAMES.get(str(name), str(name))
        is_list = field not in {name, "question"}
        own[field] = [value] if is_list and isinstance(value, str) else value
    return own


def _convert(number: int, values: Row | Any, reading: _Reading) -> None:
    try:
        reading.take(number, msgspec.convert(values, EvalItem))
    except ValidationError as error:
        reading.told(number, lowered(str(error)))


def _sparse(value: msgspec.Struct) -> dict[str, Any]:
    return {name: _builtin(given) for name, given in _told(value)}


def _told(value: msgspec.Struct) -> Iterator[tuple[str, Any]]:
    for field in fields(value):
        given = getattr(value, field.name)
        if field.required or given != field.default:
            yield field.name, given


def _builtin(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        return _sparse(value)
    if isinstance(value, tuple):
        return list(map(_builtin, value))
    return value
