"""What the dialogues offer: faults with their parameters, rules to break, choices of the run, typed commands."""

from typing import Final

from engines.errors import UserError
from engines.event_sourcing.audit import at_date
from engines.event_sourcing.gaps import Cure
from engines.event_sourcing.subscriptions import CheckpointPolicy, OnPoison
from engines.event_sourcing.world import commands as c
from engines.event_sourcing.world.snapshot import Snapshot
from engines.sim.rules import SetRule
from engines.units import US_PER_MS
from tui.kit import dates, forms
from tui.kit.forms import Choice
from tui.panel import Focus, Offer, Outcome, Param, Refuse
from tui.panels.events.keys import LEVELS, account_of, teller_of
from tui.panels.events.select import choose, current, machines

HINT: Final = "deposit 1 50   withdraw 1 80   charge 1 80   transfer 1 2 30   race 1 80   at 3.5s   at #12"
NEWER_DEPOSIT: Final = 4
"""The version of a deposit that the next release writes."""
RULES: Final = {
    "sync_first": ("acknowledge an append once it is synced", "off: a power failure loses what was acknowledged"),
    "check_expected": ("compare the expected revision with the stream", "off: two tellers overdraw an account"),
    "recognise_repeats": ("a batch that is there is answered, not written again",
                          "off: a lost answer makes the customer pay twice"),
    "whole_batches": ("recovery drops a batch whose end is missing", "off: half a batch is served"),
    "drop_old_snapshots": ("a snapshot of another layout is ignored", "off: a state that never was"),
    "ignore_stale_pages": ("a subscriber takes only the newest answer", "off: pages that come twice are handled twice"),
}  # fmt: skip
CHOICES: Final = (
    Choice("rate", "commands a second", "of all tellers; 0: only what you ask for", (), 0, 200, 2),
    Choice("snapshots", "a snapshot every so many events", "0: none", (), 0, 1_000, 5),
    Choice("policy", "checkpoint policy", "what a subscriber makes durable first", CheckpointPolicy),
    Choice("idempotent", "idempotent handlers", "they remember the revisions they have seen", ("on", "off")),
    Choice("poison", "poison events", "what becomes of an event that cannot be read", OnPoison),
    Choice("cure", "how gaps are treated", "by subscribers of the numbered store", Cure),
    Choice("sync_ms", "a sync takes", "of the store's disk", (), 0, 1_000, 1, "ms"),
)


