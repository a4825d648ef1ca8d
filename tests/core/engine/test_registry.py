"""A bad plugin costs only itself, and is named with its package, its version and the reason."""

import asyncio
import logging
from importlib import metadata
from pathlib import Path

import pytest

from citewell import Audience, Observation, PluginError, Question, UnknownComponent
from citewell.engine.registry import Registry
from citewell.engine.trust import Trust
from distributions import BAD_PLUGINS, Site

OURS = {"embedded", "extractive", "files", "formats", "git", "office", "pdf", "scripted", "text"}
EVENT = Observation(event="answered", question_id="q1", seconds=0.1)

BAD = {
    "raises_at_import": "it raised RuntimeError: no database at this address",
    "exits_at_import": "it raised SystemExit: 3",
    "needs_missing_package": "No module named 'a_package_that_nobody_has'",
    "raising_hook": "its register_models raised ValueError: no model today",
    "raising_generator_hook": "its register_commands raised LookupError: the second half is lost",
    "exiting_hook": "it raised SystemExit: good-bye",
    "async_hook": 'its hook "register_models" is async; hooks are plain functions',
    "wrong_signature": "Argument(s) {'happening'} are declared in the hookimpl",
    "unknown_hook": 'it implements hook "register_model", which citewell 0.1.0 does not have; '
    'did you mean "register_models"? update it or citewell',
    "wrapping_hook": 'its hook "route" is a wrapper',
    "no_hooks": "it implements no hook; mark its functions with @citewell.hookimpl",
    "returns_garbage": "its register_models returned 42; expected a tuple of ModelSpec",
    "returns_text": "its register_models returned 'gpt'; expected a tuple of ModelSpec",
    "wrong_kind": "its register_loaders offers ModelSpec(",
    "lambda_build": 'it offers formatter "a" with build=<function register_formatters.<locals>',
    "local_build": "expected a function at the top level of its module",
    "lax_config": "the config model Lax, which accepts unknown settings; derive it from",
    "config_instance": "expected a subclass of citewell.Config",
    "bad_name": "it offers a formatter with the name 'My Formatter'; expected lower-case",
    "no_summary": "the summary ' '; expected one line of text",
    "bad_suffix": "suffixes=('LOG',); expected a tuple of lower-case suffixes",
    "no_suffix": "suffixes=(); expected a tuple of lower-case suffixes",
    "same_name_twice": 'it offers formatter "a" twice; give each its own name',
    "misses_its_module": "it raised ModuleNotFoundError: No module named 'misses_its_module'",
}
LOADS = {"prints_at_import", "takes_a_name", "mutates_its_offer", "misbehaves_later", "routes_well"}


@pytest.fixture
def site(tmp_path, monkeypatch):
    return Site(tmp_path / "site", monkeypatch)


def state_of(registry, name):
    (state,) = [state for state in registry.plugins if state.name == name]
    return state


def test_every_bad_plugin_is_listed():
    files = {path.stem for path in BAD_PLUGINS.glob("*.py")}

    assert files == set(BAD) - {"misses_its_module"} | LOADS


def test_our_own_plugins_load():
    registry = Registry.load(strict=True)

    assert {state.name for state in registry.plugins} >= OURS
    assert {"lexical"} <= set(registry.retrievers)
    assert {"extractive", "scripted"} <= set(registry.models)
    assert {"footnotes", "plain", "json"} <= set(registry.formatters)
    assert {"files", "git"} <= set(registry.sources)
    assert {"markdown", "pdf"} <= set(registry.loaders)


@pytest.mark.parametrize(("module", "reason"), BAD.items(), ids=list(BAD))
def test_a_bad_plugin_costs_only_itself_and_says_why(site, module, reason):
    site.install({"hello": module, "zebra": "routes_well"}, name="citewell-hello")

    registry = Registry.load()

    state = state_of(registry, "hello")
    assert state.state == "failed"
    assert state.reason.startswith('plugin "hello" (citewell-hello 0.3) is off: ')
    assert reason in state.reason
    assert "\n" not in state.reason
    assert state.offers == ()
    assert state_of(registry, "zebra").state == "on"
    assert all(state_of(registry, name).state == "on" for name in OURS)
    assert not {"a", "half", "wrong-kind"} & {*registry.formatters, *registry.commands}
    registry.observe(EVENT)


