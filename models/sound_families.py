"""Which of AudioSet's classes name the same sound: one ringing phone scores as Alarm, Telephone and Ringtone at once.

The classes stand in the order of the AudioSet ontology (Gemmeke et al. 2017), so most families are stretches of it. In a family the general
names come last: they are the label only where no closer one fits.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

SPEECH = (
    *("Speech", "Child speech, kid speaking", "Conversation", "Narration, monologue", "Babbling", "Speech synthesizer", "Shout"),
    *("Whispering", "Chatter", "Hubbub, speech noise, speech babble", "Crowd"),
)
"""Talking, in the names of the classes."""

IGNORED = (
    *SPEECH,
    *("Bellow", "Whoop", "Yell", "Children shouting", "Sigh", "Groan", "Grunt", "Wheeze", "Gasp", "Pant", "Breathing", "Humming", "Mantra"),
    *("Chant", "Heart sounds, heartbeat", "Heart murmur", "Stomach rumble", "Biting", "Hands", "Throbbing", "Vibration", "Pulse"),
    *("Silence", "Inside, small room", "Inside, large room or hall", "Inside, public space", "Outside, urban or manmade"),
    *("Outside, rural or natural", "Reverberation", "Echo", "Noise", "Environmental noise", "Static", "Mains hum", "Hum", "Distortion"),
    *("Sidetone", "Cacophony", "White noise", "Pink noise", "Television", "Radio", "Field recording", "Sound effect", "Effects unit"),
    *(
        "Animal",
        "Domestic animals, pets",
        "Livestock, farm animals, working animals",
        "Wild animals",
        "Rodents, rats, mice",
        "Mouse",
        "Patter",
    ),
    *("Wood", "Chorus effect", "Harmonic", "Mechanisms", "Mechanical fan", "Air conditioning", "Wind", "Wind noise (microphone)", "Rumble"),
)
"""What is no event: talking, which has its own place, breath, rooms, noise that never ends, and names too general to tell anything."""

_Stretch = tuple[str, str]

_FAMILIES: tuple[tuple[tuple[str, ...], tuple[_Stretch, ...]], ...] = (
    # general names, stretches of the class map from one name to another
    (("Laughter",), (("Laughter", "Chuckle, chortle"),)),
    (("Crying, sobbing",), (("Crying, sobbing", "Wail, moan"),)),
    (("Singing",), (("Singing", "Rapping"),)),
    ((), (("Cough", "Throat clearing"),)),
    (("Applause", "Clapping"), (("Clapping", "Clapping"), ("Cheering", "Applause"))),
    (("Dog", "Canidae, dogs, wolves"), (("Dog", "Whimper (dog)"), ("Canidae, dogs, wolves", "Canidae, dogs, wolves"))),
    (("Cat",), (("Cat", "Caterwaul"),)),
    (("Bird", "Fowl"), (("Fowl", "Honk"), ("Bird", "Bird flight, flapping wings"))),
    (("Insect",), (("Insect", "Bee, wasp, etc."),)),
    (("Music", "Musical instrument"), (("Music", "Harp"), ("Harmonica", "Scary music"))),
    (("Bell",), (("Bell", "Change ringing (campanology)"), ("Ping", "Clang"))),
    (("Water", "Liquid"), (("Water", "Gurgling"), ("Water tap, faucet", "Bathtub (filling or washing)"), ("Liquid", "Boiling"))),
    (("Vehicle", "Motor vehicle (road)"), (("Vehicle", "Skateboard"), ("Engine", "Accelerating, revving, vroom"))),
    ((), (("Doorbell", "Ding-dong"),)),
    (("Door", "Tap"), (("Door", "Door"), ("Sliding door", "Tap"))),
    (("Dishes, pots, and pans",), (("Cupboard open or close", "Cutlery, silverware"), ("Chink, clink", "Chink, clink"))),
    (("Typing",), (("Typing", "Computer keyboard"),)),
    (("Telephone", "Alarm", "Beep, bleep", "Sine wave"), (("Alarm", "Foghorn"),)),
    (("Clock",), (("Clock", "Tick-tock"),)),
    (("Tools", "Power tool"), (("Tools", "Drill"),)),
    (("Explosion", "Boom"), (("Explosion", "Boom"),)),
    (("Glass",), (("Glass", "Glass"), ("Shatter", "Shatter"))),
    (("Bang", "Thunk", "Thump, thud"), (("Thump, thud", "Thunk"), ("Bang", "Smash, crash"))),
)


class SoundFamilyError(ValueError):
    """A name that is no class."""


class SoundFamilies:
    """The classes by family.

    `family` is int, one entry a class: the number of its family, -1 where the class is left out. `general` says of each class how
    general its name is, 0 for a closer one.
    """

    def __init__(self, names: Sequence[str], ignore: Collection[str] = IGNORED) -> None:
        """Raises SoundFamilyError when `ignore` holds a name that is no class."""
        self.names = tuple(names)
        place = {name: index for index, name in enumerate(names)}
        for name in ignore:
            if name not in place:
                near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
                hint = f"did you mean {' or '.join(repr(found) for found in near)}?" if near else "the class map of YAMNet lists them"
                raise SoundFamilyError(f"{name!r} is no class of sounds; {hint}")
        self.family = list(range(len(names)))
        self.general = [0] * len(names)
        for heads, stretches in _FAMILIES:
            members = {index for first, last in stretches for index in range(place[first], place[last] + 1)}
            members |= {place[head] for head in heads}
            for index in members:
                self.family[index] = min(members)
            for rank, head in enumerate(heads):
                self.general[place[head]] = rank + 1
        for name in ignore:
            self.family[place[name]] = -1
        self.speech = [place[name] for name in SPEECH]
