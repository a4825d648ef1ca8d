"""What a person sees of a message or view: text, links, buttons and mentions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from citewell_slack.testing.wire import JsonObject, objects


@dataclass(frozen=True)
class Link:
    """Something to follow; of a bare address, text and address are the same."""

    text: str
    url: str


@dataclass(frozen=True)
class Button:
    """Something to press.

    Attributes:
        url: of a button that opens a page.
        kind: the type of the element, and `block_id` that of its block.
    """

    text: str
    action_id: str
    value: str
    url: str = ""
    kind: str = "button"
    block_id: str = ""


@dataclass(frozen=True)
class Mention:
    """Somebody or something that is pinged.

    Attributes:
        kind: user, channel, usergroup or broadcast.
        id: of a broadcast, its range.
    """

    kind: str
    id: str


class Shown(Protocol):
    """What can be looked at."""

    @property
    def text(self) -> str:
        """The text, which blocks replace."""

    @property
    def blocks(self) -> list[JsonObject]:
        """The blocks."""


@dataclass
class Rendered:
    """What is to be seen, in reading order.

    Attributes:
        text: escapes undone, links as their text, mentions as @ and #; of Markdown, the marks for
            emphasis, headings, lists and code stay as they were written.
        source: the same, as it was sent.
        images: addresses that are loaded when somebody looks.
    """

    text: str = ""
    source: str = ""
    links: list[Link] = field(default_factory=list)
    buttons: list[Button] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    images: list[str] = field(default_factory=list)


def rendered(shown: Shown, *, labels: bool = True) -> Rendered:
    """Return what a person sees.

    Args:
        shown: what they look at.
        labels: whether the text has a line for what stands on each button.
    """
    reader = _Reader(labels=labels)
    if shown.blocks:
        for block in shown.blocks:
            reader.block(block)
    else:
        reader.mrkdwn(shown.text)
    return reader.seen()


_ANGLE = r"<(?P<angle>[^<>\s][^<>\n]*)>"
# In mrkdwn, Slack reads angle brackets in code too; it is only bare addresses that stay text there.
_MRKDWN = re.compile(
    rf"(?P<code>```[\s\S]+?```|`[^`\n]+`)|{_ANGLE}|(?P<bare>(?:https?://|www\.)[^\s<>|]+)"
)
_ANGLES = re.compile(_ANGLE)
# Bounds keep hostile text from taking quadratic time.
_LABEL = r"(?:\\.|[^\[\]\\]|\[[^\]]{0,200}\]){0,1000}"
_TARGET = r"(?:\\.|[^()\s<>\\]|\([^()\s]{0,200}\)){1,3000}"
_MARKDOWN = re.compile(
    r"(?P<code>^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*"
    r"(?:\n[\s\S]*?(?:^ {0,3}(?P=fence)[`~]*[ \t]*$|\Z)|\Z)"
    r"|(?<!`)(?P<ticks>`+)(?!`)(?:(?!\n[ \t]*\n)[\s\S])+?(?<!`)(?P=ticks)(?!`))"
    r"|\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|!\[(?P<alt>[^\]]{0,1000})\]\((?P<image>[^)\s]{1,3000})[^)]{0,200}\)"
    rf"|\[(?P<label>{_LABEL})\]\(<?(?P<target>{_TARGET})>?(?:\s[^)]{{0,200}})?\)"
    rf"|{_ANGLE}"
    r"|(?P<bare>(?:https?://|www\.)[^\s<>()]+)",
    re.MULTILINE,
)
_KINDS = {"@U": "user", "@W": "user", "#C": "channel", "!subteam^": "usergroup"}


def notified(shown: Shown) -> Rendered:
    """Return what a notification shows: the text alone, whatever the blocks say."""
    reader = _Reader()
    reader.mrkdwn(shown.text)
    return reader.seen()


def unescaped(text: str) -> str:
    """Undo Slack's escapes, which are these three alone."""
    signs = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
    return re.sub("&(?:amp|lt|gt);", lambda found: signs[found[0]], text)


