"""The world with a persistent group: two consumers in the place of the subscribers, and what must hold of them."""

from typing import Any, ClassVar

from engines.errors import UserError
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world.checks import ONCE, SKIPPED
from engines.event_sourcing.world.client import STORE
from engines.event_sourcing.world.commands import ReplayParked
from engines.event_sourcing.world.engine import EventEngine, behind
from engines.event_sourcing.world.group import ConsumerNode, GroupNode, Letters
from engines.event_sourcing.world.snapshot import GroupView, Snapshot, SubscriberView
from engines.sim.host import UP, Host
from engines.sim.node import Node
from engines.sim.pattern import Config


class GroupEngine(EventEngine):
    """The variant ``group``."""

    READERS: ClassVar[tuple[str, ...]] = ("mail", "post")

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        self.letters = Letters()
        super().__init__(variant, seed, config)

    def make_node(self, host: Host) -> Node:
        """What runs on a machine."""
        if host.id == STORE:
            return GroupNode(host.disk, self.control, self.ledger)
        if host.id in self.READERS:
            return ConsumerNode(host.id, host.incarnation, self.control, self.letters)
        return super().make_node(host)

    @property
    def group(self) -> GroupNode:
        """The store, as the server of the group."""
        store = self.store
        assert isinstance(store, GroupNode)
        return store

    def consumer(self, name: str) -> ConsumerNode:
        """A consumer's node."""
        node = self.hosts[name].node
        assert isinstance(node, ConsumerNode)
        return node

    def observe(self, host: Host) -> None:
        """Below the group's checkpoint everything was done or parked."""
        if host.id == STORE:
            self.look_at_checkpoint()
        super().observe(host)

    def look_at_checkpoint(self) -> None:
        """What the checkpoint has passed and nobody did."""
        node, since = self.group, self.judged[self.READERS[0]]
        checkpoint = node.group.checkpoint
        if checkpoint <= since:
            return
        parked = {each.event.position: True for each in node.parked}
        for event in node.memory.events[since:checkpoint]:
            if event.position not in self.letters.done and event.position not in parked:
                said = f"the group stood at {checkpoint}, and nobody had done {event.position}"
                self.ledger.fail(SKIPPED, said, f"position {event.position}: {event.stream} revision {event.revision}")
                self.record(e.EventSkipped(event.position, event.stream, event.revision), STORE)
        self.judged[self.READERS[0]] = checkpoint

    def look_for_repeats(self, name: str) -> None:
        """An effect that was done before is done twice."""
        for position in self.letters.repeated:
            event = self.store.memory.events[position - 1]
            said = f"{name} did the effect of position {position}, which was done before"
            self.ledger.fail(ONCE, said, f"{event.stream} revision {event.revision}")
        self.letters.repeated.clear()

    def look_for_skips(self, name: str, since: int) -> None:
        """The group keeps the position, not its consumers."""

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense here."""
        super().validate(command)
        if isinstance(command, ReplayParked) and self.hosts[STORE].status != UP:
            raise UserError("the store is down: it keeps what the group has parked")

    def replay_parked(self, name: str) -> None:
        """The group hands out again what it has parked, before new events."""
        node = self.group
        count = node.group.replay_parked()
        node.group.stopped = False
        self.record(e.ParkedHanded(count), STORE)
        node.go_on(self.hosts[STORE])

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        group = self.group.group
        view = GroupView(
            group.checkpoint,
            group.done_to,
            tuple((each.event.position, each.consumer, each.attempt, each.due_us) for each in group.handed()),
            tuple(group.consumers),
            tuple(each.event.position for each in group.parked),
            group.stopped,
        )
        return super().snapshot()._replace(group=view)

    def reader(self, name: str, events: tuple[RecordedEvent, ...]) -> SubscriberView:
        """A consumer as it is seen. It stands where the group stands, and has parked what the group has."""
        node, group = self.consumer(name), self.group.group
        current = node.current.event.position if node.current is not None else 0
        parked = tuple((each.event.position, each.event.stream, each.event.revision, False) for each in group.parked)
        twice = sum(count - 1 for count in self.letters.done.values())
        return SubscriberView(
            name, self.hosts[name].status, group.checkpoint, behind(events, group.done_to), current, 0, node.effects,
            twice, parked, 0, (), (),
        )  # fmt: skip


__all__ = ["GroupEngine"]
