import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.packets import NS_PER_S, AudioBlock, Gap, Packet, PacketError, SpeechBlock, nanoseconds, seconds
from pipeline.stage import DefinitionError, Emit, In, Out, Resource, Source, Stage
from pipeline.testing import FakeClock, audio_blocks, line_array, merged, noise, one_microphone, run_stage, tone
from tests.pipeline.sample_stages import Counter, Number, Sparse


def test_ports_come_from_class_attributes_and_bases() -> None:
    class More(Sparse):
        """With another output."""

        extra = Out(Number)

    assert list(More.inputs) == ["number"]
    assert list(More.outputs) == ["numbers", "extra"]
    assert More().extra(Number(pts_ns=0, duration_ns=1, value=1)) == Emit("extra", Number(pts_ns=0, duration_ns=1, value=1))


def test_a_class_without_its_handler_is_refused() -> None:
    with pytest.raises(DefinitionError, match="input 'audio' needs exactly one of on_audio and batch_audio"):

        class Silent(Stage):
            """No handler."""

            audio = In(AudioBlock)


def test_a_handler_for_another_packet_is_refused() -> None:
    with pytest.raises(DefinitionError, match="on_audio takes Gap, but input 'audio' carries AudioBlock"):

        class Wrong(Stage):
            """Another type."""

            audio = In(AudioBlock)

            def on_audio(self, block: Gap) -> Iterator[Emit[Any]]:  # noqa: ARG002 - what is tested is its type
                yield from ()


def test_settings_need_types_and_names() -> None:
    with pytest.raises(DefinitionError, match=r"setting 'level' of __init__ needs a type"):

        class Untyped(Stage):
            """No type."""

            def __init__(self, level=1) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001 - what is tested
                self.level = level

    with pytest.raises(DefinitionError, match=r"__init__ may not take \*settings"):

        class Open(Stage):
            """Anything goes."""

            def __init__(self, **settings: int) -> None:
                self.settings = settings


def test_packets_are_frozen_and_their_arrays_read_only() -> None:
    block = audio_blocks(noise(0.1)[None, :], one_microphone())[0]
    with pytest.raises(ValueError, match="read-only"):
        block.samples[0, 0] = 1.0
    with pytest.raises(AttributeError):
        block.pts_ns = 3  # type: ignore[misc] # what may not be done
    with pytest.raises(PacketError, match="Packet: pts_ns and duration_ns must be at least 0, found -1 and 0"):
        Packet(pts_ns=-1, duration_ns=0)
    assert block.end_ns == block.duration_ns == 512 * NS_PER_S // 16000
    assert nanoseconds(seconds(1_234_567_890)) == 1_234_567_890


def test_run_stage_feeds_in_the_order_of_the_ends_and_flushes() -> None:
    numbers = [Number(pts_ns=10 * i, duration_ns=10, value=i) for i in range(8)]
    out = run_stage(Sparse(every=2, hold=4), {"number": numbers})
    assert [packet.value for packet in out["numbers"] if isinstance(packet, Number)] == [0, 2, 4, 6]
    assert [packet.end_ns for packet in run_stage(Counter(n=3))["numbers"]] == [10, 20, 30]
    order = merged({"b": numbers[:2], "a": [numbers[1]]})
    assert [(port, packet.end_ns) for port, packet in order] == [("b", 10), ("a", 20), ("b", 20)]


def test_blocks_tile_time_without_gaps() -> None:
    blocks = audio_blocks(noise(1.0, 44100)[None, :], line_array(1), sample_rate_hz=44100, block_frames=441, start_ns=7)
    assert blocks[0].pts_ns == 7
    assert all(a.end_ns == b.pts_ns for a, b in itertools.pairwise(blocks))
    assert blocks[-1].end_ns == 7 + NS_PER_S
    assert tone(440.0, 0.5).shape == (8000,)


def test_base_classes_do_nothing_by_default() -> None:
    stage = Sparse()
    assert list(stage.on_gap(Gap(pts_ns=0, duration_ns=1, reason="dropped"))) == []
    assert stage.promise(50) == 50
    assert Sparse(hold=3).promise(50) == 20
    assert stage.memory_bytes() == Resource().memory_bytes() == 0
    assert Source.__abstractmethods__ == {"packets"}
    assert SpeechBlock.__dataclass_params__.frozen  # type: ignore[attr-defined] # of every dataclass, unknown to typeshed
    clock = FakeClock(5)
    clock.advance(10)
    assert clock() == 15
