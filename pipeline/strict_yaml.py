"""YAML without surprises: duplicate keys are faults, only true and false are booleans, and every value knows its line.

Stock PyYAML silently keeps the last of two stages with one name, and reads `on`, `off`, `yes` and `no` as booleans and
`1:30` as ninety; a graph's meaning should not hang on that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Path = tuple[str | int, ...]


@dataclass
class Document:
    """A document as plain Python data, the line of every value by its path, and what was wrong with it."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[tuple[int, str]] = field(default_factory=list)

    def line(self, *path: str | int) -> int:
        """The line of a value, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own name for a class-wide table


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$|^[-+]?\.inf$|^\.nan$"),
    list("-+0123456789."),
)


def read_yaml(text: str) -> Document:
    """Read one document. Nothing is raised: what is wrong stands in `faults` as (line, message)."""
    document = Document()
    try:
        root = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        document.faults.append((mark.line + 1 if mark else 1, f"this is not YAML: {error.problem or error.context}"))
        return document
    except yaml.YAMLError as error:
        document.faults.append((1, f"this is not YAML: {error}"))
        return document
    if root is not None:
        document.data = _plain(root, (), document)
    return document


def _plain(node: Node, path: Path, document: Document) -> Any:
    document.lines[path] = node.start_mark.line + 1
    if isinstance(node, MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, SequenceNode):
        return [_plain(item, (*path, index), document) for index, item in enumerate(node.value)]
    return _scalar(node, document) if isinstance(node, ScalarNode) else None


def _mapping(node: MappingNode, path: Path, document: Document) -> dict[str, Any]:
    result: dict[str, Any] = {}
    first_line: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        key = str(key_node.value)
        if key in result:
            document.faults.append((line, f"{key!r} stands twice, first in line {first_line[key]}: give each its own name"))
            continue
        first_line[key] = line
        result[key] = _plain(value_node, (*path, key), document)
        document.lines[(*path, key)] = line
    return result


def _scalar(node: ScalarNode, document: Document) -> Any:
    text = str(node.value)
    kind = str(node.tag).removeprefix("tag:yaml.org,2002:")
    match kind:
        case "str":
            return text
        case "null":
            return None
        case "bool":
            return text == "true"
        case "int":
            return int(text)
        case "float":
            return float(text.replace(".inf", "inf").replace(".nan", "nan"))
    document.faults.append((node.start_mark.line + 1, f"the tag {node.tag!r} is not allowed: write a plain value"))
    return None
