"""The journal: what happened, and why, one line an event, as a lecturer would say it; and messages in words.

A kind of event without a sentence is a type error. Numbers are said in full: not *enough votes* but *3 votes, 3 are
needed*.
"""

from typing import Any, Final, TypeAlias

from engines import units
from engines.consensus.raft import change_events as c
from engines.consensus.raft import events as e
from engines.consensus.raft import messages as m
from engines.consensus.raft import read_events as r
from engines.consensus.raft.roles import Role
from engines.consensus.raft.state_machine import describe
from engines.consensus.recorded import Traced
from engines.rules import RuleSwitched
from engines.sim.events import Event
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, is_kernel, tell
from tui.kit.words import by, names, plural
from tui.panel import Line
from tui.panels.consensus import change_words, members, read_words, traced

Said: TypeAlias = tuple[str, Ink]
"""A sentence, and the ink of the name before it."""


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    if is_kernel(event):
        return tell(event, WORLD)
    if isinstance(event.what, Traced):
        text, ink = traced.told(event.what)
        return Line(event.node, text, ink)
    what: e.RaftEvent = event.what
    text, ink = _of_election(event.node, what)
    if isinstance(what, e.PersonEvent | c.ChangeAsked | c.TransferAsked | r.ReadsSet):
        return Line("you", text, "you" if event.node == "you" else ink)
    return Line(event.node, by(event.node, text), "you" if event.node == "you" else ink)


# -- messages --------------------------------------------------------------------------------------------------------


def span(first: int, last: int) -> str:
    """``entry 8`` or ``entries 6-8``."""
    return f"entry {first}" if first >= last else f"entries {first}-{last}"


def words(message: Any) -> str:
    """A message in a few words: ``RequestVote t6``, ``AppendEntries t5 with entry 8``."""
    return _described(message)[0]


def letter(message: Any) -> str:
    """V vote, P pre-vote, A append, C client, R read index; small letters are the answers."""
    return KINDS[type(message)][0]


KINDS: Final[dict[type, tuple[str, str, str]]] = {
    m.RequestVote: ("V", "RequestVote", "asks for the one vote the receiver has in this term"),
    m.VoteReply: ("v", "answer to RequestVote", "says whether the sender votes for the receiver"),
    m.PreVote: ("P", "PreVote", "asks whether the receiver would vote, before any term is raised"),
    m.PreVoteReply: ("p", "answer to PreVote", "says whether the sender would vote; binds it to nothing"),
    m.AppendEntries: ("A", "AppendEntries", "brings log entries, or only says that the leader lives"),
    m.AppendReply: ("a", "answer to AppendEntries", "confirms how far the sender's log agrees, or refuses"),
    m.Register: ("C", "RegisterClient", "asks for a session, in which commands are executed once"),
    m.Registered: ("c", "answer to RegisterClient", "names the session, or where to ask for one"),
    m.SessionExpired: ("c", "SESSION_EXPIRED", "says that the session of a command is no more"),
    m.InstallSnapshot: ("S", "InstallSnapshot", "brings a piece of what the dropped entries brought about"),
    m.InstallReply: ("s", "answer to InstallSnapshot", "says how much of the snapshot the sender has"),
    m.ClientRequest: ("C", "client request", "asks for a command to be executed"),
    m.ClientReply: ("c", "answer to a client", "tells the client the result, or where to ask"),
    m.ChangeRequest: ("C", "change of members", "asks the leader to change who is part of the cluster"),
    m.ChangeReply: ("c", "answer about members", "says whether the change has committed, or why it is not made"),
    m.TransferRequest: ("C", "transfer of leadership", "asks the leader to hand its office over"),
    m.TransferReply: ("c", "answer about the transfer", "says whether the successor takes over"),
    m.TimeoutNow: ("T", "TimeoutNow", "tells the successor to stand for election at once (3.10)"),
    **read_words.KINDS,
}
"""Letters and titles of messages, and what each is for."""


