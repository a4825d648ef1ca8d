"""Writes new plugins: whole or not at all, and never over something."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from importlib.resources import as_file, files
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from msgspec import Struct

from citewell.errors import MissingExtra, PluginError
from citewell.scaffolding.kinds import KINDS
from citewell.scaffolding.naming import Names

_TEMPLATES = files("citewell.scaffolding") / "templates"


class Order(Struct, frozen=True, kw_only=True):
    """What is to be written.

    Attributes:
        kind: one of `KINDS`.
        folder: in which it is written.
        description: one line, without full stop; empty for that of the kind.
        author: one line; empty for none.
    """

    names: Names
    kind: str
    folder: Path
    description: str = ""
    author: str = ""

    @property
    def summary(self) -> str:
        """What the plugin says of itself."""
        return self.description or KINDS[self.kind].description


class Written(Struct, frozen=True, kw_only=True):
    """What was written, and what comes next.

    Attributes:
        path: the folder of a package, or a plugin file.
        files: everything that was written, in order.
        next: commands, in order.
        settings: a `citewell.toml` that uses it.
    """

    path: Path
    files: tuple[Path, ...]
    next: tuple[str, ...]
    settings: str


def write_package(order: Order) -> Written:
    """Write a package of its own, `citewell-NAME`.

    Raises:
        PluginError: something stands there already, or the folder cannot be written.
        MissingExtra: copier is not installed.
    """
    copy = _copier()
    _check_lines(order)
    target = order.folder / order.names.distribution
    _check_free(target)
    settings = _settings(order)
    with _explained(target), TemporaryDirectory(dir=_made(order.folder), prefix=".new-") as own:
        made = Path(own) / target.name
        copy(made, _answers(order, settings))
        if target.exists():
            target.rmdir()
        made.rename(target)
    return Written(
        path=target,
        files=tuple(sorted(path for path in target.rglob("*") if path.is_file())),
        next=(f"cd {shlex.quote(str(target))}", 'pip install -e ".[test]"', "python -m pytest"),
        settings=settings,
    )


def write_file(order: Order) -> Written:
    """Write a plugin file, which settings name by its path.

    Raises:
        PluginError: something stands there already, or the kind does not fit a file.
    """
    _check_lines(order)
    if not KINDS[order.kind].fits_a_file:
        fitting = ", ".join(name for name, kind in KINDS.items() if kind.fits_a_file)
        raise PluginError(
            f"a {order.kind} takes more than a few lines; leave out --single-file, or take one "
            f"of: {fitting}"
        )
    target = order.folder / f"{order.names.file}.py"
    if target.exists() or target.is_symlink():
        raise PluginError(f"{target} is there already, and nothing is written over it; move it")
    template = (_TEMPLATES / "single" / f"{order.kind}.py.txt").read_text(encoding="utf-8")
    with _explained(target):
        _made(order.folder)
        with target.open("x", encoding="utf-8") as file:
            file.write(Template(template).substitute(_words(order)))
    return Written(
        path=target,
        files=(target,),
        next=(f"citewell plugins trust {shlex.quote(str(target))}",),
        settings=f"[plugins]\npaths = [{_quoted(target.as_posix())}]\n\n{_settings(order)}",
    )


def _check_lines(order: Order) -> None:
    for option, text in {"description": order.description, "author": order.author}.items():
        if not text.isprintable() or text != text.strip():
            raise PluginError(
                f"--{option} {text!r}: expected one line of text, without blanks at its ends"
            )


def _check_free(target: Path) -> None:
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise PluginError(f"{target} is there already, and is no folder; move it")
    if target.is_dir() and any(target.iterdir()):
        raise PluginError(f"{target} is not empty, and nothing is written over it; move it")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PluginError(f"{target} cannot be written: {error.strerror or error}") from error


def _copier() -> Callable[[Path, Mapping[str, object]], None]:
    """Return what copies the templates to a folder, filled with answers."""
    try:
        import copier
    except ImportError as error:
        raise MissingExtra("a package", package="copier", extra="scaffold") from error

    def copy(target: Path, answers: Mapping[str, object]) -> None:
        with as_file(_TEMPLATES) as templates:
            copier.run_copy(
                str(templates),
                target,
                data=dict(answers),
                defaults=True,
                quiet=True,
                overwrite=False,
                unsafe=False,
            )

    return copy


def _answers(order: Order, settings: str) -> dict[str, object]:
    """Return what the templates of a package are filled with."""
    kind = KINDS[order.kind]
    citewell = f"citewell[{kind.extra}]" if kind.extra else ""
    return {
        **_words(order),
        "kind": order.kind,
        "module": order.names.module,
        "distribution": order.names.distribution,
        "description": order.summary,
        "author": _quoted(order.author) if order.author else "",
        "settings": settings,
        "commands": [command.format(name=order.names.name) for command in kind.commands],
        "requirements": [f"citewell>={metadata.version('citewell')}", *kind.requirements],
        "test_requirements": [citewell] if citewell else [],
    }


def _words(order: Order) -> dict[str, str]:
    return {
        "name": order.names.name,
        "class_name": order.names.words,
        "suffix": order.names.suffix,
        "summary": _quoted(order.summary),
    }


def _quoted(text: str) -> str:
    """Return `text`, which is one printable line, as Python and TOML both write it."""
    return json.dumps(text, ensure_ascii=False)


def _settings(order: Order) -> str:
    template = (_TEMPLATES / "settings" / f"{order.kind}.toml").read_text(encoding="utf-8")
    return Template(template).substitute(_words(order))
