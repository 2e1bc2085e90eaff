from hypothesis import given
from hypothesis import strategies as st

from odoo.addons.sync_governance_webhooks.tools.breaker import (
    Config,
    State,
    Status,
    Transition,
    isolate,
    permits,
    record,
    reset,
)

CONFIG = Config()


def play(results, state=None, now=0.0, config=CONFIG):
    state, transitions = state or State(), []
    for result in results:
        state, transition = record(state, result == "1", now, config)
        if transition:
            transitions.append(transition)
    return state, transitions


def test_five_failures_in_a_row_open_it_once():
    state, transitions = play("1110" + "0" * 3)
    assert state.status is Status.CLOSED
    state, transitions = play("0", state)
    assert (state.status, transitions) == (Status.OPEN, [Transition.OPENED])
    assert permits(state, 59) == 0
    assert permits(state, 60) == 1


def test_half_of_ten_opens_it_without_a_long_row():
    state, _ = play("101010101")
    assert state.status is Status.CLOSED
    assert play("0", state)[1] == [Transition.OPENED]


def test_late_failures_of_an_open_circuit_change_nothing():
    opened, _ = play("00000")
    assert play("000000", opened, now=1) == (opened, [])


def test_failed_probe_doubles_the_pause_and_raises_no_second_alarm():
    state, _ = play("00000")
    pauses = []
    for _probe in range(6):
        now = state.open_until
        state, transitions = play("0", state, now)
        assert not transitions
        pauses.append(state.open_until - now)
    assert pauses == [120, 240, 480, 900, 900, 900]
    assert state.first_failure == 0.0 or state.first_failure is not None


def test_good_probe_closes_it_with_a_clean_window():
    state, _ = play("00000")
    state, transitions = play("1", state, now=60)
    assert (state, transitions) == (State(), [Transition.CLOSED])


def test_isolated_by_hand_stays_so():
    state = isolate(State())
    assert permits(state, 1e12) == 0
    assert play("1111", state) == (state, [])
    assert permits(reset(), 0) is None


def test_half_open_permits_one():
    assert permits(State(status=Status.HALF_OPEN), 0) == 1


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=200))
def test_alarms_alternate(steps):
    """However results come in, nobody hears of the same outage twice."""
    state, now, heard = State(), 0.0, []
    for success, pause in steps:
        now += pause
        if permits(state, now) == 0:
            continue
        state, transition = record(state, success, now, CONFIG)
        assert len(state.window) <= CONFIG.window
        if transition:
            heard.append(transition)
    expected = [Transition.OPENED, Transition.CLOSED] * len(heard)
    assert heard == expected[: len(heard)]
