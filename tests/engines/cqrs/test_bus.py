"""Commands: validated, decided on the events, executed once; "same id = same answer, executed once"."""

import pytest

from engines.cqrs import Append, BadFields, Command, CommandBus, Execution, Status, UnknownCommand
from engines.cqrs.bus import ATTEMPTS, version_of
from engines.event_sourcing import ANY, ORDER, MemoryStore, Metadata, NewEvent, Order, SqliteStore
from engines.event_sourcing.errors import Conflict
from engines.event_sourcing.order import ANSWERED
from tests.engines.cqrs.shop import create, step


def placed() -> tuple[MemoryStore, CommandBus]:
    store = MemoryStore()
    bus = CommandBus(store)
    bus.send(create())
    return store, bus


def test_an_order_from_its_creation_to_its_shipping() -> None:
    store, bus = placed()
    answers = [bus.send(step(f"c{n}", name)) for n, name in enumerate(("RESERVE_STOCK", "PAY_ORDER", "SHIP_ORDER"), 2)]
    assert [(answer.status, answer.version, answer.position) for answer in answers] == [
        (Status.ACCEPTED, 3, 4),
        (Status.ACCEPTED, 4, 5),
        (Status.ACCEPTED, 5, 6),
    ]
    assert [event.type for event in store.get_events("order-7")] == [
        "OrderCreated", "LineAdded", "LineAdded", "StockReserved", "OrderPaid", "OrderShipped",
    ]  # fmt: skip
    assert store.get_events("order-7")[4].data == {"amount": 4_100}


def test_every_event_names_who_why_and_which_story() -> None:
    store = MemoryStore()
    bus = CommandBus(store)
    bus.send(create()._replace(who="ada"))
    bus.send(step("c2", "RESERVE_STOCK")._replace(who="saga", correlation_id="story", cause="c1/0"))
    first, last = store.events[0], store.events[-1]
    assert first.metadata == Metadata("ada", 0, "c1", "c1", "CREATE_ORDER", "")
    assert last.metadata == Metadata("saga", 0, "c2", "story", "RESERVE_STOCK", "c1/0")


def test_the_same_id_gets_the_same_answer_and_is_executed_once() -> None:
    store, bus = placed()
    line = Command("c2", "ADD_LINE", "order-7", {"item": "lamp", "quantity": 1, "price": 4_500})
    first = bus.send(line)
    other = bus.send(Command("c3", "ADD_LINE", "order-7", {"item": "pen", "quantity": 1, "price": 300}))
    assert bus.send(line) == first._replace(repeated=True)
    assert (first.position, other.position, store.head()) == (4, 5, 5)


def test_a_refusal_is_remembered_also_once_the_order_would_allow_it() -> None:
    store, bus = placed()
    early = bus.send(step("c2", "PAY_ORDER"))
    assert (early.status, early.why) == (
        Status.REFUSED, "PayOrder: the order is created, it must be reserved",
    )  # fmt: skip
    bus.send(step("c3", "RESERVE_STOCK"))
    assert bus.send(step("c2", "PAY_ORDER")) == early._replace(repeated=True)
    assert bus.send(step("c4", "PAY_ORDER")).ok
    assert [event.type for event in store.get_events("order-7")].count("OrderPaid") == 1


def test_an_id_that_was_used_for_another_command_is_refused_by_name() -> None:
    store, bus = placed()
    answer = bus.send(step("c1", "RESERVE_STOCK"))
    assert (answer.status, answer.why) == (
        Status.REFUSED, "the id 'c1' was used for CREATE_ORDER: every command needs an id of its own",
    )  # fmt: skip
    assert store.head() == 3


def test_a_command_with_nothing_to_do_says_so_and_is_remembered() -> None:
    _, bus = placed()
    first = bus.send(step("c2", "RELEASE_STOCK"))
    assert (first.status, first.ok) == (Status.NOTHING, True)
    bus.send(step("c3", "RESERVE_STOCK"))
    assert bus.send(step("c2", "RELEASE_STOCK")).status is Status.NOTHING, "a repeat must not release what came later"


def test_a_stale_version_is_refused() -> None:
    _, bus = placed()
    seen = bus.send(step("c2", "RESERVE_STOCK")).version
    stale = bus.send(step("c3", "PAY_ORDER", seen - 1))
    assert (stale.status, stale.why) == (Status.STALE, "PAY_ORDER: sent for version 2, order-7 is at 3")
    assert bus.send(step("c4", "PAY_ORDER", seen)).ok, "a refusal makes nobody's version stale"


def test_a_note_makes_no_version_stale() -> None:
    store, bus = placed()
    bus.send(Command("c2", "ADD_NOTE", "order-7", {"text": "ring twice"}))
    assert version_of(store.get_events("order-7")) == 2
    assert bus.send(step("c3", "RESERVE_STOCK", 2)).ok


