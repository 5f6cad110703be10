from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from models.bearing_peak import Peak, angle_between_deg
from models.bearing_tracks import BearingTracks, Candidate, Change, TrackerError

BLOCK_NS = 32_000_000
Story = list[tuple[int, Change]]


def _run(tracks: BearingTracks, duration_s: float, *heard: tuple[float, float]) -> Story:
    """The same bearings (azimuth, share), strongest first, for a while; what changed in which block."""
    story: Story = []
    for _ in range(round(duration_s * 1e9 / BLOCK_NS)):
        peaks = [Peak(azimuth, None, share) for azimuth, share in heard]
        story += [(tracks.now_ns, change) for change in tracks.step(tracks.now_ns + BLOCK_NS, BLOCK_NS, peaks)]
    return story


def _kinds(story: Story) -> list[tuple[str, str]]:
    return [(change.kind, change.name) for _, change in story]


def test_a_talker_becomes_a_track_within_a_fifth_of_a_second() -> None:
    tracks = BearingTracks()
    story = _run(tracks, 1.0, (80.0, 0.2))
    assert _kinds(story) == [("born", "t1")]
    assert story[0][0] <= 0.2e9
    assert tracks.tracks[0].azimuth_deg == pytest.approx(80.0)


def test_a_click_does_not() -> None:
    tracks = BearingTracks()
    assert _run(tracks, 0.06, (80.0, 0.3)) == []
    assert _run(tracks, 20.0) == []
    assert tracks.candidates == []


def test_a_reflection_does_not_since_it_never_leads() -> None:
    tracks = BearingTracks()
    assert _kinds(_run(tracks, 30.0, (80.0, 0.3), (200.0, 0.2))) == [("born", "t1")]


def test_two_who_take_turns_in_leading_both_become_tracks() -> None:
    tracks = BearingTracks()
    story: Story = []
    for _ in range(8):
        story += _run(tracks, 0.1, (80.0, 0.3), (200.0, 0.2)) + _run(tracks, 0.1, (200.0, 0.3), (80.0, 0.2))
    assert _kinds(story) == [("born", "t1"), ("born", "t2")]


def test_silence_puts_to_sleep_and_the_same_place_wakes_under_the_same_name() -> None:
    tracks = BearingTracks(sleep_after_s=1.0)
    _run(tracks, 2.0, (80.0, 0.2))
    assert _kinds(_run(tracks, 30.0)) == [("slept", "t1")]
    assert not tracks.tracks[0].active
    story = _run(tracks, 1.0, (92.0, 0.2))
    assert _kinds(story) == [("woke", "t1")]
    assert tracks.tracks[0].azimuth_deg == pytest.approx(92.0, abs=1.0)


def test_a_stray_bearing_does_not_wake() -> None:
    tracks = BearingTracks()
    _run(tracks, 1.0, (80.0, 0.2))
    _run(tracks, 5.0)
    assert _run(tracks, BLOCK_NS / 1e9, (80.0, 0.2)) == []


def test_a_walk_is_followed_under_one_name() -> None:
    tracks = BearingTracks()
    story: Story = []
    for step in range(200):
        story += _run(tracks, BLOCK_NS / 1e9, (300.0 + step * 0.64, 0.2))
    assert _kinds(story) == [("born", "t1")]
    assert angle_between_deg(tracks.tracks[0].azimuth_deg, 300.0 + 199 * 0.64) < 6.0


def test_a_track_stands_still_between_noisy_bearings() -> None:
    tracks = BearingTracks()
    for step in range(400):
        _run(tracks, BLOCK_NS / 1e9, (0.0 + (4.0 if step % 2 else -4.0), 0.2))
    assert angle_between_deg(tracks.tracks[0].azimuth_deg, 0.0) < 2.0


def test_on_a_line_0_and_180_are_far_apart() -> None:
    tracks = BearingTracks(circular=False)
    story: Story = []
    for _ in range(5):
        story += _run(tracks, 0.2, (178.0, 0.3), (2.0, 0.2)) + _run(tracks, 0.2, (2.0, 0.3), (178.0, 0.2))
    assert _kinds(story) == [("born", "t1"), ("born", "t2")]


def test_seeds_sleep_keep_their_names_and_new_names_go_on() -> None:
    tracks = BearingTracks()
    tracks.seed("t3", 40.0)
    tracks.seed("t1", 200.0)
    assert [(track.name, track.active) for track in tracks.tracks] == [("t3", False), ("t1", False)]
    assert _kinds(_run(tracks, 0.5, (205.0, 0.2))) == [("woke", "t1")]
    assert _kinds(_run(tracks, 0.5, (120.0, 0.2))) == [("born", "t4")]
    with pytest.raises(TrackerError, match="there is a track 't3' already; names of tracks are unique"):
        tracks.seed("t3", 300.0)


def test_the_longest_asleep_makes_room() -> None:
    tracks = BearingTracks(n_most=2)
    for azimuth_deg in (0.0, 100.0):
        _run(tracks, 1.0, (azimuth_deg, 0.2))
    _run(tracks, 2.0)
    assert _kinds(_run(tracks, 1.0, (200.0, 0.2))) == [("forgotten", "t1"), ("born", "t3")]
    assert [track.name for track in tracks.tracks] == ["t2", "t3"]


