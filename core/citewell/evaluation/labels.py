"""What people say of answers, in a file of their own: a JSON object in each line."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from msgspec import DecodeError, Meta, Struct, ValidationError
from msgspec import json as msgjson

from citewell.engine.replacing import replace_content
from citewell.errors import CitewellError
from citewell.evaluation.contents import content_of, lowered, wrong_lines
from citewell.types.answers import Outcome
from citewell.types.evaluation import Response

LABELS = "labels.jsonl"
"""Name of the file, beside the questions."""

Subject: TypeAlias = tuple[str, str]
"""What a label is about: a question, and `text_hash` of the answer."""


class Label(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one person said of one answer, whichever arm gave it.

    Attributes:
        question: as it was asked.
        text_hash: of what was delivered; see `text_hash`.
        who: a user's name.
        at: with its offset from UTC.
    """

    question: Annotated[str, Meta(min_length=1)]
    text_hash: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    verdict: Literal["right", "wrong"]
    who: str
    at: Annotated[datetime, Meta(tz=True)]

    @property
    def subject(self) -> Subject:
        """What it is about."""
        return self.question, self.text_hash


_encode = msgjson.Encoder().encode
_decode = msgjson.Decoder(Label).decode


def text_hash(response: Response) -> str | None:
    """Return what names the text that was delivered; None where nobody was answered.

    Each refusal is the same text, and blank space at the ends does not count.
    """
    text = "" if response.refuses else response.text.strip()
    if response.outcome is Outcome.FAILED or not (text or response.refuses):
        return None
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def load_labels(path: Path) -> list[Label]:
    """Read labels, in the order of the file; none where there is no file.

    Raises:
        ConfigError: it cannot be read, or is wrong; names the first lines that are.
    """
    if not path.exists():
        return []
    found, problems = [], []
    for number, line in enumerate(_lines(path), 1):
        if not line.strip():
            continue
        try:
            found.append(_decode(line))
        except (ValidationError, DecodeError, RecursionError) as error:
            problems.append((number, f"{lowered(str(error))}; expected a label: mend or delete it"))
    if problems:
        raise wrong_lines(path, problems)
    return found


def add_label(path: Path, label: Label) -> None:
    """Add a label at the end of the file, made where there is none; durable on return.

    Raises:
        CitewellError: it could not be written.
    """
    try:
        with path.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            # Whoever wrote the last line by hand may have left it open.
            begin = b"\n" if file.read(1) not in {b"", b"\n"} else b""
            file.write(begin + _encode(label) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise CitewellError(f"{path} cannot be written: {error.strerror}") from error


def take_back(path: Path, subject: Subject, *, who: str) -> None:
    """Delete the last label of a person about an answer; every other line stays as it is.

    Raises:
        CitewellError: the file cannot be read or written; it is as it was.
    """
    lines = _lines(path)
    for at in reversed(range(len(lines))):
        if _is_about(lines[at], subject, who):
            del lines[at]
            replace_content(path, b"".join(lines))
            return


def _is_about(line: bytes, subject: Subject, who: str) -> bool:
    try:
        label = _decode(line)
    except (ValidationError, DecodeError, RecursionError):
        return False
    return label.subject == subject and label.who == who


def _lines(path: Path) -> list[bytes]:
    """Return the lines of a file, each with what ends it."""
    return content_of(path, expected="labels of answers").splitlines(keepends=True)


def verdicts(labels: Sequence[Label]) -> Mapping[Subject, bool]:
    """Return whether people find an answer right; one on which they are split is left out.

    What a person said last of an answer counts; of several people, what more of them say.
    """
    last = {(label.subject, label.who): label.verdict == "right" for label in labels}
    votes: dict[Subject, int] = {}
    for (subject, _), is_right in last.items():
        votes[subject] = votes.get(subject, 0) + (1 if is_right else -1)
    return {subject: balance > 0 for subject, balance in votes.items() if balance}
