"""The languages that Whisper base can write."""

from __future__ import annotations

_CODES = """
af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id is it ja jw ka kk km kn
ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw ta te tg th tk tl tr
tt uk ur uz vi yi yo zh
"""

LANGUAGES = frozenset(_CODES.split())
"""Codes, ISO 639 as a rule. Not all that the libraries know: Cantonese came with a later Whisper, and base has no token for it."""