def test_where_all_are_awake_nobody_is_forgotten() -> None:
    tracks = BearingTracks(n_most=1)
    _run(tracks, 1.0, (0.0, 0.2))
    assert _run(tracks, 0.9, (200.0, 0.3), (0.0, 0.2)) == []


def test_elevation_follows() -> None:
    tracks = BearingTracks()
    for _ in range(60):
        tracks.step(tracks.now_ns + BLOCK_NS, BLOCK_NS, [Peak(10.0, 25.0, 0.2)])
    assert tracks.tracks[0].elevation_deg == pytest.approx(25.0)


def _walk(tracks: BearingTracks, duration_s: float, *walkers: tuple[float, float]) -> Story:
    """Walkers (azimuth at the start, degrees per second), all heard all the time; nearer than 20 degrees they are one bearing."""
    story: Story = []
    for step in range(round(duration_s * 1e9 / BLOCK_NS)):
        at = [(start + rate * step * BLOCK_NS / 1e9) % 360.0 for start, rate in walkers]
        heard = [place for number, place in enumerate(at) if all(angle_between_deg(place, other) >= 20.0 for other in at[:number])]
        # Who is louder changes from syllable to syllable.
        louder = step // 6 % len(at)
        if len(heard) < len(at):
            heard = [at[louder]]
        peaks = [Peak(place, None, 0.25) for place in heard]
        story += [(tracks.now_ns, change) for change in tracks.step(tracks.now_ns + BLOCK_NS, BLOCK_NS, peaks)]
    return story


def test_a_brisk_walk_is_one_track_without_lag() -> None:
    tracks = BearingTracks()
    assert _kinds(_walk(tracks, 8.0, (300.0, 30.0))) == [("born", "t1")]
    assert angle_between_deg(tracks.tracks[0].azimuth_deg, 300.0 + 8.0 * 30.0) < 3.0


def test_two_who_cross_keep_their_names() -> None:
    tracks = BearingTracks()
    assert _kinds(_walk(tracks, 6.0, (30.0, 15.0), (120.0, -15.0))) == [("born", "t1"), ("born", "t2")]
    assert angle_between_deg(tracks.tracks[0].azimuth_deg, 120.0) < 5.0
    assert angle_between_deg(tracks.tracks[1].azimuth_deg, 30.0) < 5.0


def test_who_walks_past_somebody_leaves_them_where_they_are() -> None:
    tracks = BearingTracks()
    assert _kinds(_walk(tracks, 6.0, (30.0, 20.0), (90.0, 0.0))) == [("born", "t1"), ("born", "t2")]
    assert angle_between_deg(tracks.tracks[0].azimuth_deg, 150.0) < 5.0
    assert angle_between_deg(tracks.tracks[1].azimuth_deg, 90.0) < 4.0


def test_who_walks_on_in_silence_is_found_further_along_the_way() -> None:
    tracks = BearingTracks()
    _walk(tracks, 2.0, (30.0, 20.0))
    assert _kinds(_run(tracks, 2.0)) == [("slept", "t1")]
    assert _kinds(_walk(tracks, 1.0, (110.0, 20.0))) == [("woke", "t1")]
    assert angle_between_deg(tracks.tracks[0].azimuth_deg, 130.0) < 5.0


def test_who_stood_still_is_not_looked_for_elsewhere() -> None:
    tracks = BearingTracks()
    _run(tracks, 2.0, (70.0, 0.2))
    _run(tracks, 2.0)
    assert _kinds(_run(tracks, 1.0, (110.0, 0.2))) == [("born", "t2")]


def test_bearings_are_shared_out_together() -> None:
    tracks = BearingTracks()
    for azimuth_deg in (40.0, 64.0):
        _run(tracks, 1.0, (azimuth_deg, 0.2))
    # 51 is nearer to t1, but then 45 would belong to nobody: each is heard on its own side.
    _run(tracks, 0.5, (51.0, 0.3), (45.0, 0.2))
    assert [track.own_ns for track in tracks.tracks] == [tracks.now_ns] * 2


def test_two_tracks_of_one_source_become_one() -> None:
    tracks = BearingTracks(together_s=2.0)
    _run(tracks, 1.0, (40.0, 0.2))
    _run(tracks, 1.0, (62.0, 0.3), (40.0, 0.2))
    story: Story = []
    for step in range(120):
        story += _run(tracks, BLOCK_NS / 1e9, (max(46.0, 62.0 - 0.4 * step), 0.3))
    assert _kinds(story)[-2:] == [("slept", "t2"), ("forgotten", "t2")]
    assert [track.name for track in tracks.tracks] == ["t1"]


