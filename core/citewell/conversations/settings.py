"""What every source of a channel's history can be told."""

from __future__ import annotations

from pydantic import Field, field_validator

from citewell.configs import Config, Name


class HistoryConfig(Config):
    """What every source of a channel's history can be told."""

    channels: list[Name] = Field(
        min_length=1, description="ids of the channels that are read; no other is"
    )
    days: int = Field(
        default=365, ge=1, le=36500, description="what was begun longer ago is left out"
    )
    recent_days: int = Field(
        default=7,
        ge=1,
        le=365,
        description="what is younger is read again at each sync, to follow edits and deletions, "
        "as far as there is time, but only 30 of its threads that did not grow; of what is older, "
        "some at each sync",
    )
    min_messages: int = Field(
        default=2,
        ge=1,
        description="a thread in which people wrote less is no document of its own",
    )
    unthreaded: bool = Field(
        default=True, description="make a document of each day of what stands in no thread"
    )
    bots: bool = Field(
        default=False, description="read what bots write, too; never what the assistant writes"
    )
    max_minutes: float = Field(
        default=2.0,
        gt=0,
        le=1440,
        description="a sync that takes longer leaves the rest to the next one",
    )

    @field_validator("channels")
    @classmethod
    def _are_distinct(cls, channels: list[str]) -> list[str]:
        """Refuse a channel that is named twice: it would be read twice."""
        doubles = [one for at, one in enumerate(channels) if one in channels[:at]]
        if doubles:
            raise ValueError(f'"{doubles[0]}" is named twice; expected each channel once')
        return channels
