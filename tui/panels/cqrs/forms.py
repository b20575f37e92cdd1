"""What the dialogues offer: faults with their parameters, rules to break, choices of the run, typed commands."""

from typing import Final

from engines.cqrs import Freshness, Query
from engines.cqrs.queries import (
    GET_CUSTOMER_HISTORY,
    GET_ORDER_SUMMARY,
    GET_REVENUE,
    QUERIES,
    parse_query,
    spec_of,
)
from engines.cqrs.world import commands as c
from engines.cqrs.world.snapshot import ProjectionView, Snapshot
from engines.errors import UserError
from engines.event_sourcing import at_date
from engines.event_sourcing.subscriptions import CheckpointPolicy
from engines.sim.rules import SetRule
from tui.kit import dates, forms
from tui.kit.forms import Choice
from tui.panel import Focus, Offer, Outcome, Param, Refuse
from tui.panels.cqrs.keys import LEVELS, user_of
from tui.panels.cqrs.select import choose, machines, projection_of, view_of

HINT: Final = "create 2 15   add 1 5   note TEXT   summary   history   revenue   resend   at 3.5s   at #12"
FILE_HINT: Final = "summary order-7   history ada   revenue   revenue 2026-01-02   at 2026-01-02   at #12"
IN_SHORT: Final = {"summary": GET_ORDER_SUMMARY, "history": GET_CUSTOMER_HISTORY, "revenue": GET_REVENUE}
RULES: Final = {
    "dedupe": ("answer a command that was executed, do not execute it again", "off: a repeat is executed twice"),
    "idempotent": ("a projection ignores what it has applied", "off: what comes twice counts twice"),
    "in_order": ("a projection waits for an event that is missing", "off: what is overtaken is lost"),
    "hold_stream": ("behind a parked event its stream is parked too", "off: rows of orders that never were"),
    "outbox": ("event and message in one transaction, sent until confirmed", "off: a message can be lost for good"),
    "inbox": ("a service does a thing once", "off: a request that comes twice charges twice"),
    "say_stale": ("an answer that is too old says so", "off: silently stale"),
    "ask_again": ("the saga asks again in silence", "off: a time-out counts as no, and money is lost"),
    "swap_whole": ("readers are moved to new rows in one step", "off: rows of two generations are served"),
}  # fmt: skip
CHOICES: Final = (
    Choice("writes", "new orders a second", "of all users, at random", (), 0, 40, 2),
    Choice("reads", "queries a second", "of all users, at random", (), 0, 400, 20),
    Choice("freshness", "how fresh answers must be", "what users ask for", Freshness),
    Choice("patience_ms", "a query waits for a position", "then it says that it timed out", (), 1, 10_000, 50, "ms"),
    Choice("policy", "checkpoint policy", "what a projector makes durable first", CheckpointPolicy),
    Choice("apply_us", "an event costs a projection", "in microseconds", (), 2, 1_000_000, 1_000),
    Choice("accepted_ms", "staleness that readers accept", "the verdict asks for it", (), 0, 60_000, 100, "ms"),
)


