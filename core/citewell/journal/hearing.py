"""Up to when everything in a chat service was taken in, and what may have changed unnoticed."""

from __future__ import annotations

import sqlalchemy as sa
from msgspec.structs import replace
from sqlalchemy.dialects import postgresql, sqlite

from citewell.journal.arrivals import State, asked_of
from citewell.journal.database import explained, writing
from citewell.journal.tables import heard, inbox
from citewell.types.chat import Asked


class Hearing:
    """How far each platform was heard. Blocking; call it from a thread when an event loop runs.

    Args:
        engine: of the journal.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def until(self, platform: str) -> float | None:
        """Return up to when everything of a platform was taken in, in seconds since 1970.

        None where nothing was ever taken in.
        """
        marked = sa.select(heard.c.until).where(heard.c.platform == platform)
        last = sa.select(sa.func.max(inbox.c.received_at)).where(inbox.c.platform == platform)
        with explained("the inbox cannot be read"), self._engine.connect() as connection:
            until: float | None = connection.scalar(marked)
            if until is None:
                until = connection.scalar(last)
        return until

    def unsure_since(self, platform: str) -> float | None:
        """Return since when questions of a platform may have been changed unnoticed, if any may."""
        query = sa.select(heard.c.unsure_since).where(heard.c.platform == platform)
        with explained("the inbox cannot be read"), self._engine.connect() as connection:
            since: float | None = connection.scalar(query)
        return since

    def note(self, platform: str, until: float, *, unsure_since: float | None = None) -> None:
        """Keep that everything of a platform was taken in up to then.

        Args:
            platform: the section of an adapter.
            until: in seconds since 1970.
            unsure_since: since when questions may have been changed that were not looked at again.
        """
        dialect = postgresql if self._engine.dialect.name == "postgresql" else sqlite
        marks = {"until": until, "unsure_since": unsure_since}
        new = dialect.insert(heard).values(platform=platform, **marks)
        with writing(self._engine, "the inbox cannot be written") as connection:
            connection.execute(
                new.on_conflict_do_update(index_elements=[heard.c.platform], set_=marks)
            )

    def questions_since(self, platform: str, since: float, *, limit: int) -> list[Asked]:
        """Return the newest questions that came in since then and stand, as they are now."""
        query = (
            sa
            .select(inbox)
            .where(
                inbox.c.platform == platform,
                inbox.c.kind == "asked",
                inbox.c.received_at >= since,
                inbox.c.is_withdrawn.is_(False),
                inbox.c.state != State.BROKEN,
                inbox.c.event != "",
                inbox.c.text.is_not(None),
            )
            .order_by(inbox.c.received_at.desc())
            .limit(limit)
        )
        with explained("the inbox cannot be read"), self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [replace(asked_of(row), text=row.text) for row in rows]
