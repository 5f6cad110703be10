"""`echoic stages`: every stage and resource with its ports, settings and defaults, read from the classes themselves."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from pipeline.app.console import result, result_json
from pipeline.app.failures import CallerError
from pipeline.definition import Setting, classes_in, settings_of
from pipeline.stage import Resource, Source, Stage

FORMATS = ("text", "markdown", "json")


@dataclass(frozen=True)
class Entry:
    """One class that a YAML can use."""

    path: str
    kind: str
    about: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    settings: dict[str, Setting]


def entries(roots: tuple[str, ...] = ("stages",)) -> list[Entry]:
    """Every stage, then every resource, under the roots."""
    return [_entry(cls) for cls in classes_in(roots, Stage)] + [_entry(cls) for cls in classes_in(roots, Resource)]


def print_stages(form: str) -> None:
    """Print the table. Raises CallerError."""
    if form not in FORMATS:
        raise CallerError(f"--format {form}: allowed are {', '.join(FORMATS)}")
    if form == "json":
        result_json([_as_json(entry) for entry in entries()])
        return
    for entry in entries():
        result(_markdown(entry) if form == "markdown" else _text(entry))


def _entry(cls: type[Any]) -> Entry:
    is_stage = issubclass(cls, Stage)
    kind = "source" if issubclass(cls, Source) else "stage" if is_stage else "resource"
    return Entry(
        path=f"{cls.__module__}.{cls.__qualname__}",
        kind=kind,
        about=(inspect.getdoc(cls) or "").split("\n", 1)[0],
        inputs={name: port.packet.__name__ for name, port in cls.inputs.items()} if is_stage else {},
        outputs={name: port.packet.__name__ for name, port in cls.outputs.items()} if is_stage else {},
        settings=settings_of(cls),
    )


def _default(setting: Setting) -> str:
    if setting.required:
        return "required"
    return repr(setting.default)


def _ports(ports: dict[str, str]) -> str:
    return ", ".join(f"{name} ({packet})" for name, packet in ports.items()) or "none"


def _text(entry: Entry) -> str:
    lines = [f"{entry.path}  [{entry.kind}]", f"    {entry.about}"]
    if entry.kind != "resource":
        lines.append(f"    in: {_ports(entry.inputs)}   out: {_ports(entry.outputs)}")
    width = max((len(name) for name in entry.settings), default=0)
    lines += [f"      {name:<{width}}  {setting.hint_text}  {_default(setting)}" for name, setting in entry.settings.items()]
    return "\n".join(lines) + "\n"


def _markdown(entry: Entry) -> str:
    lines = [f"### `{entry.path}`", "", entry.about, ""]
    if entry.kind != "resource":
        lines += [f"In: {_ports(entry.inputs)}. Out: {_ports(entry.outputs)}.", ""]
    if entry.settings:
        lines += ["| setting | type | default |", "|---|---|---|"]
        hints = {name: setting.hint_text.replace("|", "\\|") for name, setting in entry.settings.items()}
        lines += [f"| `{name}` | {hints[name]} | `{_default(setting)}` |" for name, setting in entry.settings.items()]
        lines.append("")
    return "\n".join(lines)


def _as_json(entry: Entry) -> dict[str, Any]:
    return {
        "use": entry.path,
        "kind": entry.kind,
        "about": entry.about,
        "in": entry.inputs,
        "out": entry.outputs,
        "settings": {
            name: {"type": setting.hint_text, "required": setting.required, "default": None if setting.required else repr(setting.default)}
            for name, setting in entry.settings.items()
        },
    }
