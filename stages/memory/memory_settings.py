"""memory.yaml: what a memory was made with, so that vectors of different encoders never meet."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from stages.memory.memory_errors import MemorySettingsError

VERSION = 1


@dataclass(frozen=True)
class MemorySettings:
    """The settings that stand in a memory's own file."""

    encoder: str
    dimension: int
    index: str
    version: int = VERSION

    def save(self, directory: Path) -> None:
        """Write memory.yaml, whole or not at all."""
        target = directory / "memory.yaml"
        part = target.with_suffix(".part")
        with part.open("w", encoding="utf-8") as file:
            yaml.safe_dump(asdict(self), file, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)


def load(directory: Path) -> MemorySettings | None:
    """The settings of a memory, or None where there is none yet.

    Raises MemorySettingsError when the file cannot be read, or a newer version wrote it.
    """
    path = directory / "memory.yaml"
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MemorySettingsError(f"{path}: not YAML: {error}") from error
    if not isinstance(data, dict) or not isinstance(data.get("version"), int):
        raise MemorySettingsError(f"{path}: expected version, encoder, dimension and index; found {data!r}")
    if data["version"] > VERSION:
        raise MemorySettingsError(
            f"{path}: the memory is of version {data['version']} and this Echoic knows up to {VERSION}; update Echoic to open it"
        )
    try:
        return MemorySettings(
            encoder=str(data["encoder"]), dimension=int(data["dimension"]), index=str(data["index"]), version=data["version"]
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MemorySettingsError(f"{path}: expected version, encoder, dimension and index; found {data!r}") from error


def check_encoder(found: MemorySettings, encoder: str, dimension: int, directory: Path) -> None:
    """Raises MemorySettingsError when an encoder's vectors cannot be compared with those in the memory."""
    if (found.encoder, found.dimension) != (encoder, dimension):
        raise MemorySettingsError(
            f"memory {directory}: it was made with the encoder {found.encoder!r} ({found.dimension} numbers a line),"
            f" and this config has {encoder!r} ({dimension}); use a config with {found.encoder!r}, give another --memory,"
            f" or encode this one anew: echoic reindex --memory {directory} --config CONFIG"
        )
