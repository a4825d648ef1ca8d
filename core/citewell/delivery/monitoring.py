"""What machines that watch a bot may ask it: is it alive, is it ready, how does it do."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from socketserver import ThreadingMixIn
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from msgspec import Struct

from citewell.errors import CitewellError, MissingExtra
from citewell.journal.records import AnswerRecord
from citewell.types.answers import Outcome

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

    from citewell.engine.assistant import Recorder
    from citewell.engine.tables import Monitoring

log = logging.getLogger(__name__)

_STALE_S = 10.0
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160)


class Status(Struct, frozen=True):
    """How the bot does.

    Attributes:
        problems: why it cannot answer everybody now, a line each; empty when it can.
        gauges: by name, and by the value of its one label, "" where it has none.
    """

    problems: tuple[str, ...]
    gauges: Mapping[str, Mapping[str, float]]


class Pulse:
    """Tells whether the event loop still turns: beat it each second."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._last = clock()

    def beat(self) -> None:
        """Say that it turned."""
        self._last = self._clock()

    @property
    def is_alive(self) -> bool:
        """Whether it turned lately."""
        return self._clock() - self._last < _STALE_S


class Measuring:
    """Counts what is recorded, on its way to where it is kept.

    Args:
        recorder: where it is kept.

    Raises:
        MissingExtra: prometheus-client is not installed.
    """

    def __init__(self, recorder: Recorder) -> None:
        try:
            from prometheus_client import CollectorRegistry, Counter, Histogram
        except ModuleNotFoundError:
            raise MissingExtra(
                "[monitoring]", package="prometheus-client", extra="metrics"
            ) from None
        self._recorder = recorder
        self.registry = CollectorRegistry()
        in_it: dict[str, Any] = {"namespace": "citewell", "registry": self.registry}
        self._answers = Counter(
            "answers", "Answers, by what became of the question.", ["outcome", "model"], **in_it
        )
        self._seconds = Histogram(
            "answer_seconds", "From the question to the whole answer.", buckets=_SECONDS, **in_it
        )
        self._first = Histogram(
            "first_claim_seconds",
            "From the question to its first words.",
            buckets=_SECONDS,
            **in_it,
        )
        self._tokens = Counter("tokens", "Read and written by models.", ["kind"], **in_it)
        self._impaired = Counter(
            "impaired_answers",
            "Answers although something failed: a model, a reranker, a part of the search.",
            **in_it,
        )
        self._cost = Counter("cost", "In the currency of the models' prices.", **in_it)

    def add(self, record: AnswerRecord) -> None:
        """Keep `record`, and count it."""
        self._recorder.add(record)
        self._answers.labels(record.outcome, record.model).inc()
        if record.errors and record.outcome != Outcome.FAILED:
            self._impaired.inc()
        self._seconds.observe(record.seconds.get("total", 0.0))
        if "first_claim" in record.seconds:
            self._first.observe(record.seconds["first_claim"])
        self._tokens.labels("input").inc(record.input_tokens)
        self._tokens.labels("output").inc(record.output_tokens)
        self._cost.inc(record.cost or 0.0)


Watched: TypeAlias = Callable[[Callable[[], Status]], AbstractContextManager[str]]


def measured(config: Monitoring, pulse: Pulse) -> tuple[Callable[[Recorder], Recorder], Watched]:
    """Return what wraps the recorder of answers, and what answers those who watch.

    The latter yields the address, or nothing where none is configured.
    """
    port = config.port
    if port is None:
        return (lambda recorder: recorder), (lambda _status: nullcontext(""))
    counting: list[Measuring] = []

    def recording(recorder: Recorder) -> Recorder:
        counting.append(Measuring(recorder))
        return counting[-1]

    def watched(status: Callable[[], Status]) -> AbstractContextManager[str]:
        return monitored((config.host, port), counting[-1], pulse, status)

    return recording, watched


class _Gauges:
    """Asks for the status when it is collected."""

    def __init__(self, status: Callable[[], Status]) -> None:
        self._status = status

    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        for name, values in self._status().gauges.items():
            is_labelled = "" not in values
            labels = [_LABELS[name]] if is_labelled else []
            family = GaugeMetricFamily(f"citewell_{name}", _MEANINGS[name], labels=labels)
            for label, value in values.items():
                family.add_metric([label] if is_labelled else [], value)
            yield family


_MEANINGS = {
    "questions": "Questions without an outcome, by state.",
    "oldest_question_seconds": "Age of the oldest question without an outcome.",
    "given_up": "Questions since the start whose outcome nobody could be shown.",
    "connected": "Whether a chat service is connected.",
}
_LABELS = {"questions": "state", "connected": "adapter"}


@contextmanager
def monitored(
    address: tuple[str, int], measuring: Measuring, pulse: Pulse, status: Callable[[], Status]
) -> Iterator[str]:
    """Answer /healthz, /readyz and /metrics in a thread, until the end; yield the address.

    Raises:
        CitewellError: the address cannot be listened on.
    """
    from prometheus_client import generate_latest

    measuring.registry.register(_Gauges(status))

    def metrics() -> tuple[str, str, bytes]:
        kind = "text/plain; version=0.0.4; charset=utf-8"
        return "200 OK", kind, generate_latest(measuring.registry)

    pages = {
        "/healthz": lambda: _said(() if pulse.is_alive else ("the event loop does not turn",)),
        "/readyz": lambda: _said(status().problems),
        "/metrics": metrics,
    }

    def application(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        page = pages.get(environ.get("PATH_INFO", ""))
        if page is None:
            code, kind, body = "404 Not Found", "text/plain", b"see /healthz, /readyz, /metrics\n"
        else:
            code, kind, body = page()
        start(code, [("Content-Type", kind), ("Content-Length", str(len(body)))])
        return [body]

    host, port = address
    try:
        server = make_server(host, port, application, _Threaded, _Quiet)
    except OSError as error:
        raise CitewellError(
            f"monitoring: {host}:{port} cannot be listened on: {error.strerror}; choose another "
            "port under [monitoring]"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="monitoring", daemon=True)
    thread.start()
    try:
        yield f"http://{host}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _said(problems: tuple[str, ...]) -> tuple[str, str, bytes]:
    code = "503 Service Unavailable" if problems else "200 OK"
    told = {"ok": not problems, "problems": problems}
    return code, "application/json", json.dumps(told).encode() + b"\n"


class _Threaded(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind without asking a name server what this machine is called."""
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()


class _Quiet(WSGIRequestHandler):
    timeout = 5

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library calls it so
        log.debug(format, *args)
