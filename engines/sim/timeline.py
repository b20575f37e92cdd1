"""The run as its inputs: step, back, seek, branch.

A deterministic engine is fully described by its seed and its commands, so a run is kept as a log of commands
with the position at which each was given. Going back is the nearest checkpoint plus re-execution. Watching
leaves no trace: how a stretch was cut into frames is not recorded, only commands are.

A command given in the past starts a *branch*; the old future stays reachable. A restart, with the same seed or
another, starts a new *root* and keeps the old one. A scenario's script is submitted by the timeline itself, at
its times, through the same door as a key press.

Checkpoints are compressed pickles of plain data and never leave the process; saved runs are JSON (recording.py).
"""

import copyreg
import gc
import io
import pickle
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, NamedTuple

from engines.errors import UserError
from engines.rules import Switch
from engines.sim.digest import Digest
from engines.sim.events import Cue, Event
from engines.sim.faults import Narrate
from engines.sim.history import Tape
from engines.sim.pattern import C, Check, Config, Engine, S_co, Scenario, Step, Variant

CHECKPOINT_EVERY: Final = 2_000
"""Positions between checkpoints: a seek re-executes at most about this many steps near the present."""
CHECKPOINT_BYTES_SMALL: Final = 64 << 10
"""A larger checkpoint takes noticeable time to make: the next one is put off in proportion to its size."""
CHECKPOINTS_MAX: Final = 120
"""Checkpoints kept for one branch; older ones are thinned first."""
CHECKPOINTS_HIDDEN: Final = 16
"""Checkpoints kept for a branch that was left."""
CHECKPOINT_BYTES_MAX: Final = 32 << 20
"""Compressed bytes of all checkpoints of one branch."""
CHUNK: Final = 512


class Input(NamedTuple):
    """A command in the log: given when ``position`` things had happened, at ``at_us``."""

    position: int
    at_us: int
    command: Any
    scripted: bool


class Checkpoint(NamedTuple):
    """The engine as it was, compressed."""

    position: int
    at_us: int
    blob: bytes
    tapes: tuple[Tape, ...] = ()
    """What the blob refers to and does not hold."""


@dataclass(slots=True)
class Branch:
    """One future: a root, or what became of another branch from ``fork_position`` on."""

    number: int
    seed: int
    config: Config
    scenario: Scenario | None
    parent: int | None = None
    fork_position: int = 0
    fork_us: int = 0
    log: list[Input] = field(default_factory=list)
    end_position: int = 0
    end_us: int = 0
    left_at: int | None = None
    """The position at which it was last left, to come back to."""
    checkpoints: list[Checkpoint] = field(default_factory=list)


