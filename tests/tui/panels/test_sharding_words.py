"""The journal says something of every kind of event, with its reason and its numbers, in plain ASCII."""

import re
from typing import Any

import pytest

from engines.sharding.world.checks import DEMANDS
from engines.sharding.world.events import Answered, Ending, Said
from engines.sim.events import Event
from tests.tui.subjects.sharding import SHARDING
from tui.panels.sharding import PANEL
from tui.panels.sharding.lessons import IF_BROKEN, LESSONS, OF_KIND
from tui.theme import known

ROOM = 100


@pytest.mark.parametrize(
    ("kind", "wanted", "words"),
    [
        ("sent_away", {"why": "not mine"}, r"n\d: answers \w+ MOVED: .* belongs to n\d, as the map of epoch \d+ says"),
        ("asked", {}, r"n\d+: answers \w+ ASK n\d+: \S+ has left already, though n\d+ still owns"),
        ("followed", {"said": Said.MOVED}, r"asks n\d+ for \S+: n\d+ said MOVED; it remembers that"),
        ("followed", {"said": Said.ASK}, r"this once: n\d+ said ASK; its map stays as it is"),
        ("change_ordered", {}, r"you: orders: n7 joins; cfg plans it"),
        ("plan_announced", {}, r"cfg: plan \d+: n7 joins"),
        ("plan_counted", {}, r"n7 joins: [\d,]+ keys change owner in \d+ units, as the nodes counted them"),
        ("migrating", {}, r"n\d+: MIGRATING .*n\d+: sends [\d,]+ keys?, serves what is still here"),
        ("importing", {}, r"n\d+: IMPORTING .* from n\d+: takes its keys, serves them to who says ASKING"),
        ("keys_sent", {}, r"sends .* to n\d+, (\d+ of .* still to go|the last of .*), at \d+ a second"),
        ("unit_assigned", {}, r"cfg: .* (?:is|are) n\d+'s from epoch \d+ on, no longer n\d+'s: [\d,]+ keys? in"),
        ("plan_done", {}, r"done: .*; [\d,]+ keys? in .*, map \d+; MOVED corrects old ones"),
        ("declared_dead", {"copies": True}, r"cfg: declares n\d dead: no heartbeat for 2\.\d+ s; term \d+"),
        ("declared_dead", {"copies": False}, r"RF 1: nobody else has its keys"),
        ("heard_again", {}, r"cfg: hears n\d again"),
        ("refused", {"why": "different slots"}, r"CROSSSLOT for a and 1 more: these keys are in different slots"),
        ("refused", {"why": "uncovered"}, r"CLUSTERDOWN for \S+: .*n\d .*\(better no answer than a wrong one\)"),
        ("denied", {}, r"there is no \S+: it has left for n\d+, and the rule to say so is off"),
        ("request_sent", {"op": "put"}, r"you: put cart:1=3: asks n2"),
        ("answered", {"yours": True}, r"you: "),
        ("chunks_changed", {}, r"cut at \S+, \d+ chunks now; nothing moves"),
        ("salted", {}, r"you: salts \S+: 3 copies, \S+#1 to \S*#3; a read takes one of them, a write all"),
        ("lost", {"why": "loss"}, r"lost: the link \w+>n1 drops 30 % of its messages"),
        ("crashed", {}, r"n3: crashes: its keys and its map stay on disk"),
        ("rule_switched", {}, r"you: rule lease OFF"),
    ],
)  # fmt: skip
def test_lines_carry_reason_and_numbers(kind: str, wanted: dict[str, Any], words: str) -> None:
    assert re.search(words, SHARDING.told(kind, **wanted)), SHARDING.told(kind, **wanted)


def test_parcels_redirects_and_losses_share_lines_and_what_happens_to_you_does_not() -> None:
    folded: dict[str, list[Event]] = {}
    for event in SHARDING.events:
        routine = PANEL.routine(event)
        assert not (routine == "redirects" and "you" in (event.node, getattr(event.what, "client", "")))
        if routine:
            folded.setdefault(routine.split()[0], []).append(event)
    assert set(folded) >= {"keys_sent", "redirects", "importing", "silence", "lost", "map_learned"}
    for some in folded.values():
        for count in (2, 5, len(some)):
            line = PANEL.fold(some[:count])
            assert line.text.isascii()
            assert "None" not in line.text
            assert 0 < len(line.who) <= 12
            assert known(line.ink)
            assert len(line.text) <= ROOM + 60
    parcels = PANEL.fold(folded["keys_sent"][:3]).text
    assert re.search(
        r"\d+ keys sent to n\d+ in 3 parcels; (\d+ left in (this|these \d) (lane|run|chunk)s?|that was all)",
        parcels,
    )
    assert re.search(r"(is|are) sent on: (MOVED to|ASK) n\d+ \d+ x", PANEL.fold(folded["redirects"][:4]).text)


def test_an_answer_without_redirects_has_a_line_of_its_own() -> None:
    answers = [
        event
        for event in SHARDING.events
        if isinstance(event.what, Answered) and event.node != "you" and event.what.why is Ending.OK
    ]
    assert {PANEL.routine(event) for event in answers} == {"", "redirects"}
    for event in answers:
        straight = all(hop.said is Said.SERVED for hop in event.what.hops)
        assert (PANEL.routine(event) == "") == straight


def test_one_has_and_several_have() -> None:
    folded: dict[str, list[Event]] = {}
    for event in SHARDING.events:
        folded.setdefault(PANEL.routine(event), []).append(event)
    for routine, one, many in (
        ("unit_emptied", "has given away", "have given away"),
        ("redirects", r"(is sent on|follows)\b", r"(are sent on|follow)\b"),
    ):
        some = folded[routine]
        first = getattr(some[0].what, "client", "") or some[0].node
        alone = [event for event in some if (getattr(event.what, "client", "") or event.node) == first]
        assert re.match(one, PANEL.fold(alone[:4]).text)
        assert re.match(many, PANEL.fold(some).text)


def test_every_lesson_is_reached() -> None:
    assert set(OF_KIND.values()) == set(LESSONS)


def test_every_check_has_its_paragraph() -> None:
    assert set(IF_BROKEN) == set(DEMANDS)
