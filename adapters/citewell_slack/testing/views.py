"""The methods views.*: modals and Home."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from citewell_slack.testing.blocks import Surface, check_blocks, identified
from citewell_slack.testing.calls import Call, Method
from citewell_slack.testing.shapes import (
    Malformed,
    Rule,
    anything,
    boolean,
    one_of,
    shaped,
    string,
)
from citewell_slack.testing.surfaces import View
from citewell_slack.testing.triggers import Triggers
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import Workspace

MOST_STACKED = 3
_MOST_BYTES = 250_000
_SHORT = shaped({"type": one_of("plain_text"), "text": string(24)}, {"emoji": boolean})
_SHARED: Mapping[str, Rule] = {
    "callback_id": string(255, least=0),
    "private_metadata": string(3000, least=0),
    "external_id": string(255, least=0),
}
_SHAPES: Mapping[str, Rule] = {
    "home": shaped({"blocks": anything}, _SHARED),
    "modal": shaped(
        {"blocks": anything, "title": _SHORT},
        {
            **_SHARED,
            "close": _SHORT,
            "submit": _SHORT,
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
    ),
}


def check_view(value: object, kind: Surface) -> JsonObject:
    """Return the body of a view if Slack would take it.

    Raises:
        Refusal: it would not.
    """
    if not isinstance(value, Mapping) or value.get("type") != kind:
        raise Refusal.of_arguments(f"[ERROR] must be a {kind} view [json-pointer:/view/type]")
    try:
        _SHAPES[kind](value, "/view")
    except Malformed as error:
        raise Refusal.of_arguments(str(error)) from error
    blocks = identified(check_blocks(value["blocks"], kind))
    has_input = any(one["type"] == "input" for one in blocks)
    if kind == "modal" and has_input and not value.get("submit"):
        raise Refusal.of_arguments("[ERROR] missing required field: submit")
    if len(msgspec.json.encode(value)) > _MOST_BYTES:
        raise Refusal("view_too_large")
    return {**value, "blocks": blocks}


class Views:
    """Opens, changes and closes views for the app."""

    def __init__(self, workspace: Workspace, triggers: Triggers) -> None:
        self._workspace = workspace
        self._triggers = triggers

    def methods(self) -> Iterator[Method]:
        """Yield what is offered."""
        yield Method("views.open", self._open, tier=4)
        yield Method("views.push", self._push, tier=4)
        yield Method("views.update", self._update, tier=4)
        yield Method("views.publish", self._publish, tier=4)

    def to_json(self, view: View) -> JsonObject:
        """Return a view as answers and payloads carry it."""
        workspace = self._workspace
        bot = workspace.bot.bot_id or ""
        return view.to_json(team=workspace.team, app=workspace.app, bot=bot)

    def push(self, under: View, body: JsonObject) -> View:
        """Put a modal on top of another.

        Raises:
            Refusal: there are too many.
        """
        surfaces = self._workspace.surfaces
        stacked = [one for one in surfaces.modals if one.root == under.root and one.is_open]
        if len(stacked) >= MOST_STACKED:
            raise Refusal("push_limit_reached")
        return self._add(body, under.user, root=under.root, previous=under.id)

    def change(self, view: View, body: JsonObject) -> None:
        """Show something else in the same place."""
        view.body, view.hash = body, self._new_hash()

    def close(self, view: View, *, all_stacked: bool = False) -> None:
        """Close a modal, and those under it."""
        for one in self._workspace.surfaces.modals:
            if one is view or (all_stacked and one.root == view.root):
                one.is_open = False

    def _open(self, call: Call) -> JsonObject:
        user = self._triggers.redeem(call.text("trigger_id"))
        body = check_view(call.arguments.get("view"), "modal")
        return {"view": self.to_json(self._add(body, user))}

    def _push(self, call: Call) -> JsonObject:
        user = self._triggers.redeem(call.text("trigger_id"))
        body = check_view(call.arguments.get("view"), "modal")
        top = self._workspace.surfaces.open_modal(user)
        if top is None:
            raise Refusal("not_found")
        return {"view": self.to_json(self.push(top, body))}

    def _update(self, call: Call) -> JsonObject:
        view = self._found(call)
        body = check_view(
            call.arguments.get("view"), "home" if view.body["type"] == "home" else "modal"
        )
        if call.maybe("hash") not in {None, view.hash}:
            raise Refusal("hash_conflict")
        self.change(view, body)
        return {"view": self.to_json(view)}

    def _publish(self, call: Call) -> JsonObject:
        user = self._workspace.user(call.text("user_id"))
        body = check_view(call.arguments.get("view"), "home")
        known = self._workspace.surfaces.homes.get(user.id)
        if known is None:
            id_ = self._workspace.new_id("V")
            known = View(id_, user.id, body, self._new_hash(), root=id_)
            self._workspace.surfaces.homes[user.id] = known
        elif call.maybe("hash") not in {None, known.hash}:
            raise Refusal("hash_conflict")
        else:
            self.change(known, body)
        return {"view": self.to_json(known)}

    def _found(self, call: Call) -> View:
        id_, external = call.maybe("view_id"), call.maybe("external_id")
        surfaces = self._workspace.surfaces
        for view in [*surfaces.modals, *surfaces.homes.values()]:
            if view.is_open and (
                view.id == id_ or (external and view.body.get("external_id") == external)
            ):
                return view
        raise Refusal("not_found")

    def _add(
        self, body: JsonObject, user: str, *, root: str | None = None, previous: str | None = None
    ) -> View:
        id_ = self._workspace.new_id("V")
        view = View(id_, user, body, self._new_hash(), root=root or id_, previous=previous)
        self._workspace.surfaces.modals.append(view)
        return view

    def _new_hash(self) -> str:
        return f"{self._workspace.clock.stamp()}.double"
