"""What others may build on; a change here is a change for them."""

import importlib
import sys

import pytest

import citewell
from citewell import testing

CITEWELL = """
AdapterError AdapterSpec Answer ApiUrl Attached Audience Builder CatchingUpRetriever Changed
ChatMessage Choices Citation CitewellError Claim ClaimKind CommandSpec Config ConfigError Constraint
Context DeliveryError Delta Document DocumentBuilder DocumentError EVERYONE Embedder EmbedderName
EmbedderSpec Embedders Engine EngineError EngineSpec EvalItem Exporter ExporterSpec Figure Formatter
FormatterSpec Fusion Generation Gone HealthCheck HybridRetriever IndexLocked IndexedDocument
JournalError Labels Loader LoaderSpec LocalPath Marks Membership Metric MetricSpec MissingExtra
Model ModelCapabilities ModelError ModelName ModelSpec ModelTimeout Models Nearest NotProven
Observation Outcome OutputSchema Part PartKind Passage PassageRef Place Placed PluginError
PricedModel Prompt PromptRefused Query Question Quote RawDocument Reranker RerankerSpec Response
Retriever RetrieverSpec Score Source SourceError SourceSpec Spelling Statement StoreError Swap
Trainer TrainerSpec TrainingError TrainingLost Trusted Turn UnknownComponent Unreadable Unscored
UntrustedPlugin Usage Verdict Verifier VerifierSpec WorkerLost asking blocking blocks chat
chat_messages children content_hash following fused globs hookimpl memory place_at redact storing
training
"""
TESTING = """
AdapterContract AssistantUnderTest Clock EmbedderContract EngineContract Entry
FilledRetrieverContract FormatterContract LoaderContract MetricContract ModelContract
NewCheckWarning Plugins RerankerContract RetrieverContract SourceContract TrainerContract
VerifierContract
adapter_scenarios adapter_table growing make_answer make_claim make_passages
"""


CHAT = """
ABILITIES Adapter Address Asked Attachment Button CannotAct ChannelConfig ChatConfig Deleted Edited
Event HandOff Host LibraryState Quoted Recent Rehearsal Reply Said Seen Stopped Venue Voted
"""


@pytest.mark.parametrize(
    ("module", "names"), [(citewell, CITEWELL), (citewell.chat, CHAT), (testing, TESTING)]
)
def test_the_public_names_are_these(module, names):
    assert sorted(module.__all__) == sorted(names.split())
    assert all(hasattr(module, name) for name in module.__all__)


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'RouterContract'"):
        _ = testing.RouterContract


def test_the_testing_kit_can_be_imported_without_pytest(monkeypatch):
    """The program loads the scripted model from it, on machines that test nothing."""
    for name in [name for name in sys.modules if name.startswith("citewell.testing")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pytest", None)

    assert importlib.import_module("citewell.testing.scripted").register_models()
