"""Oracles for the benchmark, as stages: tracks where the talkers really are, and beams made with what each talker really said.

They read the files of a scene (`hearing_scenes.SceneFiles`), so they cannot be used for anything else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from pipeline.packets import AudioBlock, BeamBlock, Float32Array, Track, Tracks, seconds
from pipeline.recorded import ns_to_frames
from pipeline.stage import Emit, In, Out, Stage
from tools.hearing_places import Place, owner

SLEEP_AFTER_S = 1.0
N_FFT = 1024
HOP = 256
LOADING = 1e-5
Spectrum = npt.NDArray[np.complex128]
Floats = npt.NDArray[np.float64]


def read_places(folder: Path) -> dict[str, Place]:
    """Where each talker of a scene is, in the order of the cell."""
    told: dict[str, Any] = json.loads((folder / "places.json").read_text(encoding="utf-8"))
    return {who: Place(tuple(place["at_s"]), tuple(place["azimuth_deg"])) for who, place in told.items()}


def read_speech(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """When each talker speaks: starts and ends of lines in seconds."""
    speech: dict[str, list[tuple[float, float]]] = {}
    for line in (folder / "mix.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        speech.setdefault(row["track"], []).append((row["start_s"], row["end_s"]))
    return speech


class OracleTracks(Stage):
    """A track for each talker at the true bearing, awake while they speak and a second after.

    Args:
        scene: the folder of the scene's files.
    """

    audio = In(AudioBlock)
    tracks = Out(Tracks)

    def __init__(self, scene: str) -> None:
        self._folder = Path(scene)
        self._places: dict[str, Place] = {}
        self._speech: dict[str, list[tuple[float, float]]] = {}

    def start(self) -> None:
        """Read where everybody is."""
        self._places, self._speech = read_places(self._folder), read_speech(self._folder)

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[Tracks]]:
        """Say where everybody is at the end of the block."""
        time_s = seconds(block.end_ns)
        tracks = tuple(
            Track(
                name=f"t{number}",
                azimuth_deg=place.bearing_deg(time_s),
                active=any(start <= time_s < end + SLEEP_AFTER_S for start, end in self._speech.get(who, ())),
            )
            for number, (who, place) in enumerate(self._places.items(), start=1)
        )
        yield self.tracks(Tracks(pts_ns=block.pts_ns, duration_ns=block.duration_ns, tracks=tracks))


class OracleBeams(Stage):
    """Beams for tracks, made of what the talker nearest to each track really said.

    Args:
        scene: the folder of the scene's files.
        kind: "mask": Souden's MVDR from ideal ratio masks (the talker's share of the power at the reference microphone);
            "image": the talker's own sound at that microphone, without anybody else or noise.
        window_s: filters are made from this much sound around each moment; 0: from the whole recording, for talkers who sit.
    """

    audio = In(AudioBlock)
    tracks = In(Tracks)
    beams = Out(BeamBlock)

    def __init__(self, scene: str, kind: Literal["mask", "image"] = "mask", window_s: float = 0.0) -> None:
        self._folder = Path(scene)
        self._kind = kind
        self._window_s = window_s
        self._rate_hz = 16000
        self._places: dict[str, Place] = {}
        self._voices: dict[str, Float32Array] = {}
        self._images: dict[str, Float32Array] = {}
        self._mixture: Float32Array = np.zeros(0, dtype=np.float32)

    def start(self) -> None:
        """Read the scene, and make the beams of all of it."""
        import soundfile

        self._places = read_places(self._folder)
        with np.load(self._folder / "images.npz") as kept:
            self._images = {who: kept[who] for who in self._places}
            reference = int(kept["reference"])
        samples, self._rate_hz = soundfile.read(self._folder / "mix.flac", dtype="float32", always_2d=True)
        self._mixture = np.ascontiguousarray(samples[:, reference])
        self._voices = self._images
        if self._kind == "mask":
            self._voices = masked_beams(samples.T, self._images, reference, round(self._window_s * self._rate_hz))

    def on_audio(self, block: AudioBlock) -> Iterator[Emit[BeamBlock]]:  # noqa: ARG002 - the sound is known already
        """Nothing: the sound is known already."""
        yield from ()

    def on_tracks(self, tracks: Tracks) -> Iterator[Emit[BeamBlock]]:
        """Give the blocks of the beams whose tracks are awake and near a talker."""
        first = ns_to_frames(tracks.pts_ns, self._rate_hz)
        last = ns_to_frames(tracks.end_ns, self._rate_hz)
        for track in tracks.tracks:
            who = None if track.azimuth_deg is None else owner(track.azimuth_deg, seconds(tracks.end_ns), self._places)
            if not track.active or who is None or last > len(self._voices[who]):
                continue
            whole = float(np.sum(self._mixture[first:last] ** 2))
            own = float(np.sum(self._images[who][first:last] ** 2))
            yield self.beams(
                BeamBlock(
                    pts_ns=tracks.pts_ns,
                    duration_ns=tracks.duration_ns,
                    samples=self._voices[who][first:last].copy(),
                    sample_rate_hz=self._rate_hz,
                    track=track,
                    presence=min(1.0, own / whole) if whole > 0.0 else 0.0,
                )
            )

    def stop(self) -> None:
        """Let go of the scene."""
        self._voices, self._images = {}, {}


def masked_beams(mixture: Float32Array, images: dict[str, Float32Array], reference: int, window_frames: int) -> dict[str, Float32Array]:
    """Each talker's beam by Souden's MVDR from ideal ratio masks, float32, shape (frames,).

    M. Souden, J. Benesty, S. Affes, "On optimal frequency-domain multichannel linear filtering for noise reduction", IEEE TASLP
    18(2), 2010, eq. 18 (with the trade-off at 0). `mixture` has shape (channels, frames), the images (frames,).
    """
    spectra = np.stack([_spectrum(channel) for channel in mixture])
    power = {who: np.abs(_spectrum(image)) ** 2 for who, image in images.items()}
    whole = np.abs(spectra[reference]) ** 2
    n_steps = spectra.shape[1]
    window = max(1, window_frames // HOP) if window_frames else n_steps
    beams = {}
    for who, own in power.items():
        rest = np.maximum(np.abs(spectra[reference] - _spectrum(images[who])) ** 2, 1e-12 * whole.max(initial=1e-12))
        mask = own / (own + rest)
        out = np.zeros_like(spectra[reference])
        for begin in range(0, n_steps, max(1, window // 2)):
            here = slice(max(0, begin - window // 4), min(n_steps, begin + window // 2 + window // 4) if window < n_steps else n_steps)
            weights = _souden(spectra[:, here], mask[here], reference)
            done = slice(begin, min(n_steps, begin + max(1, window // 2)) if window < n_steps else n_steps)
            out[done] = np.einsum("fc,ctf->tf", weights.conj(), spectra[:, done])
            if window >= n_steps:
                break
        beams[who] = _samples(out, mixture.shape[1])
    return beams


def _souden(spectra: Spectrum, mask: Floats, reference: int) -> Spectrum:
    own = np.einsum("tf,ctf,dtf->fcd", mask, spectra, spectra.conj(), optimize=True)
    rest = np.einsum("tf,ctf,dtf->fcd", 1.0 - mask, spectra, spectra.conj(), optimize=True)
    size = spectra.shape[0]
    level = np.trace(rest, axis1=1, axis2=2).real / size + 1e-12
    rest = rest + LOADING * level[:, None, None] * np.eye(size)
    ratio = np.linalg.solve(rest, own)
    trace = np.trace(ratio, axis1=1, axis2=2)
    return np.asarray(ratio[:, :, reference] / np.where(np.abs(trace) > 1e-12, trace, 1.0)[:, None])


def _spectrum(samples: Float32Array) -> Spectrum:
    padded = np.pad(samples.astype(np.float64), (N_FFT, N_FFT))
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    return np.asarray(np.fft.rfft(frames * np.sqrt(np.hanning(N_FFT + 1)[:-1]), axis=1))


def _samples(spectrum: Spectrum, n_frames: int) -> Float32Array:
    window = np.sqrt(np.hanning(N_FFT + 1)[:-1])
    frames = np.fft.irfft(spectrum, N_FFT, axis=1) * window
    out = np.zeros((len(frames) - 1) * HOP + N_FFT)
    for number, frame in enumerate(frames):
        out[number * HOP : number * HOP + N_FFT] += frame
    # Hann windows that overlap by three quarters add up to 2.
    kept = out[N_FFT : N_FFT + n_frames] * (2.0 * HOP / N_FFT)
    return np.pad(kept, (0, max(0, n_frames - len(kept)))).astype(np.float32)
