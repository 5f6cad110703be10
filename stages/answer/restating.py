"""What a language model is asked to make of a question that is not put plainly, and how its reply is read."""

from __future__ import annotations

import re

_MOST_WORDS = 40
_SYSTEM = (
    "You put a question about recorded conversations into plain English, as one short question. Keep every name, number, time, "
    "bearing and thing that it asks about, in the same words where it is English. Keep words like she, it and that. Leave out "
    "greetings, excuses and whatever the question does not need. Add nothing, and do not answer it. Follow one of these patterns where "
    "one fits:\n"
    "What did I miss while I was following the conversation about X?\n"
    "What did I miss while I was listening to NAME?\n"
    "What did I miss while I was listening to the people at N degrees?\n"
    "What did I miss in the last N minutes?\n"
    "What was said between TIME and TIME?\n"
    "Give me a summary of what was said.\n"
    "Who talked about X, and where in the room?\n"
    "What did NAME say about X?\n"
    "When did NAME say that ...?\n"
    "Did anybody mention X?\n"
    "How many times did somebody mention X?\n"
    "What came first, X or Y?\n"
    "Any other question for a fact, such as: How much does X cost?\n"
    "Reply with the question alone."
)
_EXAMPLES = (
    (
        "sorry, I was completely lost there, somebody was on about a boiler or so I think, can you tell me who that was and where they sat",
        "Who talked about the boiler, and where in the room?",
    ),
    ("¿Cuándo dijo Anna que llega el tren?", "When did Anna say that the train arrives?"),
    (
        "Right, so I was chatting with speaker-4 the whole time and I bet I missed half of it. Anything I should know?",
        "What did I miss while I was listening to speaker-4?",
    ),
    ("Wie viel kostet der neue Zaun?", "How much does the new fence cost?"),
)
_LABEL = re.compile(r"^(?:plain |the )?(?:question|english|output|answer)\s*:\s*", re.I)


def question_to_restate(question: str) -> list[dict[str, str]]:
    """A chat that asks for a question in plain words. All but the last message is always the same, so that a server can keep it."""
    chat = [{"role": "system", "content": _SYSTEM}]
    for said, plain in (*_EXAMPLES, (question, "")):
        chat.append({"role": "user", "content": said})
        chat.append({"role": "assistant", "content": plain})
    return chat[:-1]


def plain_question(reply: str) -> str | None:
    """The question of a reply; None where its first line is none, or is too long to be plain."""
    first = next((line.strip() for line in reply.splitlines() if line.strip()), "")
    bare = " ".join(_LABEL.sub("", first).strip("\"'` *").split())
    if not bare or len(bare.split()) > _MOST_WORDS:
        return None
    # "How much is it? The price is ...": what follows the question is an answer, which nobody asked a model for.
    question, mark, _ = bare.partition("?")
    return f"{question}{mark}" if question.strip() else None
