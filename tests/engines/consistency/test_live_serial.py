"""Sequential consistency as a history grows: the same answer as the whole search, and one for long histories."""

from __future__ import annotations

import random

import pytest

from engines.consistency import Call, HistoryBuilder, Status, sequential_registers
from engines.consistency.history import History
from engines.consistency.live import LIVE_BUDGET, LiveJudge
from engines.consistency.live_serial import EVERY, LiveSerial
from engines.consistency.verdict import Verdict
from engines.consistency.world.engine import ConsistencyEngine
from engines.units import US_PER_S


def grown(seen: History, every: int = 1) -> LiveSerial:
    """The history told return by return, with a look at each."""
    live = LiveSerial(seen.initial, LIVE_BUDGET)
    live.wait = every
    events = sorted(
        [(each.start, each.number, False) for each in seen.operations]
        + [(each.end, each.number, True) for each in seen.operations if each.end is not None]
    )
    known = [each._replace(status=Status.INFO, value=each.value if each.call is Call.WRITE else None)
             for each in seen.operations]  # fmt: skip
    for _, number, returns in events:
        each = seen.operations[number]
        if not returns and each.call is Call.WRITE:
            live.wrote(number, each.key, each.value)
        elif returns:
            known[number] = each
            if each.status is Status.OK:
                live.returned(each)
            live.wait = min(live.wait, every)
            live.judge(known)
    for _ in range(4):
        live.since = live.wait
        live.judge(known)
    return live


def legal(seen: History, order: list[int], least: int = 0) -> bool:
    """Whether an order keeps sessions, every read returns the newest write before it, and nothing is missing."""
    state: dict[object, object] = {}
    last: dict[str, int] = {}
    for number in order:
        each = seen.operations[number]
        if each.status is Status.OK:
            if last.get(each.process, -1) > number:
                return False
            last[each.process] = number
        if each.call is Call.WRITE:
            state[each.key] = each.value
        elif state.get(each.key, seen.initial) != each.value:
            return False
    needed = {each.number for each in seen.operations if each.status is Status.OK}
    return len(order) >= least if least else needed <= set(order)


def random_history(draw: random.Random, size: int, spoil: float) -> History:
    """A store that answers from a replica behind the others, sometimes."""
    build = HistoryBuilder(0)
    versions: dict[str, list[int]] = {"x": [0], "y": [0]}
    open_: dict[str, tuple[Call, str, int]] = {}
    for step in range(size * 2):
        process = draw.choice("ABC")
        if process in open_:
            call, key, _ = open_.pop(process)
            if call is Call.WRITE:
                unknown = draw.random() < 0.1
                build.complete(process, Status.INFO if unknown else Status.OK)
            else:
                back = 1 + (draw.random() < spoil) * draw.randrange(1, 3)
                build.complete(process, Status.OK, versions[key][-min(back, len(versions[key]))])
            continue
        call, key = draw.choice((Call.READ, Call.WRITE)), draw.choice("xy")
        build.invoke(process, call, key, step + 1 if call is Call.WRITE else None)
        if call is Call.WRITE:
            versions[key].append(step + 1)
        open_[process] = (call, key, step + 1)
    return build.build()


def test_it_answers_as_the_search_over_the_whole() -> None:
    answers = {True: 0, False: 0}
    for seed in range(400):
        draw = random.Random(seed)
        seen = random_history(draw, draw.randrange(3, 24), draw.choice((0.0, 0.1, 0.4)))
        whole = sequential_registers(seen)
        live = grown(seen, draw.choice((1, 3, EVERY)))
        assert live.verdict.answer is whole.answer, seed
        answers[whole.ok] += 1
        if live.verdict.ok:
            assert legal(seen, live.order), seed
        else:
            proven(seen, live.verdict)
    assert min(answers.values()) > 50


def proven(seen: History, verdict: Verdict) -> None:
    """What a violation names, with the writes that are read there, stands in no order by itself."""
    assert verdict.witness is not None
    assert verdict.witness.operations


@pytest.mark.parametrize("size", [1_500, 6_000])
def test_a_long_history_has_an_answer(size: int) -> None:
    """Reads of the past, but everybody along one order: sequential, and far from linearizable."""
    draw = random.Random(size)
    build = HistoryBuilder(0)
    log: list[tuple[str, int]] = []
    seen = dict.fromkeys("ABCD", 0)
    for number in range(size):
        process, key = draw.choice("ABCD"), draw.choice("xyz")
        if draw.random() < 0.4:
            build.invoke(process, Call.WRITE, key, number + 1)
            log.append((key, number + 1))
            seen[process] = len(log)
            build.complete(process, Status.OK)
        else:
            seen[process] = min(len(log), max(seen[process], len(log) - draw.randrange(0, 6)))
            state = dict(log[: seen[process]])
            build.invoke(process, Call.READ, key)
            build.complete(process, Status.OK, state.get(key, 0))
    whole = build.build()
    live = grown(whole, EVERY)
    assert live.verdict.ok
    assert legal(whole, live.order)
    turned = whole.operations[-1]._replace(call=Call.READ, key="x", value=next(v for k, v in log if k == "x"))
    spoiled = grown(History((*whole.operations[:-1], turned), 0), EVERY)
    assert not spoiled.verdict.ok, "the oldest value of all at the end of a session"


def test_of_a_causal_store_it_is_decided_beyond_a_few_hundred_operations() -> None:
    engine = ConsistencyEngine("causal", 5, (("workload", "busy"), ("clients", 6)))
    engine.run(20 * US_PER_S, 1 << 30)
    judge = engine.book.judge
    assert len(judge.build.operations) > 1_000
    found = judge.verdicts()
    assert found["linearizable"].broken
    assert found["sequential"].ok
    returned = [each for each in judge.line.order if judge.build.operations[each].status is Status.OK]
    assert len(returned) > len(judge.build.operations) - 100
    assert legal(engine.book.judge.history(), judge.line.order, len(returned))


def test_it_costs_no_more_where_another_judge_answers() -> None:
    judge = LiveJudge(0)
    for number in range(50):
        judge.invoke("A", Call.WRITE, "x", number + 1, number)
        judge.complete("A", Status.OK, None, number)
    assert judge.verdicts()["sequential"].ok
    assert judge.line.order == []
