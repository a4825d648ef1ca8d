"""The table: what it is asked, in SQL. Blocking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import (
    URL,
    ColumnElement,
    Engine,
    MetaData,
    Table,
    case,
    create_engine,
    func,
    make_url,
    or_,
    select,
    true,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError

from citewell import StoreError, redact
from citewell_sqltable.words import pattern_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Column, Connection, RowMapping

    from citewell_sqltable.plugin import SqlTableConfig

_TOGETHER = 500
_KEYS = {int: int, UUID: UUID, str: str}


class Row(Struct, frozen=True, kw_only=True):
    """A row, as it stands in the table now.

    Attributes:
        label: None where the table has no column for it, or nothing in it.
        updated: likewise, as text.
    """

    id: str
    title: str
    text: str
    link: str | None
    label: str | None
    updated: str | None


class Counted(Struct, frozen=True):
    """What is known of the rows that a reader may read.

    Attributes:
        rows: how many there are.
        usual_chars: mean length of their texts.
        holding: in how many of them each word may stand; every row that has it is counted.
    """

    rows: int
    usual_chars: float
    holding: Mapping[str, int]


class SqlTable:
    """A table or a view of a database.

    Args:
        engine: connects to the database.
        table: with the columns that it has there.
        config: says which columns hold what.
    """

    def __init__(self, engine: Engine, table: Table, config: SqlTableConfig) -> None:
        self._engine = engine
        self._table = table
        names = config.columns.model_dump(exclude_none=True)
        self._columns: dict[str, Column[Any]] = {
            what: _column(table, name) for what, name in names.items()
        }

    @classmethod
    def open(cls, config: SqlTableConfig, *, base_dir: Path) -> SqlTable:
        """Connect, and look at the table; the file of an SQLite database is in `base_dir`.

        Raises:
            StoreError: the database or its driver cannot be had, or has no such table or column.
        """
        url = _url(config.url.get_secret_value(), base_dir)
        try:
            engine = create_engine(url, hide_parameters=True)
        except (NoSuchModuleError, ModuleNotFoundError) as error:
            raise StoreError(f'no driver for "{url.drivername}" is installed: {error}') from error
        try:
            with _told(config.table):
                table = Table(config.table, MetaData(), autoload_with=engine)
            return cls(engine, table, config)
        except NoSuchTableError as error:
            engine.dispose()
            raise StoreError(f'the database has no table or view "{config.table}"') from error
        except StoreError:
            engine.dispose()
            raise

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def counted(self, words: Sequence[str], labels: Sequence[str] | None) -> Counted:
        """Count the rows that readers of `labels`, or of all rows, may read, by `words`."""
        text = self._columns["text"]
        counts = [func.coalesce(func.sum(case((self._has(word), 1), else_=0)), 0) for word in words]
        asked = select(func.count(), func.coalesce(func.avg(func.length(text)), 0), *counts).where(
            self._readable(labels)
        )
        with self._connected() as connection:
            found = tuple(connection.execute(asked.select_from(self._table)).one())
        rows, chars, *holding = found
        return Counted(rows, float(chars), dict(zip(words, map(int, holding), strict=True)))

    def candidates(
        self, weights: Mapping[str, float], labels: Sequence[str] | None, *, limit: int
    ) -> list[Row]:
        """Return the rows that may hold the most of `weights`, and that `labels` may read."""
        held = [case((self._has(word), weight), else_=0.0) for word, weight in weights.items()]
        best = sum(held[1:], held[0])
        asked = (
            self
            ._select()
            .where(self._readable(labels), or_(*map(self._has, weights)))
            .order_by(best.desc(), self._columns["id"])
            .limit(limit)
        )
        with self._connected() as connection:
            return [self._row(one) for one in connection.execute(asked).mappings()]

    def by_id(self, ids: Sequence[str]) -> dict[str, Row]:
        """Return the rows with these ids, as far as there are such."""
        keys = [key for one in dict.fromkeys(ids) if (key := self._key(one)) is not None]
        found: dict[str, Row] = {}
        with self._connected() as connection:
            for begin in range(0, len(keys), _TOGETHER):
                batch = keys[begin : begin + _TOGETHER]
                asked = self._select().where(self._columns["id"].in_(batch))
                rows = connection.execute(asked).mappings()
                found |= {row.id: row for row in map(self._row, rows)}
        return found

    def everything(self, *, texts: bool) -> Iterator[Row]:
        """Yield every row, in the order of the ids, with its text if so told."""
        asked = self._select(texts=texts).order_by(self._columns["id"])
        with self._connected() as connection:
            streamed = connection.execution_options(yield_per=_TOGETHER).execute(asked)
            yield from map(self._row, streamed.mappings())

    def sizes(self) -> dict[str, int]:
        """Return for each id 1 if its row has a text, or else 0."""
        text = self._columns["text"]
        asked = select(self._columns["id"], case((func.length(text) > 0, 1), else_=0))
        with self._connected() as connection:
            return {str(id_): int(size) for id_, size in connection.execute(asked)}

    # --- parts of queries ---------------------------------------------------------------------

    def _has(self, word: str) -> ColumnElement[bool]:
        pattern = pattern_of(word)
        return or_(
            *(func.coalesce(self._columns[one], "").ilike(pattern) for one in ("text", "title"))
        )

    def _readable(self, labels: Sequence[str] | None) -> ColumnElement[bool]:
        if labels is None:
            return true()
        return self._columns["label"].in_(labels)

    def _select(self, *, texts: bool = True) -> Any:
        columns = self._columns.items()
        return select(
            *(one.label(f"own_{what}") for what, one in columns if texts or what != "text")
        )

    def _key(self, id_: str) -> Any:
        """Return an id as the table has it; None where it can have no such."""
        try:
            make = _KEYS.get(self._columns["id"].type.python_type, str)
            key = make(id_)
        except (NotImplementedError, ValueError):
            return None
        return key if str(key) == id_ else None

    @staticmethod
    def _row(values: RowMapping) -> Row:
        def text(what: str) -> str | None:
            value = values.get(f"own_{what}")
            return None if value is None else str(value)

        id_ = str(values["own_id"])
        return Row(
            id=id_,
            title=text("title") or id_,
            text=text("text") or "",
            link=text("link"),
            label=text("label"),
            updated=text("updated"),
        )

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        with _told(self._table.name), self._engine.connect() as connection:
            yield connection


@contextmanager
def _told(table: str) -> Iterator[None]:
    """Raise what the database says as a `StoreError`, in one line, without a secret."""
    try:
        yield
    except NoSuchTableError:
        raise
    except SQLAlchemyError as error:
        said = " ".join(redact(str(getattr(error, "orig", None) or error)).split())
        raise StoreError(f'table "{table}" cannot be read: {said[:300]}') from error


def _url(written: str, base_dir: Path) -> URL:
    """Return a database's address; the path of a file leads from where paths of settings do.

    Raises:
        StoreError: it is none; it is not repeated, for it may hold a password.
    """
    try:
        url = make_url(written)
    except ArgumentError as error:
        raise StoreError(
            "`url` is no address of a database; expected one like postgresql+psycopg://HOST/NAME"
        ) from error
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return url.set(database=str(base_dir / Path(url.database).expanduser()))
    return url


def _column(table: Table, name: str) -> Column[Any]:
    if name not in table.c:
        raise StoreError(
            f'table "{table.name}" has no column "{name}"; it has {", ".join(table.c.keys())}'
        )
    return table.c[name]
