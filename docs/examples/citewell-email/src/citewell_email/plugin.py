"""Registers the formatter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from pydantic import Field

from citewell import Config, Context, Formatter, FormatterSpec, hookimpl


class EmailConfig(Config):
    """Settings of `email`."""

    width: int = Field(
        default=72, ge=40, le=990, description="characters of a line; a longer word has its own"
    )
    flowed: bool = Field(
        default=False,
        description="let paragraphs flow, for `Content-Type: text/plain; format=flowed`",
    )
    quotes: bool = Field(default=True, description="quote what each note refers to")


@asynccontextmanager
async def build(config: EmailConfig, _context: Context) -> AsyncIterator[Formatter]:
    """Open the formatter; there is nothing to close."""
    from citewell_email.mail import Mail

    yield Mail(width=config.width, flowed=config.flowed, quoted=config.quotes)


@hookimpl
def register_formatters() -> Iterable[FormatterSpec[EmailConfig]]:
    """Offer mails."""
    return (
        FormatterSpec(
            name="email",
            summary="the plain text of an e-mail, with numbered notes",
            config=EmailConfig,
            build=build,
        ),
    )