def is_news(message: Any) -> bool:
    """Whether it carries something new: no heartbeat, no answer to one, no refusal."""
    match message:
        case m.AppendEntries(entries=entries):
            return bool(entries)
        case m.AppendReply(success=True, match_index=match, prev_log_index=previous):
            return bool(match != previous)
        case m.VoteReply(granted=granted) | m.PreVoteReply(granted=granted):
            return bool(granted)
        case m.ClientReply(ok=ok) | m.ChangeReply(ok=ok):
            return bool(ok)
        case m.TransferReply(why=why):
            return why is None
    return True


def in_full(message: Any) -> str:
    """A message with all its numbers: ``AppendEntries t5 after 7/t5 +1 commit 6``."""
    return _described(message)[1]


def _described(message: Any) -> tuple[str, str]:
    """In a few words, and in full."""
    match message:
        case m.AppendEntries(term, prev, prev_term, entries, commit):
            brings = f"AppendEntries t{term} with {span(prev + 1, prev + len(entries))}"
            what = f"+{len(entries)}" if entries else "heartbeat"
            full = f"AppendEntries t{term} after {prev}/t{prev_term} {what} commit {commit}"
            return brings if entries else f"heartbeat t{term}", full
        case m.AppendReply(term, True, match, _):
            return f"ok up to entry {match}", f"ok t{term}: matches up to {match}"
        case m.AppendReply(term, False, _, prev):
            return f"refusal: no match at entry {prev}", f"refused t{term}: no match at {prev}"
        case m.RequestVote(term, index, last):
            return f"RequestVote t{term}", f"RequestVote t{term}, log ends at {index}/t{last}"
        case m.VoteReply(term, granted):
            given = "granted" if granted else "refused"
            return f"{'vote' if granted else 'refusal to vote'} in t{term}", f"vote t{term} {given}"
        case m.PreVote(term, index, last):
            return f"PreVote t{term}", f"PreVote t{term}, log ends at {index}/t{last}"
        case m.PreVoteReply(term, granted):
            given = "granted" if granted else "refused"
            return f"{'pre-vote' if granted else 'refusal to pre-vote'} in t{term}", f"pre-vote t{term} {given}"
        case m.ClientRequest(command):
            asked = describe(command)
            return f"request {asked} (#{command.serial})", f"{command.client} #{command.serial} asks {asked}"
        case m.ClientReply(serial, ok, _, leader):
            ask = f"ask {leader or 'another'}"
            short = f"answer to #{serial}" if ok else f"refusal of #{serial}: {ask}"
            return short, f"#{serial} {'done' if ok else f'not the leader, {ask}'}"
    said = read_words.message(message) or change_words.message(message)
    return said, f"t{message.term}: {said}" if isinstance(message, m.InstallSnapshot | m.InstallReply) else said


# -- elections -------------------------------------------------------------------------------------------------------


