"""Which components Discord takes in a message or a modal.

Source: discord.com/developers/docs/components/reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from citewell_discord.testing.bodies import ButtonStyle, Component, ComponentType, Media, ModalBody
from citewell_discord.testing.errors import Flaws, Refusal
from citewell_discord.testing.messages import MENUS, walk

MAX_ROWS = 5
MAX_COMPONENTS = 40
MAX_TEXT_CHARS = 4000
# Source: discord/discord-api-docs issue 8554; beyond it the API answers 500 and says no more.
_MAX_TEXT_BYTES = 10_170
_BYTES_EACH_TEXT = 12

_Path: TypeAlias = tuple[str | int, ...]
_Placed: TypeAlias = tuple[_Path, Component]

_IN_ROW = frozenset({ComponentType.BUTTON}) | MENUS
_TOP_V1 = frozenset({ComponentType.ACTION_ROW})
_IN_CONTAINER = frozenset({
    ComponentType.ACTION_ROW,
    ComponentType.SECTION,
    ComponentType.TEXT_DISPLAY,
    ComponentType.MEDIA_GALLERY,
    ComponentType.FILE,
    ComponentType.SEPARATOR,
})
_TOP_V2 = _IN_CONTAINER | {ComponentType.CONTAINER}
_IN_SECTION = frozenset({ComponentType.TEXT_DISPLAY})
_BESIDE_SECTION = frozenset({ComponentType.BUTTON, ComponentType.THUMBNAIL})
_TOP_MODAL = frozenset({
    ComponentType.ACTION_ROW,
    ComponentType.TEXT_DISPLAY,
    ComponentType.LABEL,
})
_IN_LABEL = MENUS | {
    ComponentType.TEXT_INPUT,
    ComponentType.FILE_UPLOAD,
    ComponentType.RADIO_GROUP,
    ComponentType.CHECKBOX_GROUP,
    ComponentType.CHECKBOX,
}


def check_components(components: Sequence[Component], flaws: Flaws, *, is_v2: bool) -> None:
    """Note what Discord does not take of a message's components.

    Raises:
        Refusal: their text is so long that Discord itself fails.
    """
    placed = list(_placed(components, ("components",)))
    top = _TOP_V2 if is_v2 else _TOP_V1
    for path, one in _children(components, ("components",)):
        _check_kind(path, one, top, flaws)
    for path, one in placed:
        _check_one(path, one, flaws)
    _check_custom_ids(placed, flaws)
    if is_v2:
        _check_totals([one for _, one in placed], flaws)
    else:
        flaws.length(("components",), components, least=0, most=MAX_ROWS)


def check_modal(modal: ModalBody) -> None:
    """Refuse a modal that Discord would not show.

    Raises:
        Refusal: it has flaws.
    """
    flaws = Flaws()
    flaws.required(("title",), modal.title)
    flaws.length(("title",), modal.title or None, least=1, most=45)
    flaws.required(("custom_id",), modal.custom_id)
    flaws.length(("custom_id",), modal.custom_id or None, least=1, most=100)
    flaws.length(("components",), modal.components, least=1, most=5)
    placed = list(_placed(modal.components, ("components",)))
    for path, one in _children(modal.components, ("components",)):
        _check_kind(path, one, _TOP_MODAL, flaws)
    for path, one in placed:
        if one.type == ComponentType.ACTION_ROW:
            _check_input_row(path, one, flaws)
        else:
            _check_one(path, one, flaws)
    _check_custom_ids(placed, flaws)
    flaws.refuse(under=("data",))


def numbered(components: Sequence[Component]) -> Sequence[Component]:
    """Give each component that has none an id, as Discord does, from 1 on."""
    taken = {one.id for one in walk(components) if one.id}
    following = 1
    for one in walk(components):
        if not one.id:
            while following in taken:
                following += 1
            one.id = following
            taken.add(following)
    return components


def _children(components: Sequence[Component], path: _Path) -> Iterator[_Placed]:
    for number, one in enumerate(components):
        yield (*path, number), one


def _placed(components: Sequence[Component], path: _Path) -> Iterator[_Placed]:
    """Yield each component, however deep, with where it lies."""
    for at, one in _children(components, path):
        yield at, one
        yield from _placed(one.components or (), (*at, "components"))
        for name, part in (("component", one.component), ("accessory", one.accessory)):
            if part is not None:
                yield (*at, name), part


def _check_kind(
    path: _Path, one: Component, allowed: frozenset[ComponentType], flaws: Flaws
) -> None:
    if one.type not in allowed:
        choices = ", ".join(str(int(kind)) for kind in sorted(allowed))
        message = f'Value of field "type" must be one of ({choices},).'
        flaws.add(path, "UNION_TYPE_CHOICES", message)


def _check_one(path: _Path, one: Component, flaws: Flaws) -> None:
    if one.type == ComponentType.ACTION_ROW:
        _check_row(path, one, flaws)
    elif one.type == ComponentType.BUTTON:
        _check_button(path, one, flaws)
    elif one.type in MENUS:
        _check_menu(path, one, flaws)
    elif one.type == ComponentType.TEXT_INPUT:
        _check_input(path, one, flaws)
    elif one.type == ComponentType.LABEL:
        _check_label(path, one, flaws)
    else:
        _check_layout(path, one, flaws)


def _check_layout(path: _Path, one: Component, flaws: Flaws) -> None:
    if one.type == ComponentType.TEXT_DISPLAY:
        flaws.required((*path, "content"), one.content)
    elif one.type == ComponentType.SECTION:
        _check_section(path, one, flaws)
    elif one.type == ComponentType.CONTAINER:
        flaws.length((*path, "components"), one.components or (), least=1, most=MAX_COMPONENTS)
        for at, part in _children(one.components or (), (*path, "components")):
            _check_kind(at, part, _IN_CONTAINER, flaws)
    elif one.type == ComponentType.MEDIA_GALLERY:
        flaws.length((*path, "items"), one.items or (), least=1, most=10)
        for number, item in enumerate(one.items or ()):
            _check_media((*path, "items", number, "media"), item.media, flaws)
    elif one.type == ComponentType.THUMBNAIL:
        flaws.required((*path, "media"), one.media)
        _check_media((*path, "media"), one.media, flaws)
    elif one.type == ComponentType.FILE:
        flaws.required((*path, "file"), one.file)
        _check_media((*path, "file"), one.file, flaws)


def _check_section(path: _Path, section: Component, flaws: Flaws) -> None:
    flaws.length((*path, "components"), section.components or (), least=1, most=3)
    for at, part in _children(section.components or (), (*path, "components")):
        _check_kind(at, part, _IN_SECTION, flaws)
    flaws.required((*path, "accessory"), section.accessory)
    if section.accessory is not None:
        _check_kind((*path, "accessory"), section.accessory, _BESIDE_SECTION, flaws)


def _check_row(path: _Path, row: Component, flaws: Flaws) -> None:
    parts = row.components or []
    menus = [one for one in parts if one.type in MENUS]
    most = 1 if menus else 5
    flaws.length((*path, "components"), parts, least=1, most=most)
    for at, one in _children(parts, (*path, "components")):
        _check_kind(at, one, _IN_ROW, flaws)


def _check_input_row(path: _Path, row: Component, flaws: Flaws) -> None:
    flaws.length((*path, "components"), row.components or (), least=1, most=1)
    for at, one in _children(row.components or (), (*path, "components")):
        _check_kind(at, one, frozenset({ComponentType.TEXT_INPUT}), flaws)
        flaws.required((*at, "label"), one.label)


def _check_button(path: _Path, button: Component, flaws: Flaws) -> None:
    if button.style not in {style.value for style in ButtonStyle}:
        flaws.add((*path, "style"), "BASE_TYPE_REQUIRED", "This field is required")
    flaws.length((*path, "label"), button.label, least=0, most=80)
    if not button.label and button.emoji is None:
        flaws.add(path, "BUTTON_COMPONENT_MISSING_LABEL", "A button must have a label or an emoji")
    if button.style != ButtonStyle.LINK:
        _check_custom_id(path, button, flaws)
        if button.url is not None:
            message = "A custom id and url cannot both be specified"
            flaws.add(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message)
        return
    flaws.required((*path, "url"), button.url)
    flaws.length((*path, "url"), button.url, least=0, most=512)
    check_url((*path, "url"), button.url, flaws, schemes=("http", "https", "discord"))
    if button.custom_id is not None:
        message = "A custom id and url cannot both be specified"
        flaws.add(path, "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE", message)


def _check_menu(path: _Path, menu: Component, flaws: Flaws) -> None:
    _check_custom_id(path, menu, flaws)
    flaws.length((*path, "placeholder"), menu.placeholder, least=0, most=150)
    if menu.type != ComponentType.STRING_SELECT:
        return
    flaws.length((*path, "options"), menu.options or (), least=1, most=25)
    for number, option in enumerate(menu.options or ()):
        at = (*path, "options", number)
        flaws.length((*at, "label"), option.label, least=1, most=100)
        flaws.length((*at, "value"), option.value, least=1, most=100)
        flaws.length((*at, "description"), option.description, least=0, most=100)


def _check_input(path: _Path, one: Component, flaws: Flaws) -> None:
    _check_custom_id(path, one, flaws)
    flaws.length((*path, "label"), one.label, least=1, most=45)
    flaws.length((*path, "placeholder"), one.placeholder, least=0, most=100)
    flaws.length((*path, "value"), one.value, least=0, most=4000)
    if one.style not in {1, 2}:
        message = 'Value of field "style" must be one of (1, 2).'
        flaws.add((*path, "style"), "BASE_TYPE_CHOICES", message)
    for name, value, least in (
        ("min_length", one.min_length, 0),
        ("max_length", one.max_length, 1),
    ):
        if value is not None and not least <= value <= 4000:
            message = f"int value should be between {least} and 4000."
            flaws.add((*path, name), "NUMBER_TYPE_RANGE", message)


def _check_label(path: _Path, label: Component, flaws: Flaws) -> None:
    flaws.required((*path, "label"), label.label)
    flaws.length((*path, "label"), label.label or None, least=1, most=45)
    flaws.length((*path, "description"), label.description, least=0, most=100)
    flaws.required((*path, "component"), label.component)
    if label.component is not None:
        _check_kind((*path, "component"), label.component, _IN_LABEL, flaws)


def _check_custom_id(path: _Path, one: Component, flaws: Flaws) -> None:
    flaws.required((*path, "custom_id"), one.custom_id)
    flaws.length((*path, "custom_id"), one.custom_id or None, least=1, most=100)


def _check_custom_ids(placed: Sequence[_Placed], flaws: Flaws) -> None:
    seen: set[str] = set()
    for path, one in placed:
        if one.custom_id is None:
            continue
        if one.custom_id in seen:
            message = "Component custom id cannot be duplicated"
            flaws.add((*path, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", message)
        seen.add(one.custom_id)


def _check_totals(placed: Sequence[Component], flaws: Flaws) -> None:
    if len(placed) > MAX_COMPONENTS:
        message = f"The total number of components must be {MAX_COMPONENTS} or fewer."
        flaws.add(("components",), "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", message)
    texts = [one.content or "" for one in placed if one.type == ComponentType.TEXT_DISPLAY]
    if sum(map(len, texts)) > MAX_TEXT_CHARS:
        message = (
            "The total size of all displayable text in components exceeds the maximum size of "
            f"{MAX_TEXT_CHARS}"
        )
        flaws.add(("components",), "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)
        return
    if sum(len(text.encode()) + _BYTES_EACH_TEXT for text in texts) > _MAX_TEXT_BYTES:
        raise Refusal(500, 0, "500: Internal Server Error")


def _check_media(path: _Path, media: Media | None, flaws: Flaws) -> None:
    if media is not None:
        schemes = ("http", "https", "attachment")
        check_url((*path, "url"), media.url, flaws, schemes=schemes)


def check_url(
    path: _Path, url: str | None, flaws: Flaws, *, schemes: Sequence[str] = ("http", "https")
) -> None:
    """Note the flaw of an address that Discord would not link to."""
    if not url:
        return
    scheme, separator, rest = url.partition(":")
    if not separator or not rest:
        flaws.add(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.")
    elif scheme.lower() not in schemes:
        named = ", ".join(f"'{one}'" for one in schemes)
        message = f'Scheme "{scheme}" is not supported. Scheme must be one of ({named}).'
        flaws.add(path, "URL_TYPE_INVALID_SCHEME", message)