@pytest.mark.parametrize("module", BAD)
def test_strict_raises_the_reason(site, module):
    site.install({"hello": module}, name="citewell-hello")

    with pytest.raises(PluginError, match=r'plugin "hello" \(citewell-hello 0\.3\) is off: '):
        Registry.load(strict=True)


def test_an_interrupt_of_the_user_is_not_contained(site, monkeypatch):
    def interrupt(self):
        raise KeyboardInterrupt

    site.install({"hello": "routes_well"}, name="citewell-hello")
    # A package of LiteLLM's puts a class of its own in place of the standard library's.
    kind = type(next(iter(metadata.entry_points(group="citewell.v1"))))
    monkeypatch.setattr(kind, "load", interrupt)

    with pytest.raises(KeyboardInterrupt):
        Registry.load()


def test_a_name_that_is_taken_stays_with_its_owner(site):
    site.install({"hello": "takes_a_name"}, name="citewell-hello")

    registry = Registry.load()

    state = state_of(registry, "hello")
    assert state.state == "on"
    assert state.offers == ("formatter plainer",)
    assert registry.formatters["plain"].summary != "another plain"
    assert registry.distribution_of("formatter", "plain") == "citewell"
    assert state.reason == (
        'formatter "plain" of plugin "hello" (citewell-hello 0.3) is left out: '
        'plugin "formats" (citewell 0.1.0) offers that name already; to use this one, '
        'switch the other off: plugins.disabled = ["formats"]'
    )
    with pytest.raises(PluginError, match="is left out"):
        Registry.load(strict=True)


def test_our_own_names_cannot_be_taken_by_an_earlier_letter(site):
    site.install({"a": "takes_a_name"}, name="a-package")

    registry = Registry.load()

    assert registry.distribution_of("formatter", "plain") == "citewell"


def test_the_owner_of_a_name_can_be_switched_off(site):
    site.install({"hello": "takes_a_name"}, name="citewell-hello")

    registry = Registry.load(disabled=["formats"])

    assert registry.formatters["plain"].summary == "another plain"
    assert state_of(registry, "formats").state == "off"
    assert "plugins.disabled" in state_of(registry, "formats").reason


def test_two_plugins_of_one_name_are_told_apart(site):
    site.install({"hello": "routes_well"}, name="a-package")
    site.install({"hello": "takes_a_name"}, name="b-package")

    first, second = [one for one in Registry.load().plugins if one.name == "hello"]

    assert (first.distribution, first.state) == ("a-package", "on")
    assert (second.distribution, second.state) == ("b-package", "failed")
    assert 'the name is taken by plugin "hello" (a-package 0.3)' in second.reason


def test_a_package_that_is_seen_twice_is_loaded_once(site, tmp_path, monkeypatch):
    site.install({"hello": "routes_well"}, name="a-package")
    monkeypatch.syspath_prepend(str(tmp_path / "site") + "/")

    assert [one.state for one in Registry.load().plugins if one.name == "hello"] == ["on"]


def test_a_plugin_of_a_later_interface_is_listed_without_importing_it(site):
    site.install({"hello": "exits_at_import"}, name="citewell-hello", group="citewell.v2")

    registry = Registry.load()

    state = state_of(registry, "hello")
    assert (state.state, state.api) == ("needs newer", 2)
    assert "it needs a newer citewell" in state.reason
    assert "pip install --upgrade citewell" in state.reason


def test_a_plugin_that_is_switched_off_is_not_imported(site):
    site.install({"hello": "exits_at_import"}, name="citewell-hello")

    registry = Registry.load(disabled=["hello"])

    assert state_of(registry, "hello").state == "off"


