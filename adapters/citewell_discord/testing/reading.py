"""Bodies of calls, read as what they should be."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from citewell_discord.testing.errors import Flaw, Refusal, invalid_form

T = TypeVar("T")

_AT = re.compile(r" - at `\$(.*)`$")


def read(body: bytes | msgspec.Raw, type_: type[T], *, under: tuple[str, ...] = ()) -> T:
    """Return the body of a call.

    Args:
        body: JSON.
        type_: what it should be.
        under: the fields that it lies in.

    Raises:
        Refusal: it is something else.
    """
    try:
        return msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as error:
        text = str(error)
        at = _AT.search(text)
        path = re.findall(r"[^.\[\]]+", at[1]) if at else []
        flaw = Flaw((*under, *path), "BASE_TYPE_INVALID", _AT.sub("", text))
        raise invalid_form([flaw]) from error
    except msgspec.DecodeError as error:
        message = "The request body contains invalid JSON."
        raise Refusal(400, 50109, message) from error