def _of_election(node: str, what: e.RaftEvent) -> Said:
    match what:
        case e.TimedOut():
            return _timed_out(what), "candidate"
        case e.Campaigned(term=term, last_index=last, configuration=configuration):
            takes = members.majorities(configuration) if configuration.joint else what.quorum
            votes_for = "votes for itself" if configuration.votes(node) else "may not count itself"
            return (f"starts an election for term {term}: {votes_for}, needs {takes}; its log ends at {last}",
                    "candidate")  # fmt: skip
        case e.PreVoteWon(votes=votes, configuration=configuration):
            count = members.count(configuration, votes, what.quorum)
            return f"{names(votes)} would vote for it: {count}; now it asks in earnest", "precandidate"
        case e.PreVoteGranted(src=src, term=term, hears=True):
            return f"would vote for {src} in term {term}, though it hears a leader: its log is not ahead", "warn"
        case e.PreVoteGranted(src=src, term=term):
            return (f"would vote for {src} in term {term}: hears no leader, and its log is not ahead", "follower")
        case e.PreVoteRefused(src=src):
            return f"would not vote for {src}: {_refused(node, what)}", "follower"
        case e.VoteGranted(src=src, term=term):
            return f"gives {src} its one vote of term {term}: the log it shows is not behind its own", "follower"
        case e.VoteRefused(src=src):
            return f"refuses {src} its vote: {_refused(node, what)}", "follower"
        case e.VoteIgnored(src=src, term=term, own_term=own, leader=leader):
            return f"ignores {src}'s RequestVote t{term}: {_hears(node, leader, own)}", "follower"
        case e.Elected(term=term, votes=votes, quorum=quorum, configuration=configuration):
            if configuration.joint or not all(configuration.votes(each) for each in votes):
                return f"leads term {term} by the votes of {members.counted(configuration, votes)}", "leader"
            return f"leads term {term}: {len(votes)} votes, of {names(votes)}; {quorum} are a majority", "leader"
        case e.SteppedDown():
            return _stepped_down(what), "warn"
        case e.QuorumLost(heard=heard, quorum=quorum, within_us=within):
            return (f"heard {plural(heard, 'server')} in {units.span(within)}, itself included; needs {quorum} to lead",
                    "warn")  # fmt: skip
        case e.Followed(src=src, term=term):
            return f"follows {src}, the leader of term {term}: its heartbeat came", "follower"
        case _ if isinstance(what, e.SessionEvent):
            return read_words.of_sessions(what)
        case _ if isinstance(what, e.SnapshotEvent):
            return read_words.of_snapshots(what)
        case _ if isinstance(what, r.ReadEvent):
            return read_words.of_reads(what)
        case _ if isinstance(what, c.MembershipEvent):
            return change_words.of_members(node, what)
        case _ if isinstance(what, c.TransferEvent):
            return change_words.of_transfer(what)
        case _:
            return _of_replication(node, what)


def _timed_out(what: e.TimedOut) -> str:
    waited, term = units.span(what.waited_us), what.term + 1
    match what.why:
        case e.TimeoutReason.NO_MAJORITY:
            asked = "pre-votes" if what.role is Role.PRECANDIDATE else "votes"
            got = f"has {what.granted} of the {what.needed} {asked} it needs after {waited}"
            return f"{got}: asks again" if what.pre_vote else f"{got}: tries again, in term {term}"
        case e.TimeoutReason.SILENCE:
            then = f"asks who would vote for it in term {term}"
            if not what.pre_vote:
                then = f"stands for election in term {term}"
            if not what.waited_us:  # by its own clock, the only one it has
                return f"its timeout is over, though by its clock no time has passed: that was set back; it {then}"
            return f"heard no leader for {waited} ({_patience(what.waited_us, what.drawn_us)}): {then}"


def _patience(waited_us: int, drawn_us: int) -> str:
    """How the wait compares with the timeout that was drawn."""
    if abs(waited_us - drawn_us) <= 1_000:
        return "its timeout"
    if waited_us < drawn_us:
        return f"before its timeout of {units.span(drawn_us)}"
    return f"its timeout was {units.span(drawn_us)}"


def _stepped_down(what: e.SteppedDown) -> str:
    office = "its candidacy" if what.was is Role.CANDIDATE else "its pre-vote"
    gives_up = "stops leading" if what.was is Role.LEADER else f"gives up {office}"
    match what.why:
        case e.StepDownReason.NO_QUORUM:
            return f"{gives_up}: it heard no majority for a whole election timeout (check-quorum)"
        case e.StepDownReason.LEADER_EXISTS:
            return f"{gives_up}: {what.src} leads term {what.term}"
        case e.StepDownReason.HIGHER_TERM:
            return f"{gives_up}: {what.src} showed it the higher term {what.term}"
        case e.StepDownReason.REMOVED:
            return f"{gives_up}: the configuration that has committed is without it"


