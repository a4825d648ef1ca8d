"""The API's calls that answer what people do."""

from __future__ import annotations

from citewell_discord.testing.bodies import CallbackBody, MessageBody
from citewell_discord.testing.calls import Answer, Api, Call, Route
from citewell_discord.testing.errors import Payload, unknown
from citewell_discord.testing.interactions import Interaction


def _answer(api: Api, call: Call) -> Answer:
    body = call.read(CallbackBody)
    id_, token = call.id("interaction_id"), call.path["token"]
    interaction = api.interactions.answer(id_, token, body, call.uploads)
    if not call.asks("with_response"):
        return None
    described: Payload = {
        "id": str(interaction.id),
        "type": int(interaction.kind),
        "response_message_loading": False,
        "response_message_ephemeral": False,
    }
    resource: Payload = {"type": body.type}
    original = interaction.original
    if original is not None:
        described |= {
            "response_message_id": str(original.id),
            "response_message_loading": original.is_loading,
            "response_message_ephemeral": original.is_ephemeral,
        }
        resource["message"] = api.interactions.written(original)
    return {"interaction": described, "resource": resource}


def _follow_up(api: Api, call: Call) -> Answer:
    interaction = _interaction(api, call)
    message = api.interactions.follow_up(interaction, call.read(MessageBody), call.uploads)
    return api.interactions.written(message)


def _get(api: Api, call: Call) -> Answer:
    message = api.interactions.message(_interaction(api, call), call.path["message"])
    return api.interactions.written(message)


def _edit(api: Api, call: Call) -> Answer:
    message = api.interactions.message(_interaction(api, call), call.path["message"])
    changed = api.interactions.change(message, call.read(MessageBody), call.uploads)
    return api.interactions.written(changed)


def _delete(api: Api, call: Call) -> Answer:
    api.posts.remove(api.interactions.message(_interaction(api, call), call.path["message"]))
    return None


def _interaction(api: Api, call: Call) -> Interaction:
    if call.id("application_id") != api.world.application_id:
        raise unknown("Webhook")
    return api.interactions.by_token(call.path["token"])


_HOOK = "/webhooks/{application_id}/{token}"
_MESSAGE = _HOOK + "/messages/{message}"

ROUTES = (
    Route("POST", "/interactions/{interaction_id}/{token}/callback", _answer, is_open=True),
    Route("POST", _HOOK, _follow_up, is_open=True),
    Route("GET", _MESSAGE, _get, is_open=True),
    Route("PATCH", _MESSAGE, _edit, is_open=True),
    Route("DELETE", _MESSAGE, _delete, is_open=True),
)
