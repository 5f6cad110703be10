"""Server-sent events (the WHATWG's text/event-stream) as an LLM server sends them: the data of each event, within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class EventStreamError(ValueError):
    """A stream that is no stream of events, or that does not end; the message says which."""


def event_data(chunks: Iterable[str], most_characters: int) -> Iterator[str]:
    """The data of each event of a stream that comes in pieces cut anywhere. Comments, names and ids of events are passed over.

    Raises EventStreamError for a line that belongs to no event stream, and after `most_characters`: some servers never end.
    """
    rest, data, n_read = "", [], 0
    for chunk in chunks:
        *lines, rest = (rest + chunk).replace("\r\n", "\n").split("\n")
        for line in lines:
            field, colon, value = line.partition(":")
            if line and (not colon or field not in {"", "data", "event", "id", "retry"}):
                raise EventStreamError(f"a line that is no event: {line[:80]!r}")
            if field == "data":
                data.append(value.removeprefix(" "))
            elif not line and data:
                yield "\n".join(data)
                data = []
        n_read += len(chunk)
        if n_read > most_characters:
            raise EventStreamError(f"more than {most_characters} characters and no end")
    if rest.startswith("data:"):
        data.append(rest.removeprefix("data:").removeprefix(" "))
    if data:
        yield "\n".join(data)
