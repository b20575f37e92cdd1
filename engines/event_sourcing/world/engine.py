"""A run of event sourcing: tellers, a desk, two subscribers and one store, on the simulated network and disk."""

import json
from bisect import bisect_right
from collections import deque
from typing import Any, ClassVar, Final

from engines.errors import UserError
from engines.event_sourcing.account import ACCOUNT, DEPOSITED, OPENED
from engines.event_sourcing.append import ANY
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.memory_store import MemoryStore
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world import options
from engines.event_sourcing.world.checks import BALANCE, GAPLESS, ONCE, SKIPPED, Ledger, book, take
from engines.event_sourcing.world.client import NEWER_DEPOSIT, STORE, Desk, Teller
from engines.event_sourcing.world.commands import (
    Act,
    ChangeSchema,
    Compact,
    HoldCommit,
    Kill,
    Poison,
    Race,
    Release,
    ReplayParked,
    SetOption,
    Tamper,
    Verify,
)
from engines.event_sourcing.world.device import Device, frame
from engines.event_sourcing.world.events import QUIET_HERE
from engines.event_sourcing.world.messages import Append, Movement, Origin
from engines.event_sourcing.world.node import LogNode, NumberedNode, StoreNode, new_event
from engines.event_sourcing.world.rules import CAPACITY
from engines.event_sourcing.world.snapshot import FoldCost, Snapshot, StoreView, SubscriberView, WriterView
from engines.event_sourcing.world.subscriber import SubscriberNode
from engines.sim.events import QUIET
from engines.sim.host import CRASHED, UP, Host
from engines.sim.network import LinkOptions
from engines.sim.node import Node
from engines.sim.pattern import Check, Config
from engines.sim.random import Stream
from engines.sim.rules import RuleSwitched, SetRule
from engines.sim.views import changed_links, host_view
from engines.sim.world import World

SUBSCRIBERS: Final = ("mail", "books")
DESK: Final = "desk"
TELLERS: Final = ("t1", "t2", "t3")
LINK: Final = LinkOptions(latency_us=3_000, jitter_us=4_000)
ACTIONS: Final = {"deposit": "Deposit", "withdraw": "Withdraw", "charge": "Charge", "transfer": "Transfer"}
CONFLICTS_KEPT: Final = 20
OPENING: Final = 100
"""What every account begins with."""


