"""What is looked for in examples, as far as the packages for it are there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from citewell.tuning.data.inspecting import Limits


class Looked(Struct, frozen=True, kw_only=True):
    """What is looked for, as people say it.

    Attributes:
        near: whether near-duplicates are.
        private: whether secrets and personal data are.
    """

    tokenizer: Path | None = None
    context: int | None = None
    near: bool = True
    private: bool = True
    region: str | None = None


@contextmanager
def limits(looked: Looked) -> Iterator[tuple[Limits, list[str]]]:
    """Yield what is looked for, and what is not for want of packages, in words.

    Raises:
        ConfigError: the tokenizer cannot be read.
    """
    from citewell.engine.extras import missing_packages
    from citewell.tuning.data.inspecting import Limits
    from citewell.tuning.data.lengths import counter
    from citewell.tuning.data.private import Private

    lacking = missing_packages("citewell", "data")
    is_all = not lacking
    with ExitStack() as stack:
        private = None
        if looked.private and is_all:
            private = stack.enter_context(Private(looked.region))
        found = Limits(
            count=counter(looked.tokenizer),
            context=looked.context,
            is_near=looked.near and is_all,
            private=private,
        )
        wanted = [
            name
            for name, is_wanted in (
                ("near-duplicates", looked.near),
                ("secrets", looked.private),
                ("personal data", looked.private),
            )
            if is_wanted
        ]
        yield found, [] if is_all else wanted