def _refused(node: str, what: e.PreVoteRefused | e.VoteRefused) -> str:
    """Why a vote or pre-vote was refused."""
    src, term = what.src, what.term
    match what.why:
        case e.VoteReason.OLD_TERM:
            return f"{src} asks for term {term}, but it is in term {what.own_term} already"
        case e.VoteReason.LEADER_ALIVE:
            return _hears(node, what.leader if isinstance(what, e.PreVoteRefused) else "", what.own_term)
        case e.VoteReason.VOTED:
            voted_for = what.voted_for if isinstance(what, e.VoteRefused) else ""
            return f"it voted for {voted_for} in term {term}, and has one vote a term"
        case e.VoteReason.LOG_BEHIND:
            mine = f"{what.last_index} of term {what.last_term}"
            return f"its log ends at {mine}, {src}'s at {what.their_index} of term {what.their_term}: behind"
        case e.VoteReason.LEARNER:
            return "it takes itself for a learner, and the rule that a learner votes when asked is off"


def _hears(node: str, leader: str, term: int) -> str:
    if leader == node:
        return f"it leads term {term} itself"
    return f"it heard its leader {leader or 'just now'} within the shortest timeout"


# -- replication -----------------------------------------------------------------------------------------------------


def _of_replication(node: str, what: e.ReplicationEvent | e.ClientEvent | e.PersonEvent) -> Said:
    match what:
        case e.Appended(entry=entry, term=term, command=None):
            return (f"appends an empty entry {entry} of term {term}: once it commits, so does all that earlier terms "
                    f"left", "leader")  # fmt: skip
        case e.Appended(entry=entry, term=term, command=command):
            return (f"appends {describe(command)} as entry {entry} of term {term}: not committed, only {node} has it",
                    "leader")  # fmt: skip
        case e.Stored(first=first, last=last, prev=0):
            return f"appends {span(first, last)}, from the beginning of the log", "follower"
        case e.Stored(first=first, last=last, prev=previous, prev_term=term):
            return (f"appends {span(first, last)}: its entry {previous} has term {term}, as the leader says",
                    "follower")  # fmt: skip
        case e.AppendOutdated(src=src, term=term, own_term=own):
            return f"refuses {src}'s AppendEntries: it is of term {term}, {node} is in term {own}", "stale"
        case e.AppendRefused():
            return _append_refused(node, what), "stale"
        case e.Backtracked(src=src, refused=refused, before=before, after=after):
            return (f"goes back in {src}'s log, next {before} > {after}: entry {refused} did not match",
                    "leader")  # fmt: skip
        case e.MatchFound(src=src, entry=entry):
            return (f"finds that {src}'s log agrees with its own by now, up to entry {entry}: sends whatever follows",
                    "leader")  # fmt: skip
        case e.Truncated():
            return _truncated(what), "bad"
        case e.Committed():
            return _committed(node, what), "good"
        case e.CommitWithheld():
            return f"commit withheld: {proves_nothing(what)}", "warn"
        case _:
            return _of_clients(what)


def _append_refused(node: str, what: e.AppendRefused) -> str:
    previous = f"{what.src} builds on entry {what.prev} of term {what.prev_term}"
    match what.why:
        case e.Mismatch.GAP:
            return f"refuses: {previous}, {node}'s log ends at {what.last_index}"
        case e.Mismatch.TERM:
            held = f"{node} has term {what.conflict_term} there, since entry {what.conflict_index}"
            return f"refuses: {previous}, {held}"


def _truncated(what: e.Truncated) -> str:
    entries = span(what.first, what.last)
    why = f"of term {what.old_term}: {what.src} has term {what.new_term} there"
    if what.first <= what.commit:
        return f"deletes COMMITTED {entries} {why}. Only a broken rule allows that (5.4)"
    return f"deletes {entries} {why}; committed is only up to {what.commit}"


def _committed(node: str, what: e.Committed) -> str:
    on = (node, *what.holders)
    verb = "is" if what.first >= what.last else "are"
    old = "" if what.entry_term == what.term else f", though of old term {what.entry_term}: the rule is off"
    where = f"{span(what.first, what.last)} {verb} on {names(on)}"
    return f"{where}: {members.count(what.configuration, on, what.quorum)}: committed{old}"


