"""The contracts as documents other languages can read: JSON Schema of every record, AsyncAPI of every topic."""

from typing import Any

from schemas.topics import TOPICS

_REF = "#/components/schemas/{model}"


def json_schema() -> dict[str, Any]:
    """One JSON Schema (2020-12) a topic, by topic name, of what its writers write."""
    return {
        topic.name: topic.adapter.json_schema(mode="serialization") for topic in TOPICS if topic.adapter is not None
    }


def asyncapi(version: str) -> dict[str, Any]:
    """The topic table as an AsyncAPI 3.0 document of Livecue `version`."""
    schemas: dict[str, Any] = {}
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for topic in TOPICS:
        if topic.adapter is None:
            continue
        schema = topic.adapter.json_schema(mode="serialization", ref_template=_REF)
        schemas |= schema.pop("$defs", {})
        channel = topic.name.replace(".", "-")
        channels[channel] = {
            "address": topic.name,
            "description": topic.carries,
            "messages": {
                "record": {
                    "contentType": "application/json",
                    "payload": schema,
                    "bindings": {"kafka": {"key": {"type": "string", "description": topic.key or "none"}}},
                }
            },
            "bindings": {
                "kafka": {
                    "topicConfiguration": {
                        "cleanup.policy": ["compact" if topic.compacted else "delete"],
                        "retention.ms": -1 if topic.retention is None else int(topic.retention.total_seconds() * 1000),
                    }
                }
            },
        }
        for verb, who in (("send", topic.written_by), ("receive", topic.read_by)):
            for process in who:
                operations[f"{process}-{verb}-{channel}"] = {
                    "action": verb,
                    "channel": {"$ref": f"#/channels/{channel}"},
                }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Livecue", "version": version, "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": schemas},
    }
