"""Loaders that misbehave, for the tests of reading."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from citewell import Config, Context, Document, Loader, LoaderSpec, Place, Placed, RawDocument


class OddConfig(Config):
    """Settings that travel to the process."""

    shout: bool = False


class OddLoader:
    """Does what the file tells it to do."""

    def __init__(self, config: OddConfig) -> None:
        self._config = config

    def load(self, raw: RawDocument) -> Document:
        """Read the file, or do what its first word names."""
        text = raw.path.read_text(encoding="utf-8")
        act = getattr(self, f"_{text.split()[0]}", None)
        if act is not None:
            act(raw)
        text = text.upper() if self._config.shout else text
        start = 5 if text.startswith("misplace") else 0
        return Document(id=raw.id, title="odd", text=text, places=(Placed(start, Place(line=1)),))

    @staticmethod
    def _die(_raw: RawDocument) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)

    @staticmethod
    def _leave(_raw: RawDocument) -> None:
        sys.exit(3)

    @staticmethod
    def _spin(_raw: RawDocument) -> None:
        while True:
            pass

    @staticmethod
    def _sleep(_raw: RawDocument) -> None:
        time.sleep(3600)

    @staticmethod
    def _raise(raw: RawDocument) -> None:
        raise RuntimeError(f"trouble\nwith {raw.path}")

    @staticmethod
    def _eat(_raw: RawDocument) -> None:
        eaten = [b"x" * 1_000_000 for _ in range(10_000)]
        del eaten

    @staticmethod
    def _chat(_raw: RawDocument) -> None:
        print("noise" * 1000, flush=True)
        os.write(1, b"noise" * 1000)
        os.write(2, b"noise" * 1000)

    @staticmethod
    def _meet(raw: RawDocument) -> None:
        """Wait until so many files are being read at once."""
        wanted = int(raw.path.read_text(encoding="utf-8").split()[1])
        raw.path.with_suffix(".here").touch()
        while len(list(raw.path.parent.glob("*.here"))) < wanted:
            time.sleep(0.01)

    @staticmethod
    def _ask(_raw: RawDocument) -> None:
        sys.stdin.read()

    @staticmethod
    def _tell(_raw: RawDocument) -> None:
        raise RuntimeError(f"SECRET={os.environ.get('CITEWELL_TEST_SECRET')}")


@asynccontextmanager
async def build(config: OddConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the loader."""
    yield OddLoader(config)


ODD = LoaderSpec(
    name="odd", summary="misbehaves on demand", config=OddConfig, build=build, suffixes=(".odd",)
)
