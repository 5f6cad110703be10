"""What each command of `echoic` takes, and nothing else; the work is imported when a command needs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.app.failures import CallerError
from pipeline.app.options import At, Config, Json, Memory, MemoryOrLater, Session, StartedAt

app = typer.Typer(
    name="echoic",
    help="A headless memory for rooms: hears everybody at once, remembers, and answers what you missed.",
    rich_markup_mode=None,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
models = typer.Typer(help="The weights that graphs need.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(models, name="models")
speakers = typer.Typer(help="The people of a memory: list, name, merge, split.", rich_markup_mode=None)
app.add_typer(speakers, name="speakers")
sounds = typer.Typer(help="What was heard besides speech.", rich_markup_mode=None, invoke_without_command=True)
app.add_typer(sounds, name="sounds")


@app.command()
def run(
    config: Annotated[str, typer.Argument(metavar="CONFIG", help="The graph, such as configs/live.yaml.")],
    memory: Memory = Path("memory"),
    host: Annotated[str, typer.Option(help="Where the HTTP API listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0 takes any free one.")] = 8710,
) -> None:
    """Listen, remember and answer, until Ctrl-C or SIGTERM."""
    from pipeline.app.daemon import run_daemon

    run_daemon(config, memory, host, port)


@app.command()
def replay(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="A sound file, or a recorded session (its directory or id).")],
    memory: Memory,
    config: Config = None,
    array: Annotated[str | None, typer.Option(metavar="NAME", help="The array that recorded it: a shipped name or a YAML file.")] = None,
    speed: Annotated[float, typer.Option(min=0.0, help="1 is real time; 0 as fast as it can.")] = 0.0,
    no_copy: Annotated[bool, typer.Option("--no-copy", help="Do not copy the recording into the memory.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Make a new session, even if this source was heard before.")] = False,
    started_at: StartedAt = None,
) -> None:
    """Hear a recording through the whole graph."""
    from pipeline.app.console import result
    from pipeline.app.replay import ReplayOptions, replay_source

    result(replay_source(source, memory, ReplayOptions(config, array, speed, not no_copy, again, started_at)))


@app.command()
def ask(
    memory: Memory,
    question: Annotated[str | None, typer.Argument(metavar="QUESTION", help="The question, in words.")] = None,
    voice: Annotated[str | None, typer.Option(metavar="FILE", help="A spoken question instead: a sound file, or mic.")] = None,
    mic: Annotated[str, typer.Option(metavar="GST", help="The microphone for --voice mic: a GStreamer source.")] = "autoaudiosrc",
    at: Annotated[str | None, typer.Option(metavar="TIME", help="Answer as of then: ISO 8601, or +SECONDS from a session's start.")] = None,
    session: Annotated[str | None, typer.Option(metavar="ID", help="The session that +SECONDS counts in; default: the latest.")] = None,
    facing: Annotated[
        float | None, typer.Option(metavar="DEG", help="The azimuth that you face, for left, right, behind and --mix.")
    ] = None,
    config: Config = None,
    raw: Annotated[bool, typer.Option("--raw", help="Also cut all channels of the array around each evidence.")] = False,
    play: Annotated[bool, typer.Option("--play", help="Play the evidence, in the answer's order.")] = False,
    mix: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the quotes in stereo, each from where it was said.")] = None,
    mix_order: Annotated[str, typer.Option(metavar="time|answer", help="The order of the quotes in --mix.")] = "time",
    speak: Annotated[bool, typer.Option("--speak", help="Say the answer.")] = False,
    speak_to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the spoken answer.")] = None,
    sink: Annotated[str, typer.Option(metavar="GST", help="Where --play and --speak go: a GStreamer sink.")] = "autoaudiosink",
    as_json: Json = False,
) -> None:
    """Ask the memory."""
    from pipeline.app import asking
    from pipeline.app.answer_audio import AnswerAudio
    from pipeline.app.memory_directory import directory_to_read

    directory = directory_to_read(memory)
    audio = AnswerAudio(raw, play, mix, mix_order, facing or 0.0, speak, speak_to, sink)
    if (question is None) == (voice is None):
        raise CallerError('ask takes either a QUESTION in words or --voice FILE, such as: echoic ask "What did I miss?" --memory DIR')
    if question is None and voice is not None:
        from pipeline.app.voice import spoken_question

        question = spoken_question(voice, mic, directory, config)
    asking.ask(question or "", directory, config, at, session, as_json, audio, facing)


@app.command()
def attend(
    memory: Memory,
    azimuth: Annotated[float | None, typer.Option(metavar="DEG", help="You follow whoever is at this bearing.")] = None,
    speaker: Annotated[str | None, typer.Option(metavar="NAME", help="You follow somebody (id or name).")] = None,
    topic: Annotated[str | None, typer.Option(metavar="TEXT", help="You follow the conversation about something.")] = None,
    nothing: Annotated[bool, typer.Option("--nothing", help="You follow nothing.")] = False,
    away: Annotated[bool, typer.Option("--away", help="You are away: everything said then is missed.")] = False,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why you are away, such as 'on the phone'.")] = None,
    begin: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From then on; default: now.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Until then; default: until the next declaration.")] = None,
    session: Annotated[
        str | None, typer.Option(metavar="ID", help="In this session alone; +SECONDS count in it (default: the latest).")
    ] = None,
    schedule: Annotated[Path | None, typer.Option(metavar="FILE", help="Several at once: a YAML or JSON list of these.")] = None,
    clear: Annotated[str | None, typer.Option(metavar="ID", help="Take a declaration back.")] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List what was declared.")] = False,
    at: At = None,
    as_json: Json = False,
) -> None:
    """Say what you follow in the room, or when you were away, so that "What did I miss?" is answered by it."""
    from pipeline.app import attending

    entry = {"azimuth": azimuth, "speaker": speaker, "topic": topic, "nothing": nothing, "away": away, "reason": reason}
    entry |= {"from": begin, "to": end, "session": session}
    attending.attend(memory, attending.Wanted(entry, clear, schedule, list_all, at), as_json)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A transcript: .jsonl, .vtt or .srt.")],
    memory: Memory,
    config: Config = None,
    started_at: StartedAt = None,
) -> None:
    """Take a transcript in as a session."""
    from pipeline.app.transcripts import import_transcript

    import_transcript(file, memory, config, started_at)


@app.command()
def export(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")],
    memory: Memory,
    form: Annotated[str, typer.Option("--format", metavar="jsonl|vtt|rttm|tracks", help="The format.")] = "jsonl",
    copies: Annotated[bool, typer.Option("--copies", help="Also lines that leaked into another beam.")] = False,
    at: At = None,
) -> None:
    """Print a session's transcript, or where its tracks were."""
    from pipeline.app.transcripts import export_transcript

    export_transcript(session, memory, form, copies, at)