def test_whoever_declines_is_asked_once() -> None:
    store = MemoryStore()
    asked: list[str] = []

    def bank(order: Order, command: Command) -> str:
        asked.append(command.id)
        return f"no cover for {order.total}"

    bus = CommandBus(store, {"PAY_ORDER": bank})
    bus.send(create())
    bus.send(step("c2", "RESERVE_STOCK"))
    answers = [bus.send(step("c3", "PAY_ORDER")) for _ in range(2)]
    assert [(answer.status, answer.why) for answer in answers] == [(Status.REFUSED, "no cover for 4100")] * 2
    assert asked == ["c3"]


def test_two_nodes_with_the_same_command_execute_it_once() -> None:
    store, _ = placed()
    line = Command("c9", "ADD_LINE", "order-7", {"item": "lamp", "quantity": 1, "price": 4_500})
    one, two = Execution.of(line), Execution.of(line)
    events = store.get_events("order-7")
    append_one, append_two = one.decide(events), two.decide(events)
    assert isinstance(append_one, Append)
    assert isinstance(append_two, Append)
    first = one.appended(store.save_events(*append_one))
    # The second append is the repeat of the first, by the ids of its events.
    assert two.appended(store.save_events(*append_two)) == first._replace(repeated=True)
    # And if something else came first, the loser reloads and finds the answer.
    late = Execution.of(step("c10", "RESERVE_STOCK"))
    wanted = late.decide(events)
    assert isinstance(wanted, Append)
    with pytest.raises(Conflict) as caught:
        store.save_events(*wanted)
    assert late.conflicted(caught.value) is None
    wanted = late.decide(store.get_events("order-7"))
    assert isinstance(wanted, Append)
    assert late.appended(store.save_events(*wanted)).ok


def test_without_its_check_a_stale_version_is_executed() -> None:
    store, _ = placed()
    wanted = Execution.of(step("c9", "RESERVE_STOCK", 0), check_version=False).decide(
        store.get_events("order-7"), at_us=7
    )
    assert isinstance(wanted, Append)
    assert [(event.type, event.metadata.at_us) for event in wanted.events] == [("StockReserved", 7)]


def test_without_dedupe_it_is_executed_twice() -> None:
    store, _ = placed()
    line = Command("c9", "ADD_LINE", "order-7", {"item": "lamp", "quantity": 1, "price": 4_500})
    for _ in range(2):
        wanted = Execution.of(line, dedupe=False).decide(store.get_events("order-7"))
        assert isinstance(wanted, Append)
        store.save_events(*wanted)
    assert [event.type for event in store.get_events("order-7")].count("LineAdded") == 4


def test_conflicts_are_bounded_and_the_last_one_is_the_answer() -> None:
    store, _ = placed()

    class Hasty(MemoryStore):
        """Somebody else is always faster."""

        def save_events(self, aggregate_id, events, expected=None):  # type: ignore[no-untyped-def]
            store.save_events(aggregate_id, [NewEvent(f"x{store.head()}", "NoteAdded", {"text": "x"})])
            return store.save_events(aggregate_id, events, expected)

    hasty = Hasty()
    hasty.get_events = store.get_events  # type: ignore[method-assign]
    answer = CommandBus(hasty).send(step("c2", "RESERVE_STOCK"))
    assert (answer.status, answer.position) == (Status.CONFLICT, 0)
    assert not answer.ok
    assert [event.type for event in store.get_events("order-7")].count("NoteAdded") == ATTEMPTS
    assert CommandBus(store).send(step("c2", "RESERVE_STOCK")).ok, "nothing was recorded: the same id may try again"


def test_what_is_so_already_is_a_success_for_who_asks_for_the_goal() -> None:
    _, bus = placed()
    bus.send(step("c2", "RESERVE_STOCK"))
    bus.send(step("c3", "PAY_ORDER"))
    assert bus.send(step("c4", "PAY_ORDER")).status is Status.REFUSED
    assert bus.send(step("c5", "PAY_ORDER")._replace(goal=True)).status is Status.NOTHING
    assert bus.send(step("c6", "RESERVE_STOCK")._replace(goal=True)).ok
    assert bus.send(step("c7", "CANCEL_ORDER")._replace(goal=True)).status is Status.REFUSED


def test_a_command_that_was_undone_before_it_came_is_refused() -> None:
    store, bus = placed()
    undo = step("u1", "RELEASE_STOCK")._replace(undoes="r1", goal=True)
    assert bus.send(undo).status is Status.NOTHING
    late = bus.send(step("r1", "RESERVE_STOCK"))
    assert (late.status, late.why) == (Status.REFUSED, "undone by u1 before it came")
    assert ORDER.fold(store.get_events("order-7")).status == "created"
    assert bus.send(undo).status is Status.NOTHING
    assert store.head() == 5


