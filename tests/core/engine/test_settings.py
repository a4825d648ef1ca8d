"""The settings: what is right is read, what is wrong is said so that it can be mended."""

import math
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citewell import ConfigError, PluginError
from citewell.engine.assembly import Assembly
from citewell.engine.settings import (
    find_config,
    folder_settings,
    load_registry,
    load_settings,
)
from distributions import Site

FULL = """
data_dir = "data"

[library.handbook]
use = "files"
path = "docs/"
labels = { "**" = ["everyone"], "hr/**" = ["people-team", "board"] }
language = "de"
max_mb = 5
passage_chars = 800

[library.code]
use = "files"
path = "code"

[retriever.main]
use = "lexical"
stemming = false
libraries = ["handbook"]

[retriever.all]
use = "lexical"

[model.quotes]
use = "extractive"
bar = 0.5

[formatter.brief]
use = "footnotes"
quotes = false

[loader.pages]
use = "html"

[profile.default]
retriever = "main"
model = "quotes"
fallback = ["scripted"]
formatter = "brief"
policy = "refuse"
passages = 9

[profile.alone]
model = "scripted"

[cli]
reads = ["everyone", "board"]
profile = "alone"
"""

DOCS = """
[library.docs]
use = "files"
path = "docs"
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "citewell.toml"

    def write(text):
        path.write_text(text, encoding="utf-8")
        return path

    return write


def problems(path):
    with pytest.raises(ConfigError) as error:
        load_settings(path)
    return list(error.value.problems)


# --- what is right --------------------------------------------------------------------------


def test_every_setting_arrives(config, tmp_path):
    found = load_settings(config(FULL))

    handbook = found.libraries["handbook"]
    assert found.base_dir == tmp_path
    assert found.data_dir == tmp_path / "data"
    assert handbook.labels == (
        ("**", frozenset({"everyone"})),
        ("hr/**", frozenset({"people-team", "board"})),
    )
    assert (handbook.language, handbook.max_mb, handbook.passage_chars) == ("de", 5, 800)
    assert handbook.section.config.path == Path("docs")
    assert found.libraries["code"].labels == (("**", frozenset({"everyone"})),)
    assert found.retrievers["main"].section.config.stemming is False
    assert found.retrievers["main"].libraries == ("handbook",)
    assert found.retrievers["all"].libraries == ("handbook", "code")
    assert found.models["quotes"].config.bar == 0.5
    assert found.formatters["brief"].config.quotes is False
    assert found.profiles["default"].passages == 9
    assert found.profiles["alone"].retriever is None
    assert found.reads == {"everyone", "board"}
    assert found.default_profile == "alone"
    assert found.journal_url is None


def test_a_component_without_a_section_has_its_defaults(config):
    found = load_settings(config(FULL))

    assert found.models["scripted"].use == "scripted"
    assert found.formatters["json"].use == "json"
    assert found.loaders["markdown"].use == "markdown"


def test_a_section_of_a_loader_takes_the_place_of_its_defaults(config):
    found = load_settings(config(FULL))

    assert [one.name for one in found.loaders.values() if one.use == "html"] == ["pages"]


def test_a_library_alone_is_enough(config):
    found = load_settings(config(DOCS))

    assert found.default_profile == "default"
    assert found.profiles["default"].retriever == "lexical"
    assert found.profiles["default"].model == "extractive"
    assert found.retrievers["lexical"].libraries == ("docs",)


def test_the_one_model_of_a_file_without_profiles_is_used(config):
    found = load_settings(config(DOCS + '[model.mine]\nuse = "scripted"\n'))

    assert found.profiles["default"].model == "mine"


def test_the_only_profile_is_the_default_one(config):
    found = load_settings(config(DOCS + '[profile.brief]\nmodel = "extractive"\n'))

    assert found.default_profile == "brief"


ONE = '[profile.default]\nretriever = "theirs"\nmodel = "extractive"\n'
FILLED = '[retriever.theirs]\nuse = "haystack"\nstore = "pgvector"\nfilled_by = "others"\n'


def test_what_somebody_else_fills_needs_no_library_and_gets_none(config):
    alone = load_settings(config(FILLED))
    beside = load_settings(config(DOCS + FILLED + '[retriever.a]\nuse = "lexical"\n' + ONE))

    assert alone.retrievers["theirs"].is_filled
    assert alone.profiles["default"].retriever == "theirs"
    assert beside.retrievers["theirs"].libraries == ()
    assert beside.retrievers["a"].libraries == ("docs",)
    assert not beside.retrievers["a"].is_filled


def test_settings_do_not_change(config):
    found = load_settings(config(FULL))

    with pytest.raises(TypeError):
        found.profiles["new"] = found.profiles["default"]
    with pytest.raises(AttributeError):
        found.reads = frozenset()


def test_the_file_is_found_from_below(config, tmp_path):
    path = config(DOCS)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)

    assert find_config(below) == path
    assert find_config(tmp_path) == path


def test_a_folder_needs_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    docs = tmp_path / "docs"
    docs.mkdir()

    found = folder_settings(docs)
    through_link = tmp_path / "link"
    through_link.symlink_to(docs)

    assert found.path is None
    assert found.libraries["docs"].section.config.path == docs
    assert found.data_dir.parent == tmp_path / "cache" / "citewell"
    assert found.data_dir == folder_settings(through_link).data_dir
    assert found.data_dir != folder_settings(tmp_path).data_dir
    assert found.reads == {"everyone"}
    assert list(tmp_path.iterdir()) == [docs, through_link] or not (tmp_path / "cache").exists()


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="gone: expected a folder with documents"):
        folder_settings(tmp_path / "gone")


# --- what is wrong --------------------------------------------------------------------------

WRONG = {
    "top level": ('dat_dir = "x"', 'dat_dir: unknown setting; did you mean "data_dir"? settings'),
    "data_dir": ("data_dir = 5", "data_dir: expected the path of a folder"),
    "kind is no table": ("library = 5", "library: expected sections like [library.NAME]"),
    "section without name": (
        '[library]\nuse = "files"\npath = "docs"',
        "library.use: expected a section with a name of your choice, like [library.NAME]",
    ),
    "name": (
        '[library.Docs]\nuse = "files"\npath = "docs"',
        "library.Docs: expected a name of at most 64 lower-case letters",
    ),
    "path in a name": (
        '[model."../../x"]\nuse = "scripted"',
        'model."../../x": expected a name of at most 64 lower-case letters',
    ),
    "use is missing": ('[library.a]\npath = "docs"', "library.a.use: required setting is missing"),
    "use is no text": ("[model.a]\nuse = 5", "model.a.use: expected a valid string, got 5"),
    "unknown component": (
        '[retriever.main]\nuse = "lexicl"',
        'retriever.main.use: no retriever is called "lexicl"; did you mean "lexical"?',
    ),
    "unknown setting": (
        '[retriever.main]\nuse = "lexical"\nstemmin = true',
        'stemmin: unknown setting; did you mean "stemming"? settings of "lexical": use, libraries',
    ),
    "text for number": (
        '[library.a]\nuse = "files"\npath = "."\nmax_mb = "50"',
        'library.a.max_mb: expected a valid integer, got "50"',
    ),
    "number for text": (
        '[library.a]\nuse = "files"\npath = 5',
        "library.a.path: expected a valid string, got 5",
    ),
    "range": (
        '[profile.a]\nmodel = "extractive"\npassages = 51',
        "profile.a.passages: expected less than or equal to 50, got 51",
    ),
    "choice": (
        '[profile.a]\nmodel = "extractive"\npolicy = "keep"',
        "profile.a.policy: expected 'drop', 'mark' or 'refuse', got \"keep\"",
    ),
    "language": (
        '[library.a]\nuse = "files"\npath = "."\nlanguage = "english"',
        "library.a.language: ",
    ),
    "labels": (
        '[library.a]\nuse = "files"\npath = "."\nlabels = { "hr/**" = "people" }',
        'library.a.labels."hr/**": expected a valid array, got "people"',
    ),
    "reader without labels": ("[cli]\nreads = []", "cli.reads: list should have at least 1 item"),
    "required setting of a component": (
        '[library.a]\nuse = "files"',
        "library.a.path: required setting is missing",
    ),
    "no model": (
        '[profile.a]\nretriever = "lexical"',
        "profile.a.model: required setting is missing",
    ),
    "unknown model": (
        '[model.quotes]\nuse = "extractive"\n[profile.a]\nmodel = "quots"',
        'no model of that name; did you mean "quotes"? there are: quotes, extractive, ',
    ),
    "unknown fallback": (
        '[profile.a]\nmodel = "extractive"\nfallback = ["gpt"]',
        "profile.a.fallback[0]: there is no [model.gpt]",
    ),
    "fallback to itself": (
        '[profile.a]\nmodel = "extractive"\nfallback = ["scripted", "extractive"]',
        "profile.a.fallback[1]: 'extractive' was already tried when its turn comes",
    ),
    "unknown formatter": (
        '[profile.a]\nmodel = "extractive"\nformatter = "footnote"',
        'did you mean "footnotes"?',
    ),
    "unknown verifier": (
        '[profile.a]\nmodel = "extractive"\nverifiers = ["nli"]',
        "profile.a.verifiers[0]: there is no [verifier.nli]",
    ),
    "retriever without library": (
        '[profile.a]\nmodel = "extractive"\nretriever = "lexical"',
        "profile.a.retriever: there is nothing to search; add a section [library.NAME]",
    ),
    "libraries of what somebody else fills": (
        DOCS + FILLED + 'libraries = ["docs"]',
        "retriever.theirs.libraries: somebody else fills this retriever; leave libraries out",
    ),
    "unknown library": (
        DOCS + '[retriever.a]\nuse = "lexical"\nlibraries = ["dcs"]',
        'retriever.a.libraries[0]: there is no [library.dcs]; did you mean "docs"?',
    ),
    "several models": (
        DOCS + '[model.a]\nuse = "scripted"\n[model.b]\nuse = "scripted"',
        "profile.default.model: required, because there are several: a, b",
    ),
    "several profiles": (
        '[profile.a]\nmodel = "extractive"\n[profile.b]\nmodel = "extractive"',
        "cli.profile: required, because there is no [profile.default] and there are several: a, b",
    ),
    "unknown profile": (
        DOCS + '[cli]\nprofile = "defalt"',
        'cli.profile: there is no [profile.defalt]; did you mean "default"?',
    ),
    "unknown plugin": (
        DOCS + '[plugins]\ndisabled = ["embeded"]',
        'plugins.disabled[0]: no plugin "embeded"; did you mean "embedded"?',
    ),
    "a plugin that is off": (
        DOCS + '[plugins]\ndisabled = ["embedded"]',
        'plugin "embedded" (citewell 0.1.0) is off: the settings name it in plugins.disabled',
    ),
    "journal": ("[journal]\nurl = 'postgresql://u:hunter2@db'", "journal.url: expected { env ="),
    "a date": ("[model.a]\nuse = 2026-01-01", 'no model is called "2026-01-01"'),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.values(), ids=list(WRONG))
def test_a_problem_is_said_with_file_key_value_and_fix(config, text, expected):
    path = config(text)

    found = problems(path)

    assert all(line.startswith(f"{path}: ") for line in found)
    assert all("\n" not in line for line in found)
    assert any(expected in line for line in found), found
    assert "hunter2" not in "".join(found)


MANY = """
colour = 1
[library.a]
use = "files"
pth = "x"
max_mb = 0
[retriever.main]
use = "nothing"
[profile.default]
retriever = "mian"
model = "extractive"
passages = 500
[cli]
profile = "x"
"""


def test_all_problems_come_at_once(config):
    found = problems(config(MANY))

    keys = [line.split(": ")[1] for line in found]
    assert sorted(keys) == sorted([
        "colour",
        "library.a.pth",
        "library.a.path",
        "library.a.max_mb",
        "retriever.main.use",
        "profile.default.passages",
        "profile.default.retriever",
        "cli.profile",
    ])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"[library", "this is not TOML: "),
        (b"a = 1\nb = = 2\n", "line 2"),
        (b"a = 1\na = 2\n", "this is not TOML: "),
        (b"ok = 1\n# \xff\n", "line 2: expected text in UTF-8"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = " + b"9" * 5_000, "this is not TOML: "),
        (b"#" * 1_000_001, "larger than 1,000,000 bytes"),
    ],
    ids=["open", "line", "twice", "encoding", "nested", "digits", "large"],
)
def test_a_file_that_is_not_toml_is_refused(tmp_path, content, expected):
    path = tmp_path / "citewell.toml"
    path.write_bytes(content)

    (found,) = problems(path)

    assert expected in found


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    assert "cannot be read: no such file" in problems(tmp_path / "gone.toml")[0]
    assert "cannot be read: is a directory" in problems(tmp_path)[0]


def test_a_failed_plugin_is_quoted_where_it_is_used_and_costs_nothing_elsewhere(
    config, tmp_path, monkeypatch
):
    site = Site(tmp_path / "site", monkeypatch)
    site.install({"gpt": "raises_at_import"}, name="citewell-gpt")

    assert load_settings(config(DOCS)).default_profile == "default"
    (found,) = problems(config(DOCS + '[model.m]\nuse = "gpt"\n'))
    assert 'model.m.use: no model is called "gpt"' in found
    assert 'plugin "gpt" (citewell-gpt 0.3) is off: it raised RuntimeError: no database' in found
    with pytest.raises(PluginError):
        load_settings(config(DOCS), strict=True)


def test_the_plugins_are_known_even_if_the_rest_is_wrong(config):
    registry = load_registry(config('nonsense = 1\n[plugins]\ndisabled = ["git"]'))

    assert "git" not in registry.sources
    assert "files" in registry.sources
    with pytest.raises(ConfigError, match=r"plugins\.disabled"):
        load_registry(config("[plugins]\ndisabled = 5"))
    assert "git" in load_registry(None).sources


# --- anything at all ------------------------------------------------------------------------

NAMES = ["use", "path", "labels", "library", "retriever", "model", "profile", "cli", "plugins"]
NAMES += ["default", "docs", "main", "fallback", "verifiers", "libraries", "reads", "disabled"]
NAMES += ["data_dir", "journal", "url", "env", "paths", "formatter", "loader", "verifier", "a.b"]
WORDS = ["files", "git", "lexical", "extractive", "scripted", "footnotes", "html", "docs", "", "\0"]
SCALARS = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.just(date(2026, 1, 1)),
    st.just(math.inf),
)
KEYS = st.one_of(st.sampled_from(NAMES), st.text(max_size=5))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
SECTIONS = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=4), max_size=3)
FILES = st.dictionaries(KEYS, st.one_of(SECTIONS, VALUES), max_size=5)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=FILES)
def test_no_file_gives_anything_but_settings_or_problems(tmp_path, data):
    try:
        found = Assembly("citewell.toml", tmp_path, data).settings(None)
    except ConfigError as error:
        lines = error.problems
    else:
        lines = [f"citewell.toml: {name}" for name in found.profiles if found.default_profile]
    assert lines
    assert all(line.startswith("citewell.toml: ") for line in lines)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(content=st.one_of(st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_no_bytes_give_a_traceback(tmp_path, content):
    path = tmp_path / "citewell.toml"
    path.write_bytes(content)

    with suppress(ConfigError):
        assert load_settings(path).default_profile == "default"


GLOB = 'expected a pattern as in a .gitignore file, like "drafts/" or "*.md", got '


@pytest.mark.parametrize("source", ["files", "git"])
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('path = "x"\nexclude = ["a/", "[z-a]"]', f'exclude[1]: {GLOB}"[z-a]"'),
        ('path = "x"\ninclude = ["!"]', f'include[0]: {GLOB}"!"'),
        (
            'path = "~nosuchuser/x"',
            'path: expected a path; ~nosuchuser is no home on this machine, got "~nosuchuser/x"',
        ),
        ('path = "x"\nlabels = {"[z-a]" = ["x"]}', f'labels."[z-a]": {GLOB}"[z-a]"'),
        ('path = "a\\u0000b"', 'path: expected a path without a NUL character, got "a\\u0000b"'),
    ],
)
def test_a_pattern_or_path_that_cannot_be_is_refused_where_it_stands(
    tmp_path, source, line, message
):
    path = tmp_path / "citewell.toml"
    path.write_text(f'[library.docs]\nuse = "{source}"\n{line}\n')

    with pytest.raises(ConfigError) as refused:
        load_settings(path)

    assert refused.value.problems == (f"{path}: library.docs.{message}",)


def test_an_index_in_no_home_is_refused_where_it_stands(tmp_path):
    path = tmp_path / "citewell.toml"
    path.write_text('[retriever.main]\nuse = "lexical"\npath = "~nosuchuser/x"\n')

    with pytest.raises(ConfigError, match=r"retriever\.main\.path: expected a path; ~nosuchuser"):
        load_settings(path)


def test_a_path_in_a_home_is_kept_as_it_was_written(tmp_path):
    path = tmp_path / "citewell.toml"
    path.write_text('[library.docs]\nuse = "files"\npath = "~/docs"\n')

    config = load_settings(path).libraries["docs"].section.config

    assert str(config.path) == "~/docs"
