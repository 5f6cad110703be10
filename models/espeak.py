"""espeak-ng through its command: phonemes for other voices, and a voice of its own that needs no weights."""

from __future__ import annotations

import io
import subprocess

import numpy as np
import numpy.typing as npt

_PATIENCE_S = 60


class EspeakError(RuntimeError):
    """espeak-ng is missing or refuses a text; the message says which."""


def ipa(text: str, voice: str = "en-us", *, tied: bool = False) -> str:
    """What espeak-ng says to a text, in the international phonetic alphabet; a line for each clause, without its punctuation.

    With `tied` the letters of one phoneme are joined by ^.
    Raises EspeakError.
    """
    form = ("--ipa=3", "--tie=^") if tied else ("--ipa",)
    return _run(text, "-q", *form, "-v", voice).decode("utf-8")


def speech(text: str, voice: str = "en-us", words_per_minute: int = 165) -> tuple[npt.NDArray[np.float32], int]:
    """A text in espeak-ng's own voice: samples, float32, shape (frames,), full scale +-1, and their rate in Hz. Raises EspeakError."""
    import soundfile

    encoded = _run(text, "--stdout", "-v", voice, "-s", str(words_per_minute))
    try:
        # Where it writes to a pipe, espeak-ng cannot go back to say how long the sound became, so what follows the head is read as it is.
        samples, rate = soundfile.read(io.BytesIO(encoded), dtype="float32")
    except soundfile.SoundFileError as error:
        raise EspeakError(f"espeak-ng made no sound of {text[:40]!r}") from error
    return np.ascontiguousarray(samples, dtype=np.float32), int(rate)


def _run(text: str, *arguments: str) -> bytes:
    # The text goes in by the pipe: as an argument, one that begins with a dash would be taken for an option.
    try:
        done = subprocess.run(
            ["espeak-ng", *arguments, "--stdin"], input=text.encode(), capture_output=True, check=True, timeout=_PATIENCE_S
        )
    except FileNotFoundError as error:
        raise EspeakError("espeak-ng is not installed; it spells what is spoken: apt-get install espeak-ng") from error
    except subprocess.CalledProcessError as error:
        raise EspeakError(f"espeak-ng failed on {text[:40]!r}: {error.stderr.decode(errors='replace').strip()}") from error
    except subprocess.TimeoutExpired as error:
        raise EspeakError(f"espeak-ng took more than {_PATIENCE_S} s for {text[:40]!r}") from error
    return done.stdout
