"""The methods of agents: prompts, statuses, titles and sessions."""

from __future__ import annotations

from collections.abc import Iterator

from citewell_slack.testing.calls import Call, Method
from citewell_slack.testing.chat import writable
from citewell_slack.testing.surfaces import Prompts, Status
from citewell_slack.testing.wire import JsonObject, Refusal
from citewell_slack.testing.workspace import Workspace

SESSION_STATUSES = ("active", "processing", "suspended", "closed")


class Assistance:
    """Lets the app say what it is doing, and what may be asked."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def methods(self) -> Iterator[Method]:
        """Yield what is offered."""
        yield Method("assistant.threads.setStatus", self._set_status, tier=4)
        yield Method("assistant.threads.setSuggestedPrompts", self._suggest, "assistant:write")
        yield Method("assistant.threads.setTitle", self._set_title, "assistant:write")
        yield Method("agents.sessions.setStatus", self._set_session, "chat:write")
        yield Method("agents.sessions.rename", self._set_title, "chat:write")

    def _set_status(self, call: Call) -> JsonObject:
        call.needs("assistant:write", "chat:write")
        channel = writable(self._workspace, call.text("channel_id"))
        messages = call.texts("loading_messages")
        if len(messages) > 10:
            raise Refusal.of_arguments("[ERROR] no more than 10 items allowed")
        status = Status(call.text("status", ""), tuple(messages), self._workspace.clock.now)
        place = (channel.id, call.text("thread_ts"))
        self._workspace.surfaces.statuses.setdefault(place, []).append(status)
        return {}

    def _suggest(self, call: Call) -> JsonObject:
        channel = writable(self._workspace, call.text("channel_id"))
        prompts = call.objects("prompts")
        if not 1 <= len(prompts) <= 4:
            raise Refusal.of_arguments("[ERROR] must have 1 to 4 prompts")
        if any(not one.get("title") or not one.get("message") for one in prompts):
            raise Refusal.of_arguments("[ERROR] a prompt needs a title and a message")
        shown = Prompts(call.text("title", ""), tuple(prompts), call.maybe("thread_ts"))
        self._workspace.surfaces.prompts[channel.id] = shown
        return {}

    def _set_title(self, call: Call) -> JsonObject:
        channel = writable(self._workspace, call.text("channel_id"))
        place = (channel.id, call.text("thread_ts"))
        self._workspace.surfaces.titles[place] = call.text("title")
        return {}

    def _set_session(self, call: Call) -> JsonObject:
        channel = writable(self._workspace, call.text("channel_id"))
        status = call.text("status")
        if status not in SESSION_STATUSES:
            raise Refusal.of_arguments(f"[ERROR] must be one of {', '.join(SESSION_STATUSES)}")
        place = (channel.id, call.text("thread_ts"))
        self._workspace.surfaces.sessions[place] = status
        title = call.maybe("title")
        if title is not None:
            self._workspace.surfaces.titles.setdefault(place, title)
        return {"status": status}