def test_what_a_plugin_prints_while_it_loads_is_swallowed(site, capfd, caplog):
    site.install({"hello": "prints_at_import"}, name="citewell-hello")

    with caplog.at_level(logging.INFO, "citewell"):
        registry = Registry.load()

    assert state_of(registry, "hello").state == "on"
    assert capfd.readouterr().out == ""
    assert "loading, please wait" in caplog.text


def test_an_offer_cannot_be_changed_after_it_was_made(site):
    site.install({"hello": "mutates_its_offer"}, name="citewell-hello")
    registry = Registry.load()

    registry.observe(EVENT)

    assert "mutable" in registry.formatters
    with pytest.raises(TypeError):
        registry.formatters["other"] = registry.formatters["mutable"]


def test_an_unknown_component_names_the_nearest_one():
    with pytest.raises(UnknownComponent, match='no model is called "extractiv"; did you mean') as e:
        Registry.load().find("model", "extractiv")

    assert '"extractive"? models there are: extractive, litellm, llamacpp, scripted' in str(e.value)


def test_asking_for_what_a_failed_plugin_offers_quotes_why_it_failed(site):
    site.install({"gpt": "raises_at_import", "other": "async_hook"}, name="citewell-gpt")

    with pytest.raises(UnknownComponent) as error:
        Registry.load().find("model", "gpt")

    assert 'no model is called "gpt"' in str(error.value)
    assert 'plugin "gpt" (citewell-gpt 0.3) is off: it raised RuntimeError' in str(error.value)
    assert "async" not in str(error.value)


def test_a_component_of_a_plugin_with_another_name_quotes_those_that_may_offer_it(site):
    site.install({"cloud": "raises_at_import"}, name="citewell-cloud")

    with pytest.raises(UnknownComponent, match=r'plugin "cloud" \(citewell-cloud 0\.3\) is off'):
        Registry.load().find("model", "openai")


# --- route and observe ----------------------------------------------------------------------


def question(text="?"):
    return Question(id="q1", text=text, audience=Audience.of("everyone"))


def test_the_first_plugin_with_an_opinion_routes(site):
    site.install({"hello": "routes_well"}, name="citewell-hello")

    assert Registry.load().route(question(), ("default", "brief")) == "brief"
    assert Registry.load(disabled=["hello"]).route(question(), ("default", "brief")) is None


@pytest.mark.parametrize("text", ["raise", "exit", "garbage"])
def test_a_bad_route_is_logged_and_the_next_one_decides(site, caplog, text):
    site.install({"aa": "misbehaves_later", "bb": "routes_well"}, name="citewell-hello")

    chosen = Registry.load().route(question(text), ("default", "brief"))

    assert chosen == "brief"
    assert 'plugin "aa": route' in caplog.text


def test_an_observer_that_raises_is_logged_and_the_next_one_sees(site, caplog):
    site.install({"aa": "misbehaves_later", "bb": "routes_well"}, name="citewell-hello")
    registry = Registry.load()
    import routes_well

    registry.observe(EVENT)

    assert routes_well.SEEN == [EVENT]
    assert 'plugin "aa": observe failed' in caplog.text


# --- plugins in one file --------------------------------------------------------------------

ONE_FILE = '''"""A formatter in one file."""
from contextlib import asynccontextmanager
from pathlib import Path
import citewell

Path(__file__).with_suffix(".ran").touch()

class Silent:
    def render(self, answer):
        return ()

@asynccontextmanager
async def build(config, context):
    yield Silent()

@citewell.hookimpl
def register_formatters():
    spec = citewell.FormatterSpec
    return [spec(name="silent", summary="shows nothing", config=citewell.Config, build=build)]
'''


@pytest.fixture
def trust(tmp_path):
    return Trust(tmp_path / "trust" / "trusted.json")


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "silent.py"
    path.write_text(ONE_FILE)
    return path


