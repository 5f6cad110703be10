"""A bearing that something was heard from. Plain numbers: cheap to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Peak:
    """A bearing that stands out. `share` (0 to 1) is how much of all votes it got, beyond what it would get by chance."""

    azimuth_deg: float
    elevation_deg: float | None
    share: float


def angle_between_deg(a_deg: float, b_deg: float, circular: bool = True) -> float:
    """How far apart two azimuths are, 0 to 180 degrees."""
    difference = abs(a_deg - b_deg)
    return min(difference % 360.0, 360.0 - difference % 360.0) if circular else difference
