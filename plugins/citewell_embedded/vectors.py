"""Vectors beside the passages in SQLite: a set for each embedder.

Every visible passage of a complete set has an entry; that of a passage which its embedder must not
be given has no vector. A set that was complete once has a list of the passages that became visible
since without an entry. An entry goes with its passage, and a passage leaves the list when it gets
its entry or goes: the store itself sees to all of it, whoever writes it.

A set is in use while more than half of the passages have their entry in it, from the moment when
all had. What lacks one is found by words alone meanwhile.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from itertools import product
from typing import NamedTuple

from citewell import Passage
from citewell.storing import stored_labels
from citewell_embedded.rows import Row, stored_text

LAYOUT = 1
"""Raise it when another text would be embedded for the same passage."""

UNNAMED = ""
"""The identity of a set whose embedder did not say its name yet: that may take it a while."""

# The key of an entry: that of its set, and in the last 40 bits that of its passage.
_SET_SHIFT = 40
_ROW_MASK = (1 << _SET_SHIFT) - 1

_LACKING = """
    SELECT (vector_sets.key << 40) | row FROM passages JOIN vector_sets
    WHERE turn > 0 AND NOT EXISTS (
        SELECT 1 FROM vectors WHERE vectors.key = (vector_sets.key << 40) | row)
"""

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS vector_sets (
    key INTEGER PRIMARY KEY AUTOINCREMENT, identity TEXT UNIQUE, dimension INTEGER, turn INTEGER
);
CREATE TABLE IF NOT EXISTS vectors (
    key INTEGER PRIMARY KEY, document INTEGER, labels TEXT, digest BLOB, vector BLOB
);
CREATE TABLE IF NOT EXISTS vectors_lacking (key INTEGER PRIMARY KEY);
DROP TRIGGER IF EXISTS vectors_gone;
CREATE TRIGGER vectors_gone AFTER DELETE ON passages BEGIN
    DELETE FROM vectors WHERE key IN (SELECT (key << 40) | OLD.row FROM vector_sets);
    DELETE FROM vectors_lacking WHERE key IN (SELECT (key << 40) | OLD.row FROM vector_sets);
END;
DROP TRIGGER IF EXISTS vectors_missing;
CREATE TRIGGER vectors_missing AFTER UPDATE OF visible ON documents WHEN NEW.visible BEGIN
    INSERT OR IGNORE INTO vectors_lacking {_LACKING} AND document = NEW.key;
END;
CREATE TRIGGER IF NOT EXISTS vectors_made AFTER INSERT ON vectors BEGIN
    DELETE FROM vectors_lacking WHERE key = NEW.key;
END;
INSERT OR IGNORE INTO vectors_lacking {_LACKING}
    AND document IN (SELECT key FROM documents WHERE visible);
"""  # noqa: S608 - a constant


class VectorSet(NamedTuple):
    """The vectors that one embedder made.

    Attributes:
        key: never used again.
        identity: see `set_identity`.
        dimension: of the vectors; 0 before the first.
        turn: 0 until each visible passage has an entry; grows whenever vectors were added for
            passages of which nothing said that they lack one.
        lacking: how many visible passages lack an entry; not counted before the first turn.
    """

    key: int
    identity: str
    dimension: int
    turn: int
    lacking: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether each visible passage has an entry."""
        return self.turn > 0 and not self.lacking

    @property
    def name(self) -> str:
        """The embedder, for messages."""
        return self.identity.partition(" ")[2]

    @property
    def keys(self) -> tuple[int, int]:
        """The first and the last possible key of its entries."""
        return self.key << _SET_SHIFT, self.key << _SET_SHIFT | _ROW_MASK

    def entry(self, row: int) -> int:
        """Return the key of the entry of a passage."""
        return self.key << _SET_SHIFT | row


def set_identity(embedder: str) -> str:
    """Return what names the vectors of the embedder with the identity `embedder`."""
    return f"{LAYOUT} {embedder}"


def embedded_text(passage: Passage) -> str:
    """Return what is embedded for a passage: where it stands, and what it says."""
    headings = passage.places[0].place.headings if passage.places else ()
    lines = dict.fromkeys((passage.title, *headings, passage.header))
    return "\n".join((*filter(None, lines), passage.text))


def digest(text: str) -> bytes:
    """Return what stands for an embedded text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def set_of(key: int) -> int:
    """Return the key of the set that the entry with this key belongs to."""
    return key >> _SET_SHIFT


# --- within a transaction or a snapshot of the store ---------------------------------------------


def has_tables(connection: sqlite3.Connection) -> bool:
    """Tell whether the store has a place for vectors: one that `lexical` made long ago has none."""
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'vectors_lacking'")
    return found.fetchone() is not None


def sets(connection: sqlite3.Connection) -> list[VectorSet]:
    """Return all sets, the one that was completed last first."""
    if not has_tables(connection):
        return []
    found = connection.execute(
        "SELECT key, identity, dimension, turn, (SELECT count(*) FROM vectors_lacking AS lacking "
        "WHERE lacking.key BETWEEN vector_sets.key << ? AND (vector_sets.key << ?) | ?) "
        "FROM vector_sets ORDER BY turn DESC, key DESC",
        (_SET_SHIFT, _SET_SHIFT, _ROW_MASK),
    )
    return [VectorSet(*values) for values in found]


def find_set(connection: sqlite3.Connection, identity: str) -> VectorSet | None:
    """Return the set of that identity."""
    return next((one for one in sets(connection) if one.identity == identity), None)


