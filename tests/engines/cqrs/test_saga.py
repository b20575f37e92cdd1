"""The saga: "CREATE_ORDER -> reserve -> pay (pivot) -> ship: pay fails: release, cancel; ship fails: retry. Ends
completed or compensated." """

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.cqrs import SAGA, Command, CommandBus, Phase, Saga, due_us, request, saga_of
from engines.cqrs.bus import Answer
from engines.cqrs.saga import ASKS, RETRY_US, STEPS, TIMEOUT_US, TYPES, Answered, Kind, Start, Tick
from engines.event_sourcing import ORDER, MemoryStore, Order, Refused, Repository
from tests.engines.cqrs.shop import create

ORDER_7 = "order-7"


class Manager:
    """A saga in a store, which a crash does not touch: everything it knows it reads from there."""

    def __init__(self, store: MemoryStore, bus: CommandBus) -> None:
        self.repository = Repository(store, SAGA)
        self.bus = bus
        self.calls = 0

    @property
    def saga(self) -> Saga:
        return self.repository.load(saga_of(ORDER_7)).state

    def tell(self, command: Any) -> Saga:
        self.calls += 1
        return self.repository.execute(saga_of(ORDER_7), command, f"m{self.calls}").state

    def asked(self) -> Command:
        wanted = request(self.saga)
        assert wanted is not None
        return wanted.command

    def settle(self, at_us: int) -> Answer:
        """Send what it wants, and tell it the answer."""
        answer = self.bus.send(self.asked())
        self.tell(Answered(answer.command_id, answer.ok, answer.why, at_us))
        return answer


def started(**declines: Any) -> tuple[MemoryStore, Manager]:
    store = MemoryStore()
    bus = CommandBus(store, declines)
    bus.send(create())
    manager = Manager(store, bus)
    manager.tell(Start(ORDER_7, "c1", 0))
    return store, manager


def order_of(store: MemoryStore) -> Order:
    return ORDER.fold(store.get_events(ORDER_7))


def kinds(store: MemoryStore, stream: str) -> list[str]:
    return [event.type for event in store.get_events(stream)]


def test_the_table_of_steps_has_one_pivot_and_what_is_before_it_can_be_undone() -> None:
    kinds = [step.kind for step in STEPS]
    assert kinds == [Kind.COMPENSABLE, Kind.COMPENSABLE, Kind.PIVOT, Kind.RETRIED]
    assert [step.undo for step in STEPS] == ["CANCEL_ORDER", "RELEASE_STOCK", "", ""]


def test_a_saga_that_has_not_begun_wants_nothing() -> None:
    assert (request(Saga()), due_us(Saga())) == (None, None)
    assert SAGA.decide(Saga(), Tick(10**12)) == ()
    assert SAGA.decide(Saga(), Answered("saga-7/create/0", True, "", 5)) == ()


def test_everything_goes_well() -> None:
    store, manager = started()
    for at_us in (10, 20, 30):
        assert manager.settle(at_us).ok
    assert manager.saga.phase is Phase.COMPLETED
    assert order_of(store).status == "shipped"
    assert request(manager.saga) is None
    assert due_us(manager.saga) is None
    assert kinds(store, "saga-7") == [
        "SagaStarted", "StepRequested", "StepDone", "StepRequested", "StepDone", "StepRequested", "StepDone",
        "SagaCompleted",
    ]  # fmt: skip


def test_pay_fails_release_and_cancel() -> None:
    store, manager = started(PAY_ORDER=lambda order, command: "no cover")
    sent = []
    for at_us in (10, 20, 30, 40):
        sent.append(manager.asked())
        manager.settle(at_us)
    assert [(command.id, command.name, command.undoes) for command in sent] == [
        ("saga-7/reserve/0", "RESERVE_STOCK", ""),
        ("saga-7/pay/0", "PAY_ORDER", ""),
        ("saga-7/reserve/undo/0", "RELEASE_STOCK", "saga-7/reserve/0"),
        ("saga-7/create/undo/0", "CANCEL_ORDER", "c1"),
    ]
    assert manager.saga.phase is Phase.COMPENSATED
    assert (order_of(store).status, order_of(store).reserved) == ("cancelled", False)
    assert store.get_events(ORDER_7)[-1].data == {"reason": "no cover"}


