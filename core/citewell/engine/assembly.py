"""From the tables of a settings file to checked settings, or to a list of all that is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from citewell.configs import ChatConfig
from citewell.engine import tables
from citewell.engine.memberships import with_memberships
from citewell.engine.problems import Key, Problems, dotted
from citewell.engine.registry import Registry
from citewell.engine.section_reader import SectionReader
from citewell.engine.sections import LibrarySettings, RetrieverSettings, Settings
from citewell.engine.table_reader import TableReader
from citewell.engine.tables import DEFAULT_FORMATTER, TOP_LEVEL, Profile
from citewell.errors import ConfigError

DATA_DIR = ".citewell"
_DEFAULT_PROFILE = "default"
_DEFAULT_RETRIEVER = "lexical"
_DEFAULT_MODEL = "extractive"
# The settings of a profile that name a section, and the kind of section.
_REFERENCES = {
    "retriever": "retriever",
    "model": "model",
    "fallback": "model",
    "rerankers": "reranker",
    "formatter": "formatter",
    "verifiers": "verifier",
}
# Sections that the core asks nothing of but the component.
_KINDS = (
    "model",
    "embedder",
    "reranker",
    "engine",
    "verifier",
    "metric",
    "formatter",
    "loader",
    "adapter",
)


class Assembly:
    """One pass over a file; it goes on after a problem, so that all are found.

    Args:
        file: what messages call the file.
        base_dir: what relative paths are relative to.
        data: the file as TOML gives it.
        strict: raise on the first bad plugin.
    """

    def __init__(
        self, file: str, base_dir: Path, data: Mapping[str, Any], *, strict: bool = False
    ) -> None:
        self._problems = Problems(file)
        self._tables = TableReader(data, base_dir, self._problems)
        self._retriever_libraries: dict[str, tuple[str, ...]] = {}
        plugins = self._tables.single("plugins", tables.Plugins)
        self._registry = Registry.load(
            disabled=plugins.disabled,
            paths=[base_dir / _expanded(path) for path in plugins.paths],
            strict=strict,
        )
        self._sections = SectionReader(self._tables, self._registry)
        known = [plugin.name for plugin in self._registry.plugins]
        for index, name in enumerate(plugins.disabled):
            if name not in known:
                key = ("plugins", "disabled", index)
                self._sections.refuse(key, f'no plugin "{name}"', name, known)

    @property
    def registry(self) -> Registry:
        """The plugins that the file asks for.

        Raises:
            ConfigError: `[plugins]` is wrong.
        """
        if self._problems.found:
            raise ConfigError(*self._problems.found)
        return self._registry

    def settings(self, path: Path | None) -> Settings:
        """Return the settings, said to come from the file `path`.

        Raises:
            ConfigError: with every problem.
        """
        for name in self._tables.data:
            if name not in TOP_LEVEL:
                self._problems.add_unknown((name,), known=TOP_LEVEL, owner="the file")
        libraries = self._libraries()
        self._read_retrievers()
        for kind in _KINDS:
            for name, table in self._tables.sections(kind):
                self._sections.read(kind, name, table)
        self._sections.check_references()
        profiles = self._profiles()
        self._check_adapters(tuple(profiles))
        evaluation = self._tables.single("eval", tables.Eval)
        self._check_arms(evaluation, tuple(profiles))
        budgets = self._budgets()
        cli = self._tables.single("cli", tables.Cli)
        privacy = self._tables.single("privacy", tables.Privacy)
        settings = Settings(
            path=path,
            base_dir=self._tables.base_dir,
            data_dir=self._data_dir(),
            registry=self._registry,
            libraries=MappingProxyType(libraries),
            retrievers=MappingProxyType(self._retrievers(tuple(libraries))),
            models=MappingProxyType(self._sections.found["model"]),
            embedders=MappingProxyType(self._sections.found["embedder"]),
            rerankers=MappingProxyType(self._sections.found["reranker"]),
            engines=MappingProxyType(self._sections.with_all("engine")),
            verifiers=MappingProxyType(self._sections.found["verifier"]),
            metrics=MappingProxyType(self._sections.found["metric"]),
            formatters=MappingProxyType(self._sections.with_all("formatter")),
            loaders=MappingProxyType(self._sections.with_all("loader")),
            adapters=MappingProxyType(
                with_memberships(self._sections.found["adapter"], libraries.values())
            ),
            profiles=MappingProxyType(profiles),
            journal=self._journal(),
            reads=frozenset(cli.reads),
            budgets=MappingProxyType(budgets),
            chat=self._tables.single("chat", tables.Chat),
            monitoring=self._tables.single("monitoring", tables.Monitoring),
            evaluation=evaluation,
            gate=self._tables.single("gate", tables.Gate) if "gate" in self._tables.data else None,
            local_only=frozenset(privacy.local_only),
            generation="" if path is None else self._generation(),
            default_profile=self._default_profile(cli.profile, list(profiles)),
            missing=tuple(self._tables.missing),
        )
        if self._problems.found:
            raise ConfigError(*self._problems.found)
        return settings

    def _generation(self) -> str:
        """Return 8 hex digits that name what the file says and the files that it depends on.

        Comments and order say nothing.
        """
        states = [
            repr((kind, name, section.files, section.secret_files))
            for kind, known in self._sections.found.items()
            for name, section in known.items()
            if section.files or section.secret_files
        ]
        text = json.dumps([self._tables.data, sorted(states)], sort_keys=True, default=str)
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]

    def _journal(self) -> str | ConfigError | None:
        named = len(self._tables.missing)
        url = self._tables.single("journal", tables.Journal).url
        missing = self._tables.missing[named:]
        if missing:
            return ConfigError(*missing)
        return url.get_secret_value() if url else None

    def _data_dir(self) -> Path:
        value = self._tables.data.get("data_dir", DATA_DIR)
        if not isinstance(value, str) or not value or "\0" in value:
            self._problems.add(("data_dir",), "expected the path of a folder")
            value = DATA_DIR
        return self._tables.base_dir / _expanded(Path(value))

    # --- components -----------------------------------------------------------------------

    def _libraries(self) -> dict[str, LibrarySettings]:
        libraries: dict[str, LibrarySettings] = {}
        for name, table in self._tables.sections("library"):
            core = self._sections.read("library", name, table)
            if isinstance(core, tables.Library):
                libraries[name] = LibrarySettings(
                    section=self._sections.found["library"][name],
                    labels=tuple((glob, frozenset(names)) for glob, names in core.labels.items()),
                    language=core.language,
                    max_mb=core.max_mb,
                    max_seconds=core.max_seconds,
                    passage_chars=core.passage_chars,
                )
        return libraries

    def _read_retrievers(self) -> None:
        libraries = self._tables.names("library")
        for name, table in self._tables.sections("retriever"):
            core = self._sections.read("retriever", name, table)
            if not isinstance(core, tables.Retriever) or core.libraries is None:
                continue
            if self._sections.is_filled(name):
                where = ("retriever", name, "libraries")
                self._problems.add(where, "somebody else fills this retriever; leave libraries out")
                continue
            self._retriever_libraries[name] = tuple(core.libraries)
            for index, library in enumerate(core.libraries):
                if library not in libraries:
                    key = ("retriever", name, "libraries", index)
                    message = f"there is no [library.{library}]"
                    self._sections.refuse(key, message, library, libraries)

    def _retrievers(self, libraries: tuple[str, ...]) -> dict[str, RetrieverSettings]:
        return {
            name: RetrieverSettings(section=section, libraries=(), is_filled=True)
            if self._sections.is_filled(name)
            else RetrieverSettings(
                section=section, libraries=self._retriever_libraries.get(name, libraries)
            )
            for name, section in self._sections.found["retriever"].items()
        }

    # --- profiles -------------------------------------------------------------------------

    def _profiles(self) -> dict[str, Profile]:
        found = dict(self._tables.sections("profile"))
        if not self._tables.names("profile"):
            found = {_DEFAULT_PROFILE: self._plain_profile()}
        profiles: dict[str, Profile] = {}
        for name, table in found.items():
            key = ("profile", name)
            checked = self._tables.checked(Profile, key, table, owner=f"[{dotted(key)}]")
            if checked is not None:
                profiles[name] = checked.model
            self._check_references(key, {"formatter": DEFAULT_FORMATTER, **table})
        return profiles

    def _check_adapters(self, broken_or_right: tuple[str, ...]) -> None:
        """Check that the profiles which chat services name are there."""
        known = self._tables.names("profile") or broken_or_right
        for name, section in self._sections.found["adapter"].items():
            config = cast("ChatConfig", section.config)
            named = {("profile",): config.profile} | {
                ("channels", channel, "profile"): own.profile
                for channel, own in config.channels.items()
            }
            for key, profile in named.items():
                if profile is not None and profile not in known:
                    message = f"there is no [profile.{profile}]"
                    self._sections.refuse(("adapter", name, *key), message, profile, known)

    def _check_arms(self, evaluation: tables.Eval, broken_or_right: tuple[str, ...]) -> None:
        """Check that the profiles which the arms name are there."""
        known = self._tables.names("profile") or broken_or_right
        for name, arm in evaluation.arms.items():
            if arm.profile not in known:
                message = f"there is no [profile.{arm.profile}]"
                self._sections.refuse(
                    ("eval", "arms", name, "profile"), message, arm.profile, known
                )

    def _budgets(self) -> dict[str, tables.Budget]:
        budgets: dict[str, tables.Budget] = {}
        known = self._tables.names("model")
        for name, table in self._tables.sections("budget"):
            key = ("budget", name)
            checked = self._tables.checked(tables.Budget, key, table, owner=f"[{dotted(key)}]")
            if checked is None:
                continue
            budgets[name] = checked.model
            for index, model in enumerate(checked.model.models or ()):
                if model not in known:
                    self._sections.refuse(
                        (*key, "models", index), f"there is no [model.{model}]", model, known
                    )
        return budgets

    def _plain_profile(self) -> dict[str, str]:
        """Return the profile of a file that has none: the one retriever and the one model."""
        chosen: dict[str, str] = {}
        for kind, default in (("retriever", _DEFAULT_RETRIEVER), ("model", _DEFAULT_MODEL)):
            names = [*self._tables.names(kind)] or [default]
            if len(names) > 1:
                message = f"required, because there are several: {', '.join(names)}"
                self._problems.add(("profile", _DEFAULT_PROFILE, kind), message)
            chosen[kind] = names[0]
        return chosen

    def _check_references(self, key: Key, table: Mapping[str, Any]) -> None:
        """Check that everything a profile names is there, even if the profile is wrong."""
        for setting, kind in _REFERENCES.items():
            value = table.get(setting)
            if isinstance(value, str):
                self._sections.resolve((*key, setting), kind, value)
            for index, name in enumerate(value if isinstance(value, list) else ()):
                if isinstance(name, str):
                    self._sections.resolve((*key, setting, index), kind, name)
        canary = table.get("canary")
        if isinstance(canary, dict) and isinstance(canary.get("model"), str):
            self._sections.resolve((*key, "canary", "model"), "model", canary["model"])
        named = table.get("retriever")
        is_filled = isinstance(named, str) and self._sections.is_filled(named)
        if "retriever" in table and not is_filled and not self._tables.names("library"):
            where = (*key, "retriever") if self._tables.names("profile") else ("library",)
            self._problems.add(where, "there is nothing to search; add a section [library.NAME]")
        fallback = table.get("fallback")
        tried = [table.get("model")]
        for index, name in enumerate(fallback if isinstance(fallback, list) else ()):
            if name in tried:
                message = f"{name!r} was already tried when its turn comes; name each model once"
                self._problems.add((*key, "fallback", index), message)
            tried.append(name)

    def _default_profile(self, named: str | None, profiles: list[str]) -> str:
        known = self._tables.names("profile") or tuple(profiles)
        if named is not None and named not in known:
            message = f"there is no [profile.{named}]"
            self._sections.refuse(("cli", "profile"), message, named, known)
        elif named is None and _DEFAULT_PROFILE not in known and len(known) > 1:
            message = f"required, because there is no [profile.{_DEFAULT_PROFILE}] and there are"
            self._problems.add(("cli", "profile"), f"{message} several: {', '.join(known)}")
        if named is not None:
            return named
        return _DEFAULT_PROFILE if _DEFAULT_PROFILE in known else next(iter(known), "")


def _expanded(path: Path) -> Path:
    """Return `path` with `~` replaced, where there is a home to replace it with."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path