def test_what_is_refused_is_asked_about_again_but_ever_less_often() -> None:
    asked: list[int] = []

    def accept(_: Candidate) -> bool:
        asked.append(tracks.now_ns)
        return False

    tracks = BearingTracks(accept=accept)
    assert _run(tracks, 20.0, (80.0, 0.3)) == []
    assert 15 < len(asked) < 40
    assert asked[1] - asked[0] < 0.2e9
    assert asked[-1] - asked[-2] > 0.9e9
    tracks = BearingTracks(accept=lambda _: True)
    assert _kinds(_run(tracks, 1.0, (80.0, 0.3))) == [("born", "t1")]


def test_weak_tails_do_not_lead() -> None:
    tracks = BearingTracks()
    assert _kinds(_run(tracks, 5.0, (80.0, 0.08))) == []


def test_a_long_session_of_many_guests_is_bounded() -> None:
    tracks = BearingTracks(n_most=4)
    for guest in range(40):
        _run(tracks, 0.5, ((guest * 67.0) % 360.0, 0.3))
        _run(tracks, 1.5)
        assert len(tracks.tracks) <= 4
    assert len(tracks.candidates) <= 20


def test_an_hour_of_silence_leaves_everything_as_it_was() -> None:
    tracks = BearingTracks()
    _run(tracks, 1.0, (80.0, 0.3))
    _run(tracks, 3600.0)
    assert [(track.name, track.active) for track in tracks.tracks] == [("t1", False)]
    assert tracks.tracks[0].azimuth_deg == pytest.approx(80.0, abs=0.5)
    assert _kinds(_run(tracks, 0.5, (84.0, 0.3))) == [("woke", "t1")]


def test_near_its_ends_a_line_takes_a_wide_stretch_as_one_place() -> None:
    for azimuth_deg, born in ((154.0, []), (130.0, [("born", "t2")])):
        tracks = BearingTracks(circular=False)
        _run(tracks, 1.0, (178.0, 0.3))
        assert _kinds(_run(tracks, 0.5, (azimuth_deg, 0.3))) == born


def test_time_must_move_on() -> None:
    tracks = BearingTracks()
    tracks.step(BLOCK_NS, BLOCK_NS, [])
    with pytest.raises(TrackerError) as caught:
        tracks.step(10, 10, [])
    assert str(caught.value) == "time must move on: at 32000000 ns came a step of 10 ns that ends at 10 ns"


def test_settings_are_checked() -> None:
    with pytest.raises(TrackerError) as caught:
        BearingTracks(gate_deg=0.0)
    assert str(caught.value) == "gate_deg must be over 0, found 0.0"
    with pytest.raises(TrackerError) as caught:
        BearingTracks(lead_s=1.0)
    assert str(caught.value) == "lead_s must be from 0 to birth_s (0.025), found 1.0: a part of the evidence cannot exceed it"


class AnythingHeard(RuleBasedStateMachine):
    """Whatever is heard, the tracks stay in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tracks = BearingTracks(n_most=4)
        self.names: set[str] = set()
        self.active: set[str] = set()

    @rule(
        peaks=st.lists(st.tuples(st.floats(0.0, 360.0, exclude_max=True), st.floats(0.0, 1.0)), max_size=5),
        duration_ns=st.integers(0, 500_000_000),
        pause_ns=st.integers(0, 3_000_000_000),
    )
    def hear(self, peaks: list[tuple[float, float]], duration_ns: int, pause_ns: int) -> None:
        strongest_first = [Peak(azimuth, None, share) for azimuth, share in sorted(peaks, key=lambda peak: -peak[1])]
        for change in self.tracks.step(self.tracks.now_ns + pause_ns + duration_ns, duration_ns, strongest_first):
            if change.kind == "born":
                assert change.name not in self.names, "a name is given once"
                self.names.add(change.name)
                self.active.add(change.name)
            elif change.kind == "woke":
                assert change.name not in self.active
                self.active.add(change.name)
            elif change.kind == "slept":
                self.active.remove(change.name)
            else:
                assert change.name not in self.active, "only who sleeps is forgotten"

    @invariant()
    def tracks_are_sound(self) -> None:
        names = [track.name for track in self.tracks.tracks]
        assert len(names) == len(set(names)) <= 4
        assert self.names >= set(names)
        assert [int(name[1:]) for name in names] == sorted(int(name[1:]) for name in names), "in order of birth"
        assert {track.name for track in self.tracks.tracks if track.active} == self.active
        for track in self.tracks.tracks:
            assert 0.0 <= track.azimuth_deg < 360.0
            assert 0.0 < track.variance_deg2 <= 100.0
            assert track.heard_ns <= self.tracks.now_ns

    @invariant()
    def candidates_are_bounded(self) -> None:
        assert len(self.tracks.candidates) <= 200


AnythingHeard.TestCase.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
TestAnythingHeard = AnythingHeard.TestCase


def test_two_hours_of_a_fan_that_is_no_talker_end_in_no_track_and_no_error() -> None:
    tracks = BearingTracks(accept=lambda _: False)
    block_ns = 32_000_000
    for number in range(1, 2 * 3600 * 1000 // 32):
        assert tracks.step(number * block_ns, block_ns, [Peak(40.0, None, 0.3)]) == []
    assert tracks.tracks == []
    (fan,) = tracks.candidates
    assert fan.n_refused > 5000
