"""A query pipeline of Haystack: its inputs are a question, filters and numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from citewell import PluginError, StoreError
from citewell.asking import asked_text
from citewell_haystack.finding import Found
from citewell_haystack.store import Filters, Store, all_of
from citewell_haystack.telling import told

# What components call the question.
_QUESTIONS = ("query", "text", "question")
_QUESTION_LISTS = ("queries",)
_WRITTEN = ("answers", "replies")


class QueryPipeline:
    """Runs a pipeline for each question. Blocking; for one thread.

    Args:
        pipeline: of Haystack.
        name: of the retriever, for messages.

    Raises:
        PluginError: a question alone cannot be its input, or documents are not its output.
    """

    def __init__(self, pipeline: Any, *, name: str) -> None:
        self._pipeline = pipeline
        self._name = name
        self._parameters = {
            component: _parameters(instance) for component, instance in pipeline.walk()
        }
        inputs: Mapping[str, Mapping[str, Any]] = pipeline.inputs()
        self._questions = list(_sockets(inputs, (*_QUESTIONS, *_QUESTION_LISTS)))
        self._top_k = [component for component, _ in _sockets(inputs, ("top_k",))]
        self._filters = [
            component
            for component, _ in _sockets(inputs, ("filters",))
            if isinstance(self._parameters.get(component, {}).get("filters") or {}, Mapping)
        ]
        self._output = self._documents_output()
        self._check_inputs(inputs)

    @property
    def takes_filters(self) -> bool:
        """Whether each component that reads a store takes filters from outside."""
        return bool(self._filters) and not self.unfiltered

    @property
    def unfiltered(self) -> list[str]:
        """The components that read a store and take no filters from outside."""
        return [
            component
            for component, instance in self._pipeline.walk()
            if _document_store(instance) is not None and component not in self._filters
        ]

    def stores(self) -> list[Any]:
        """Return the document stores of its components, each once."""
        found = (_document_store(instance) for _, instance in self._pipeline.walk())
        return list({id(store): store for store in found if store is not None}.values())

    def search(
        self, text: str, vector: Sequence[float] | None, *, filters: Filters | None, limit: int
    ) -> list[Found]:
        """Return the documents that the pipeline ends with, in their order.

        A component looks for no fewer than it would by itself, and has its own filters besides.
        """
        del vector
        data: dict[str, dict[str, Any]] = {}
        # Some component of it may well embed the question.
        question = asked_text(text)
        for component, socket in self._questions:
            asked = [question] if socket in _QUESTION_LISTS else question
            data.setdefault(component, {})[socket] = asked
        for component in self._top_k:
            own = self._parameters.get(component, {}).get("top_k") or 0
            data.setdefault(component, {})["top_k"] = max(own, limit)
        for component in self._filters if filters is not None else ():
            data.setdefault(component, {})["filters"] = self._with_own(component, filters or {})
        try:
            result = self._pipeline.run(data, include_outputs_from={self._output})
        except Exception as error:
            raise StoreError(
                f'pipeline of retriever "{self._name}" failed: {told(error)}'
            ) from error
        documents = result.get(self._output, {}).get("documents")
        if not _are_documents(documents):
            raise StoreError(
                f'pipeline of retriever "{self._name}" ends with what are no documents; expected '
                f"a list of them from {self._output}"
            )
        return [Found(document, 1 / rank) for rank, document in enumerate(documents, 1)]

    def close(self) -> None:
        """Let go of what its stores hold."""
        for store in self.stores():
            Store(store, name=self._name).close()

    def _with_own(self, component: str, filters: Filters) -> dict[str, Any]:
        """Return `filters` together with those that the component was made with.

        By default Haystack would put ours in their place, and find what they leave out.
        """
        parameters = self._parameters.get(component, {})
        own = parameters.get("filters")
        if not own or str(parameters.get("filter_policy")) == "merge":
            return dict(filters)
        return dict(all_of(own, filters))

    def _check_inputs(self, inputs: Mapping[str, Mapping[str, Any]]) -> None:
        if not self._questions:
            raise PluginError(
                f'pipeline of retriever "{self._name}" has no open input for a question; expected '
                f"one called {', '.join(_QUESTIONS)} or {_QUESTION_LISTS[0]}"
            )
        wanting = [
            f"{component}.{socket}"
            for component, sockets in inputs.items()
            for socket, about in sockets.items()
            if about["is_mandatory"] and (component, socket) not in self._questions
        ]
        if wanting:
            raise PluginError(
                f'pipeline of retriever "{self._name}" needs {", ".join(wanting)}, which a '
                "question does not have"
            )

    def _documents_output(self) -> str:
        outputs = self._pipeline.outputs()
        writing = list(_sockets(outputs, _WRITTEN))
        if writing:
            raise PluginError(
                f'pipeline of retriever "{self._name}" writes an answer ({writing[0][0]}); '
                "expected one that ends with documents: Citewell writes from them, and checks"
            )
        ending = [component for component, _ in _sockets(outputs, ("documents",))]
        if len(ending) != 1:
            ends = ", ".join(ending) or "none"
            raise PluginError(
                f'pipeline of retriever "{self._name}" has {len(ending)} outputs called documents '
                f"({ends}); expected one; a DocumentJoiner makes one of several"
            )
        return ending[0]


def _sockets(
    components: Mapping[str, Mapping[str, Any]], names: Sequence[str]
) -> Iterator[tuple[str, str]]:
    for component, sockets in components.items():
        for socket in sockets:
            if socket in names:
                yield component, socket


def _parameters(instance: Any) -> Mapping[str, Any]:
    """Return what a component was made with, as far as it tells."""
    try:
        found = instance.to_dict()["init_parameters"]
    except Exception:  # noqa: BLE001 - a component that cannot be saved still works
        return {}
    return found if isinstance(found, Mapping) else {}


def _are_documents(found: Any) -> bool:
    from haystack import Document

    return isinstance(found, list) and all(isinstance(one, Document) for one in found)


def _document_store(instance: Any) -> Any:
    for name in ("document_store", "_document_store"):
        store = getattr(instance, name, None)
        if hasattr(store, "filter_documents"):
            return store
    return None
