"""Make a scene with known truth: dry speech, in a room, as a microphone array hears it.

python -m tools.make_scene render tools/demo/script.yaml --out room.flac       audio, and truth beside it as JSONL
python -m tools.make_scene mix --array linear8 --talker 60:1.5:a.wav --talker 120:1.2:b.wav@2.5 --out two.wav
python -m tools.make_scene check tools/demo/script.yaml                        does Whisper read every dry line right?
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import typer

from pipeline.geometry import ArrayGeometry, GeometryError, load_array
from tools import room as rooms
from tools.kokoro import Kokoro, KokoroError, SpokenWord
from tools.scene_script import Noise, Room, SceneError, SceneScript, SpokenLine, Talker, load_script, parse_script
from tools.word_times import Reader, matched, same_words, tighten

SAMPLE_RATE_HZ = rooms.SAMPLE_RATE_HZ
LEAD_S = 0.06
"""What is kept of a dry clip before its first word."""
TRAIL_S = 0.15
MAX_FLAC_CHANNELS = 8
Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """Dry speech at 16 kHz, float32, shape (frames,), of unit level while it sounds, cut close around its words."""

    samples: Samples
    text: str
    words: tuple[SpokenWord, ...]


@dataclass(frozen=True)
class TruthLine:
    """One line as it was really said; times are when it reaches the array's reference microphone."""

    id: str
    session: str
    start_s: float
    end_s: float
    track: str
    azimuth_deg: float | None
    speaker: str
    text: str
    words: tuple[SpokenWord, ...]
    event: str
    conversation: str
    copy_of: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The line as `echoic export --format jsonl` would give it, and the name of its conversation."""
        row = {name: getattr(self, name) for name in ("id", "session", "start_s", "end_s", "track", "azimuth_deg", "speaker", "text")}
        words = [{"text": word.text, "start_s": round(word.start_s, 3), "end_s": round(word.end_s, 3)} for word in self.words]
        return {**row, "words": words, "event": self.event, "copy_of": self.copy_of, "conversation": self.conversation}


@dataclass(frozen=True)
class Scene:
    """A rendered scene: `samples`, rounded as in the file, is float32, shape (channels of the array, frames), 16 kHz.

    `truth` is in order of starts.
    """

    array: ArrayGeometry
    samples: Samples
    truth: tuple[TruthLine, ...]
    dry: dict[str, Samples] = field(default_factory=dict)
    """Each talker's own speech on the time line of the mouth, float32, shape (frames,)."""


