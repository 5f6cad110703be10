"""Which questions cannot be served, and why: other languages, orders, nothing at all."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stages.recall.terms import STOP_WORDS, tokens
from stages.recall.word_lists import word_set

MOST_WORDS = 200
_LEAST_OWN = 2
_LEAST_WORDS = 3
_MOST_CHARACTERS = 20_000

_OTHER_LANGUAGES: dict[str, frozenset[str]] = {
    "German": word_set(
        """
    was wer wo wann wie warum welche welcher welches welchem wieviel wird werden gibt habe
    hat haben ich du er sie wir ihr der die das den dem ein eine einen einer und oder nicht
    über ist sind war waren während mit für auf von zu im am gesagt gesprochen verpasst hund hunde gespräch jemand worüber
    """
    ),
    "French": word_set(
        """
    que qui quoi où quand comment pourquoi combien quel quelle quels quelles
    est-ce ai as avons avez ont je tu il elle nous vous ils elles le la les un une
    des du de et ou pas sur est sont était pendant avec pour dans ce cette qu'est manqué parlé dit quelqu'un j'ai qu'ai
    """
    ),
    "Spanish": word_set(
        """
    qué que cuánto cuánta cuántos cuántas cuál
    quién quien dónde donde cuándo cuando cómo por he ha han yo tú él ella nosotros ellos el la los las un una y o
    no sobre es son era mientras con para en del de me perdí dijeron dijo habló alguien
    """
    ),
    "Italian": word_set(
        """
    che chi cosa quale quali quanto quanta quanti quante
    dove quando come perché ho ha hanno io tu lui lei noi loro il lo la gli le un una e o non su sul è sono era
    mentre con per nel della di mi perso detto parlato qualcuno
    """
    ),
    "Portuguese": word_set(
        """
    o que qual quanto quanta quantos quantas foi
    quem onde quando como porque eu tu ele ela nós eles os as um uma e ou não sobre é são era enquanto com para no na
    do da de perdi disse disseram falou alguém
    """
    ),
    "Dutch": word_set(
        """
    wat hoeveel welke
    wie waar wanneer hoe waarom heb heeft hebben ik jij hij zij wij het de een en of niet over is zijn was terwijl met
    voor op van gemist gezegd iemand
    """
    ),
}
_ENGLISH = STOP_WORDS | word_set(
    """
    did talk say said about miss missed conversation anybody while did happen mention heard following listening
    """
)
# "In quale punto", "wat is hier", "chi ospita i lettori": these words alone make no English.
_ENGLISH_ALONE = _ENGLISH.difference(*_OTHER_LANGUAGES.values(), ["i", "a", "an", "in", "so", "me"])
_SPANISH_MARKS = re.compile(r"[\u00bf\u00a1]")
_ORDERS = re.compile(
    r"^(?:please\s+|can you\s+|could you\s+|echoic[, ]+)*(?:delete|forget|erase|remove|send|call|email|write|translate"
    r"|remind|turn|switch|set|open|close|record|stop|start|"
    r"buy|order|book|play|sing|draw|calculate|compute|ignore|install|run|show me a picture|make)\b",
    re.I,
)
CAN_SERVE = (
    'Echoic answers questions in English about what was said in the room: "What did I miss while I was following X?", '
    '"When and where did somebody talk about X?", '
    '"Who said ...?", "What did speaker-2 say about X?", "Did anybody mention X?", "Catch me up on the last five minutes"'
)


def refusal(text: str) -> str | None:
    """Why a question cannot be served, in words for the asker; None for one that can."""
    if len(text) > _MOST_CHARACTERS:
        # Counted without reading them, so that a book is refused at once.
        return f"The question has {text.count(' ') + 1} words; at most {MOST_WORDS} are read. {CAN_SERVE}."
    words = tokens(text)
    if not words:
        return f"The question is empty. {CAN_SERVE}."
    if len(words) > MOST_WORDS:
        return f"The question has {len(words)} words; at most {MOST_WORDS} are read. {CAN_SERVE}."
    language = other_language(text)
    if language is not None:
        return f"The question seems to be in {language}. {CAN_SERVE}."
    if is_order(text):
        return f"This asks Echoic to do something, and it can only answer. {CAN_SERVE}."
    return None


def is_order(text: str) -> bool:
    """Whether a text begins like something that is to be done, rather than answered."""
    return _ORDERS.match(text) is not None


def other_language(text: str) -> str | None:
    """The language of a text that is not English, as far as its function words and letters tell; None for English."""
    letters = [letter for letter in text if letter.isalpha()]
    foreign = sum(ord(letter) > 0x24F for letter in letters)
    if letters and foreign > 0.3 * len(letters):
        return "another language than English"
    best, n_own, n_english = _function_words(tokens(text))
    return best if n_own >= _LEAST_OWN and n_own > n_english else None


def may_be_foreign(text: str) -> bool:
    """Whether a text may be in another language than English: not surely enough to refuse it, but enough to have a model look."""
    words = tokens(text)
    _, n_own, n_english = _function_words(words)
    # "Is David in Lisbon?" has small words that others have too, and none of theirs alone.
    is_without = len(words) >= _LEAST_WORDS and _ENGLISH_ALONE.isdisjoint(words) and (n_own > 0 or n_english == 0)
    return is_without or n_own >= max(_LEAST_OWN, n_english) or _SPANISH_MARKS.search(text) is not None or other_language(text) is not None


def _function_words(words: Sequence[str]) -> tuple[str, int, int]:
    """The other language that has most function words among some words, how many that are no English ones, and how many English ones."""
    counts = {name: sum(word in listed and word not in _ENGLISH for word in words) for name, listed in _OTHER_LANGUAGES.items()}
    best = max(counts, key=lambda name: counts[name])
    return best, counts[best], sum(word in _ENGLISH for word in words)
