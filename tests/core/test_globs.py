import pytest

from citewell.globs import CLUTTER, Globs


@pytest.mark.parametrize(
    ("pattern", "path", "is_chosen"),
    [
        ("*.md", "a.md", True),
        ("*.md", "deep/er/a.md", True),
        ("hr/**", "hr/a/b.md", True),
        ("hr/**", "x/hr/b.md", False),
        ("/a.md", "a.md", True),
        ("/a.md", "x/a.md", False),
        ("drafts/", "x/drafts/a.md", True),
        ("drafts/", "drafts", False),
        ("a?.md", "ab.md", True),
        ("*.MD", "a.md", False),
    ],
)
def test_patterns_match_as_in_a_gitignore_file(pattern, path, is_chosen):
    assert Globs([pattern]).matches(path) is is_chosen


def test_the_last_pattern_that_matches_decides():
    globs = Globs(["*.md", "!keep.md", "/keep.md"])

    assert globs.matches("a.md")
    assert globs.matches("keep.md")
    assert not globs.matches("x/keep.md")


def test_without_patterns_nothing_is_chosen():
    assert not Globs([]).matches("a.md")


@pytest.mark.parametrize("pattern", ["!", "\\", "a[z-a]"])
def test_a_malformed_pattern_is_quoted(pattern):
    with pytest.raises(ValueError, match="is not a glob pattern") as refused:
        Globs(["*.md", pattern])

    assert pattern in str(refused.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "./x",
        "!./x",
        "/./x",
        "a/./b",
        "../x",
        "a/../b",
        "a/..",
        ".",
        r"hr\**",
        r"hr\pay.md",
        r"hr\\x",
    ],
)
def test_a_pattern_that_can_match_no_path_is_refused(pattern):
    with pytest.raises(ValueError, match="matches nothing: expected ") as refused:
        Globs([pattern])

    assert pattern in str(refused.value)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("..x/", "..x/a"),
        ("a..md", "a..md"),
        (".*", ".env"),
        ("{a,b}.md", "{a,b}.md"),
        (r"\#a", "#a"),
        (r"\!a", "!a"),
        ("[*]", "*"),
        ("[[]eng]/**", "[eng]/a.md"),
    ],
)
def test_odd_patterns_are_patterns(pattern, path):
    assert Globs([pattern]).matches(path)


@pytest.mark.parametrize(
    "path", [".git/", ".env", "a/.venv/", "node_modules/", "x~", "~$a.docx", "#a#"]
)
def test_clutter_is_what_nobody_wrote_for_reading(path):
    assert Globs(CLUTTER).matches(path)
    assert not Globs(CLUTTER).matches("guide/readme.md")
