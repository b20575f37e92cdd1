"""What clients may rely on, checked beside the algorithm after every event (the others are in checks.py).

- exactly once: the checker executes the committed commands by itself, each once, and compares state machines with that
- answers follow the log: an answer is what the command did at its place in the commit order, and places follow real
  time. So a history of commands is linearizable, by a certificate instead of a search
- reads are current: a question that was answered beside the log was answered from no less than was committed when it
  was asked (dissertation 6.4). With the rule ``confirm_reads`` off it is judged as well: who switches it off, a story
  that declares what it breaks, a hunt or a person, wants to see that
- applied entries stay: what a server applied is never deleted or overwritten in its log
- no campaign beside a leader: who heard its leader within the shortest timeout does not stand for election (5.2). This
  is about progress, not about safety
"""

from typing import Final, TypeAlias

from engines.consensus.operations import execute
from engines.consensus.raft.client import Client
from engines.consensus.raft.messages import Command, Content, Registration
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.state_machine import SESSION_ENTRIES, KeyValueStore, session_of
from engines.sim.checks import CheckBook
from engines.sim.history import History, Operation
from engines.sim.host import Host
from engines.units import span, stamp

ONCE: Final = "exactly once"
ANSWERS: Final = "answers follow the log"
READS: Final = "reads are current"
UNDONE: Final = "applied entries stay"
QUIET: Final = "no campaign beside a leader"

DEMANDS: Final = {
    ONCE: "a command that stands in the log twice takes effect once, on every server",
    ANSWERS: "a client is told what its command did at its place in the log, and places follow real time",
    READS: "a question is answered from no less than was committed when it was asked",
    UNDONE: "a server never deletes or overwrites an entry that it applied",
    QUIET: "a server that heard its leader within the shortest timeout does not stand for election",
}


Executed: TypeAlias = tuple[int, int | None]
"""A command of a client that waits for its answer: where it stands in the log and what it did there."""

Asked: TypeAlias = tuple[int, int, int]
"""A client asked: how much was committed by then, the highest entry whose client had been answered, and the place of
the question in the history."""


