"""What must hold, whatever happens; and the book in which the checks keep what was promised.

The checks stand beside the machines and look only at what the last step changed. One that failed stays failed.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from engines.event_sourcing.account import ACCOUNT, Account
from engines.event_sourcing.aggregate import Aggregate
from engines.event_sourcing.errors import UnknownEvent
from engines.event_sourcing.events import ChainCheck, RecordedEvent
from engines.event_sourcing.world.rules import NEWER_ACCOUNT
from engines.sim.checks import CheckBook

DURABLE: Final = "acknowledged survives"
GAPLESS: Final = "no gaps"
SKIPPED: Final = "nothing skipped"
SNAPSHOTS: Final = "snapshot and rest"
BALANCE: Final = "balance is the sum"
ONCE: Final = "no effect twice"
COMMANDS: Final = "a command once"
BATCHES: Final = "whole batches"
CHAIN: Final = "chain intact"

DEMANDS: Final = {
    DURABLE: "every event whose writer was told 'saved' is in the store, at its position",
    GAPLESS: "readers see positions and revisions without a gap",
    SKIPPED: "no subscriber's position is past an event it never handled",
    SNAPSHOTS: "fold from a snapshot = fold from zero",
    BALANCE: "every balance is the sum of its events, and none is below zero",
    ONCE: "no subscriber does the effect of an event twice",
    COMMANDS: "what one command decided is written once",
    BATCHES: "of a batch all events are there or none",
    CHAIN: "every checksum fits the event and the checksum before it",
}


CHECKS_OF: Final = {
    "store": (DURABLE, GAPLESS, SKIPPED, SNAPSHOTS, BALANCE, ONCE, COMMANDS, BATCHES, CHAIN),
    "numbered": (DURABLE, SKIPPED, SNAPSHOTS, BALANCE, ONCE, COMMANDS, CHAIN),
    "group": (DURABLE, GAPLESS, SKIPPED, SNAPSHOTS, BALANCE, ONCE, COMMANDS, BATCHES, CHAIN),
    "log": (DURABLE, GAPLESS, BALANCE, ONCE, COMMANDS, BATCHES),
}
"""What each variant promises."""


class Fold(NamedTuple):
    """What a teller folded last, and what it cost."""

    stream: str
    revision: int
    snapshot: int
    folded: int


class Ledger:
    """What was promised and decided. Machines write into it, and never read it."""

    def __init__(self) -> None:
        self.starts = 0
        self.conflicts = 0
        self.appends = 0
        self.hold: tuple[int, bool] | None = None
        """How long the next transaction of the numbered store stays open, and whether it rolls back then."""
        self.acked: dict[int, str] = {}
        """Position -> id of every event whose writer was told."""
        self.batches: dict[str, int] = {}
        """Command id -> events of its batch."""
        self.states: dict[str, list[Account]] = {}
        """Stream -> the state after each revision, folded from zero."""
        self.chain = ChainCheck()
        self.taken = 0
        """Events that were looked at."""
        self.failures: list[tuple[str, str, tuple[str, ...]]] = []
        """What came to light since the checks last looked: (check, detail, witness)."""
        self.folds: list[Fold] = []
        """The newest loads of tellers."""
        self.loads = self.folded_with = self.folded_without = 0
        """Loads, events folded, and events that would have been folded without snapshots."""
        self.seen: dict[str, bool] = {}
        """Ids of events without what a repeat adds."""

    def wrote(self, events: Sequence[RecordedEvent]) -> None:
        """The store wrote a batch."""
        self.appends += 1
        self.batches[events[0].causation_id] = len(events)
        for event in events:
            self.take(event)

    def take(self, event: RecordedEvent) -> None:
        """An event is in the store: fold it, check its place."""
        self.taken += 1
        broken = self.chain.feed(event)
        if broken is not None:
            self.fail(CHAIN, str(broken), _name(event))
        id = event.id.rstrip("+")
        if id in self.seen:
            self.fail(COMMANDS, f"what command {event.causation_id} decided is in the store twice", _name(event))
        self.seen[id] = True
        self.grow(event)

    def grow(self, event: RecordedEvent) -> None:
        """The state after an event."""
        states = self.states.setdefault(event.stream, [])
        before = states[-1] if states else ACCOUNT.initial
        try:
            after = NEWER_ACCOUNT.apply(before, event)
        except UnknownEvent:
            after = before
        if after.balance < 0 <= before.balance:
            self.fail(BALANCE, f"{event.stream} holds {after.balance}", _name(event), f"before it {before.balance}")
        states.append(after)

    def acknowledged(self, events: Sequence[RecordedEvent], positions: Sequence[int]) -> None:
        """A writer was told that these are durable."""
        for position in positions:
            self.acked[position] = events[position - 1].id

    def recovered(self, events: Sequence[RecordedEvent]) -> None:
        """The store read its log: is all there that was promised, and nothing half?"""
        for position, id in self.acked.items():
            if position > len(events) or events[position - 1].id != id:
                self.fail(
                    DURABLE, f"position {position} was acknowledged and is gone", f"event {id}, position {position}"
                )
                break
        counts: dict[str, int] = {}
        for event in events:
            counts[event.causation_id] = counts.get(event.causation_id, 0) + 1
        for command, count in counts.items():
            if count < self.batches.get(command, count):
                said = f"{count} of {self.batches[command]} events of a batch are there"
                self.fail(BATCHES, said, f"the batch of command {command}")
        self.states, self.seen, self.chain = {}, {}, ChainCheck()
        for event in events:
            self.take(event)

    def folded(self, stream: str, revision: int, state: Account, snapshot: int, count: int) -> None:
        """A teller folded a state: with a snapshot or from zero, it must be the same."""
        self.loads += 1
        self.folded_with += count
        self.folded_without += revision + 1
        self.folds.append(Fold(stream, revision, snapshot, count))
        del self.folds[:-40]
        states = self.states.get(stream, [])
        if not 0 <= revision < len(states):
            return
        if state != states[revision]:
            check = SNAPSHOTS if snapshot >= 0 else BALANCE
            said = (
                f"{stream} at revision {revision}: folded {state.balance}, from zero it is {states[revision].balance}"
            )
            self.fail(check, said, f"{stream} revision {revision}", f"begun at revision {snapshot}")

    def verify(self, events: Sequence[RecordedEvent]) -> tuple[int, str, int]:
        """The whole chain anew: where it breaks, zeros if nowhere."""
        check = ChainCheck()
        for event in events:
            broken = check.feed(event)
            if broken is not None:
                self.fail(CHAIN, str(broken), _name(event))
                return broken.position, broken.stream, broken.revision
        return 0, "", 0

    def fail(self, check: str, detail: str, *witness: str) -> None:
        """A guarantee does not hold."""
        self.failures.append((check, detail, witness))


def book(variant: str) -> CheckBook:
    """The checks of a variant."""
    checks = CheckBook({name: DEMANDS[name] for name in CHECKS_OF[variant]})
    checks.results()
    return checks


def take(checks: CheckBook, ledger: Ledger, position: int, at_us: int) -> None:
    """What came to light in the last step."""
    checks.position, checks.at_us = position, at_us
    for name, detail, witness in ledger.failures:
        if name in checks.demands:
            checks.fail(name, detail, *witness)
    ledger.failures.clear()
    checks.results()  # worked out now, so that looking at them later changes nothing


def _name(event: RecordedEvent) -> str:
    return f"position {event.position}: {event.stream} revision {event.revision}, {event.type}"


def fold_of(aggregate: Aggregate[Account], events: Sequence[RecordedEvent]) -> Account:
    """The state after these events, as far as they can be read."""
    state = aggregate.initial
    for event in events:
        try:
            state = aggregate.apply(state, event)
        except UnknownEvent:
            continue
    return state


__all__ = [
    "BALANCE",
    "BATCHES",
    "CHAIN",
    "CHECKS_OF",
    "COMMANDS",
    "DEMANDS",
    "DURABLE",
    "GAPLESS",
    "ONCE",
    "SKIPPED",
    "SNAPSHOTS",
    "Fold",
    "Ledger",
    "book",
    "fold_of",
    "take",
]  # fmt: skip