class EventEngine(World):
    """One variant."""

    QUIET = QUIET | QUIET_HERE
    READERS: ClassVar[tuple[str, ...]] = SUBSCRIBERS

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        self.variant = variant
        self.control = options.control(variant, config)
        self.ledger = Ledger()
        self.checks = book(variant)
        self.conflicts: deque[tuple[int, str, int, int, str]] = deque(maxlen=CONFLICTS_KEPT)
        self.effects: dict[str, int] = dict.fromkeys(self.READERS, 0)
        """Effects of each subscriber that were judged."""
        self.judged: dict[str, int] = dict.fromkeys(self.READERS, 0)
        """The checkpoint of each subscriber up to which nothing was skipped."""
        self.looked = 0
        """Events that were looked at for gaps."""
        self.skips_told: dict[str, int] = {}
        """The newest skipped position that was told, by subscriber."""
        super().__init__(seed, (*self.READERS, DESK, STORE), TELLERS, LINK)
        self.found()
        self.begin()

    def found(self) -> None:
        """The bank opens: every account with its first money, the third in the layout of an old release."""
        memory, device = MemoryStore(), Device()
        memory.now_us = 1
        offset = 0
        for number in range(1, self.control.accounts + 1):
            id = f"open-{number}"
            origin = Origin("bank", id, "OpenAccount", f"story-{id}")
            version = 1 if number == 3 else 3
            batch = [
                Movement(f"{id}/0", OPENED, 0, owner=f"customer {number}"),
                Movement(f"{id}/1", DEPOSITED, OPENING, version=version),
            ]
            saved = memory.save_events(f"account-{number}", [new_event(each, origin) for each in batch], ANY)
            for position in saved.positions:
                data = frame(memory.events[position - 1], position == saved.positions[-1])
                for page, content in device.splice(offset, data):
                    device.write(page, content)
                offset += len(data)
            self.ledger.batches[id] = len(batch)
        device.sync()
        self.hosts[STORE].disk.registers["device"] = device

    def make_node(self, host: Host) -> Node:
        """What runs on a machine."""
        if host.id == STORE:
            kind = {"store": StoreNode, "numbered": NumberedNode, "log": LogNode}[self.variant]
            return kind(host.disk, self.control, self.ledger)
        if host.id in SUBSCRIBERS:
            return SubscriberNode(host.id, host.disk, self.control)
        if host.id == DESK:
            return Desk(host.id, host.incarnation, host.disk, self.control, self.ledger)
        return Teller(host.id, host.incarnation, self.control, self.ledger)

    @property
    def store(self) -> StoreNode:
        """The store's node."""
        node = self.hosts[STORE].node
        assert isinstance(node, StoreNode)
        return node

    def subscriber(self, name: str) -> SubscriberNode:
        """A subscriber's node."""
        node = self.hosts[name].node
        assert isinstance(node, SubscriberNode)
        return node

    def teller(self, name: str) -> Teller:
        """A teller's node, or the desk's."""
        node = self.hosts[name].node
        assert isinstance(node, Teller)
        return node

    # -- the checks ----------------------------------------------------------------------------------------------

    def observe(self, host: Host) -> None:
        """Look at what the last step changed."""
        if host.id == STORE:
            self.look_for_gaps()
            if self.variant == "numbered":
                for name in self.READERS:
                    self.look_for_skips(name, 0)
            for raw in self.fresh[-8:]:
                if type(raw[3]) is e.Conflicted and raw[0] == self.position:
                    kept = (raw[1], raw[3].stream, raw[3].expected, raw[3].actual, raw[3].who)
                    if not self.conflicts or self.conflicts[-1] != kept:
                        self.conflicts.append(kept)
        elif host.id in self.effects:
            self.look_for_repeats(host.id)
            self.look_for_skips(host.id, self.judged[host.id])
        if self.ledger.failures:
            take(self.checks, self.ledger, self.position, self.now_us)

    def look_for_gaps(self) -> None:
        """What readers see has neither holes nor jumps."""
        if self.variant == "numbered":
            return
        store = self.store
        if isinstance(store, LogNode) and store.gone and self.looked >= 0:
            self.looked = -1
            first = next(position for position in range(1, store.readable + 1) if position in store.gone)
            event = store.memory.events[first - 1]
            self.ledger.fail(GAPLESS, f"position {first} is not there any more", f"{event.stream} {event.revision}")
            left = [each for each in store.visible() if each.stream == event.stream]
            balance = sum(_moves(each) for each in left)
            true = self.ledger.states[event.stream][-1].balance
            if balance != true:
                said = f"{event.stream}: what is left sums to {balance}, it holds {true}"
                self.ledger.fail(
                    BALANCE, said, f"{len(left)} of {len(self.ledger.states[event.stream])} events are left"
                )
        if self.looked < 0:
            return
        if store.readable < self.looked:
            self.looked = 0
        for position in range(self.looked + 1, store.readable + 1):
            event = store.memory.events[position - 1]
            if event.position != position:
                self.ledger.fail(GAPLESS, f"position {position} is missing", f"{event.stream} {event.revision}")
        self.looked = store.readable

    def look_for_repeats(self, name: str) -> None:
        """An effect that was done before is done twice."""
        node = self.subscriber(name)
        effects = node.durable.effects
        for effect in effects[self.effects[name] :]:
            if node.done.get(effect.position, 0) > 1:
                said = f"{name} did {node.done[effect.position]} times the effect of position {effect.position}"
                self.ledger.fail(ONCE, said, f"{effect.stream} revision {effect.revision}")
        self.effects[name] = len(effects)

    def look_for_skips(self, name: str, since: int) -> None:
        """Below a checkpoint everything was handled, parked, or is being handled."""
        node = self.subscriber(name)
        checkpoint = node.durable.checkpoint
        if self.variant == "log" or checkpoint <= since:
            return
        parked = {each.event.position: True for each in node.durable.parked}
        handling = node.current.position if node.current is not None and self.hosts[name].status != CRASHED else 0
        store = self.store
        if self.variant == "numbered":
            assert isinstance(store, NumberedNode)
            waits = node.poller.holes if node.poller.cure.value == "gap-aware token" else {}
            window = [number for number in store.number_of[-200:] if number <= checkpoint and number not in waits]
            events = {number: store.memory.events[store.rows[number]] for number in window}
        else:
            events = {each.position: each for each in store.memory.events[since:checkpoint]}
        for position, event in events.items():
            if position not in node.done and position not in parked and position != handling:
                said = f"{name} stood at {checkpoint} and had never handled {position}"
                self.ledger.fail(SKIPPED, said, f"position {position}: {event.stream} revision {event.revision}")
                if self.skips_told.get(name, 0) < position:
                    self.skips_told[name] = position
                    self.record(e.EventSkipped(position, event.stream, event.revision), name)
        self.judged[name] = checkpoint if not handling else min(checkpoint, handling - 1)

    def check(self) -> tuple[Check, ...]:
        """Every guarantee."""
        return self.checks.results()

    # -- commands ----------------------------------------------------------------------------------------------

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense here."""
        super().validate(command)
        match command:
            case Act(teller=teller, action=action, account=account, amount=amount, to=to):
                self.need_teller(teller)
                self.need_account(account)
                if action not in ACTIONS:
                    raise UserError(f"action {action!r}: one of {', '.join(ACTIONS)} is accepted")
                if action == "transfer":
                    self.need_account(to)
                self.need_amount(amount)
            case Race(account=account, amount=amount):
                self.need_account(account)
                self.need_amount(amount)
                for name in TELLERS[:2]:
                    self.need_teller(name)
            case Poison(account=account, amount=amount):
                self.need_account(account)
                self.need_amount(amount)
                if self.hosts[STORE].status != UP:
                    raise UserError("the store is down: nobody can write to it")
                if self.control.release >= NEWER_DEPOSIT:
                    raise UserError("the next release is installed already: nothing it writes is unreadable")
            case Release() if self.control.release >= NEWER_DEPOSIT:
                raise UserError("the next release is installed already")
            case Kill(node=node):
                if self.hosts[node].status == CRASHED:
                    raise UserError(f"{node} is dead already")
            case ReplayParked(node=node):
                if node not in self.READERS or self.hosts[node].status != UP:
                    raise UserError(f"{node}: a subscriber that is up is needed: {', '.join(self.READERS)}")
            case Tamper(position=position, amount=amount):
                self.need_amount(amount)
                if self.variant == "numbered":
                    raise UserError("its numbers are not the order of its file: m selects a store in which they are")
                if not 0 <= position <= self.store.memory.head():
                    raise UserError(f"position {position}: 1 to {self.store.memory.head()} is accepted, or 0")
                self.target(position)
            case Compact() if self.variant != "log":
                raise UserError("only the compacted log loses events on purpose: m selects it")
            case HoldCommit(span_us=span_us):
                if self.variant != "numbered":
                    raise UserError("only the store that numbers before it commits has open transactions: m selects it")
                if not 0 < span_us <= 60_000_000:
                    raise UserError(f"a transaction of {span_us} us: 1 us to 60 s is accepted")
            case SetOption(name=name, value=value):
                options.parse(name, value)
            case SetRule():
                self.control.rules.validate(command)

    def need_teller(self, name: str) -> None:
        """UserError unless a teller of this name is up."""
        if name not in TELLERS:
            raise UserError(f"teller {name!r}: one of {', '.join(TELLERS)} is accepted")
        if self.hosts[name].status != UP:
            raise UserError(f"{name} is {self.hosts[name].status}: it hears no customer")

    def need_account(self, number: int) -> None:
        """UserError unless there is such an account."""
        if not 1 <= number <= self.control.accounts:
            raise UserError(f"account {number}: 1 to {self.control.accounts} is accepted")

    @staticmethod
    def need_amount(amount: int) -> None:
        """UserError unless it can be moved."""
        if not 0 < amount <= 1_000_000:
            raise UserError(f"an amount of {amount}: 1 to 1000000 is accepted")

    def target(self, position: int) -> int:
        """The event that is tampered with."""
        events = self.store.memory.events
        for event in events[position - 1 : position] if position else reversed(events):
            if isinstance(event.data, dict) and "amount" in event.data:
                return event.position
        raise UserError(f"position {position}: an event with an amount is needed")

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        match command:
            case Act(teller=teller, action=action, account=account, amount=amount, to=to):
                self.teller(teller).ask(self.hosts[teller], ACTIONS[action], account, amount, to)
            case Race(account=account, amount=amount):
                for name in TELLERS[:2]:
                    self.teller(name).ask(self.hosts[name], "Withdraw", account, amount)
            case Kill(node=node):
                self.kill(self.hosts[node])
            case Poison(account=account, amount=amount):
                origin = Origin("newer-release", f"poison-{self.position}", "Deposit", f"story-{self.position}")
                movement = Movement(f"poison-{self.position}/0", DEPOSITED, amount, version=NEWER_DEPOSIT)
                message = Append(f"poison#{self.position}", f"account-{account}", -2, (movement,), origin)
                self.store.append(self.hosts[STORE], TELLERS[0], message)
            case Release():
                self.control.release = NEWER_DEPOSIT
                self.record(e.Released(NEWER_DEPOSIT))
            case ReplayParked(node=node):
                self.replay_parked(node)
            case ChangeSchema():
                self.control.schema += 1
                self.record(e.SchemaChanged(self.control.schema))
            case Tamper(position=position, amount=amount):
                self.tamper(self.target(position), amount)
            case Verify():
                store = self.store
                place = self.ledger.verify(store.memory.events)
                self.record(e.ChainVerified(store.memory.head(), *place), STORE)
            case Compact():
                assert isinstance(self.store, LogNode)
                removed = self.store.compact(self.now_us)
                self.record(e.LogCompacted(removed, len(self.store.visible())), STORE)
            case HoldCommit(span_us=span_us, burn=burn):
                self.ledger.hold = (span_us, burn)
            case SetOption(name=name, value=value):
                options.change(self.control, name, value)
                self.record(e.OptionSet(name, value))
                if name == "rate" and self.control.think_us:
                    for teller in TELLERS:
                        if self.hosts[teller].status == UP:
                            self.teller(teller).think(self.hosts[teller])
            case SetRule(rule=rule, on=on):
                self.control.rules = self.control.rules.switched(command)
                self.record(RuleSwitched(rule, on))
            case _:
                super().execute(command)

    def replay_parked(self, name: str) -> None:
        """A subscriber tries again what it has parked."""
        self.subscriber(name).resume(self.hosts[name])

    def crash(self, host: Host) -> None:
        """A machine loses its power. What the store had not synced is lost, survives, or is torn, page by page."""
        if host.status == CRASHED:
            return
        super().crash(host)
        if host.id == STORE:
            device: Device = host.disk.registers["device"]
            if device.waiting:
                fate = device.power_loss(Stream(self.seed, f"power/{host.incarnation}"))
                self.record(e.PowerFailed(*fate), STORE)

    def kill(self, host: Host) -> None:
        """A process dies and is started again by its machine: the cache of the machine keeps what was written."""
        device = host.disk.registers.get("device")
        super().crash(host)
        self.record(e.ProcessKilled(len(device.waiting) if device is not None else 0), host.id)

    def tamper(self, position: int, amount: int) -> None:
        """Change an amount in the file."""
        event = self.store.memory.events[position - 1]
        data = dict(event.data)
        before, data["amount"] = data["amount"], amount
        self.store.tamper(position, json.dumps(data, separators=(",", ":")))
        self.record(e.EventTampered(position, event.stream, event.revision, before, amount))

    # -- the picture -------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        store, control, ledger = self.store, self.control, self.ledger
        host = self.hosts[STORE]
        device: Device = host.disk.registers["device"]
        opened: tuple[tuple[int, str], ...] = ()
        burnt: tuple[int, ...] = ()
        head = store.readable
        if isinstance(store, NumberedNode):
            taken = store.numbers.taken
            opened = tuple(
                (each.number, store.open[each.transaction][1].origin.who)
                for each in taken[-100:]
                if each.fate.value == "in flight" and each.transaction in store.open
            )
            burnt = tuple(each.number for each in taken[-100:] if each.fate.value == "rolled back")
            head = max(store.rows, default=0)
        view = StoreView(
            host.status, head, store.memory.head(), len(device.waiting), device.syncs, control.sync_us, ledger.appends,
            ledger.conflicts, len(store.queue), opened, burnt, CAPACITY,
        )  # fmt: skip
        events = tuple(store.visible())
        return Snapshot(
            self.now_us,
            self.seed,
            self.variant,
            events,
            view,
            tuple(self.writer(name) for name in (*TELLERS, DESK)),
            tuple(self.reader(name, events) for name in self.READERS),
            tuple(store.snapshots.kept[name] for name in sorted(store.snapshots.kept)),
            control.schema,
            control.release,
            FoldCost(ledger.loads, ledger.folded_with, ledger.folded_without, tuple(ledger.folds)),
            tuple(self.conflicts),
            self.flights(),
            changed_links(self.hosts.values()),
            tuple(host_view(host, self.hosts, self.servers) for host in self.hosts.values()),
            options.show(control),
            control.rules.items(),
            self.check(),
            self.cue,
        )

    def writer(self, name: str) -> WriterView:
        """A teller as it is seen."""
        node, job = self.teller(name), self.teller(name).job
        return WriterView(
            name, self.hosts[name].status, job.command if job else "", job.stream if job else "",
            job.amount if job else 0, node.revision, node.attempt, isinstance(node.outgoing, Append), len(node.jobs),
            node.done, node.conflicts, node.refused,
        )  # fmt: skip

    def reader(self, name: str, events: tuple[RecordedEvent, ...]) -> SubscriberView:
        """A subscriber as it is seen; what it has not handled of the events that are there is behind."""
        node = self.subscriber(name)
        durable = node.durable
        parked = tuple(
            (each.event.position, each.event.stream, each.event.revision, not each.attempts) for each in durable.parked
        )
        twice = sum(count - 1 for count in node.done.values())
        return SubscriberView(
            name, self.hosts[name].status, durable.checkpoint, behind(events, durable.checkpoint),
            node.current.position if node.current else 0, node.half, len(durable.effects), twice, parked,
            node.stopped_at, tuple(node.poller.holes), tuple(sorted(node.balances.items())),
        )  # fmt: skip


def behind(events: tuple[RecordedEvent, ...], checkpoint: int) -> int:
    """How many events stand behind a position: numbers that nobody ever filled are none."""
    return len(events) - bisect_right(events, checkpoint, key=lambda event: event.position)


def _moves(event: Any) -> int:
    data, _ = ACCOUNT.upcasters.lift(event) if event.version <= 3 else (event.data, ())
    amount = int(data.get("amount", 0))
    return -amount if event.type == "MoneyWithdrawn" else amount


__all__ = ["DESK", "SUBSCRIBERS", "TELLERS", "EventEngine"]
