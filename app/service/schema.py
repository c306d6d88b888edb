"""The JSON schema of a site's file."""

from typing import Any

from app.service.config import SiteConfig


def site_schema() -> dict[str, Any]:
    """The schema, as editors read it: what may stand alone, or be left empty, is not marked."""
    schema = SiteConfig.model_json_schema()
    for name, part in schema["$defs"].items():
        if name.startswith("Several_") and "items" in part:
            schema["$defs"][name] = {"anyOf": [part, part["items"]]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
