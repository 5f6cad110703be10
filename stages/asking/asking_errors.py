"""What can be wrong with the settings of the stages that ask."""

from __future__ import annotations


class AskingError(ValueError):
    """A setting is out of its range; the message says what is allowed."""

    exit_code = 2