@forms.simulated
def all_faults(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Every fault, aimed at the selected machine and the selected projection."""
    name = focus.node or "store"
    status = next(each.status for each in snapshot.hosts if each.id == name)
    others = tuple(each for each in machines(snapshot) if each != name)
    return (
        *forms.of_machine(name, status, "what is in memory is lost; what is on its disk is kept", "from its disk"),
        *_of_projection(snapshot, projection_of(snapshot, focus)),
        *_of_orders(snapshot, focus),
        *forms.of_links(name, others, LEVELS),
        *forms.of_clock_and_disk(name),
        forms.HEAL,
    )


def _of_projection(snapshot: Snapshot, view: ProjectionView | None) -> tuple[Offer, ...]:
    """What can be done to a read model now."""
    if view is None or view.status != "up" or view.moving or not view.tables:
        return ()
    name = view.name
    releases = ("right", "buggy", "v2") if name == "order_summary" else ("right",)
    release = Param("release", "right", choices=releases)
    offers = [
        Offer(f"rebuild {name} in place", "throw the rows away and read history: readers see a hole",
              lambda v: c.Rebuild(name, "in place", v["release"]), (release,)),
        Offer(f"build {name} beside", "another generation beside the live one, for a swap",
              lambda v: c.Rebuild(name, "beside", v["release"]), (release,)),
    ]  # fmt: skip
    if name == "order_summary" and view.tables[0].release != "v2":
        code = Param("release", "buggy" if view.tables[0].release == "right" else "right", choices=("right", "buggy"))
        offers.append(Offer(f"deploy other code for {name}", "what was built stays as it is",
                            lambda v: c.Deploy(name, v["release"]), (code,)))  # fmt: skip
    if any(table.role == "next" and table.position >= view.position for table in view.tables):
        offers.append(Offer(f"swap {name}", "move readers to what was built beside", lambda v: c.Swap(name)))
    if any(table.role == "old" for table in view.tables):
        offers.append(Offer(f"swap {name} back", "to the generation before", lambda v: c.Swap(name, back=True)))
    if view.parked or any(table.stopped_at for table in view.tables):
        offers.append(Offer(f"replay what {name} has parked", "it tries again", lambda v: c.ReplayParked(name)))
    return tuple(offers)


def _of_orders(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    user = user_of(snapshot, focus)
    offers = []
    if snapshot.narrow:
        if user and any(each.orders for each in snapshot.users if each.name == user):
            offers.append(Offer(f"poison event by {user}", "a name too long for a column of the read models",
                                lambda v: c.Poison(user)))  # fmt: skip
        offers.append(Offer("widen the column", "the read models take all names then", lambda v: c.Widen()))
    service = Param("service", "bank", choices=("stock", "bank", "dispatch"))
    times = Param("times", 1, 0, 100)
    offers.append(Offer("a service declines", "its next requests: no goods, no money, no room",
                        lambda v: c.Decline(v["service"], v["times"]), (service, times)))  # fmt: skip
    return tuple(offers)


def rules(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Rules that can be switched off, each with its state."""
    return forms.of_rules(snapshot.rules, RULES, SetRule)


def tune(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """The choices of the run that can be changed while it runs."""
    if snapshot.recorded:
        return ()
    return forms.of_choices(snapshot.options, CHOICES, c.SetOption)


def sides(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Ways to split the machines."""
    if snapshot.recorded:
        return ()
    name = focus.node or "bus"
    others = tuple(each for each in machines(snapshot) if each != name)
    down = tuple(each.name for each in snapshot.machines if each.stage in ("projectors", "replicas"))
    users = tuple(each.name for each in snapshot.users)
    rest = tuple(each for each in machines(snapshot) if each not in down and each not in users)
    return (
        forms.split(((name,), others), f"{name} alone"),
        forms.split((down, rest), "the roads are apart: writing goes on, rows stand still"),
        *forms.one_way(name, others),
        forms.connect_all([each for each in machines(snapshot) if each not in users]),
    )


def client(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """A typed command or question, or a date to go to."""
    words = text.split()
    first, rest = (words[0], words[1:]) if words else ("", [])
    if first == "at" and rest:
        return _travel(snapshot, focus, " ".join(rest))
    if snapshot.recorded:
        return _question(focus, text)
    user = user_of(snapshot, focus)
    if not user:
        return Refuse("no user is up: k restarts the selected one")
    numbers = [int(word) for word in rest if word.isascii() and word.isdecimal() and len(word) < 8]
    match first, rest, numbers:
        case "create", [_, _], [quantity, price]:
            return c.Create(user, quantity, price, then_read=True)
        case "add", [_, _], [quantity, price]:
            return c.AddTo(user, quantity, price, then_read=True)
        case "note", [_, *_], _:
            return c.Note(user, " ".join(rest)[:60])
        case "resend", [], _:
            return c.Resend(user)
        case (("summary" | "history" | "revenue"), [], _):
            return c.Ask(user, first)
    raise UserError(f"{text[:40]!r}: write one of: {HINT}")


def _question(focus: Focus, text: str) -> Outcome:
    """A question to the read models of a file: ``GET_ORDER_SUMMARY order=order-7``, or in short ``summary order-7``."""
    first, _, rest = text.strip().partition(" ")
    name = IN_SHORT.get(first.lower(), "")
    if not name and first.upper() not in QUERIES:
        raise UserError(f"{text[:40]!r}: a file is asked, not changed: write one of: {FILE_HINT}")
    field = QUERIES[name].fields[0].name if name else ""
    query = Query(text, name, {field: rest.strip()} if rest.strip() else {}) if name else parse_query(text)
    spec, key = spec_of(query)
    return choose(focus, view="rows", projection=spec.projection, key=key)


def _travel(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """The read models at a position (``#12``) or at a time: ``3.5s``."""
    events = snapshot.events
    place = dates.place(text)
    if place is not None and not 1 <= place <= len(events):
        raise UserError(f"at {text}: #1 to #{len(events)} is accepted")
    position = place or at_date(events, dates.moment(text, snapshot.recorded)).events
    if not position:
        raise UserError(f"at {text}: nothing had happened yet")
    view = view_of(snapshot, focus)
    return choose(focus, at=position, view=view if view in ("rows", "tree") else "rows")
