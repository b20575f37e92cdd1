"""Data of the user as a run: one record is one step, so play, pause, step, seek and checks work on it unchanged.

A pattern subclasses ``RecordedEngine`` and says when a record happens and what it does. Nothing can be injected: what
happened has happened. Only narration is accepted as a command.
"""

from typing import Any, Final

from engines.errors import UserError
from engines.sim.events import Cue, Event, EventLog
from engines.sim.faults import Narrate
from engines.sim.pattern import Check, Config
from engines.sim.source import Source

RECORDED: Final = "recorded data: faults need a simulation"


class RecordedEngine(EventLog):
    """The engine of a FILE run."""

    def __init__(self, source: Source, seed: int, config: Config) -> None:
        super().__init__()
        self.source = source
        self.config = config
        self.position = 0
        self.taken = 0
        """How many records have happened."""
        self._now_us = 0

    # -- for the subclass ------------------------------------------------------------------------------------

    def at_us(self, record: Any) -> int:
        """When a record happens; never before the one ahead of it. The first may be at any time from 0 on."""
        raise NotImplementedError

    def take(self, index: int, record: Any) -> None:
        """Let a record happen. ``note`` tells of it."""
        raise NotImplementedError

    def snapshot(self) -> Any:
        """What there is to see."""
        raise NotImplementedError

    def check(self) -> tuple[Check, ...]:
        """What is judged of the data."""
        raise NotImplementedError

    def note(self, what: Any, node: str = "") -> None:
        """Record that something happened: a record of its kind (see events.py)."""
        self.fresh.append((self.position, self._now_us, node, what))

    # -- the engine ------------------------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """The time the data has come to."""
        return self._now_us

    @property
    def end_us(self) -> int:
        """When the last record happens."""
        records = self.source.records
        return self.at_us(records[-1]) if records else 0

    def next_us(self) -> int | None:
        """When the next record happens; None after the last."""
        records = self.source.records
        return self.at_us(records[self.taken]) if self.taken < len(records) else None

    def run(self, until_us: int, max_steps: int) -> int:
        """Take at most ``max_steps`` records that happen until then. Time never passes the last one."""
        steps = 0
        records = self.source.records
        while steps < max_steps and self.taken < len(records):
            record = records[self.taken]
            at_us = self.at_us(record)
            if at_us > until_us:
                break
            self._now_us = at_us
            self.position += 1
            self.take(self.taken, record)
            self.taken += 1
            steps += 1
        if steps < max_steps:
            self.settle(until_us)
        self.drain()
        return steps

    def step(self) -> tuple[Event, ...]:
        """The next record, however far away it is."""
        before = self.events_total
        due_us = self.next_us()
        if due_us is not None:
            self.run(due_us, 1)
        return self.latest(self.events_total - before)

    def settle(self, at_us: int) -> None:
        """Let time pass, to the end of the data at most."""
        self._now_us = max(self._now_us, min(at_us, self.end_us))

    def validate(self, command: Any) -> None:
        """Refuse everything but narration."""
        if not isinstance(command, Narrate):
            raise UserError(RECORDED)

    def apply(self, command: Any) -> tuple[Event, ...]:
        """What the lecturer says."""
        self.validate(command)
        before = self.events_total
        self.position += 1
        self.cue = (self.now_us, command.text)
        self.note(Cue(command.text, command.pause))
        self.drain()
        return self.latest(self.events_total - before)

    def resolve(self, command: Any) -> Any:
        """Nothing is symbolic here."""
        return command


__all__ = ["RECORDED", "RecordedEngine"]