def proves_nothing(what: e.CommitWithheld) -> str:
    """Why an entry that a majority has does not commit."""
    return f"entry {what.entry} is of term {what.entry_term}, counting replicas proves nothing for old terms (5.4.2)"


# -- clients and persons -----------------------------------------------------------------------------------------------


def _of_clients(what: e.ClientEvent | e.PersonEvent) -> Said:
    match what:
        case e.Asked(target=target, command=command, attempt=attempt):
            again = f", attempt {attempt} under the same number #{command.serial}" if attempt > 1 else ""
            return f"asks {target} for {describe(command)}{again}", "client"
        case e.Answered(src=src, command=command, result=result, attempts=attempts):
            value = f", {command.key} is now {result}" if command.op == "add" else ""
            tries = f", after {attempts} attempts" if attempts > 1 else ""
            if command.op == "get":
                found = "is not there" if result is None else f"is {result}"
                return f"is told by {src} that {command.key} {found}{tries}", "client"
            return f"is told by {src} that {describe(command)} is done{value}{tries}", "client"
        case e.GaveUp(why=why, command=command, attempts=attempts):
            so = "for another command" if why is e.GiveUpReason.ASKS_ANOTHER else why.value
            after = f"{plural(attempts, 'attempt')}, {so}: whether it happened, or will, is unknown"
            return f"gives up {describe(command)} after {after}", "warn"
        case e.Redirected(src=src, leader=leader, serial=serial):
            where = f"ask {leader}, its leader" if leader else "it knows no leader now"
            return f"does not lead, so it cannot take #{serial} of {src}: {where}", "follower"
        case e.AnsweredAgain(src=src, serial=serial):
            return f"answers #{serial} of {src} from memory: it was applied already, once is enough", "leader"
        case e.Deduplicated(entry=entry, client=client, serial=serial):
            again = f"#{serial} of {client} stood in the log before and is applied only once"
            return f"skips entry {entry}: {again}", "leader"
        case e.Proposed(op=op, key=key, value=number, target=target, waiting=waiting):
            asked = describe(m.Command("you", 0, op, key, number))
            where = f"propose {asked} at {target}" if target else f"propose {asked}"
            return f"{where}; it waits until your last command is answered" if waiting else where, "you"
        case RuleSwitched(rule=rule, on=on):
            return f"rule {rule.replace('_', ' ')} {'on again' if on else 'OFF'}, on every server", "warn"
        case e.WorkloadSet(level=level):
            return f"workload {level}: {PACES[level]}", "you"
        case e.TimingSet(heartbeat_us=beat, election_min_us=low, election_max_us=high):
            timeouts = f"election timeouts of {units.span(low)} to {units.span(high)}"
            return f"heartbeats every {units.span(beat)}, {timeouts} from now on", "you"


PACES: Final = {
    "off": "no commands", "light": "about 2 commands a second each", "busy": "about 16 commands a second each",
    "flood": "the next command as soon as the last is answered",
}  # fmt: skip


# -- the world -------------------------------------------------------------------------------------------------------


TIMERS: Final = {
    "election": "its election timer runs out", "heartbeat": "time for a heartbeat to everyone",
    "quorum": "time to count who answered lately (check-quorum)", "think": "the client thinks of a command",
    "patience": "no answer: the client loses patience", "backoff": "the client asks again",
    "transfer": "nobody took over in time", "errand": "the person asks another server",
}  # fmt: skip

WORLD: Final = KernelWords(
    message=words,
    crashes=lambda node: "its role, commit index and state machine are gone; term, log and written vote stay on disk",
    restarts=lambda node: "restarts from disk as a follower: it knows its term, log and written vote, and not what is "
                          "committed",
    timer=lambda name: TIMERS.get(name, f"its timer {name} runs out"),
)  # fmt: skip
"""What the kernel's events mean to a Raft cluster."""
