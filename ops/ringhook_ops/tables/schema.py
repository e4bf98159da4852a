"""The JSON Schema of `routes.toml`, for editors."""

from __future__ import annotations

from typing import Any

from ringhook.reading import checked
from ringhook.routing.whole_file import File
from ringhook.senders import enrichment, providers


def json_schema() -> dict[str, Any]:
    """The JSON Schema of `routes.toml`, for editors: every provider's settings included."""
    schema = checked.json_schema(File)
    schema["$defs"]["Enrichment"] = checked.json_schema(enrichment.Enrichment)
    options = []
    for name in providers.names():
        provider = providers.find(name)
        option = checked.json_schema(provider.settings)
        option["title"] = provider.title
        option["properties"]["provider"] = {"const": name, "description": provider.title}
        if provider.enrich_hosts:
            table = {"$ref": "#/$defs/Enrichment"}
            option["properties"]["enrich"] |= enrichment.json_schema(provider, table)
        else:
            del option["properties"]["enrich"]
        options.append(option)
    schema["properties"]["sources"]["additionalProperties"] = {"oneOf": options}
    schema["properties"]["sources"].pop("patternProperties", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "Ringhook routes",
    }