class Timeline(Generic[C, S_co]):
    """A run that can be walked in both directions."""

    def __init__(
        self,
        variant: Variant,
        seed: int,
        config: Config = (),
        scenario: Scenario | None = None,
        keep_checkpoints: bool = True,
    ) -> None:
        self.variant = variant
        self.keep_checkpoints = keep_checkpoints
        self.branches: list[Branch] = []
        self.branch: Branch
        self.engine: Engine[C, S_co]
        self.start(seed, config, scenario)

    # -- where we are ----------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """How many steps and commands have happened."""
        return self.engine.position

    @property
    def now_us(self) -> int:
        """Virtual time."""
        return self.engine.now_us

    @property
    def in_past(self) -> bool:
        """Whether a recorded future lies ahead."""
        return self.position < self.branch.end_position

    @property
    def pending(self) -> tuple[Step, ...]:
        """The lines of the script that are still to be submitted."""
        scenario = self.branch.scenario
        return scenario.script[self._scripted() :] if scenario else ()

    @property
    def config(self) -> Config:
        """The settings to start this run anew with: its own, but rules as a person has switched them so far.

        What the script switched stays out of it: the script will switch it again.
        """
        values = dict(self.branch.config)
        switched: dict[str, bool] = {}
        for entry in self.branch.log:
            if entry.position < self.position and isinstance(entry.command, Switch):
                if entry.scripted:
                    switched.pop(entry.command.rule, None)
                else:
                    switched[entry.command.rule] = entry.command.on
        for setting in self.variant.settings:
            if setting.name in switched and switched[setting.name] != values.get(setting.name, setting.default):
                values[setting.name] = switched[setting.name]
        return tuple(values.items())

    def off_before(self, position: int, rules: Iterable[str]) -> tuple[str, ...]:
        """Which of these rules were off at some time before that position, from the start or switched."""
        given = (entry for entry in self.branch.log if entry.position < position)
        off = {name for name, value in self.branch.config if value is False}
        off |= {each.command.rule for each in given if isinstance(each.command, Switch) and not each.command.on}
        return tuple(name for name in rules if name in off)

    def snapshot(self) -> S_co:
        """The engine's snapshot."""
        return self.engine.snapshot()

    def check(self) -> tuple[Check, ...]:
        """The engine's checks."""
        return self.engine.check()

    # -- forward ---------------------------------------------------------------------------------------------

    def advance(self, until_us: int, max_steps: int = 1 << 60, stop_at_cues: bool = False) -> bool:
        """Let everything happen that is due until then; True if a narration cue stopped the run.

        In the past the recorded commands are given again at their places; at the newest end the script, if any,
        goes on. Time ends at ``until_us`` unless a cue or ``max_steps`` stopped it earlier.
        """
        goal = self.position + max_steps
        while self.position < goal:
            entry = self._next_input()
            if entry is None:
                self._run(until_us, goal - self.position)
                if self.position < goal:
                    break
            elif entry.at_us > until_us:
                self._run(until_us, min(goal, entry.position) - self.position)
                if self.position == entry.position:
                    self.engine.settle(until_us)
                break
            elif self._run(entry.at_us, min(goal, entry.position) - self.position):
                continue
            elif self._is_cue(self._input(entry)) and stop_at_cues:
                self._mark_end()
                return True
        self._mark_end()
        return False

    def step(self) -> bool:
        """One thing more: one event, or one command of the log or the script. False if nothing is left."""
        before = self.position
        entry = self._next_input()
        if entry is None:
            self.engine.step()
        elif not (self.position < entry.position and self._run(entry.at_us, 1)):
            self._input(entry)
        self._mark_end()
        return self.position > before

    def submit(self, command: C) -> tuple[Event, ...]:
        """Give a command now; in the past this starts a branch. UserError, and nothing changed, if it is refused."""
        command = self.engine.resolve(command)
        at_us = self.now_us
        self.engine.settle(at_us)
        self.engine.validate(command)
        if self.in_past:
            self.fork()
        self._forget_later_checkpoints()
        entry = Input(self.position, at_us, command, False)
        self.branch.log.append(entry)
        events = self.engine.apply(command)
        self.branch.end_position, self.branch.end_us = self.position, self.now_us
        return events

    # -- back and anywhere -----------------------------------------------------------------------------------

    def back(self) -> bool:
        """Undo one event or command. False at the start."""
        if self.position == 0:
            return False
        self.seek(self.position - 1)
        return True

    def seek(self, position: int) -> None:
        """Go to a position of this branch, clamped to what it holds."""
        position = max(0, min(position, self.branch.end_position))
        if position < self.position or self._checkpoint_before(position).position > self.position:
            self._restore(self._checkpoint_before(position))
        while self.position < position:
            entry = self._next_input()
            if entry is not None and entry.position <= self.position:
                self._input(entry)
                continue
            goal = position if entry is None else min(position, entry.position)
            if not self._run(self.branch.end_us if entry is None else entry.at_us, goal - self.position):
                raise AssertionError(f"the run ends at {self.position}, before position {position}")
        if position == self.branch.end_position:
            self.engine.settle(self.branch.end_us)

    def seek_time(self, at_us: int) -> None:
        """Go to a time of this branch, clamped to what it holds."""
        at_us = max(0, min(at_us, self.branch.end_us))
        if at_us >= self.branch.end_us:
            self.seek(self.branch.end_position)
            return
        index = bisect_right(self.branch.checkpoints, at_us, key=lambda checkpoint: checkpoint.at_us)
        best = self.branch.checkpoints[index - 1] if index else Checkpoint(0, 0, b"")
        if at_us < self.now_us or best.position > self.position:
            self._restore(best)
        end = self.branch.end_position
        self.advance(at_us, max_steps=end - self.position)
        if self.position == end:
            self.engine.settle(at_us)

    # -- branches --------------------------------------------------------------------------------------------

    def start(self, seed: int, config: Config = (), scenario: Scenario | None = None) -> Branch:
        """A new root: a fresh engine at position 0. The roots and branches so far stay."""
        self._leave()
        branch = Branch(len(self.branches), seed, config, scenario)
        self.engine = self.variant.make(seed, config)
        self.branches.append(branch)
        self.branch = branch
        return branch

    def fork(self) -> Branch:
        """A new branch from here; the old future stays."""
        old = self.branch
        old.left_at = old.end_position
        cut = bisect_left(old.log, self.position, key=lambda entry: entry.position)
        branch = Branch(
            len(self.branches), old.seed, old.config, old.scenario,
            parent=old.number, fork_position=self.position, fork_us=self.now_us,
            log=old.log[:cut], end_position=self.position, end_us=self.now_us,
            checkpoints=[each for each in old.checkpoints if each.position <= self.position],
        )  # fmt: skip
        _thin(old.checkpoints, CHECKPOINTS_HIDDEN)
        self.branches.append(branch)
        self.branch = branch
        return branch

    def visit(self, number: int) -> None:
        """Go to another branch, to the place where it was left."""
        if number == self.branch.number:
            return
        self._leave()
        self.branch = self.branches[number]
        self._restore(Checkpoint(0, 0, b""))
        left_at = self.branch.left_at
        self.seek(self.branch.end_position if left_at is None else left_at)

    def adopt(self, branches: Sequence[Branch], number: int) -> None:
        """Take the branches of a saved run in place of those so far, and stand at the start of one of them."""
        self.branches = [replace(branch, log=list(branch.log), checkpoints=[]) for branch in branches]
        self.branch = self.branches[number]
        self.engine = self.variant.make(self.branch.seed, self.branch.config)

    # -- digests ---------------------------------------------------------------------------------------------

    def digest(self) -> tuple[str, int]:
        """Digest and number of events of the whole current branch, by executing it once more."""
        copy: Timeline[C, S_co] = Timeline(
            self.variant, self.branch.seed, self.branch.config, self.branch.scenario, keep_checkpoints=False
        )
        copy.engine.digest = Digest()
        copy.branch.log = self.branch.log
        copy.branch.end_position, copy.branch.end_us = self.branch.end_position, self.branch.end_us
        copy.seek(self.branch.end_position)
        return copy.engine.digest.close(copy.snapshot()), copy.engine.events_total

    # -- inside ----------------------------------------------------------------------------------------------

    def _next_input(self) -> Input | None:
        """The next command of the log, or of the script once the log is used up."""
        log = self.branch.log
        index = bisect_left(log, self.position, key=lambda entry: entry.position)
        if index < len(log):
            return log[index]
        pending = self.pending
        if not pending:
            return None
        return Input(1 << 60, pending[0].at_us, pending[0].command, True)

    def _scripted(self) -> int:
        return sum(entry.scripted for entry in self.branch.log)

    def _input(self, entry: Input) -> tuple[Event, ...]:
        """Give a command of the log or the script."""
        self.engine.settle(entry.at_us)
        command = entry.command
        if entry.position > self.position:
            command = self._still_possible(command)
            self.branch.log.append(Input(self.position, self.now_us, command, True))
        return self.engine.apply(command)

    def _still_possible(self, command: C) -> C | Narrate:
        """A command of the script, or words in its place where a person has since made it impossible or untrue."""
        try:
            command = self.engine.resolve(command)
            self.engine.validate(command)
        except UserError as error:
            return Narrate(f"The story wanted {type(command).__name__} here, but it cannot be: {error}", pause=False)
        if isinstance(command, Narrate) and command.broken and not all(check.ok for check in self.check()):
            return Narrate(command.broken, command.pause)
        return command

    @staticmethod
    def _is_cue(events: tuple[Event, ...]) -> bool:
        return any(isinstance(event.what, Cue) and event.what.pause for event in events)

    def _run(self, until_us: int, max_steps: int) -> int:
        """Run the engine in chunks, with a checkpoint now and then."""
        total = 0
        while total < max_steps:
            chunk = min(CHUNK, max_steps - total)
            done = self.engine.run(until_us, chunk)
            total += done
            self._keep_checkpoint()
            if done < chunk:
                break
        return total

    def _mark_end(self) -> None:
        branch = self.branch
        if self.position > branch.end_position:
            branch.end_position = self.position
            branch.end_us = self.now_us
        elif self.position == branch.end_position:
            branch.end_us = max(branch.end_us, self.now_us)

    def _leave(self) -> None:
        """Remember where we were; a branch that is not looked at keeps fewer checkpoints."""
        if self.branches:
            self.branch.left_at = self.position
            _thin(self.branch.checkpoints, CHECKPOINTS_HIDDEN)

    def _forget_later_checkpoints(self) -> None:
        """Drop checkpoints taken later at this same position: a command was not yet given there, and now is."""
        kept = self.branch.checkpoints
        while kept and (kept[-1].position > self.position or kept[-1].at_us > self.now_us):
            kept.pop()

    def _checkpoint_before(self, position: int) -> Checkpoint:
        """The last one before the position, not at it: time may have passed there before it was taken."""
        index = bisect_left(self.branch.checkpoints, position, key=lambda checkpoint: checkpoint.position)
        return self.branch.checkpoints[index - 1] if index else Checkpoint(0, 0, b"")

    def _restore(self, checkpoint: Checkpoint) -> None:
        if checkpoint.blob:
            self.engine = _unpacked(checkpoint.blob)
        else:
            self.engine = self.variant.make(self.branch.seed, self.branch.config)

    def _keep_checkpoint(self) -> None:
        """Keep one if the last is far enough behind; thin out the old ones if there are too many."""
        if not self.keep_checkpoints:
            return
        kept = self.branch.checkpoints
        newest, size = (kept[-1].position, len(kept[-1].blob)) if kept else (0, 0)
        if self.position < newest + CHECKPOINT_EVERY * max(1, size // CHECKPOINT_BYTES_SMALL):
            return
        kept.append(Checkpoint(self.position, self.now_us, *_packed(self.engine)))
        _thin(kept, CHECKPOINTS_MAX)


def _packed(engine: Any) -> tuple[bytes, tuple[Tape, ...]]:
    """The engine as compressed bytes, and the tapes they refer to: those are shared, never copied."""
    tapes: list[Tape] = []

    def reference(tape: Tape) -> tuple[Any, ...]:
        tapes.append(tape)
        return tape.__reduce__()

    out = io.BytesIO()
    pickler = pickle.Pickler(out, protocol=5)
    pickler.dispatch_table = copyreg.dispatch_table | {Tape: reference}
    pickler.dump(engine)
    return zlib.compress(out.getvalue(), 1), tuple(tapes)


def _unpacked(blob: bytes) -> Any:
    """The engine of a checkpoint. All that is made stays: a collector that looks for garbage meanwhile finds none."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return pickle.loads(zlib.decompress(blob))
    finally:
        if collects:
            gc.enable()


def _thin(kept: list[Checkpoint], most: int) -> None:
    """Drop checkpoints until at most ``most`` are left and they fit into memory; the newest stays.

    Each time the one goes whose absence costs least: the gap it would leave, against its age.
    """

    def loss(index: int) -> float:
        before = kept[index - 1].position if index else 0
        return (kept[index + 1].position - before) / (kept[-1].position + CHECKPOINT_EVERY - kept[index].position)

    while len(kept) > 1 and (len(kept) > most or sum(len(each.blob) for each in kept) > CHECKPOINT_BYTES_MAX):
        del kept[min(range(len(kept) - 1), key=loss)]


__all__ = ["Branch", "Checkpoint", "Input", "Timeline"]
