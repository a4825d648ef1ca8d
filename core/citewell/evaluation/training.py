"""The texts of files that a model was tuned on, whatever their shape, with their lines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from citewell.errors import ConfigError

Text: TypeAlias = tuple[int, str]
"""A line, from 1, and a text that its example holds."""

_TABLES = {".csv": ",", ".tsv": "\t"}
_LARGEST_FIELD = 10_000_000


def training_texts(path: Path) -> Iterator[Text]:
    """Yield every text of every example: of messages, prompts, instructions, inputs and outputs.

    A file that ends with .csv or .tsv is a table, one with .json an array, one with .jsonl has an
    example in each line; in any other, and where a line has another form, the line is the text.

    Raises:
        ConfigError: the file cannot be read, or is no text.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        raise ConfigError(
            f"{path}: is no text; expected JSON lines, JSON, a table of text, or text: write it so "
            f"with citewell data merge {path} {path.with_suffix('.jsonl').name}"
        )
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            if suffix in _TABLES:
                yield from _of_table(file, _TABLES[suffix])
            elif suffix == ".json":
                yield from _of_json(file.read())
            else:
                for number, line in enumerate(file, 1):
                    yield from ((number, text) for text in _of_line(line, is_json=suffix != ".txt"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {(error.strerror or '').lower()}") from error


def _of_table(file: io.TextIOBase, delimiter: str) -> Iterator[Text]:
    csv.field_size_limit(_LARGEST_FIELD)
    reader = csv.reader(file, delimiter=delimiter)
    begin = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            # One field that is no field; the rest is read all the same.
            begin = reader.line_num + 1
            continue
        yield from ((begin, cell) for cell in row if cell.strip())
        begin = reader.line_num + 1


def _of_json(content: str) -> Iterator[Text]:
    """Yield the texts of an array with the line that each example begins in."""
    decoder = json.JSONDecoder()
    at, line, counted = len(content) - len(content.lstrip()), 1, 0
    if content[at : at + 1] == "[":
        at += 1
    while at < len(content):
        if content[at] in " \t\r\n,]":
            at += 1
            continue
        line += content.count("\n", counted, at)
        counted = at
        try:
            value, at = decoder.raw_decode(content, at)
        except (ValueError, RecursionError):
            yield from ((line + n, text) for n, text in enumerate(content[at:].splitlines()))
            return
        yield from ((line, text) for text in _leaves(value))


def _of_line(line: str, *, is_json: bool) -> Iterator[str]:
    if is_json and line.lstrip()[:1] in {"{", "[", '"'}:
        try:
            yield from _leaves(msgspec.json.decode(line))
            return
        except (msgspec.DecodeError, RecursionError):
            pass
    yield line


def _leaves(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            waiting += reversed(one.values())
        elif isinstance(one, list):
            waiting += reversed(one)