def load(plugin, trust):
    return state_of(Registry.load(paths=[plugin], trust=trust), plugin.stem)


def ran(plugin):
    return plugin.with_suffix(".ran").exists()


def test_a_plugin_file_does_not_run_until_it_is_trusted(plugin, trust):
    state = load(plugin, trust)

    assert state.state == "untrusted"
    assert f"run: citewell plugins trust {plugin}" in state.reason
    assert not ran(plugin)


def test_a_trusted_plugin_file_runs(plugin, trust):
    trust.add(plugin, plugin.read_bytes())

    registry = Registry.load(paths=[plugin], trust=trust)

    assert state_of(registry, "silent").offers == ("formatter silent",)
    spec = registry.find("formatter", "silent")

    async def rendered():
        async with spec.build(spec.config(), None) as formatter:
            return formatter.render(None)

    assert asyncio.run(rendered()) == ()


def test_a_changed_plugin_file_is_not_trusted_any_more(plugin, trust):
    trust.add(plugin, plugin.read_bytes())
    plugin.write_text(ONE_FILE + "\n# changed\n")

    state = load(plugin, trust)

    assert state.state == "untrusted"
    assert "changed since it was trusted" in state.reason
    assert not ran(plugin)


def test_trust_is_of_a_path_and_not_of_a_content_alone(plugin, trust, tmp_path):
    trust.add(plugin, plugin.read_bytes())
    copy = tmp_path / "copy.py"
    copy.write_bytes(plugin.read_bytes())

    assert load(copy, trust).state == "untrusted"


def test_a_link_is_followed_to_what_was_trusted(plugin, trust, tmp_path):
    link = tmp_path / "link.py"
    link.symlink_to(plugin)
    trust.add(link, plugin.read_bytes())

    assert load(link, trust).state == "on"
    other = tmp_path / "other.py"
    other.write_bytes(plugin.read_bytes())
    link.unlink()
    link.symlink_to(other)
    assert load(link, trust).state == "untrusted"


def test_the_bytes_that_run_are_the_bytes_that_were_checked(plugin, trust, monkeypatch):
    """A file that is exchanged after the check must not run: there is no second reading."""
    trust.add(plugin, plugin.read_bytes())
    checked = Trust.is_trusted

    def exchange(self, path, content):
        verdict = checked(self, path, content)
        path.write_text("raise SystemExit('exchanged')")
        return verdict

    monkeypatch.setattr(Trust, "is_trusted", exchange)

    assert load(plugin, trust).state == "on"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import sys; sys.exit()", "SystemExit"),
        ("x = 1", "it implements no hook"),
        ("x = '" + "y" * 1_000_001 + "'", "larger than 1,000,000 bytes"),
    ],
    ids=["syntax", "exit", "no hook", "large"],
)
def test_a_bad_plugin_file_costs_only_itself(plugin, trust, text, reason):
    plugin.write_text(text)
    trust.add(plugin, plugin.read_bytes())

    state = load(plugin, trust)

    assert state.state == "failed"
    assert reason in state.reason
    assert str(plugin) in state.reason


def test_a_plugin_file_that_is_not_there_is_named(trust, tmp_path):
    state = load(tmp_path / "gone.py", trust)

    assert state.state == "failed"
    assert f"{tmp_path / 'gone.py'} is not a file" in state.reason


@pytest.mark.parametrize("content", ["", "[]", "{", "\0", '{"a": 1'])
def test_a_broken_memory_trusts_nothing(plugin, trust, content):
    trust.path.parent.mkdir()
    trust.path.write_text(content)

    assert load(plugin, trust).state == "untrusted"
    trust.add(plugin, plugin.read_bytes())
    assert load(plugin, trust).state == "on"


def test_the_memory_is_in_the_users_own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert Trust().path == tmp_path / "citewell" / "trusted-plugins.json"
    assert Path.cwd() not in Trust().path.parents