@app.command()
def reindex(memory: Memory, config: Config = None) -> None:
    """Encode a memory anew for the encoder of --config; when cut short, run it again."""
    from pipeline.app.reindexing import reindex as encode_anew

    encode_anew(memory, config)


@app.command()
def consolidate(memory: Memory, config: Config = None, as_json: Json = False) -> None:
    """Let a memory sleep: episodes, duplicates, topics, summaries, links. Ctrl-C ends it; given again, it goes on."""
    from pipeline.app.consolidating import consolidate as sleep_now

    sleep_now(memory, config, as_json)


@app.command()
def forget(
    memory: Memory,
    begin: Annotated[str | None, typer.Option("--from", metavar="TIME", help="What ends after this.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="What starts before this.")] = None,
    sector: Annotated[str | None, typer.Option(metavar="A..B", help="What came from these bearings, counterclockwise, as 350..10.")] = None,
    speaker: Annotated[str | None, typer.Option(metavar="NAME", help="What somebody said (id or name), and who they are.")] = None,
    session: Session = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Erase what fits everything given, for ever, from tables, indexes, audio and recordings, and prove it."""
    from pipeline.app import forgetting

    forgetting.forget(memory, forgetting.Asked(begin, end, sector, speaker, session), dry_run=dry_run, yes=yes, as_json=as_json)


@app.command()
def sessions(memory: Memory, at: At = None, as_json: Json = False) -> None:
    """List what was heard."""
    from pipeline.app import listing

    listing.print_sessions(memory, as_json, at)


@app.command()
def events(
    memory: Memory,
    session: Session = None,
    level: Annotated[str, typer.Option(metavar="event|episode|day", help="How coarse.")] = "event",
    begin: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Only what ends after this.")] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Only what starts before this.")] = None,
    about: Annotated[str | None, typer.Option(metavar="TEXT", help="Those nearest in meaning to a text, nearest first.")] = None,
    linked: Annotated[str | None, typer.Option(metavar="EVENT", help="Those linked to an event, most strongly linked first.")] = None,
    most: Annotated[int, typer.Option(metavar="N", help="How many, with --about or --linked.")] = 20,
    at: At = None,
    as_json: Json = False,
) -> None:
    """List the events, with the reason why each began."""
    from pipeline.app import listing

    listing.print_events(memory, session, level, begin, end, as_json, about, linked, most, at)


@app.command()
def tracks(memory: Memory, session: Session = None, at: At = None, as_json: Json = False) -> None:
    """List who was heard from where, and for how long."""
    from pipeline.app import listing

    listing.print_tracks(memory, session, as_json, at)


@sounds.callback()
def sounds_(
    context: typer.Context,
    memory: Annotated[Path | None, typer.Option("--memory", metavar="DIR", help="The memory's directory.")] = None,
    session: Session = None,
    at: At = None,
    as_json: Json = False,
) -> None:
    """List the sounds that are not speech: a door, a phone, laughter; and unknown ones that recur, in groups."""
    from pipeline.app import sounds

    if context.invoked_subcommand is None:
        sounds.print_sounds(memory, session, as_json, at)


@sounds.command()
def name(
    group: Annotated[str, typer.Argument(metavar="GROUP", help="The group, such as sound-1, or its name so far.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it shall be called, in the past and from now on.")],
    memory: Memory,
) -> None:
    """Name a sound that recurs and that no class fits."""
    from pipeline.app import sounds

    sounds.name_sound(group, name, memory)


@speakers.callback(invoke_without_command=True)
def speakers_(context: typer.Context, memory: MemoryOrLater = None, at: At = None, as_json: Json = False) -> None:
    """List the people of a memory, or put right who is who."""
    if context.invoked_subcommand is None:
        from pipeline.app.speakers import print_speakers

        if memory is None:
            raise CallerError("speakers needs --memory DIR")
        print_speakers(memory, as_json, at)


@speakers.command()
def rename(
    speaker: Annotated[str, typer.Argument(metavar="ID", help="The speaker, as `echoic speakers` lists them.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call them.")],
    memory: Memory,
    as_json: Json = False,
) -> None:
    """Give somebody a name, also in everything they said before."""
    from pipeline.app.speakers import rename_speaker

    rename_speaker(memory, speaker, name, as_json)


@speakers.command()
def merge(
    one: Annotated[str, typer.Argument(metavar="ID", help="Who is somebody else.")],
    into: Annotated[str, typer.Argument(metavar="INTO", help="Who they are.")],
    memory: Memory,
    as_json: Json = False,
) -> None:
    """Say that two speakers are one person."""
    from pipeline.app.speakers import merge_speakers

    merge_speakers(memory, one, into, as_json)


@speakers.command()
def split(
    speaker: Annotated[str, typer.Argument(metavar="ID", help="Who is two people.")],
    memory: Memory,
    lines: Annotated[str | None, typer.Option(metavar="LINE,...", help="The lines of the other one; none: told by voice.")] = None,
    as_json: Json = False,
) -> None:
    """Say that one speaker is two people."""
    from pipeline.app.speakers import split_speaker

    split_speaker(memory, speaker, lines, as_json)


@models.command("list")
def list_(config: Config = None, as_json: Json = False) -> None:
    """Show every weight file, and which are here."""
    from pipeline.app import model_files

    model_files.list_models(config, as_json)


@models.command()
def fetch(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Files or groups; none: what the config needs.")] = None,
    config: Config = None,
    everything: Annotated[bool, typer.Option("--all", help="Everything in the catalogue.")] = False,
) -> None:
    """Fetch and verify weights."""
    from pipeline.app import model_files

    model_files.fetch_models(names or [], config, everything)


@models.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help="Files or groups; none: all that are here.")] = None,
    config: Config = None,
) -> None:
    """Hash weights again."""
    from pipeline.app import model_files

    model_files.verify_models(names or [], config)


@app.command()
def check(config: Annotated[str, typer.Argument(metavar="CONFIG", help="The graph.")]) -> None:
    """Report every mistake in a graph."""
    from pipeline.app.checking import check_config

    check_config(config)


@app.command()
def stages(form: Annotated[str, typer.Option("--format", metavar="text|markdown|json", help="How to print it.")] = "text") -> None:
    """List every stage and resource with its ports and settings."""
    from pipeline.app.stage_table import print_stages

    print_stages(form)


@app.command()
def doctor(
    memory: Annotated[Path | None, typer.Option("--memory", metavar="DIR", help="Also examine this memory.")] = None,
    config: Config = None,
    as_json: Json = False,
) -> None:
    """Examine this machine, and a memory: its invariants and bounds. Exit 0 when it is whole."""
    from pipeline.app.doctor import examine

    examine(memory, config, as_json)


@app.command(hidden=True)
def demo(memory: Annotated[Path, typer.Option("--memory", metavar="DIR")] = Path("demo-memory")) -> None:
    """Replay the demo's room and ask it questions."""
    from pipeline.app.demo import run_demo

    run_demo(memory)
