"""The process in which a judge runs: without a network, and with a model that its parent asks.

It is run by the Python of an environment that somebody made for ragas or deepeval, so it imports
nothing but the standard library and the one of the two that it is told to. `wire` says what it
reads from standard input and writes to standard output.
"""

from __future__ import annotations

import asyncio
import ctypes
import inspect
import json
import math
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.metadata import version
from typing import Any

_NEW_NETWORK = 0x40000000
_NEW_USER = 0x10000000
"""Source: clone(2), CLONE_NEWNET and CLONE_NEWUSER."""

_REFUSED = frozenset((
    *("socket.connect", "socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname"),
    *("socket.getnameinfo", "socket.sendmsg", "socket.sendto"),
    *("os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"),
    "subprocess.Popen",
))  # fmt: skip
"""Audit events of the standard library: what would reach the network, or start who could."""

_LONGEST_REASON = 300

Ask = Callable[[str, Any], Any]
Judge = Callable[[dict[str, Any]], float]


class Unanswered(BaseException):
    """The model gave nothing to go on; says why.

    No `Exception`: packages take these for a reason to ask the same once more, or to judge from
    half of what they asked for.
    """


class Line:
    """The two pipes to the parent; what packages print goes elsewhere."""

    def __init__(self) -> None:
        self._requests = os.fdopen(os.dup(0), "rb")
        self._replies = os.dup(1)
        self._writing = threading.Lock()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)

    def receive(self) -> dict[str, Any] | None:
        """Return the next message, or None at the end."""
        read = self._requests.readline()
        return json.loads(read) if read else None

    def send(self, kind: str, **fields: object) -> None:
        """Send a message."""
        left = memoryview(json.dumps({"type": kind, **fields}).encode() + b"\n")
        with self._writing:
            while left:
                left = left[os.write(self._replies, left) :]

    def ask(self, prompt: str, schema: Any) -> Any:
        """Return what the model says, as the pydantic model `schema`.

        Raises:
            Unanswered: it says nothing, or something else.
        """
        self.send("asks", prompt=prompt, schema=schema.model_json_schema())
        said = self.receive()
        if said is None:
            raise Unanswered("nobody is there any more")
        if said["failed"]:
            raise Unanswered(said["failed"])
        return parsed(said["text"], schema)


def main() -> None:
    """Import what the first line names, and judge until there is nothing more."""
    line = Line()
    begin = line.receive()
    if begin is None:
        return
    is_walled = leave_network()
    refuse(line)
    try:
        judge = LIBRARIES[begin["library"]](begin["measure"], line.ask)
    except Exception as error:  # noqa: BLE001 - importing a package may raise anything
        is_missing = isinstance(error, ModuleNotFoundError) and error.name == begin["library"]
        line.send("failed", reason=told(error), is_missing=is_missing)
        return
    line.send("ready", version=version(begin["library"]), is_walled=is_walled)
    while (case := line.receive()) is not None:
        try:
            score = float(judge(case))
        except Unanswered as error:
            line.send("failed", reason=str(error))
        except Exception as error:  # noqa: BLE001 - whatever a package raises costs this score
            line.send("failed", reason=told(error))
        else:
            if math.isfinite(score):
                line.send("scored", score=score)
            else:
                line.send("failed", reason=f"gave {score}, which is no number")


def leave_network() -> bool:
    """Have this process see no network, where Linux lets it; return whether it does.

    Compiled code, like that of gRPC, asks no hook of Python's.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    try:
        unshare = ctypes.CDLL(None).unshare
    except (AttributeError, OSError, TypeError):
        return False
    if unshare(_NEW_NETWORK) == 0:
        return True
    if unshare(_NEW_USER | _NEW_NETWORK) != 0:
        return False
    with suppress(OSError), open("/proc/self/uid_map", "w", encoding="ascii") as names:  # noqa: PTH123 - of this process alone
        names.write(f"{user} {user} 1")
    return True


def refuse(line: Line) -> None:
    """From now on let nothing here reach the network or start a program, and tell who tries."""

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _REFUSED:
            named = [str(one) for one in arguments if isinstance(one, str | tuple)]
            line.send("refused", what=" ".join([event, *named])[:_LONGEST_REASON])
            raise PermissionError(f"{event}: a judge has no network and starts no program")

    sys.addaudithook(hook)


def parsed(text: str, schema: Any) -> Any:
    """Return what the JSON in `text` says, also where it stands between other words.

    Raises:
        Unanswered: there is none, it is no `schema`, or it names nothing to judge.
    """
    start, end = text.find("{"), text.rfind("}")
    try:
        value: dict[str, Any] = json.loads(text[max(start, 0) : end + 1])
        found = schema.model_validate(value)
    except (ValueError, RecursionError):
        raise Unanswered(
            f"its model's output is not the JSON that was asked for: {text[:80]!r}"
        ) from None
    lists = [one for one in value.values() if isinstance(one, list)]
    if lists and not any(lists):
        # Packages score that as 0 or 1.
        raise Unanswered("its model named nothing that could be judged")
    return found


def ragas(measure: str, ask: Ask) -> Judge:
    """Return a measure of ragas."""
    from ragas.llms.base import InstructorBaseRagasLLM
    from ragas.metrics import collections

    class Model(InstructorBaseRagasLLM):  # type: ignore[misc] # it is not installed here
        def generate(self, prompt: str, response_model: Any) -> Any:
            return ask(prompt, response_model)

        async def agenerate(self, prompt: str, response_model: Any) -> Any:
            return ask(prompt, response_model)

    metric = getattr(collections, _class_name(measure))(llm=Model())
    taken = inspect.signature(metric.ascore).parameters

    def judge(case: dict[str, Any]) -> float:
        given = {
            "user_input": case["question"],
            "response": case["answer"],
            "retrieved_contexts": case["passages"],
            "reference": case["expected"],
        }
        result = asyncio.run(metric.ascore(**{name: given[name] for name in taken}))
        return float(result.value)

    return judge


def deepeval(measure: str, ask: Ask) -> Judge:
    """Return a measure of deepeval."""
    from deepeval import metrics
    from deepeval.models import DeepEvalBaseLLM
    from deepeval.test_case import LLMTestCase

    class Model(DeepEvalBaseLLM):  # type: ignore[misc] # it is not installed here
        def load_model(self) -> Any:
            return self

        def get_model_name(self) -> str:
            return "a model of Citewell's"

        def generate(self, prompt: str, schema: Any) -> Any:
            return ask(prompt, schema)

        async def a_generate(self, prompt: str, schema: Any) -> Any:
            return ask(prompt, schema)

    model = Model()
    metric = getattr(metrics, f"{_class_name(measure)}Metric")

    def judge(case: dict[str, Any]) -> float:
        # One keeps what it found of its case.
        one = metric(model=model, include_reason=False, async_mode=False)
        asked = LLMTestCase(
            input=case["question"],
            actual_output=case["answer"],
            expected_output=case["expected"],
            retrieval_context=case["passages"],
        )
        return float(one.measure(asked))

    return judge


LIBRARIES: dict[str, Callable[[str, Ask], Judge]] = {"ragas": ragas, "deepeval": deepeval}


def told(error: Exception) -> str:
    """Return the kind of an error and what it says, in a line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:_LONGEST_REASON]


def _class_name(measure: str) -> str:
    return "".join(word.capitalize() for word in measure.split("_"))


if __name__ == "__main__":
    main()
