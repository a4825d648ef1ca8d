"""Settings that came with a folder choose from what is installed, and run nothing by themselves."""

import importlib
import sys

import pytest

import haystacks
from citewell import MissingExtra, PluginError, UntrustedPlugin
from citewell.testing.asking import search, texts_of

STORE = """
from pathlib import Path

from haystack import Document
from haystack.document_stores.in_memory import InMemoryDocumentStore

Path(__file__).with_name("ran").touch()
store = InMemoryDocumentStore()
store.write_documents([Document(content="The fox is red.")])
not_one = 7


def fails():
    raise ValueError("nothing here")
"""


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "theirs.py"
    path.write_text(STORE, encoding="utf-8")
    return path


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return the module of a package that is installed."""
    folder = tmp_path / "site" / "acme_search"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from pathlib import Path\nPath(__file__ + '.ran').touch()")
    module = folder / "stores.py"
    module.write_text(STORE, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    importlib.invalidate_caches()
    yield module
    for name in [name for name in sys.modules if name.startswith("acme_search")]:
        del sys.modules[name]


async def open_(folder, **settings):
    async with haystacks.haystack(folder, **settings) as retriever:
        return texts_of(await search(retriever, "fox"))


async def test_a_file_runs_only_when_it_is_trusted(file, tmp_path):
    settings = {"python": "theirs.py:store", "filled_by": "others"}

    with pytest.raises(UntrustedPlugin, match=r"theirs\.py is not trusted yet"):
        await open_(tmp_path, **settings)
    assert not (tmp_path / "ran").exists()

    haystacks.trust(file)
    assert await open_(tmp_path, **settings) == ["The fox is red."]


async def test_an_installed_module_runs_only_when_it_is_trusted(package, tmp_path):
    settings = {"python": "acme_search.stores:store", "filled_by": "others"}

    with pytest.raises(UntrustedPlugin, match=r"stores\.py is not trusted yet"):
        await open_(tmp_path, **settings)
    assert not list(package.parent.glob("*ran")), "not even the package that it is in has run"

    haystacks.trust(package)
    assert await open_(tmp_path, **settings) == ["The fox is red."]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("theirs.py:missing", "has no attribute"),
        ("theirs.py:fails", "ValueError: nothing here"),
        ("theirs.py", "expected MODULE:ATTRIBUTE or FILE.py:ATTRIBUTE"),
        ("no_such_module_here:store", "there is no module no_such_module_here"),
        ("absent.py:store", "is not a file"),
        ("sys:exit", "there is no module sys"),
    ],
)
async def test_what_cannot_be_had_is_said_in_a_line(named, said, file, tmp_path):
    haystacks.trust(file)

    with pytest.raises(PluginError, match=said) as raised:
        await open_(tmp_path, python=named, filled_by="others")

    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "path",
    [
        "os.system",
        "subprocess.Popen",
        "haystack.components.converters.OutputAdapter",
        "haystack.document_stores.in_memory.document_store.ThreadPoolExecutor",
        "haystack.document_stores.types.DuplicatePolicy",
        "haystack.document_stores.nowhere.Store",
        "haystack_integrations.document_stores.nowhere.Store",
        "postgres",
    ],
)
async def test_only_a_document_store_of_haystack_is_opened(path, tmp_path):
    with pytest.raises(PluginError) as raised:
        await open_(tmp_path, store=path)

    assert path in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_store_whose_package_is_absent_names_it(tmp_path):
    with pytest.raises(PluginError, match="run: pip install opensearch-haystack"):
        await open_(tmp_path, store="opensearch")


async def test_without_haystack_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "haystack", None)

    with pytest.raises(MissingExtra, match=r'pip install "citewell\[haystack\]"'):
        await open_(tmp_path, store="in-memory")


async def test_a_wrong_parameter_is_said_in_a_line(tmp_path):
    with pytest.raises(PluginError, match="in-memory cannot be opened with these parameters"):
        await open_(tmp_path, store="in-memory", parameters={"colour": "red"})


async def test_a_store_in_which_nothing_finds_asks_for_what_does(tmp_path):
    with pytest.raises(PluginError, match="nothing finds passages in QdrantDocumentStore; name an"):
        await open_(
            tmp_path,
            store="qdrant",
            filled_by="others",
            parameters={"path": "qdrant", "embedding_dim": 4},
        )
