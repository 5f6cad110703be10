"""What can go wrong with a memory, each with the way out in its message."""

from __future__ import annotations


class MemoryError_(RuntimeError):  # noqa: N801, N818 - the builtin MemoryError means something else
    """A memory cannot do what was asked."""


class MemoryInUse(MemoryError_):
    """Another process writes to this memory."""


class MemorySettingsError(MemoryError_):
    """The memory was made with other settings, or by a newer version."""


class MemoryFull(MemoryError_):
    """There is no room left on the disk; what was being written has been taken back."""


class MemoryDamaged(MemoryError_):
    """The database file is not one, or is broken."""