class Promises:
    """The checker of one cluster."""

    def __init__(self, book: CheckBook, hosts: dict[str, Host], history: History) -> None:
        self.book = book
        self.hosts = hosts
        self.history = history
        self.looked = 0
        """How much of the history was examined."""
        self.asked: dict[tuple[str, int], Asked] = {}
        self.executed: dict[tuple[str, int], Executed] = {}
        self.committed = 0
        self.answered = 0
        self.differ = False
        """Whether two servers applied different entries at one index."""
        self.entry = 0
        """The last entry that was executed here."""
        self.values: dict[str, int] = {}
        self.newest: dict[str, int] = {}
        """client -> the highest serial that was executed."""
        self.used: dict[str, int] = {}
        """A session that an entry opened -> the entry that used it last."""
        self.expire_after = SESSION_ENTRIES
        self.missed: dict[tuple[str, int], bool] = {}
        """Operations that were open when entries were missed."""
        self.by_hand: dict[str, bool] = {}
        """Servers whose timer a person let run out."""
        self.other_clock: dict[str, int] = {}
        """When a server last heard its leader, by a clock that was set since."""

    # -- the log, in the order in which it commits -------------------------------------------------------------------

    def execute(self, entry: int, content: Content) -> None:
        """An entry was applied somewhere for the first time."""
        if entry != self.entry + 1:
            return
        self.entry = entry
        if isinstance(content, Registration):
            self.used[session_of(content.client, entry)] = entry
        if not isinstance(content, Command):
            return
        client, serial = content.client, content.serial
        if content.session:
            session = session_of(client, content.session)
            if entry - self.used.get(session, -self.expire_after - 1) > self.expire_after:
                return
            self.used[session] = entry
        if serial <= self.newest.get(client, 0):
            return
        self.newest[client] = serial
        result = execute(self.values, content.op, content.key, content.value)
        if (client, serial) in self.history.open:
            self.executed[client, serial] = entry, result

    def resume(self, entry: int, store: KeyValueStore) -> None:
        """Entries were applied and dropped before anybody could look: go on from what they made.

        What waits for an answer may have been among them, so its answer cannot be judged.
        """
        self.entry = entry
        self.values = dict(store.values)
        self.newest = {}
        for name, (serial, _) in store.sessions.items():
            client = name.partition("#")[0]
            self.newest[client] = max(serial, self.newest.get(client, 0))
        self.used = dict(store.used)
        self.missed = dict.fromkeys(self.history.open, True)

    def compare(self, host: Host, applied: int, store: KeyValueStore) -> None:
        """A state machine stopped after this entry. Where machines applied different entries there is no one truth."""
        values = store.values
        if applied > self.entry:
            self.resume(applied, store)
        if applied == self.entry and values != self.values and not self.differ:
            wrong = [key for key in sorted({*values, *self.values}) if values.get(key) != self.values.get(key)]
            key = wrong[0]
            self.book.fail(
                ONCE, f"{host.id} has executed a command twice: {key} is {_value(values, key)}, "
                      f"once each makes it {_value(self.values, key)}",
                f"{stamp(host.clock.now_us)} {host.id} applied entry {applied}",
                f"the commands up to there, each once, make {key} {_value(self.values, key)}",
            )  # fmt: skip

    # -- disks -------------------------------------------------------------------------------------------------------

    def wrote(self, host: Host, node: RaftNode, applied: int) -> None:
        """A server changed its disk. ``applied``: what it had applied before."""
        first = node.log.base_index + host.disk.changed_from + 1
        if first <= applied:
            self.book.fail(
                UNDONE, f"{host.id} changed entry {first} of its log, and had applied up to {applied}",
                f"{stamp(host.clock.now_us)} the log of {host.id} ends at {node.log.last_index}",
            )  # fmt: skip

    # -- elections ---------------------------------------------------------------------------------------------------

    def excuse(self, *servers: str) -> None:
        """Their next campaign is a person's, or their leader's, own wish."""
        self.by_hand.update(dict.fromkeys(servers, True))

    def clocks_set(self, servers: tuple[str, ...]) -> None:
        """Their clocks are set: what they had heard before cannot be dated any more."""
        for server in servers:
            node: RaftNode = self.hosts[server].node  # type: ignore[assignment]
            self.other_clock[server] = node.heard_us

    def stands(self, host: Host, node: RaftNode) -> None:
        """A follower has become a candidate."""
        heard_us = host.now_us - node.heard_us
        wanted = self.by_hand.pop(host.id, False) or node.by_order or node.heard_us == self.other_clock.get(host.id)
        if not wanted and heard_us < node.timing.election_min_us:
            self.book.fail(
                QUIET, f"{host.id} stands for election {span(heard_us)} after it heard {node.heard_leader}",
                f"{stamp(host.clock.now_us)} {host.id} became {node.role.value} in term {node.current_term}; the "
                f"shortest election timeout is {span(node.timing.election_min_us)}",
            )  # fmt: skip

    # -- clients -----------------------------------------------------------------------------------------------------

    def look(self, host: Host) -> None:
        """Something happened to a client, and its history may have grown."""
        history = self.history
        tape = history.tape
        while self.looked < history.length:
            place = self.looked
            self.looked += 1
            status, who, serial, _, _, value, _ = tape.fields(place)
            operation = tape.names[who], serial
            if not status:
                self.asked[operation] = self.committed, self.answered, place
                continue
            asked, done = self.asked.pop(operation), self.executed.pop(operation, None)
            missed = self.missed.pop(operation, False)
            if status != 1:
                continue
            if done:
                self._answered(host, value, asked, done)
            elif not missed or self._question(asked).f == "get":
                self._unexecuted(host, value, asked)

    def _question(self, asked: Asked) -> Operation:
        """What was asked, as it stands in the history."""
        return self.history.operation(asked[2], -1)

    def _answered(self, host: Host, result: int | None, asked: Asked, done: Executed) -> None:
        """An answer came to what stands in the log."""
        entry, did = done
        before = asked[1]
        if did != result or entry <= before:
            what, when = _what(self._question(asked)), self._when(asked)
            if did != result:
                said = f"{what} was answered {_said(result)}: at its place it did {_said(did)}"
                self.book.fail(ANSWERS, said, when,
                               f"{stamp(host.clock.now_us)} it stands in the log as entry {entry}")  # fmt: skip
            else:
                self.book.fail(ANSWERS, f"{what} took effect at entry {entry}, before entry {before}, "
                                        "whose client had been answered when it was asked", when)  # fmt: skip
        self.answered = max(self.answered, entry)

    def _unexecuted(self, host: Host, result: int | None, asked: Asked) -> None:
        """An answer came to what no server has applied: right for a question that was answered beside the log."""
        client = host.node
        assert isinstance(client, Client)
        question, committed = self._question(asked), asked[0]
        said = f"{stamp(host.clock.now_us)} {client.target} answered {_said(result)}"
        if question.f != "get":
            what = f"{_what(question)} was answered, and no server has applied it"
            self.book.fail(ANSWERS, what, self._when(asked), said)
        elif client.answered_at < committed:
            self.book.fail(
                READS, f"{host.id} was told {question.key} as of entry {client.answered_at}, and entry "
                       f"{committed} was committed when it asked",
                self._when(asked), said,
            )  # fmt: skip

    def _when(self, asked: Asked) -> str:
        question = self._question(asked)
        return f"{stamp(question.invoked_us)} {question.client} asked; {asked[0]} entries were committed"


def _what(question: Operation) -> str:
    return f"{question.client} #{question.serial} {question.f} {question.key}"


def _value(values: dict[str, int], key: str) -> str:
    return f"{values[key]}" if key in values else "nothing"


def _said(result: int | None) -> str:
    return "nothing" if result is None else f"{result}"


__all__ = ["ANSWERS", "DEMANDS", "ONCE", "QUIET", "READS", "UNDONE", "Promises"]