def close_cut(samples: Samples, text: str, words: Sequence[SpokenWord]) -> Clip:
    """A clip cut around its words, faded in and out over 10 ms, brought to unit RMS level over its loud parts."""
    words = tighten(words, samples, SAMPLE_RATE_HZ)
    first = max(0, round((words[0].start_s - LEAD_S) * SAMPLE_RATE_HZ))
    piece = samples[first : round((words[-1].end_s + TRAIL_S) * SAMPLE_RATE_HZ)].astype(np.float64)
    fade = np.minimum(1.0, np.arange(1, len(piece) + 1) / (SAMPLE_RATE_HZ // 100))
    piece = piece * fade * fade[::-1]
    loud = piece[np.abs(piece) > 0.1 * np.abs(piece).max(initial=0.0)]
    if not len(loud):
        raise SceneError(f"the speech for {text[:40]!r} is silent")
    shift_s = first / SAMPLE_RATE_HZ
    moved = tuple(SpokenWord(word.text, word.start_s - shift_s, word.end_s - shift_s) for word in words)
    return Clip((piece / np.sqrt(np.mean(loud**2))).astype(np.float32), text, moved)


class Speaking:
    """Turns the lines of a script into dry clips; the models load when they are first needed."""

    def __init__(self, voices: Kokoro | None = None, reader: Reader | None = None) -> None:
        self.voices = voices or Kokoro()
        self.reader = reader or Reader()

    def clip(self, line: SpokenLine, talker: Talker) -> Clip:
        """The dry clip of a line.

        Raises SceneError where its file is missing, unreadable or without speech.
        """
        import soxr

        if line.file is None:
            speech = self.voices.say(line.text or "", talker.voice or "", talker.speed)
            samples = soxr.resample(speech.samples, speech.sample_rate_hz, SAMPLE_RATE_HZ)
            return close_cut(samples, line.text or "", speech.words)
        samples = read_dry(line.file)
        heard = self.reader.read(samples)
        text = line.text or " ".join(word.text for word in heard)
        if not heard or not text.split():
            raise SceneError(f"speech file {line.file}: no words can be heard in it")
        return close_cut(samples, text, matched(text, heard, len(samples) / SAMPLE_RATE_HZ))


def read_dry(path: Path) -> Samples:
    """The first channel of a speech file at 16 kHz, float32, shape (frames,). Raises SceneError where it cannot be read."""
    import soundfile
    import soxr

    if not path.is_file():
        raise SceneError(f"speech file {path}: there is no such file")
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise SceneError(f"speech file {path}: cannot be read: {error}") from error
    return np.ascontiguousarray(soxr.resample(samples[:, 0], rate, SAMPLE_RATE_HZ), dtype=np.float32)


@dataclass(frozen=True)
class _Turn:
    conversation: str
    topic: str
    line: SpokenLine
    clip: Clip
    mouth_s: float  # scene time of the clip's first sample, at the mouth


def _turns(script: SceneScript, speaking: Speaking) -> Iterator[_Turn]:
    for order, (name, topics) in enumerate(script.conversations.items()):
        random = np.random.default_rng([script.seed, 2, order])
        free_s: float | None = None
        for topic in topics:
            for place, line in enumerate(topic.lines):
                clip = speaking.clip(line, script.talkers[line.speaker])
                drawn_s = float(random.uniform(*script.pause_s))
                pause_s = (
                    line.pause_s if line.pause_s is not None else topic.pause_s if place == 0 and topic.pause_s is not None else drawn_s
                )
                start_s = line.at_s if line.at_s is not None else script.start_s if free_s is None else free_s + pause_s
                yield _Turn(name, topic.topic, line, clip, max(0.0, start_s - clip.words[0].start_s))
                free_s = start_s + clip.words[-1].end_s - clip.words[0].start_s


def render(script: SceneScript, speaking: Speaking | None = None, array: ArrayGeometry | None = None) -> Scene:
    """Render a script for its array (or another one). The same script gives the same samples.

    Raises SceneError where a talker, the room, a file or the array does not fit.
    """
    from scipy.signal import oaconvolve

    array = array or load_array(script.array)
    places = {who: rooms.talker_m(talker, array, script.room, who) for who, talker in script.talkers.items()}
    turns = list(_turns(script, speaking or Speaking()))
    if not turns:
        raise SceneError(f"scene {script.session}: nobody says anything; add lines to its conversations")
    end_s = max(turn.mouth_s + len(turn.clip.samples) / SAMPLE_RATE_HZ for turn in turns)
    n_frames = round((end_s + script.tail_s) * SAMPLE_RATE_HZ)
    dry = {who: np.zeros(n_frames) for who in script.talkers}
    talking = np.zeros(n_frames, dtype=bool)
    for turn in turns:
        first = round(turn.mouth_s * SAMPLE_RATE_HZ)
        gain = 10 ** (script.talkers[turn.line.speaker].level_db / 20)
        dry[turn.line.speaker][first : first + len(turn.clip.samples)] += gain * turn.clip.samples
        talking[first : first + len(turn.clip.samples)] = True
    wet = np.zeros((array.n_channels, n_frames))
    by_talker = rooms.responses(list(places.values()), array, script.room)
    for who, by_microphone in zip(places, by_talker, strict=True):
        for channel, response in enumerate(by_microphone):
            wet[channel] += oaconvolve(dry[who], response)[:n_frames]
    level = np.sqrt(np.mean(wet[array.reference, talking] ** 2))
    wet *= 10 ** (script.level_dbfs / 20) / level
    noise_dbfs = script.level_dbfs - script.noise.snr_db
    wet += 10 ** (noise_dbfs / 20) * rooms.background(script.noise, array, n_frames, script.seed)
    peak = float(np.abs(wet).max())
    if peak >= 1.0:
        raise SceneError(f"scene {script.session}: clips (peak {peak:.2f}) at level_dbfs {script.level_dbfs:g}; lower it")
    steps = 2 ** (script.resolution_bits - 1)
    wet = np.clip(np.round(wet * steps), -steps, steps - 1) / steps
    truth = _truth(script, array, turns, places)
    return Scene(array, wet.astype(np.float32), truth, {who: samples.astype(np.float32) for who, samples in dry.items()})


def _truth(
    script: SceneScript, array: ArrayGeometry, turns: Sequence[_Turn], places: dict[str, npt.NDArray[np.float64]]
) -> tuple[TruthLine, ...]:
    lines = []
    for turn in sorted(turns, key=lambda turn: (turn.mouth_s + turn.clip.words[0].start_s, turn.line.speaker)):
        who = turn.line.speaker
        shift_s = round(turn.mouth_s * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ + rooms.delay_s(places[who], array, script.room)
        words = tuple(replace(word, start_s=word.start_s + shift_s, end_s=word.end_s + shift_s) for word in turn.clip.words)
        bearing = rooms.azimuth_deg(places[who], array, script.room)
        lines.append(
            TruthLine(
                id=f"{script.session}-{who}-{round(words[0].start_s * 1000):08d}",
                session=script.session,
                start_s=round(words[0].start_s, 3),
                end_s=round(words[-1].end_s, 3),
                track=who,
                azimuth_deg=None if bearing is None else round(bearing, 1) % 360.0,
                speaker=who,
                text=turn.clip.text,
                words=words,
                event=turn.topic,
                conversation=turn.conversation,
            )
        )
    return tuple(lines)


def write_scene(scene: Scene, audio: Path, truth: Path | None = None) -> Path:
    """Write the audio (16-bit FLAC or WAV, by suffix) and the truth (JSONL, by default beside it); returns the truth's path.

    An array that names its source's channels gets a file with those channels, the others silent. Raises SceneError where the
    suffix is unknown or FLAC cannot hold so many channels.
    """
    import soundfile

    channels = scene.array.channels or tuple(range(scene.array.n_channels))
    file = np.zeros((max(channels) + 1, scene.samples.shape[1]), dtype=np.float32)
    file[list(channels)] = scene.samples
    if audio.suffix not in {".flac", ".wav"}:
        raise SceneError(f"output {audio}: scenes are written as .flac or .wav")
    if audio.suffix == ".flac" and len(file) > MAX_FLAC_CHANNELS:
        raise SceneError(f"output {audio}: FLAC holds at most {MAX_FLAC_CHANNELS} channels and this has {len(file)}; write a .wav")
    packed: dict[str, float] = {"compression_level": 1.0} if audio.suffix == ".flac" else {}
    audio.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(audio, file.T, SAMPLE_RATE_HZ, subtype="PCM_16", format=audio.suffix[1:].upper(), **packed)
    path = truth or audio.with_suffix(".jsonl")
    path.write_text("".join(json.dumps(line.to_json(), ensure_ascii=False) + "\n" for line in scene.truth), encoding="utf-8")
    return path


def mix_script(talkers: Sequence[str], array: str, room: Room, noise: Noise, seed: int) -> SceneScript:
    """A script of recordings, each given as AZIMUTH:DISTANCE:FILE[@START_S].

    Raises SceneError where one cannot be read so.
    """
    data: dict[str, Any] = {"talkers": {}, "conversations": {}}
    for number, given in enumerate(talkers, start=1):
        azimuth, _, rest = given.partition(":")
        distance, _, name = rest.partition(":")
        path, at, start = name.rpartition("@")
        try:
            where = {"azimuth_deg": float(azimuth), "distance_m": float(distance)}
            line = {"speaker": f"talker-{number}", "file": path if at else name, "at_s": float(start) if at else 0.5}
        except ValueError as error:
            raise SceneError(f"--talker {given!r}: expected AZIMUTH:DISTANCE:FILE[@START_S], such as 60:1.5:speech.wav@2.0") from error
        data["talkers"][f"talker-{number}"] = where
        data["conversations"][f"talker-{number}"] = [{"topic": Path(str(line["file"])).stem, "lines": [line]}]
    return parse_script({"session": "mix", "array": array, "seed": seed, "room": room, "noise": noise, **data}, "mix")


app = typer.Typer(add_completion=False, no_args_is_help=True, help="Scenes with known truth: dry speech in a room, as an array hears it.")


@app.command("render")
def render_command(
    script: Annotated[Path, typer.Argument(help="the scene's YAML")],
    out: Annotated[Path, typer.Option(help=".flac or .wav; the truth goes beside it as .jsonl")],
    truth: Annotated[Path | None, typer.Option(help="where the truth goes instead")] = None,
    array: Annotated[str | None, typer.Option(help="another array than the script's: a shipped name or a YAML file")] = None,
    seed: Annotated[int | None, typer.Option(help="another seed than the script's (pauses and noise)")] = None,
) -> None:
    """Render a script: voices, turns, room, noise."""
    scene = load_script(script)
    _write(scene.model_copy(update={"seed": scene.seed if seed is None else seed}), out, truth, array)


@app.command()
def mix(
    out: Annotated[Path, typer.Option(help=".flac or .wav; the truth goes beside it as .jsonl")],
    talker: Annotated[list[str], typer.Option(help="AZIMUTH:DISTANCE:FILE[@START_S]; once for each recording")],
    array: Annotated[str, typer.Option(help="a shipped array or a YAML file")] = "uma8",
    rt60_s: Annotated[float, typer.Option(help="reverberation time; 0: no echo")] = 0.28,
    noise: Annotated[str, typer.Option(help="none, white or diffuse")] = "diffuse",
    snr_db: Annotated[float, typer.Option(help="speech over noise at the reference microphone")] = 28.0,
    seed: Annotated[int, typer.Option(help="of the noise")] = 0,
) -> None:
    """Put dry recordings around an array."""
    if noise not in ("none", "white", "diffuse"):
        raise SceneError(f"--noise {noise!r}: allowed are none, white, diffuse")
    kind: Literal["none", "white", "diffuse"] = noise  # type: ignore[assignment] # just checked
    _write(mix_script(talker, array, Room(rt60_s=rt60_s), Noise(kind=kind, snr_db=snr_db), seed), out, None, None)


@app.command()
def say(
    text: Annotated[str, typer.Argument(help="what is said")],
    voice: Annotated[str, typer.Option(help="a Kokoro voice")],
    out: Annotated[Path, typer.Option(help=".flac or .wav, mono, 16 kHz")],
    level_dbfs: Annotated[float, typer.Option(help="level while it sounds")] = -24.0,
) -> None:
    """Speak one sentence, dry and close to the microphone: a question for `echoic ask --voice`."""
    import soundfile

    clip = Speaking().clip(SpokenLine(speaker="voice", text=text), Talker(azimuth_deg=0.0, voice=voice))
    soundfile.write(out, np.pad(clip.samples * 10 ** (level_dbfs / 20), SAMPLE_RATE_HZ // 4), SAMPLE_RATE_HZ, subtype="PCM_16")


@app.command()
def check(script: Annotated[Path, typer.Argument(help="the scene's YAML")]) -> None:
    """Read every dry line back with Whisper base; exit 1 where words differ."""
    scene, speaking, wrong = load_script(script), Speaking(), 0
    for line in (line for topics in scene.conversations.values() for topic in topics for line in topic.lines):
        clip = speaking.clip(line, scene.talkers[line.speaker])
        heard = " ".join(word.text for word in speaking.reader.read(clip.samples * np.float32(0.1)))
        if not same_words(clip.text, heard):
            wrong += 1
            typer.echo(f"{line.speaker}: wrote {clip.text!r}\n{' ' * len(line.speaker)}  heard {heard!r}")
    typer.echo(f"{wrong} lines were read differently")
    raise typer.Exit(1 if wrong else 0)


def _write(script: SceneScript, out: Path, truth: Path | None, array: str | None) -> None:
    scene = render(script, array=load_array(array) if array else None)
    path = write_scene(scene, out, truth)
    duration_s = scene.samples.shape[1] / SAMPLE_RATE_HZ
    typer.echo(
        f"{out}: {scene.samples.shape[0]} channels, {duration_s:.1f} s, {out.stat().st_size} bytes; {len(scene.truth)} lines in {path}"
    )


def main() -> None:
    """Run the command line; mistakes of the caller are told in words, exit 2."""
    try:
        app()
    except (SceneError, KokoroError, GeometryError) as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