def test_undoing_what_was_done_leaves_no_more_than_its_own_event() -> None:
    store, bus = placed()
    bus.send(step("r1", "RESERVE_STOCK"))
    answer = bus.send(step("u1", "RELEASE_STOCK")._replace(undoes="r1"))
    assert (answer.status, answer.version, answer.position, store.head()) == (Status.ACCEPTED, 4, 5, 5)


def test_an_undo_that_does_something_and_fences_answers_with_its_own_event() -> None:
    store, bus = placed()
    bus.send(step("r1", "RESERVE_STOCK"))
    answer = bus.send(step("u1", "RELEASE_STOCK")._replace(undoes="never-came"))
    assert (answer.version, answer.position, store.head()) == (4, 5, 6)


def test_answers_survive_in_a_store_on_the_disk(tmp_path: object) -> None:
    path = f"{tmp_path}/shop.db"
    with SqliteStore(path) as store:
        answers = [CommandBus(store).send(each) for each in (create(), step("c2", "SHIP_ORDER"))]
    with SqliteStore(path) as store:
        again = [CommandBus(store).send(each) for each in (create(), step("c2", "SHIP_ORDER"))]
    assert again == [answer._replace(repeated=True) for answer in answers]
    assert [answer.status for answer in answers] == [Status.ACCEPTED, Status.REFUSED]


def test_a_refused_creation_leaves_an_order_that_can_still_be_created() -> None:
    store = MemoryStore()
    bus = CommandBus(store)
    assert bus.send(step("c1", "PAY_ORDER")).version == -1
    assert [event.type for event in store.get_events("order-7")] == [ANSWERED]
    assert bus.send(create("c2")).ok


@pytest.mark.parametrize(
    ("command", "error", "said"),
    [
        (Command("c", "DANCE", "order-7", {}), UnknownCommand, "unknown command 'DANCE': one of CREATE_ORDER"),
        (Command("c", "CREATE_ORDER", "order-7", {}), BadFields,
         "CREATE_ORDER: the field 'customer' is missing: customer (a text), lines (a list of lines)"),
        (Command("c", "ADD_LINE", "order-7", {"item": "pen", "quantity": "2", "price": 1}), BadFields,
         "ADD_LINE: the field 'quantity' is '2': a whole number is needed"),
        (Command("c", "ADD_LINE", "order-7", {"item": "pen", "quantity": True, "price": 1}), BadFields, "is True"),
        (Command("c", "PAY_ORDER", "order-7", {"amount": 5}), BadFields,
         "PAY_ORDER: unknown field 'amount': no fields is accepted"),
        (Command("c", "CREATE_ORDER", "order-7", {"customer": "ada", "lines": [{"item": "pen"}]}), BadFields,
         "CREATE_ORDER: line 1: the field 'quantity' is missing"),
        (Command("c", "CREATE_ORDER", "order-7", {"customer": "ada", "lines": ["pen"]}), BadFields,
         "CREATE_ORDER: line 1 is 'pen': a mapping with item, quantity and price is needed"),
        (Command("c", "CREATE_ORDER", "order-7", {"customer": ""}), BadFields, "the field 'customer' is empty"),
        (Command("c", "CREATE_ORDER", "order-7", {"customer": "a\nb"}), BadFields, "printable"),
        (Command("c", "PAY_ORDER", "account-7", {}), BadFields, "a name that begins with 'order-' is needed"),
        (Command("c", "PAY_ORDER", "order-", {}), BadFields, "a name that begins with 'order-' is needed"),
        (Command("", "PAY_ORDER", "order-7", {}), BadFields, "PAY_ORDER: id ''"),
        (Command("c", "PAY_ORDER", "order-7", {}, -1), BadFields, "version -1: a version from 0 is accepted"),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_and_leaves_no_trace(
    command: Command, error: type[Exception], said: str
) -> None:
    store = MemoryStore()
    with pytest.raises(error) as caught:
        CommandBus(store).send(command)
    assert said in str(caught.value)
    assert store.head() == 0


def test_a_batch_over_several_streams_is_all_or_nothing() -> None:
    store = MemoryStore()
    store.save_events("a", [NewEvent("e0", "X", {})])
    before, ids = list(store.events), dict(store._ids)
    with pytest.raises(Conflict):
        store.save_batches(
            [
                ("b", [NewEvent("e1", "X", {})], ANY),
                ("a", [NewEvent("e0", "X", {})], 0),
                ("a", [NewEvent("e", "X", {})], 9),
            ]
        )
    assert (store.events, store._ids, store.streams()) == (before, ids, (("a", 0),))
    assert [each.positions for each in store.save_batches([("b", [NewEvent("e1", "X", {})], ANY)] * 1)] == [(2,)]