def test_ship_fails_retry_under_a_new_id_after_a_pause() -> None:
    carriers = iter(["no carrier", "no carrier", ""])
    store, manager = started(SHIP_ORDER=lambda order, command: next(carriers))
    manager.settle(10)
    manager.settle(20)
    ids = []
    for at_us in (100, 2 * RETRY_US, 4 * RETRY_US):
        ids.append(manager.asked().id)
        manager.settle(at_us)
        if not manager.saga.over:
            assert request(manager.saga) is None, "a pause"
            assert due_us(manager.saga) == at_us + RETRY_US
            manager.tell(Tick(at_us + RETRY_US - 1))
            assert request(manager.saga) is None
            manager.tell(Tick(at_us + RETRY_US))
    assert ids == ["saga-7/ship/0", "saga-7/ship/1", "saga-7/ship/2"]
    assert manager.saga.phase is Phase.COMPLETED
    assert order_of(store).status == "shipped"


def test_a_time_out_is_a_question_not_a_failure() -> None:
    store, manager = started()
    manager.settle(10)
    lost = manager.asked()
    assert manager.bus.send(lost).ok, "it was paid, and the answer was lost"
    manager.tell(Tick(10 + TIMEOUT_US - 1))
    assert manager.saga.asked == 1
    manager.tell(Tick(10 + TIMEOUT_US))
    assert manager.saga.asked == 2
    assert manager.asked() == lost, "the same question, by the same id"
    assert manager.settle(10 + TIMEOUT_US + 5).repeated
    assert kinds(store, ORDER_7).count("OrderPaid") == 1
    assert manager.saga.step == 3


def test_the_pivot_is_asked_for_until_there_is_an_answer() -> None:
    _, manager = started()
    manager.settle(10)
    at_us = 10
    for _ in range(3 * ASKS):
        at_us += TIMEOUT_US
        manager.tell(Tick(at_us))
    assert (manager.saga.phase, manager.saga.asked) == (Phase.RUNNING, 3 * ASKS + 1)


@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("late", [True, False])
def test_a_step_nobody_answers_for_is_undone_whether_it_happened_or_not(happened: bool, late: bool) -> None:
    store, manager = started()
    reserve = manager.asked()
    if happened:
        manager.bus.send(reserve)
    for turn in range(1, ASKS + 1):
        assert (manager.saga.phase, manager.saga.asked) == (Phase.RUNNING, turn)
        manager.tell(Tick(turn * TIMEOUT_US))
    assert manager.saga.phase is Phase.COMPENSATING
    assert manager.saga.why == f"no answer to RESERVE_STOCK after {ASKS} questions"
    assert manager.settle(10 * TIMEOUT_US).name == "RELEASE_STOCK"
    if late:
        answer = manager.bus.send(reserve)
        assert answer.ok == happened, "it is refused if it was undone before it came"
    assert manager.settle(11 * TIMEOUT_US).name == "CANCEL_ORDER"
    assert manager.saga.left == ()
    assert (order_of(store).status, order_of(store).reserved) == ("cancelled", False)


def test_late_and_repeated_answers_change_nothing() -> None:
    store, manager = started()
    first = manager.asked()
    manager.settle(10)
    before = store.head()
    assert manager.tell(Answered(first.id, False, "late", 20)) == manager.saga
    assert manager.tell(Start(ORDER_7, "c1", 30)) == manager.saga
    assert store.head() == before
    with pytest.raises(Refused, match="a saga knows no command int"):
        manager.tell(7)


