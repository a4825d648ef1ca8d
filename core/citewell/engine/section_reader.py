"""Reads the sections of components, and finds those that are named elsewhere in the file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, cast

from pydantic import BaseModel

from citewell.configs import references
from citewell.engine import tables
from citewell.engine.file_states import file_state, named_files
from citewell.engine.nearest import did_you_mean
from citewell.engine.problems import Expected, Key, Problems, dotted, validated
from citewell.engine.registry import Registry
from citewell.engine.sections import Section
from citewell.engine.table_reader import TableReader
from citewell.engine.tables import COMPONENTS
from citewell.errors import UnknownComponent
from citewell.specs import RetrieverSpec


class SectionReader:
    """The sections of one file.

    Args:
        tables: the file.
        registry: the components that there are.

    Attributes:
        found: the sections that are right, and the components that are named and need none; by
            kind and name.
    """

    def __init__(self, tables: TableReader, registry: Registry) -> None:
        self._tables = tables
        self._problems = tables.problems
        self._registry = registry
        self.found: dict[str, dict[str, Section]] = {kind: {} for kind in COMPONENTS}

    def read(self, kind: str, name: str, table: Mapping[str, Any]) -> tables.Component | None:
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
        self.found[kind][name] = Section(
            name=name,
            use=spec.name,
            spec=spec,
            config=config.model,
            missing=config.missing,
            files=tuple(map(file_state, files)),
            secret_files=tuple(map(file_state, config.files)),
        )
        return core.model

    def is_filled(self, name: str) -> bool:
        """Tell whether somebody else fills the retriever of section `name`."""
        section = self.found["retriever"].get(name)
        if section is None:
            return False
        return cast("RetrieverSpec[Any]", section.spec).is_filled(section.config)

    def _with_defaults(self, kind: str, name: str) -> Section | None:
        """Return the component `name` without any settings, unless it needs some."""
        spec = self._registry.components(kind).get(name)
        if spec is None:
            return None
        config = _defaults(spec.config)
        return None if config is None else Section(name=name, use=name, spec=spec, config=config)

    def with_all(self, kind: str) -> dict[str, Section]:
        """Return the sections of `kind` and each component of it that has no section."""
        sections = self.found[kind]
        used = {section.use for section in sections.values()} if kind == "loader" else set()
        for name in self._registry.components(kind):
            section = self._with_defaults(kind, name)
            if section is not None and name not in used:
                sections.setdefault(name, section)
        return sections

    def check_references(self) -> None:
        """Check that the sections which other sections name are there, and name no circle."""
        for kind, sections in self.found.items():
            for name, section in tuple(sections.items()):
                for setting, (named_kind, named) in references(section.config).items():
                    self.resolve((kind, name, setting), named_kind, named)
                    if (kind, name) in self._reached(named_kind, named):
                        message = f"[{named_kind}.{named}] leads back to it; each would need itself"
                        self._problems.add((kind, name, setting), message)

    def _reached(self, kind: str, name: str) -> set[tuple[str, str]]:
        """Return a section, those that it names, those that these name, and so on."""
        reached = {(kind, name)}
        ahead = [(kind, name)]
        while ahead:
            kind, name = ahead.pop()
            section = self.found[kind].get(name)
            named = set() if section is None else {*references(section.config).values()}
            ahead.extend(named - reached)
            reached |= named
        return reached

    def resolve(self, key: Key, kind: str, name: str) -> None:
        """Find the section `name`, or the component of that name with its defaults."""
        sections = self._tables.names(kind)
        if name in sections or name in self.found[kind]:
            return
        section = self._with_defaults(kind, name)
        if section is not None:
            self.found[kind][name] = section
        elif name in self._registry.components(kind):
            self._problems.add(key, f'"{name}" needs settings; add a section [{kind}.{name}]')
        else:
            known = (*sections, *self._registry.components(kind))
            reasons = self._registry.suspicions(name, known)
            message = f"there is no [{kind}.{name}] and no {kind} of that name"
            self.refuse(key, "; ".join([message, *reasons]), name, known)

    def refuse(self, key: Key, message: str, name: str, known: Collection[str]) -> None:
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
