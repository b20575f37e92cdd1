"""What became of a log entry, and what still may: read from the logs as they lie, not from what Raft promises.

Rules can be switched off, and then the promises are void. So nothing here says *for ever* because a majority holds an
entry; it asks who could still be elected without it.
"""

from typing import Final

from engines.consensus.raft.checks import COMPLETENESS, ELECTION_SAFETY, LOG_MATCHING, STATE_MACHINE, TERMS
from engines.consensus.raft.messages import Command
from engines.consensus.raft.quorum import has_quorum
from engines.consensus.raft.snapshot import LogEntry, Server, Snapshot
from tui.canvas import Ink
from tui.kit.explain import rules_off
from tui.kit.words import names
from tui.panels.consensus import members
from tui.panels.consensus.queries import role

SAFETY_RULES: Final = (
    "current_term_commit", "persist_vote", "config_from_append", "one_change", "own_commit_first", "joint_consensus",
    "match_proved", "ack_after_sync", "term_when_decided",
)  # fmt: skip
"""Rules without which a committed entry can be lost."""
SAFETY_CHECKS: Final = (COMPLETENESS, ELECTION_SAFETY, LOG_MATCHING, STATE_MACHINE, TERMS)

Said = tuple[str, Ink]


def rivals(snapshot: Snapshot, entry: LogEntry) -> dict[str, tuple[str, ...]]:
    """Who lacks the entry and could be elected, by whose votes: its log is not behind those of a majority (5.4.1)."""
    on = snapshot.holders(entry)
    ends = {each.id: (each.last_term, each.last_index) for each in snapshot.servers}
    voters = {name: tuple(voter for voter in ends if ends[name] >= ends[voter]) for name in ends if name not in on}
    return {name: those for name, those in voters.items() if has_quorum(snapshot.configuration, those)}


def holds(server: Server, entry: LogEntry) -> bool:
    """Whether this very entry is in its log; where a broken rule gave a term two leaders, term and index do not say."""
    return server.entry(entry.number) == entry


def executed(snapshot: Snapshot, server: Server, entry: LogEntry) -> bool:
    """Whether its state machine executed this entry.

    Its log says so, as long as nothing of it was deleted after it was applied. Of a value that was set the state
    machine itself is asked: it keeps what was executed when the log no longer does.
    """
    if server.applied < entry.number:
        return False
    here = holds(server, entry)
    command = entry.command
    if not isinstance(command, Command) or command.op != "set" or server.deduplicated:
        return here
    shown = dict(server.values).get(command.key) == command.value
    applied = [each for each in server.log if each.number <= server.applied]
    commands = [(each.number, each.command) for each in applied if isinstance(each.command, Command)]
    writers = [(number, each) for number, each in commands if each.key == command.key]
    if here:
        return shown or writers[-1][0] != entry.number
    explains = any(writer.op != "set" or writer.value == command.value for _, writer in writers)
    explained = snapshot.window[0] > 1 or explains
    return shown and not explained and not any(number > entry.number for number, _ in writers)


def knows(snapshot: Snapshot, server: Server, entry: LogEntry) -> bool:
    """Whether it counts this entry, and not another of its index, as committed."""
    if server.commit < entry.number:
        return False
    return executed(snapshot, server, entry) if server.applied >= entry.number else holds(server, entry)


def told(servers: list[Server]) -> str:
    """Servers by name; of a crashed one that it lost what it knew."""
    up = names(each.id for each in servers if each.status != "crashed")
    down = [f"{each.id} until it crashed" for each in servers if each.status == "crashed"]
    return ", ".join([*([up] if up != "nobody" else []), *down])


def committed(snapshot: Snapshot, entry: LogEntry) -> tuple[Said, ...]:
    """Who counts it as committed; and who counts its index as committed with something else there."""
    those = [each for each in snapshot.servers if knows(snapshot, each, entry)]
    lost = [each for each in those if not holds(each, entry)]
    others = [each for each in snapshot.servers if each.commit >= entry.number and each not in those]
    return _joined(
        (those, f"known to {told(those)}", "good" if not lost and not others else "bad"),
        (lost, f"{names(each.id for each in lost)} deleted it since", "bad"),
        (others, f"{told(others)}: another entry is committed at this index", "bad"),
    ) or (("no, as far as anybody knows", "warn"),)


def applied(snapshot: Snapshot, entry: LogEntry) -> tuple[Said, ...]:
    """Who executed it, its own log or not; and who executed another at its index."""
    those = [each for each in snapshot.servers if executed(snapshot, each, entry)]
    gone = [each for each in those if not holds(each, entry)]
    others = [each for each in snapshot.servers if each.applied >= entry.number and each not in those]
    return _joined(
        (those, f"by {told(those)}", "text"),
        (gone, f"in the state of {names(each.id for each in gone)}, no more in the log", "bad"),
        (others, f"{told(others)}: executed another at this index", "bad"),
    ) or (("by nobody", "text"),)


