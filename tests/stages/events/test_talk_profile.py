from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from stages.events.surprise_segmenter import SurpriseSettings, settings_for
from stages.events.talk_profile import TalkKind, TalkProfileError, parse_profile, talk_profile
from stages.events.topic_signals import SIGNALS

TOLD = {
    "n_near": 2,
    "n_past": 6,
    "n_around": 3,
    "n_moves": 1,
    "min_lines": 3,
    "max_lines": 128,
    "max_s": 300.0,
    "gamma": 1.0,
    "n_prior": 10,
    "modularity_nats": 3.0,
    "usual_nats": -2.0,
    "deviation_nats": 1.0,
    "offset_nats": -2.0,
    "signals": {name: [0.5, 0.5, 0.1 * place] for place, name in enumerate(SIGNALS)},
}


@pytest.mark.parametrize("kind", get_args(TalkKind))
def test_every_kind_of_talk_has_a_profile_with_settings_that_hold(kind: TalkKind) -> None:
    profile, settings = talk_profile(kind), settings_for(kind)
    assert profile.weights.shape == profile.means.shape == profile.deviations.shape == (len(SIGNALS),)
    assert settings.talk == kind
    assert settings.n_around == profile.n_around > settings.n_moves
    # Where everything is as usual, a new topic is unlikely.
    assert profile.log_odds(profile.means) == pytest.approx(profile.offset_nats)
    assert profile.offset_nats < -1.0


def test_the_defaults_are_those_of_conversations() -> None:
    assert settings_for("conversation") == SurpriseSettings()


def test_signals_add_up_by_their_deviations_and_are_clipped() -> None:
    profile = parse_profile({"made": TOLD}, "made")
    signals = profile.means.copy()
    signals[3] += 1.0
    assert profile.log_odds(signals) == pytest.approx(-2.0 + 2.0 * 0.3)
    signals[3] += 1e6
    assert profile.log_odds(signals) == pytest.approx(-2.0 + 6.0 * 0.3)
    with pytest.raises(ValueError, match="read-only"):
        profile.weights[0] = 1.0


def test_a_profile_that_is_not_one_is_refused_with_what_is_wrong() -> None:
    with pytest.raises(TalkProfileError, match="no kind of talk 'quarrel'; allowed are conversation, chat, meeting"):
        parse_profile({"made": TOLD}, "quarrel")
    with pytest.raises(TalkProfileError, match="made lacks or misstates 'gamma'"):
        parse_profile({"made": {name: value for name, value in TOLD.items() if name != "gamma"}}, "made")
    with pytest.raises(TalkProfileError, match="made lacks or misstates 'kernel'"):
        parse_profile({"made": {**TOLD, "signals": {}}}, "made")
    with pytest.raises(TalkProfileError, match="deviation above 0"):
        parse_profile({"made": {**TOLD, "signals": {name: [0.0, 0.0, 1.0] for name in SIGNALS}}}, "made")
    with pytest.raises(TalkProfileError, match="deviation above 0"):
        parse_profile({"made": {**TOLD, "signals": {name: [np.nan, 1.0, 1.0] for name in SIGNALS}}}, "made")
