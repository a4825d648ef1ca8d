"""What can go wrong, as one tree.

    CitewellError
    ├── ConfigError            the settings file; carries file and key path
    ├── PluginError            a plugin or component cannot be had
    │   ├── UnknownComponent   nothing offers that name
    │   ├── MissingExtra       an optional dependency is not installed
    │   └── UntrustedPlugin    a plugin file that nobody has trusted yet
    ├── DocumentError          one document cannot be read; costs only itself
    ├── SourceError            a source cannot be listed
    ├── EngineError            workers cannot be had, or cannot do what they are given
    │   └── WorkerLost         each worker that was given something ended with it
    ├── StoreError             the index cannot be opened or written
    │   └── IndexLocked        another process is writing it
    ├── ModelError             a model cannot answer
    │   ├── ModelTimeout
    │   └── PromptRefused      it works, but cannot answer this prompt
    ├── TrainingError          a model cannot be trained, or what it learnt cannot be exported
    │   ├── TrainingLost       its process ended; another attempt may succeed
    │   └── NotProven          a file is not equal to what was trained
    ├── JournalError           the journal cannot be opened or written
    ├── AdapterError           a chat service cannot be connected to
    ├── DeliveryError          a chat service does not take what is to be shown
    └── CannotAct              nobody can do this in a chat service, or in its stand-in

A message says what, the value, what was expected and the fix: lower case, no full stop, no secret.
"""

from __future__ import annotations


class CitewellError(Exception):
    """Base of every error that a user may meet; its text is shown without a traceback."""


class ConfigError(CitewellError):
    """The settings are wrong.

    Attributes:
        problems: one line per problem, each with file, key path, value, expected, fix.
    """

    def __init__(self, *problems: str) -> None:
        """Keep `problems`; the message is one line each."""
        super().__init__("\n".join(problems))
        self.problems = problems


class PluginError(CitewellError):
    """A plugin cannot be loaded, or misbehaved."""


class UnknownComponent(PluginError):
    """No loaded plugin offers the component."""


class MissingExtra(PluginError):
    """An optional dependency is not installed; the message holds the install command."""

    def __init__(
        self, component: str, *, package: str, extra: str, distribution: str = "citewell"
    ) -> None:
        """Say that `component` needs `package`, which comes with `extra` of a distribution."""
        super().__init__(
            f"{component} needs {package}, which is not installed; "
            f'run: pip install "{distribution}[{extra}]"'
        )
        self.extra = extra


class UntrustedPlugin(PluginError):
    """A plugin file named by the config is not trusted, or changed since it was."""


class DocumentError(CitewellError):
    """A document cannot be read; the message says why, without its path."""


class SourceError(CitewellError):
    """A source of documents cannot be listed."""


class EngineError(CitewellError):
    """The workers of an engine cannot be had, or cannot do what they are given."""


class WorkerLost(EngineError):
    """Each worker that was given something ended before it was done."""


class StoreError(CitewellError):
    """An index cannot be opened, read or written."""


class IndexLocked(StoreError):
    """Another process is writing the index; the message names it."""


class ModelError(CitewellError):
    """A model cannot answer.

    Attributes:
        cost: what the attempt cost all the same; None when that is not known.
    """

    cost: float | None = None


class ModelTimeout(ModelError):
    """A model took longer than allowed."""


class PromptRefused(ModelError):
    """A model that works cannot answer this prompt: too long, or refused by its provider."""


class TrainingError(CitewellError):
    """A model cannot be trained, or what it learnt cannot be exported."""


class TrainingLost(TrainingError):
    """The process that trained or exported ended; another attempt may succeed."""


class NotProven(TrainingError):
    """A file was made, but is not equal to what was trained; the message names the difference."""


class JournalError(CitewellError):
    """The journal cannot be opened or written."""


class AdapterError(CitewellError):
    """A chat service cannot be connected to: a wrong token, a missing permission."""


class DeliveryError(CitewellError):
    """A chat service does not take what is to be shown.

    Attributes:
        passes: whether the same may be taken a little later.
        retry_after_s: seconds for which the service wants no further try; 0 where it says none.
    """

    def __init__(self, message: str, *, passes: bool, retry_after_s: float = 0.0) -> None:
        """Say what was refused, and whether and when to try again."""
        super().__init__(message)
        self.passes = passes
        self.retry_after_s = retry_after_s


class CannotAct(CitewellError):
    """Somebody tried in a stand-in for a chat service what nobody could do there either."""
