"""Make a scene with known truth: dry speech, in a room, as a microphone array hears it.

python -m tools.make_scene render tools/demo/script.yaml --out room.flac       audio, and truth beside it as JSONL
python -m tools.make_scene render walk.yaml --out walk.flac --images walk/     and each talker alone as the array hears them
python -m tools.make_scene mix --array linear8 --talker 60:1.5:a.wav --talker 120:1.2:b.wav@2.5 --out two.wav
python -m tools.make_scene check tools/demo/script.yaml                        does Whisper read every dry line right?

From Python: `make`, with a script's path or what its YAML would hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import typer

from models.kokoro import KokoroError
from pipeline.geometry import ArrayGeometry, GeometryError, load_array
from tools.room import SAMPLE_RATE_HZ
from tools.scene_files import write_images, write_scene
from tools.scene_render import Scene, render
from tools.scene_script import Noise, Room, SceneError, SceneScript, SpokenLine, Talker, load_script, parse_script
from tools.scene_speech import Clip, Samples, Speaking
from tools.scene_truth import TruthLine
from tools.word_times import same_words

__all__ = [
    "Clip",
    "Samples",
    "Scene",
    "Speaking",
    "TruthLine",
    "main",
    "make",
    "mix_script",
    "render",
    "write_images",
    "write_scene",
]


def make(
    script: SceneScript | Mapping[str, Any] | Path,
    *,
    speaking: Speaking | None = None,
    array: ArrayGeometry | None = None,
    images: bool = False,
) -> Scene:
    """Make a scene of a script, of what its YAML would hold (its files from the current folder), or of a YAML file.

    `images`: also each talker's sound at every microphone, and the noise. Raises SceneError, GeometryError or KokoroError in words.
    """
    if isinstance(script, Path):
        script = load_script(script)
    elif not isinstance(script, SceneScript):
        script = parse_script(dict(script), "script")
    return render(script, speaking, array, images)


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
    images: Annotated[Path | None, typer.Option(help="a folder for each talker alone as the array hears them, and the positions")] = None,
) -> None:
    """Render a script: voices, turns, room, noise."""
    scene = load_script(script)
    _write(scene.model_copy(update={"seed": scene.seed if seed is None else seed}), out, truth, array, images)


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


def _write(script: SceneScript, out: Path, truth: Path | None, array: str | None, images: Path | None = None) -> None:
    scene = render(script, array=load_array(array) if array else None, images=images is not None)
    path = write_scene(scene, out, truth)
    if images is not None:
        write_images(scene, images)
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