def _joined(*said: tuple[list[Server], str, Ink]) -> tuple[Said, ...]:
    """What is said of some servers, as far as there are any."""
    true = [(text, ink) for servers, text, ink in said if servers]
    return tuple((f"; {text}" if place else text, ink) for place, (text, ink) in enumerate(true))


def outlook(snapshot: Snapshot, server: Server, entry: LogEntry) -> Said:
    """Why it is safe, or how it could survive or vanish."""
    on = snapshot.holders(entry)
    counted = [each for each in snapshot.servers if each.commit >= entry.number]
    those = [each for each in counted if knows(snapshot, each, entry)]
    if those:
        others = [each for each in counted if each not in those]
        if others and all(holds(each, entry) for each in those):
            return (f"broken: {told(those)} counts this entry as committed, {told(others)} another at the same index",
                    "bad")  # fmt: skip
        return _committed(snapshot, entry, on, [each for each in those if not holds(each, entry)])
    if counted and role(server) != "dead" and server in counted:
        return (f"{server.id} takes it for committed, but executed another entry at this index: a promise is broken",
                "bad")  # fmt: skip
    return _open(snapshot, server, entry, on)


def _committed(snapshot: Snapshot, entry: LogEntry, on: tuple[str, ...], lost: list[Server]) -> Said:
    off = rules_off(snapshot.rules, SAFETY_RULES)
    because = f" This takes a broken rule: {', '.join(off)}." if off else " This takes a broken rule."
    leader = snapshot.server(snapshot.leader)
    if lost:
        return f"broken: it was committed, and {names(each.id for each in lost)} deleted it.{because}", "bad"
    if leader is not None and leader.id not in on and leader.term > entry.term:
        return f"broken: it was committed, but the leader {leader.id} lacks it and overwrites it.{because}", "bad"
    if found := rivals(snapshot, entry):
        rival, voters = next(iter(found.items()))
        votes = names(name for name in voters if name != rival)
        return (f"counted as committed, and not safe: {rival} lacks it, its log is not behind those of {votes}. "
                f"With their votes it would lead and overwrite it.{because}", "bad")  # fmt: skip
    if off or any(not check.ok for check in snapshot.checks if check.name in SAFETY_CHECKS):
        rest = f"; off: {', '.join(off)}" if off else "; a check has failed"
        return f"as the logs lie, nobody who lacks it could be elected. No guarantee{rest}", "warn"
    return ("for ever: a majority holds it, and a voter refuses whoever lacks it, so every later leader has it",
            "good")  # fmt: skip


def _open(snapshot: Snapshot, server: Server, entry: LogEntry, on: tuple[str, ...]) -> Said:
    leader = snapshot.server(snapshot.leader)
    if leader is None or role(leader) != "leader" or max(server.term, entry.term) > leader.term:
        if not rivals(snapshot, entry):
            return ("nobody knows whether it is committed; as the logs lie, nobody who lacks it could be elected: it "
                    "will survive", "warn")  # fmt: skip
        return (f"open: it survives if {_one_of(on)} is elected, it vanishes if another server overwrites it",
                "warn")  # fmt: skip
    if leader.id not in on:
        sound = not rules_off(snapshot.rules, SAFETY_RULES) and all(check.ok for check in snapshot.checks)
        silence = ". Nobody was told that it was done" if sound else ""
        return (f"it goes as long as {leader.id} leads: its log has no such entry, and followers take that "
                f"over{silence}", "bad")  # fmt: skip
    counts = not rules_off(snapshot.rules, ("current_term_commit",))
    if entry.term < leader.term and counts:
        wait = "" if snapshot.noop else ": with a new command, for no-op is off"
        return (f"open: of term {entry.term}, older than {leader.id}'s term {leader.term}. Copies of it prove "
                f"nothing; it commits together with an entry of term {leader.term} (5.4.2){wait}", "warn")  # fmt: skip
    proves = "" if entry.term == leader.term else ". That proves nothing: the rule of 5.4.2 is off"
    commits = f"{leader.id} counts it as committed" if proves else "it commits"
    missing = members.missing(snapshot.configuration, on)
    if missing > 0:
        return (f"open: {missing} more cop{'y' if missing == 1 else 'ies'} and {commits}. If "
                f"{leader.id} falls before, it survives only if {_one_of(on)} is elected{proves}",
                "warn")  # fmt: skip
    return (f"on a majority; {leader.id} counts it as committed as soon as their answers arrive{proves}",
            "warn" if proves else "good")  # fmt: skip


def _one_of(servers: tuple[str, ...]) -> str:
    return f"one of {names(servers)}" if len(servers) > 1 else names(servers)