def test_an_undo_that_fails_is_tried_again() -> None:
    away = iter(["away", ""])
    store, manager = started(
        PAY_ORDER=lambda order, command: "no cover", RELEASE_STOCK=lambda order, command: next(away)
    )
    for at_us in (10, 20, 30):
        manager.settle(at_us)
    assert manager.saga.waiting
    manager.tell(Tick(30 + RETRY_US))
    assert manager.asked().id == "saga-7/reserve/undo/1"
    for at_us in (40, 50):
        manager.settle(at_us)
    assert manager.saga.phase is Phase.COMPENSATED
    assert order_of(store).status == "cancelled"


def test_an_order_cancelled_by_hand_ends_its_saga_compensated() -> None:
    store, manager = started()
    manager.settle(10)
    manager.bus.send(Command("c9", "CANCEL_ORDER", ORDER_7, {}))
    while not manager.saga.over:
        manager.settle(20)
    assert manager.saga.phase is Phase.COMPENSATED
    assert (order_of(store).status, order_of(store).reserved) == ("cancelled", False)


def run(seed: int) -> tuple[MemoryStore, Manager]:
    """Requests and answers are lost, repeated and late, everybody outside says no now and then."""
    draw = random.Random(seed)

    def moody(order: Order, command: Command) -> str:
        return "not today" if draw.random() < 0.3 else ""

    store, manager = started(RESERVE_STOCK=moody, PAY_ORDER=moody, SHIP_ORDER=moody, RELEASE_STOCK=moody)
    air: list[Command] = []
    answers: list[Answer] = []
    now = 0
    for turn in range(2_000):
        now += draw.randrange(TIMEOUT_US)
        wanted = request(manager.saga)
        faults = 0.4 if turn < 60 else 0.0
        if wanted is not None and draw.random() >= faults:
            air.append(wanted.command)
        if air and draw.random() < 0.7:
            command = air[draw.randrange(len(air))]
            if draw.random() < 0.6 or turn > 60:
                air.remove(command)
            answer = manager.bus.send(command)
            if draw.random() >= faults:
                answers.append(answer)
        if answers and draw.random() < 0.7:
            answer = answers.pop(draw.randrange(len(answers)))
            manager.tell(Answered(answer.command_id, answer.ok, answer.why, now))
        manager.tell(Tick(now))
        if manager.saga.over and not air:
            break
    return store, manager


def check(store: MemoryStore, manager: Manager) -> Phase:
    saga, order = manager.saga, order_of(store)
    types = kinds(store, ORDER_7)
    assert saga.over, saga
    if saga.phase is Phase.COMPLETED:
        assert order.status == "shipped"
        assert (types.count("OrderPaid"), types.count("OrderShipped"), types.count("OrderCancelled")) == (1, 1, 0)
    else:
        assert (order.status, order.reserved) == ("cancelled", False)
        assert types.count("OrderPaid") == 0
        assert types.count("StockReserved") == types.count("StockReleased")
        assert types.count("OrderCancelled") == 1
    ends = [type for type in kinds(store, "saga-7") if type in ("SagaCompleted", "SagaCompensated")]
    assert len(ends) == 1
    return saga.phase


def test_it_ends_completed_or_compensated_never_half() -> None:
    phases = [check(*run(seed)) for seed in range(60)]
    assert phases.count(Phase.COMPLETED) > 5
    assert phases.count(Phase.COMPENSATED) > 5


@pytest.mark.soak
def test_it_ends_completed_or_compensated_with_any_seed() -> None:
    for seed in range(60, 1_500):
        check(*run(seed))


@given(st.lists(st.sampled_from(TYPES), max_size=6), st.integers(0, 3))
def test_the_fold_refuses_nothing(types: list[str], step: int) -> None:
    data = {
        "order": ORDER_7, "command_id": "c1", "at_us": 5, "step": STEPS[step].name, "attempt": 0, "asked": 1,
        "why": "x", "unknown": False,
    }  # fmt: skip
    saga = SAGA.initial
    for type_ in types:
        saga = SAGA.evolve(saga, type_, data)
    assert isinstance(saga, Saga)
