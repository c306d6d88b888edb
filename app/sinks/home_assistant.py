"""How Home Assistant is told of a camera: discovery of a device by MQTT.

One retained message for each camera (https://www.home-assistant.io/integrations/mqtt, "Device
discovery payload"): what happened as an event and as a text with all its details, and whether
anybody watches.
"""

import hashlib
from importlib.metadata import version
from typing import Any

_TYPE = '{{ {"event_type": value_json.event, "headline": value_json.headline} | tojson }}'


def device_of(prefix: str, level: str, camera: str, status: str) -> tuple[str, dict[str, Any]]:
    """The topic, behind the discovery prefix, and the payload that describe a camera.

    Args:
        prefix: Of the topics of events.
        level: The camera's name in them.
        camera: Its name for people.
        status: Topic that says `online` or `offline`.
    """
    events = f"{prefix}/{level}/events"
    name = f"nomaly_{hashlib.sha256(events.encode()).hexdigest()[:12]}"
    return f"device/{name}/config", {
        "device": {
            "identifiers": [name],
            "name": f"Nomaly {camera}",
            "manufacturer": "Nomaly",
            "sw_version": version("nomaly"),
        },
        "origin": {"name": "Nomaly", "sw_version": version("nomaly")},
        "availability_topic": status,
        "qos": 1,
        "components": {
            "event": {
                "platform": "event",
                "unique_id": f"{name}_event",
                "name": "Event",
                "state_topic": events,
                "event_types": ["opened", "updated", "stationary", "closed"],
                "value_template": _TYPE,
            },
            "last": {
                "platform": "sensor",
                "unique_id": f"{name}_last",
                "name": "Last seen",
                "state_topic": events,
                "value_template": "{{ value_json.headline[:255] }}",
                "json_attributes_topic": events,
            },
        },
    }
