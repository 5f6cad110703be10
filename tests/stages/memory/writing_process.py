"""A process that writes to a memory until it is killed, and says what has been committed.

python -m tests.stages.memory.writing_process DIRECTORY FIRST
"""

from __future__ import annotations

import sys

from pipeline.packets import NS_PER_S
from stages.memory.long_term_memory import LongTermMemory
from tests.stages.memory.made import ENCODER, event, line, session_row


def main(directory: str, first: int) -> None:
    memory = LongTermMemory(ENCODER, directory)
    memory.start()
    memory.begin_session(session_row())
    print("ready", flush=True)
    for number in range(first, first + 100_000):
        said = line(f"line number {number} about dogs and ferries", number, 0.9, track=f"t{number % 3}", audio_s=0.5)
        if number % 5 == 4:
            # An event may reach the memory before its last line does.
            parts = [line(f"x {past}", past, 0.9, track=f"t{past % 3}") for past in range(number - 3, number + 1)]
            memory.add_event("s1", event(f"event-{number}", parts))
        memory.add_lines("s1", [said], (number + 1) * NS_PER_S)
        print(number, flush=True)
        if number % 7 == 0:
            memory.search_dense(said.embedding, 3)
            memory.check()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
