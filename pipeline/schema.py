"""The JSON schema of a graph's YAML, so that editors complete names and settings: `python -m pipeline.schema > configs/schema.json`."""

from __future__ import annotations

import inspect
import json
import sys
from typing import Any

from pydantic.errors import PydanticInvalidForJsonSchema

from pipeline.definition import adapter, classes_in, settings_of
from pipeline.graph import DEFAULT_QUEUE, WHEN_FULL
from pipeline.stage import Resource, Stage


def first_line(cls: type[Any]) -> str:
    """The first line of a class's docstring."""
    return (inspect.getdoc(cls) or "").split("\n")[0]


def graph_schema(roots: tuple[str, ...] = ("stages",)) -> dict[str, Any]:
    """The schema (JSON Schema draft 2020-12) of graphs made of every Stage and Resource under the roots."""
    edge = {
        "oneOf": [
            {"type": "string", "pattern": r"^\w+\.\w+$"},
            {
                "type": "object",
                "required": ["from"],
                "additionalProperties": False,
                "properties": {
                    "from": {"type": "string", "pattern": r"^\w+\.\w+$"},
                    "queue": {"type": "integer", "minimum": 1, "default": DEFAULT_QUEUE},
                    "when_full": {"enum": list(WHEN_FULL), "default": "block"},
                },
            },
        ]
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An Echoic graph",
        "type": "object",
        "required": ["stages"],
        "additionalProperties": False,
        "properties": {
            "extra_roots": {"type": "array", "items": {"type": "string"}},
            "resources": {"type": "object", "additionalProperties": _choice(roots, Resource, None)},
            "stages": {"type": "object", "additionalProperties": _choice(roots, Stage, edge)},
        },
    }


def _choice(roots: tuple[str, ...], base: type[Any], edge: dict[str, Any] | None) -> dict[str, Any]:
    branches = [_entry(cls, edge) for cls in classes_in(roots, base)]
    # Classes of other packages (extra_roots) cannot be known here, so they are let through.
    other = {"type": "object", "required": ["use"], "properties": {"use": {"type": "string", "not": {"pattern": r"^stages\."}}}}
    return {"anyOf": [*branches, other]}


def _entry(cls: type[Any], edge: dict[str, Any] | None) -> dict[str, Any]:
    properties: dict[str, Any] = {"use": {"const": f"{cls.__module__}.{cls.__qualname__}"}}
    required = ["use"]
    for name, setting in settings_of(cls).items():
        if setting.resource is not None:
            properties[name] = {"type": "string", "description": f"the name of a {setting.resource.__name__} under resources"}
        else:
            try:
                properties[name] = adapter(setting.hint).json_schema()
            except PydanticInvalidForJsonSchema:
                properties[name] = {}
            if not setting.required and setting.default is not None:
                properties[name]["default"] = setting.default
        if setting.required:
            required.append(name)
    inputs = getattr(cls, "inputs", {})
    if edge is not None and inputs:
        properties["in"] = {
            "type": "object",
            "required": list(inputs),
            "additionalProperties": False,
            "properties": dict.fromkeys(inputs, edge),
        }
        required.append("in")
    return {
        "type": "object",
        "description": first_line(cls),
        "required": required,
        "additionalProperties": False,
        "properties": properties,
    }


def main() -> None:
    """Print the schema of everything that ships."""
    json.dump(graph_schema(), sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