@forms.simulated
def all_faults(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    """Every fault, aimed at the selected machine and the event under the cursor."""
    name = focus.node or "store"
    status = next(each.status for each in snapshot.hosts if each.id == name)
    others = tuple(each for each in machines(snapshot) if each != name)
    kept = "power fails: what is not synced is lost or torn" if name == "store" else "what is in memory is lost"
    kill = Offer(f"kill {name}", "SIGKILL: the process dies, the machine's cache survives", lambda v: c.Kill(name))
    return (
        *forms.of_machine(name, status, kept, "from what is on its disk"),
        *((kill,) if status != "crashed" else ()),
        *_of_events(snapshot, focus),
        *_of_store(snapshot),
        *forms.of_links(name, others, LEVELS),
        *forms.of_clock_and_disk(name)[:1],
        forms.HEAL,
    )


def _of_events(snapshot: Snapshot, focus: Focus) -> tuple[Offer, ...]:
    event = current(snapshot, focus)
    up = {each.id for each in snapshot.hosts if each.status == "up"}
    data = event.data if event is not None else None
    position = event.position if event is not None and isinstance(data, dict) and "amount" in data else 0
    which = f"event {position}" if position else "the newest amount"
    offers = [
        Offer(f"tamper with {which}", "somebody changes it in the file",
              lambda v: c.Tamper(position, v["amount"]), (Param("amount", 5_000, 1, 1_000_000, 100),)),
        Offer("verify the chain", "read the whole log and every checksum", lambda v: c.Verify()),
    ]  # fmt: skip
    if snapshot.variant == "numbered":
        del offers[0]
    if snapshot.release < NEWER_DEPOSIT:
        account = Param("account", account_of(snapshot, focus), 1, 9)
        poison = Offer(
            "poison event", "the next release writes a deposit that nobody here can read",
            lambda v: c.Poison(v["account"], v["amount"]), (account, Param("amount", 60, 1, 1_000, 10)),
        )  # fmt: skip
        release = Offer("install the next release", "it knows the new deposits", lambda v: c.Release())
        offers = [*((poison,) if "store" in up else ()), *offers, release]
    readers = [each.name for each in snapshot.subscribers if each.name in up]
    if snapshot.group is None:
        return (*offers, *(_replay(name, f"replay what {name} has parked", "it tries again") for name in readers))
    if readers and "store" in up:
        offers.append(_replay(readers[0], "replay what is parked", "the group hands it out again"))
    return tuple(offers)


def _replay(name: str, title: str, help: str) -> Offer:
    return Offer(title, help, lambda v: c.ReplayParked(name))


def _of_store(snapshot: Snapshot) -> tuple[Offer, ...]:
    offers = [Offer("change the layout of snapshots", "what is kept is of no use then", lambda v: c.ChangeSchema())]
    if snapshot.variant == "numbered":
        span = Param("span", 200, 1, 5_000, 50, "ms")
        offers.append(Offer("a slow transaction", "the next one stays open for so long",
                            lambda v: c.HoldCommit(v["span"] * US_PER_MS), (span,)))  # fmt: skip
        offers.append(Offer("a rollback", "the next transaction burns its number",
                            lambda v: c.HoldCommit(v["span"] * US_PER_MS, True), (span,)))  # fmt: skip
    if snapshot.variant == "log":
        offers.append(Offer("compact the log", "keep the newest event of each stream", lambda v: c.Compact()))
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
    name = focus.node or "store"
    others = tuple(each for each in machines(snapshot) if each != name)
    readers = tuple(each.name for each in snapshot.subscribers)
    rest = tuple(each for each in machines(snapshot) if each not in readers)
    return (
        forms.split(((name,), others), f"{name} alone"),
        forms.split((readers, rest), "the readers are cut off: writing goes on"),
        *forms.one_way(name, others),
        forms.connect_all([each for each in machines(snapshot) if not each.startswith("t")]),
    )


def client(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """A typed command, or a date to travel to."""
    words = text.split()
    if words and words[0] == "at" and len(words) > 1:
        return _travel(snapshot, focus, " ".join(words[1:]))
    if snapshot.recorded:
        return Refuse("recorded data: only 'at' means something here")
    numbers = [int(word) for word in words[1:] if word.isascii() and word.isdecimal() and len(word) < 10]
    counts = {"deposit": 2, "withdraw": 2, "charge": 2, "race": 2, "transfer": 3}
    if not words or words[0] not in counts or len(numbers) != len(words) - 1 or len(numbers) != counts[words[0]]:
        raise UserError(f"{text[:40]!r}: write one of: {HINT}")
    teller = teller_of(snapshot, focus)
    match words[0], numbers:
        case "race", [account, amount]:
            return c.Race(account, amount)
        case "transfer", [account, to, amount]:
            return c.Act(teller, "transfer", account, amount, to)
        case action, [account, amount]:
            return c.Act(teller, action, account, amount)
    raise UserError(f"{text[:40]!r}: write one of: {HINT}")


def _travel(snapshot: Snapshot, focus: Focus, text: str) -> Outcome:
    """The cursor to a position (``#12``) or to what had happened at a time: ``3.5s``, ``2026-01-05`` in a file."""
    place = dates.place(text)
    if place is not None:
        return choose(focus, cursor=place)
    found = at_date(snapshot.events, dates.moment(text, snapshot.recorded))
    if not found.events:
        raise UserError(f"at {text}: nothing had happened yet")
    return choose(focus, cursor=snapshot.events[found.events - 1].position)
