"""From the tables of a settings file to checked settings, or to a list of all that is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from pydantic import BaseModel

from citewell.configs import ChatConfig
from citewell.engine import tables
from citewell.engine.file_states import file_state, named_files
from citewell.engine.nearest import did_you_mean
from citewell.engine.problems import Expected, Key, Problems, dotted, validated
from citewell.engine.registry import Registry
from citewell.engine.sections import LibrarySettings, RetrieverSettings, Section, Settings
from citewell.engine.table_reader import TableReader
from citewell.engine.tables import COMPONENTS, DEFAULT_FORMATTER, TOP_LEVEL, Profile
from citewell.errors import ConfigError, UnknownComponent

DATA_DIR = ".citewell"
_DEFAULT_PROFILE = "default"
_DEFAULT_RETRIEVER = "lexical"
_DEFAULT_MODEL = "extractive"
# The settings of a profile that name a section, and the kind of section.
_REFERENCES = {
    "retriever": "retriever",
    "model": "model",
    "fallback": "model",
    "formatter": "formatter",
    "verifiers": "verifier",
}


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
        self._sections: dict[str, dict[str, Section]] = {kind: {} for kind in COMPONENTS}
        self._retriever_libraries: dict[str, tuple[str, ...]] = {}
        plugins = self._tables.single("plugins", tables.Plugins)
        self._registry = Registry.load(
            disabled=plugins.disabled,
            paths=[base_dir / _expanded(path) for path in plugins.paths],
            strict=strict,
        )
        known = [plugin.name for plugin in self._registry.plugins]
        for index, name in enumerate(plugins.disabled):
            if name not in known:
                self._refuse(("plugins", "disabled", index), f'no plugin "{name}"', name, known)

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
        for kind in ("model", "embedder", "verifier", "formatter", "loader", "adapter"):
            for name, table in self._tables.sections(kind):
                self._read_section(kind, name, table)
        profiles = self._profiles()
        self._check_adapters(tuple(profiles))
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
            models=MappingProxyType(self._sections["model"]),
            embedders=MappingProxyType(self._sections["embedder"]),
            verifiers=MappingProxyType(self._sections["verifier"]),
            formatters=MappingProxyType(self._with_all("formatter")),
            loaders=MappingProxyType(self._with_all("loader")),
            adapters=MappingProxyType(self._sections["adapter"]),
            profiles=MappingProxyType(profiles),
            journal=self._journal(),
            reads=frozenset(cli.reads),
            budgets=MappingProxyType(budgets),
            chat=self._tables.single("chat", tables.Chat),
            monitoring=self._tables.single("monitoring", tables.Monitoring),
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
            for kind, known in self._sections.items()
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

    def _read_section(
        self, kind: str, name: str, table: Mapping[str, Any]
    ) -> tables.Component | None:
        """Keep the section if it is right, and return the core's part of it."""
        key: Key = (kind, name)
        model = COMPONENTS[kind]
        ours = {key: value for key, value in table.items() if key in model.model_fields}
        core = self._tables.checked(model, key, ours, owner=f"[{dotted(key)}]")
        use = table.get("use") if core is None else core.model.use
        if not isinstance(use, str):
            return None
        try:
            spec = self._registry.find("source" if kind == "library" else kind, use)
        except UnknownComponent as error:
            self._problems.add((*key, "use"), str(error))
            return None
        own = {key: value for key, value in table.items() if key not in model.model_fields}
        config = self._tables.checked(
            spec.config, key, own, owner=f'"{spec.name}"', beside=tuple(model.model_fields)
        )
        if core is None or config is None:
            return None
        # Those of a library are documents.
        files = () if kind == "library" else named_files(config.model, self._tables.base_dir)
        self._sections[kind][name] = Section(
            name=name,
            use=spec.name,
            spec=spec,
            config=config.model,
            missing=config.missing,
            files=tuple(map(file_state, files)),
            secret_files=tuple(map(file_state, config.files)),
        )
        return core.model

    def _libraries(self) -> dict[str, LibrarySettings]:
        libraries: dict[str, LibrarySettings] = {}
        for name, table in self._tables.sections("library"):
            core = self._read_section("library", name, table)
            if isinstance(core, tables.Library):
                libraries[name] = LibrarySettings(
                    section=self._sections["library"][name],
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
            core = self._read_section("retriever", name, table)
            if not isinstance(core, tables.Retriever) or core.libraries is None:
                continue
            self._retriever_libraries[name] = tuple(core.libraries)
            for index, library in enumerate(core.libraries):
                if library not in libraries:
                    key = ("retriever", name, "libraries", index)
                    self._refuse(key, f"there is no [library.{library}]", library, libraries)

    def _retrievers(self, libraries: tuple[str, ...]) -> dict[str, RetrieverSettings]:
        return {
            name: RetrieverSettings(
                section=section, libraries=self._retriever_libraries.get(name, libraries)
            )
            for name, section in self._sections["retriever"].items()
        }

    def _with_defaults(self, kind: str, name: str) -> Section | None:
        """Return the component `name` without any settings, unless it needs some."""
        spec = self._registry.components(kind).get(name)
        if spec is None:
            return None
        config = _defaults(spec.config)
        return None if config is None else Section(name=name, use=name, spec=spec, config=config)

    def _with_all(self, kind: str) -> dict[str, Section]:
        """Return the sections of `kind` and each component of it that has no section."""
        sections = self._sections[kind]
        used = {section.use for section in sections.values()} if kind == "loader" else set()
        for name in self._registry.components(kind):
            section = self._with_defaults(kind, name)
            if section is not None and name not in used:
                sections.setdefault(name, section)
        return sections

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
        for name, section in self._sections["adapter"].items():
            config = cast("ChatConfig", section.config)
            named = {("profile",): config.profile} | {
                ("channels", channel, "profile"): own.profile
                for channel, own in config.channels.items()
            }
            for key, profile in named.items():
                if profile is not None and profile not in known:
                    message = f"there is no [profile.{profile}]"
                    self._refuse(("adapter", name, *key), message, profile, known)

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
                    self._refuse(
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
                self._resolve((*key, setting), kind, value)
            for index, name in enumerate(value if isinstance(value, list) else ()):
                if isinstance(name, str):
                    self._resolve((*key, setting, index), kind, name)
        if "retriever" in table and not self._tables.names("library"):
            where = (*key, "retriever") if self._tables.names("profile") else ("library",)
            self._problems.add(where, "there is nothing to search; add a section [library.NAME]")
        fallback = table.get("fallback")
        tried = [table.get("model")]
        for index, name in enumerate(fallback if isinstance(fallback, list) else ()):
            if name in tried:
                message = f"{name!r} was already tried when its turn comes; name each model once"
                self._problems.add((*key, "fallback", index), message)
            tried.append(name)

    def _resolve(self, key: Key, kind: str, name: str) -> None:
        """Find the section `name`, or the component of that name with its defaults."""
        sections = self._tables.names(kind)
        if name in sections or name in self._sections[kind]:
            return
        section = self._with_defaults(kind, name)
        if section is not None:
            self._sections[kind][name] = section
        elif name in self._registry.components(kind):
            self._problems.add(key, f'"{name}" needs settings; add a section [{kind}.{name}]')
        else:
            known = (*sections, *self._registry.components(kind))
            reasons = self._registry.suspicions(name, known)
            message = f"there is no [{kind}.{name}] and no {kind} of that name"
            self._refuse(key, "; ".join([message, *reasons]), name, known)

    def _default_profile(self, named: str | None, profiles: list[str]) -> str:
        known = self._tables.names("profile") or tuple(profiles)
        if named is not None and named not in known:
            self._refuse(("cli", "profile"), f"there is no [profile.{named}]", named, known)
        elif named is None and _DEFAULT_PROFILE not in known and len(known) > 1:
            message = f"required, because there is no [profile.{_DEFAULT_PROFILE}] and there are"
            self._problems.add(("cli", "profile"), f"{message} several: {', '.join(known)}")
        if named is not None:
            return named
        return _DEFAULT_PROFILE if _DEFAULT_PROFILE in known else next(iter(known), "")

    def _refuse(self, key: Key, message: str, name: str, known: Collection[str]) -> None:
        """Note a reference to something that is not there."""
        listed = f"there are: {', '.join(known)}" if known else ""
        self._problems.add(key, f"{message}{did_you_mean(name, known, listed)}")


def _defaults(model: type[BaseModel]) -> BaseModel | None:
    """Return the model with its defaults, or None if it has not all of them."""
    if any(field.is_required() for field in model.model_fields.values()):
        return None
    if not model.__pydantic_decorators__.model_validators:
        # To validate, pydantic would first compile the model: most of the time of a quick start.
        return model.model_construct()
    at = Expected(key=(), data={}, owner="", known=())
    return validated(model, at, Problems(""))


def _expanded(path: Path) -> Path:
    """Return `path` with `~` replaced, where there is a home to replace it with."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path