class _Reader:
    """Collects what is seen, block by block."""

    def __init__(self, *, labels: bool = True) -> None:
        self._labels = labels
        self._seen = Rendered()
        self._lines: list[str] = []
        self._sources: list[str] = []
        self._block_id = ""

    def seen(self) -> Rendered:
        self._seen.text = "\n".join(self._lines)
        self._seen.source = "\n".join(self._sources)
        return self._seen

    def mrkdwn(self, text: str, *, is_verbatim: bool = False) -> None:
        pattern = _ANGLES if is_verbatim else _MRKDWN
        self._add(text, pattern.sub(self._replaced, text), is_escaped=True)

    def markdown(self, text: str) -> None:
        self._add(text, _MARKDOWN.sub(self._replaced, text), is_escaped=True)

    def plain(self, text: str) -> None:
        self._add(text, text, is_escaped=False)

    def block(self, block: JsonObject) -> None:
        self._block_id = block.get("block_id", "")
        handler = _HANDLERS.get(block["type"])
        if handler is not None:
            handler(self, block)

    def text_object(self, value: JsonObject | None) -> None:
        if value and value["type"] == "mrkdwn":
            self.mrkdwn(value["text"], is_verbatim=value.get("verbatim", False))
        elif value:
            self.plain(value["text"])

    def section(self, block: JsonObject) -> None:
        self.text_object(block.get("text"))
        for one in objects(block.get("fields")):
            self.text_object(one)
        self.elements([block.get("accessory")])

    def elements(self, values: object) -> None:
        for one in objects(values):
            match one["type"]:
                case "mrkdwn" | "plain_text":
                    self.text_object(one)
                case "image":
                    self.image(one)
                case "feedback_buttons":
                    for side in ("positive_button", "negative_button"):
                        self._button({**one, **one[side]})
                case "button" | "icon_button":
                    self._button(one)

    def image(self, block: JsonObject) -> None:
        self.text_object(block.get("title"))
        self.plain(block["alt_text"])
        self._seen.images.append(block.get("image_url", ""))

    def rich_text(self, block: JsonObject) -> None:
        for part in objects(block["elements"]):
            sections = part["elements"] if part["type"] == "rich_text_list" else [part]
            for section in objects(sections):
                line = "".join(self._inline(one) for one in objects(section["elements"]))
                self.plain(line)

    def table(self, block: JsonObject) -> None:
        for row in block["rows"]:
            for cell in objects(row):
                if cell["type"] == "rich_text":
                    self.rich_text(cell)
                else:
                    self.plain(cell["text"])

    def plan(self, block: JsonObject) -> None:
        self.plain(block["title"])
        for task in objects(block.get("tasks")):
            self.task(task)

    def task(self, task: JsonObject) -> None:
        self.plain(task.get("title", ""))
        for name in ("details", "output"):
            value = task.get(name)
            if isinstance(value, Mapping):
                self.rich_text({**value})
            elif value:
                # Of a stream; its chunks carry text where the block has rich text.
                self.markdown(value)
        for source in objects(task.get("sources")):
            self.plain(source["text"])
            self._seen.links.append(Link(source["text"], source["url"]))

    def input(self, block: JsonObject) -> None:
        self.text_object(block["label"])
        self.text_object(block.get("hint"))
        self.text_object(block["element"].get("placeholder"))
        if block["element"].get("initial_value"):
            self.plain(block["element"]["initial_value"])

    def _add(self, source: str, text: str, *, is_escaped: bool) -> None:
        self._sources.append(source)
        self._lines.append(unescaped(text) if is_escaped else text)

    def _button(self, button: JsonObject) -> None:
        text = button["text"]["text"]
        if self._labels:
            self.plain(text)
        found = (button.get("action_id", ""), button.get("value", ""), button.get("url", ""))
        self._seen.buttons.append(Button(text, *found, button["type"], self._block_id))

    def _replaced(self, match: re.Match[str]) -> str:
        found = match.groupdict()
        if found.get("code") is not None:
            is_markdown = match.re is _MARKDOWN
            return match[0] if is_markdown else _ANGLES.sub(self._replaced, match[0])
        if found.get("escaped") is not None:
            # An escaped & starts no entity.
            return "&amp;" if match["escaped"] == "&" else str(match["escaped"])
        if found.get("image") is not None:
            self._seen.images.append(match["image"])
            return str(match["alt"])
        if found.get("target") is not None:
            return self._link(_MARKDOWN.sub(self._replaced, match["label"]), match["target"])
        if found.get("bare") is not None:
            return self._link(match["bare"], match["bare"])
        return self._angle(match["angle"])

    def _link(self, text: str, url: str) -> str:
        self._seen.links.append(Link(unescaped(text), unescaped(url)))
        return text

    def _angle(self, inside: str) -> str:
        target, _, label = inside.partition("|")
        for start, kind in _KINDS.items():
            if target.startswith(start):
                id_ = target.removeprefix("!subteam^").lstrip("@#")
                return self._mention(kind, id_)
        if target in {"!here", "!channel", "!everyone"}:
            return self._mention("broadcast", target[1:])
        if target.startswith("!date^"):
            return label
        if re.match(r"[a-z][a-z+.-]*:", target):
            return self._link(label or target, target)
        return f"<{inside}>"

    def _mention(self, kind: str, id_: str) -> str:
        self._seen.mentions.append(Mention(kind, id_))
        return f"{'#' if kind == 'channel' else '@'}{id_}"

    def _inline(self, one: JsonObject) -> str:
        match one["type"]:
            case "text":
                return str(one["text"])
            case "link":
                text = one.get("text") or one["url"]
                self._seen.links.append(Link(text, one["url"]))
                return str(text)
            case "user" | "usergroup" | "channel":
                return self._mention(one["type"], one[f"{one['type']}_id"])
            case "broadcast":
                return self._mention("broadcast", one["range"])
            case "emoji":
                return f":{one['name']}:"
        return str(one.get("fallback") or one.get("value") or "")


def _of_elements(reader: _Reader, block: JsonObject) -> None:
    reader.elements(block["elements"])


def _of_header(reader: _Reader, block: JsonObject) -> None:
    reader.text_object(block["text"])


def _of_markdown(reader: _Reader, block: JsonObject) -> None:
    reader.markdown(block["text"])


_HANDLERS: Mapping[str, Callable[[_Reader, JsonObject], None]] = {
    "actions": _of_elements,
    "context": _of_elements,
    "context_actions": _of_elements,
    "header": _of_header,
    "image": _Reader.image,
    "input": _Reader.input,
    "markdown": _of_markdown,
    "plan": _Reader.plan,
    "rich_text": _Reader.rich_text,
    "section": _Reader.section,
    "table": _Reader.table,
    "task_card": _Reader.task,
}


def plain_blocks(text: str) -> Sequence[JsonObject]:
    """Return the rich text that Slack makes of what a person types."""
    inlines: list[JsonObject] = []
    end = 0
    for match in re.finditer(r"<@(U\w+)>", text):
        before = unescaped(text[end : match.start()])
        inlines += [{"type": "text", "text": before}] if before else []
        inlines.append({"type": "user", "user_id": match[1]})
        end = match.end()
    rest = unescaped(text[end:])
    inlines += [{"type": "text", "text": rest}] if rest else []
    section = {"type": "rich_text_section", "elements": inlines}
    return [{"type": "rich_text", "block_id": "typed", "elements": [section]}]
