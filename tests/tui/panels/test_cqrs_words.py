"""The journal of CQRS: every kind of event has a sentence that says why, and a lesson behind it."""

from collections import Counter
from typing import Any, get_args

import pytest

from engines.cqrs.bus import Status
from engines.cqrs.pattern import PATTERN
from engines.cqrs.queries import Freshness
from engines.cqrs.saga import Phase
from engines.cqrs.world import events as e
from engines.cqrs.world import messages as m
from engines.sim.events import Event
from tui.kit.kernel_words import is_kernel
from tui.panels.cqrs.lessons import LESSONS
from tui.panels.cqrs.words import fold, narrate, routine, said, words


def played(name: str) -> list[Event]:
    """The events of a story."""
    story = PATTERN.scenario(name)
    engine = PATTERN.variant(story.variant).make(story.seed, story.config)
    found: list[Event] = []
    for step in story.script:
        while engine.now_us < step.at_us:
            before = engine.events_total
            engine.run(min(step.at_us, engine.now_us + 100_000), 1 << 60)
            found += engine.latest(engine.events_total - before)
        found += engine.apply(step.command)
    return found


@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        (e.Appended("order-101", 0, 8, "LineAdded", "u1", "CREATE_ORDER"),
         "order-101 from revision 0 on, position 8: CREATE_ORDER of u1 (LineAdded)"),
        (e.Appended("order-101", 4, 9, "OrderPaid", "", "PAY_ORDER"),
         "order-101 from revision 4 on, position 9: PAY_ORDER (OrderPaid)"),
        (e.Conflicted("order-1", "ADD_LINE", 3, 4),
         "conflict: ADD_LINE was decided on order-1 at revision 3, it is at revision 4 now: loads and decides again"),
        (e.CommandRefused("order-1", "PAY_ORDER", Status.REFUSED, "no cover"),
         "PAY_ORDER on order-1 is refused: no cover"),
        (e.CommandRefused("order-1", "PAY_ORDER", Status.STALE, ""),
         "PAY_ORDER on order-1 is refused: it was sent for an older version of the order"),
        (e.CommandRefused("order-1", "PAY_ORDER", Status.CONFLICT, ""),
         "PAY_ORDER on order-1 is refused: others were faster five times"),
        (e.OwnWriteMissed("order-1", 3, -1, Freshness.ANY),
         "reads its own order-1 and sees nothing, it wrote version 3: it asked for any answer"),
        (e.OwnWriteMissed("order-1", 3, 2, Freshness.WAIT),
         "reads its own order-1 and sees version 2, it wrote version 3: it was promised to see it"),
        (e.OwnWriteSeen("order-1", 3, Freshness.WAIT, 12_000),
         "reads its own order-1 and sees version 3, which it wrote after 12 ms"),
        (e.QueryTimedOut("order-1", 9, 7),
         "answers that it has not passed position 9 (it is at 7): timed out, not stale"),
        (e.EventParked("order_summary", 9, "order-1", 2, True),
         "summaries park event 9 (order-1 revision 2): it stands behind a parked one"),
        (e.RebuildBegan("revenue_by_day", False, "right"),
         "throws revenue away and folds it again by release 'right': readers see a hole"),
        (e.Swapped("order_summary", 3, "v2", False), "readers of summaries go over to #3 ('v2'), in one step"),
        (e.Swapped("order_summary", 1, "right", True), "readers of summaries go back to #1 ('right'), in one step"),
        (e.SagaTurned("order-1", "pay", False),
         "'pay' of order-1 failed, and nothing is final yet: undoes what was done, in reverse"),
        (e.SagaTurned("order-1", "reserve", True),
         "nobody answers about 'reserve' of order-1: undoes it unanswered, and all before it"),
        (e.SagaEnded("order-1", Phase.COMPENSATED), "order-1 is compensated: stock released, order cancelled"),
        (e.NodeAdded("replicas", 3), "one read replica more: 3 now"),
    ],
)  # fmt: skip
def test_sentences(what: Any, sentence: str) -> None:
    assert said(what)[0] == sentence


def test_every_kind_has_a_lesson() -> None:
    assert set(get_args(e.CqrsEvent)) == set(LESSONS)


@pytest.mark.parametrize("name", [each.name for each in PATTERN.scenarios])
def test_every_event_of_every_story_is_told_in_plain_words_and_folds(name: str) -> None:
    events = played(name)
    assert events
    kinds: Counter[str] = Counter()
    by_name: dict[str, list[Event]] = {}
    for event in events:
        line = narrate(event)
        assert line.text.isascii()
        assert line.who
        assert "None" not in line.text
        assert line.text == line.text.strip()
        if not is_kernel(event):
            kinds[type(event.what).__name__] += 1
        if routine(event):
            by_name.setdefault(routine(event), []).append(event)
    assert kinds
    for together in by_name.values():
        assert fold(together[:1]) == narrate(together[0])
        assert fold(together).text.isascii()


def test_what_shares_a_line_says_how_many() -> None:
    def event(what: Any, node: str = "store") -> Event:
        return Event(0, 0, node, what)

    appended = [event(e.Appended("order-1", n, n, "LineAdded", "u1", "ADD_LINE")) for n in (1, 2, 3)]
    done = [event(e.CommandDone("order-1", "ADD_LINE", n, n), "c1") for n in (1, 2, 3)]
    assert (
        fold(appended).text
        == "order-1 from revision 3 on, position 3: ADD_LINE of u1 (LineAdded) (and 2 more before it)"
    )
    assert fold(done).text == narrate(done[-1]).text
    assert fold([event(e.EventAgain(n, "order-1"), "p1") for n in (1, 2)]).text == (
        "event 2 (order-1) came again (1 more like it)"
    )
    saga = [event(e.SagaBegan("order-1"), "saga"), event(e.SagaEnded("order-1", Phase.COMPLETED), "saga"),
            event(e.SagaBegan("order-2"), "saga")]  # fmt: skip
    assert fold(saga).text == "takes order-2 up: reserve, pay, ship, 1 order completed meanwhile"
    assert routine(event(e.Appended("order-1", 1, 1, "X", "", ""), "file")) == ""


def test_messages_in_a_few_words() -> None:
    assert words(m.Question("q", "GET_REVENUE", "")) == "GET_REVENUE"
    assert words(m.Perform("id", "PAY_ORDER", "order-1")) == "PAY_ORDER for order-1"
    assert words(m.Performed("id", "")) == "done"
    assert words(m.Append("r", "order-1", -1, ())) == "append to order-1 expecting its beginning"
