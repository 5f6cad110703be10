"""The state of short-term memory as bytes, for a session that is taken up again after a crash."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from stages.memory.short_term_store.short_term import STATE_BYTES, TRACE_BYTES, ShortTermError, Trace

_HEAD = struct.Struct("<8sQ")
_TRACE = struct.Struct("<dqqqIIq")
_MARK = b"traces-1"
_NAME = struct.Struct("<H")


def encoded(traces: Sequence[Trace]) -> bytes:
    """Traces as bytes: exactly `ShortTermStore.used_bytes()` of them."""
    parts = [_HEAD.pack(_MARK, len(traces))]
    for trace in traces:
        where = trace.lines.index(trace.key)
        parts.append(_TRACE.pack(trace.uses, trace.life, trace.start_ns, trace.end_ns, len(trace.vector), len(trace.lines), where))
        parts.append(trace.vector.astype("<f4").tobytes())
        for line in trace.lines:
            name = line.encode()
            parts += [_NAME.pack(len(name)), name]
    return b"".join(parts)


def decoded(state: bytes) -> list[Trace]:
    """What `encoded` made, bit for bit. Raises ShortTermError for bytes that it did not make."""
    try:
        mark, n_traces = _HEAD.unpack_from(state)
        if mark != _MARK:
            raise ShortTermError(f"short-term memory: the stored state begins with {mark!r} and not with {_MARK!r}")
        at, traces = STATE_BYTES, []
        for _ in range(n_traces):
            uses, life, start_ns, end_ns, dimension, n_lines, where = _TRACE.unpack_from(state, at)
            vector = np.frombuffer(state, dtype="<f4", count=dimension, offset=at + TRACE_BYTES).astype(np.float32)
            at += TRACE_BYTES + 4 * dimension
            lines = []
            for _ in range(n_lines):
                (length,) = _NAME.unpack_from(state, at)
                lines.append(state[at + 2 : at + 2 + length].decode())
                at += 2 + length
            traces.append(Trace(lines[where], vector, uses, life, tuple(lines), start_ns, end_ns))
    except (struct.error, ValueError, IndexError) as error:
        raise ShortTermError(f"short-term memory: the stored state of {len(state)} bytes is damaged: {error}") from error
    if at != len(state):
        raise ShortTermError(f"short-term memory: the stored state has {len(state)} bytes, but its traces take {at}")
    return traces
