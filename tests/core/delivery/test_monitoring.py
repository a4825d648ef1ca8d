"""What watches a bot is told whether it lives, whether it can answer, and how it does."""

import json
from http.client import HTTPConnection

import pytest

from assistants import Kept
from citewell.delivery.monitoring import Pulse, Status, measured
from citewell.engine.tables import Monitoring
from citewell.errors import CitewellError
from citewell.journal.records import AnswerRecord

WELL = Status(
    problems=(),
    gauges={
        "connected": {"plain": 1.0},
        "questions": {"waiting": 3.0},
        "oldest_question_seconds": {"": 2.5},
    },
)


def record(**values):
    return AnswerRecord(**{
        "id": "a",
        "question_id": "q",
        "question": "How many days?",
        "asker": "plain//U1",
        "asked_at": "2026-01-01T00:00:00+00:00",
        "profile": "default",
        "readers": (("everyone",),),
        "outcome": "answered",
        "notice": "",
        "model": "quotes",
        "model_identity": "",
        "retriever": "main",
        "index_identity": "",
        "prompt_hash": "",
        "claims": (),
        "passages": (),
        "seconds": {"total": 0.3, "first_claim": 0.2},
        "input_tokens": 100,
        "output_tokens": 7,
        "cost": 0.5,
        **values,
    })


class Server:
    """What is told at an address."""

    def __init__(self, place):
        self._host, self._port = place.split("/")[2].split(":")

    def get(self, path):
        connection = HTTPConnection(self._host, int(self._port), timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


def test_answers_are_counted_as_they_are_kept():
    kept = Kept()
    recording, watched = measured(Monitoring(port=0), Pulse())
    recorder = recording(kept)
    with watched(lambda: WELL) as place:
        for outcome in ("answered", "answered", "refused"):
            recorder.add(record(outcome=outcome))
        status, text = Server(place).get("/metrics")

    assert status == 200
    assert len(kept.records) == 3
    assert 'citewell_answers_total{model="quotes",outcome="answered"} 2.0' in text
    assert 'citewell_answers_total{model="quotes",outcome="refused"} 1.0' in text
    assert 'citewell_answer_seconds_bucket{le="0.25"} 0.0' in text
    assert 'citewell_answer_seconds_bucket{le="0.5"} 3.0' in text
    assert 'citewell_tokens_total{kind="input"} 300.0' in text
    assert "citewell_cost_total 1.5" in text
    assert 'citewell_questions{state="waiting"} 3.0' in text
    assert 'citewell_connected{adapter="plain"} 1.0' in text
    assert "citewell_oldest_question_seconds 2.5" in text
    assert "How many days?" not in text
    assert "U1" not in text


def test_answers_that_had_to_do_without_something_are_counted():
    recording, watched = measured(Monitoring(port=0), Pulse())
    recorder = recording(Kept())
    with watched(lambda: WELL) as place:
        recorder.add(record())
        recorder.add(record(errors=("retriever main: its vectors are of another embedder",)))
        recorder.add(record(outcome="failed", errors=("cloud: it is down",)))
        _, text = Server(place).get("/metrics")

    assert "citewell_impaired_answers_total 1.0" in text
    assert "another embedder" not in text


def test_a_bot_is_ready_when_nothing_keeps_it_from_answering():
    states = iter([WELL, Status(("slack is not connected",), {})])
    recording, watched = measured(Monitoring(port=0), Pulse())
    recording(Kept())
    with watched(lambda: next(states)) as place:
        ready, unready = (Server(place).get("/readyz") for _ in range(2))

    assert ready == (200, '{"ok": true, "problems": []}\n')
    assert unready[0] == 503
    assert json.loads(unready[1])["problems"] == ["slack is not connected"]


def test_a_bot_whose_loop_stands_still_is_not_alive():
    now = [0.0]
    pulse = Pulse(lambda: now[0])
    recording, watched = measured(Monitoring(port=0), pulse)
    recording(Kept())
    with watched(lambda: WELL) as place:
        alive, _ = Server(place).get("/healthz")
        now[0] = 60.0
        dead, _ = Server(place).get("/healthz")
        pulse.beat()
        again, _ = Server(place).get("/healthz")

    assert (alive, dead, again) == (200, 503, 200)


def test_nothing_listens_unless_it_is_configured():
    recording, watched = measured(Monitoring(), Pulse())
    kept = Kept()

    assert recording(kept) is kept
    with watched(lambda: WELL) as place:
        assert not place


def test_a_port_that_is_taken_is_named():
    recording, watched = measured(Monitoring(port=0), Pulse())
    recording(Kept())
    with watched(lambda: WELL) as place:
        port = int(place.split(":")[2].partition("/")[0])
        other, also = measured(Monitoring(port=port), Pulse())
        other(Kept())
        with pytest.raises(CitewellError, match=f"127.0.0.1:{port} cannot be listened on"):
            also(lambda: WELL).__enter__()