def is_empty(connection: sqlite3.Connection) -> bool:
    """Tell whether there is no visible passage."""
    return connection.execute("SELECT 1 FROM visible_passages LIMIT 1").fetchone() is None


def is_in_use(connection: sqlite3.Connection, known: VectorSet) -> bool:
    """Tell whether the set was complete once, and more than half of the passages have an entry.

    A few that lack one do not switch off the vectors of the others; but where most lack one, what
    is near is near by chance.
    """
    if not known.turn or not known.lacking:
        return known.turn > 0
    (count,) = connection.execute(
        "SELECT (SELECT count(*) FROM passages INDEXED BY passages_document) - (SELECT count(*) "
        "FROM passages WHERE document IN (SELECT key FROM documents WHERE NOT visible))"
    ).fetchone()
    return 2 * known.lacking < int(count)


def new_set(connection: sqlite3.Connection, identity: str, *, is_complete: bool) -> VectorSet:
    """Add a set, which may be called complete only while no passage is visible."""
    connection.execute(
        "INSERT INTO vector_sets (identity, dimension, turn) "
        "SELECT ?, 0, CASE WHEN ? THEN coalesce(max(turn), 0) + 1 ELSE 0 END FROM vector_sets",
        (identity, is_complete),
    )
    made = find_set(connection, identity)
    if made is None:
        raise sqlite3.IntegrityError("the set of vectors was not stored")
    return made


def with_dimension(connection: sqlite3.Connection, known: VectorSet, dimension: int) -> VectorSet:
    """Return the set, whose vectors have `dimension` from now on if there were none.

    Raises:
        ValueError: its vectors have another dimension.
    """
    if not dimension or known.dimension == dimension:
        return known
    if known.dimension:
        raise ValueError(f"vectors of {dimension} numbers, where {known.dimension} are needed")
    connection.execute("UPDATE vector_sets SET dimension = ? WHERE key = ?", (dimension, known.key))
    return known._replace(dimension=dimension)


def prepare(connection: sqlite3.Connection) -> None:
    """Let there be a set that waits for its embedder, while no passage is visible."""
    if is_empty(connection) and find_set(connection, UNNAMED) is None:
        new_set(connection, UNNAMED, is_complete=True)


def carry_over(
    connection: sqlite3.Connection, rows: Iterable[Row], *, withholds: Callable[[Passage], bool]
) -> None:
    """Give staged passages the vectors that the same text has in the documents they replace."""
    by_document: dict[str, list[Row]] = {}
    for row in rows:
        by_document.setdefault(row.passage.document_id, []).append(row)
    for known, (document_id, staged) in product(sets(connection), by_document.items()):
        by_digest = _vectors_by_digest(connection, known, document_id)
        if by_digest:
            names = (digest(embedded_text(row.passage)) for row in staged)
            connection.executemany(
                "INSERT INTO vectors VALUES (?, ?, ?, ?, ?)",
                (
                    _entry(known, new, name, by_digest[name])
                    for new, name in zip(staged, names, strict=True)
                    if name in by_digest and not withholds(new.passage)
                ),
            )


def _entry(known: VectorSet, row: Row, name: bytes, vector: bytes) -> tuple[object, ...]:
    return known.entry(row.row), row.document, stored_labels(row.passage.labels), name, vector


def _vectors_by_digest(
    connection: sqlite3.Connection, known: VectorSet, document_id: str
) -> dict[bytes, bytes]:
    return dict(
        connection.execute(
            "SELECT digest, vector FROM vectors WHERE vector IS NOT NULL AND key IN ("
            "SELECT ? | row FROM passages JOIN documents ON documents.key = document "
            "WHERE documents.id = ? AND visible)",
            (known.keys[0], stored_text(document_id)),
        )
    )


def entries(
    connection: sqlite3.Connection, known: VectorSet, *, after_row: int, limit: int = -1
) -> sqlite3.Cursor:
    """Return a cursor over entries behind a row: row, document, labels, vector.

    Left out are those of passages that are not visible, and those without a vector.
    """
    return connection.execute(
        "SELECT vectors.key & ?, document, labels, vector FROM vectors "
        "JOIN documents ON documents.key = document "
        "WHERE vectors.key > ? AND vectors.key <= ? AND visible AND vector IS NOT NULL "
        "ORDER BY vectors.key LIMIT ?",
        (_ROW_MASK, known.entry(after_row), known.keys[1], limit),
    )


def entries_of(
    connection: sqlite3.Connection, known: VectorSet, rows: Iterable[int]
) -> sqlite3.Cursor:
    """Return a cursor as `entries` does, over those of some rows."""
    keys = str([known.entry(row) for row in rows])
    return connection.execute(
        "SELECT vectors.key & ?, document, labels, vector FROM vectors "
        "JOIN documents ON documents.key = document "
        "WHERE vectors.key IN (SELECT value FROM json_each(?)) AND visible AND vector IS NOT NULL "
        "ORDER BY vectors.key",
        (_ROW_MASK, keys),
    )


def lacking_rows(
    connection: sqlite3.Connection, known: VectorSet, *, after_row: int = 0, up_to: int
) -> list[int]:
    """Return the visible passages behind a row and up to another one that lack an entry."""
    found = connection.execute(
        "SELECT key & ? FROM vectors_lacking WHERE key > ? AND key <= ? ORDER BY key",
        (_ROW_MASK, known.entry(after_row), known.entry(up_to)),
    )
    return [row for (row,) in found]


def visible_documents(connection: sqlite3.Connection) -> list[int]:
    """Return the keys of all visible documents."""
    return [key for (key,) in connection.execute("SELECT key FROM documents WHERE visible")]
