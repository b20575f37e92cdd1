"""The journal: what happened, and why, one line an event, as a lecturer would say it.

Every kind of event that the world, the servers and the clients record has its sentence here; a test compares the table
with their sources. Numbers are said in full: not *enough votes* but *3 votes, 3 are needed*.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from engines.consensus.raft import messages as m
from engines.consensus.raft.state_machine import describe
from engines.sim.events import Event
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, is_kernel, tell
from tui.kit.words import ms, names, plural
from tui.panel import Line

Say: TypeAlias = Callable[[Event], str]


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    if is_kernel(event):
        return tell(event, WORLD)
    say, ink = TABLE.get(event.kind, (_unknown, "text"))
    return Line(who(event), say(event), "you" if event.node == "you" else ink)


def who(event: Event) -> str:
    """The server or client it happened to; of a message or link both ends."""
    if event.kind in ("propose", "rule", "workload", "timing"):
        return "you"
    return event.node or "world"


def _unknown(event: Event) -> str:
    return f"{event.kind}: {event.why}" if event.why else event.kind


# -- words -----------------------------------------------------------------------------------------------------------


def span(first: int, last: int) -> str:
    """``entry 8`` or ``entries 6-8``."""
    return f"entry {first}" if first >= last else f"entries {first}-{last}"


def words(message: Any) -> str:
    """A message in a few words: ``RequestVote t6``, ``AppendEntries t5 with entry 8``."""
    match message:
        case m.AppendEntries(term, prev, _, entries, _):
            return (
                f"AppendEntries t{term} with {span(prev + 1, prev + len(entries))}" if entries else f"heartbeat t{term}"
            )
        case m.AppendReply(_, True, match, _):
            return f"ok up to entry {match}"
        case m.AppendReply(_, False, _, prev):
            return f"refusal: no match at entry {prev}"
        case m.RequestVote(term):
            return f"RequestVote t{term}"
        case m.VoteReply(term, granted):
            return f"{'vote' if granted else 'refusal to vote'} in t{term}"
        case m.PreVote(term):
            return f"PreVote t{term}"
        case m.PreVoteReply(term, granted):
            return f"{'pre-vote' if granted else 'refusal to pre-vote'} in t{term}"
        case m.ClientRequest(command):
            return f"request {describe(command)} (#{command.serial})"
        case m.ClientReply(serial, ok, _, leader):
            return f"answer to #{serial}" if ok else f"refusal of #{serial}: ask {leader or 'another'}"
    return str(message)


# -- elections -------------------------------------------------------------------------------------------------------


def _timeout(e: Event) -> str:
    waited = ms(e.get("waited_us", 0))
    term = e.get("term", 0) + 1
    if e.why == "no_majority":
        asked = "pre-votes" if e.get("role") == "precandidate" else "votes"
        got = f"{e.get('granted')} of the {e.get('needed')} {asked} it needs"
        return (
            f"has {got} after {waited}: tries again, in term {term}"
            if not e.get("pre_vote")
            else f"has {got} after {waited}: asks again"
        )
    if e.get("pre_vote"):
        return f"heard no leader for {waited} ({_patience(e)}): asks who would vote for it in term {term}"
    return f"heard no leader for {waited} ({_patience(e)}): stands for election in term {term}"


def _patience(e: Event) -> str:
    """How the wait compares with the timeout that was drawn."""
    waited, drawn = e.get("waited_us", 0), e.get("drawn_us", 0)
    if abs(waited - drawn) <= 1_000:
        return "its timeout"
    return "its timer was run out by hand" if waited < drawn else f"its timeout was {ms(drawn)}"


def _campaign(e: Event) -> str:
    return (
        f"starts an election for term {e.get('term')}: votes for itself, needs {e.get('quorum')} votes; "
        f"its log ends at {e.get('last_index')}"
    )


def _prevote_won(e: Event) -> str:
    votes = e.get("votes", ())
    return f"{names(votes)} would vote for it: {len(votes)}, {e.get('quorum')} are needed; now it asks in earnest"


def _elected(e: Event) -> str:
    votes = e.get("votes", ())
    return f"leads term {e.get('term')}: {len(votes)} votes, of {names(votes)}; {e.get('quorum')} are a majority"


def _step_down(e: Event) -> str:
    was, term = e.get("was"), e.get("term")
    office = "leader" if was == "leader" else "its candidacy" if was == "candidate" else "its pre-vote"
    gives_up = "stops leading" if office == "leader" else f"gives up {office}"
    if e.why == "no_quorum":
        return f"{gives_up}: it heard no majority for a whole election timeout (check-quorum)"
    if e.why == "leader_exists":
        return f"{gives_up}: {e.get('src')} leads term {term}"
    return f"{gives_up}: {e.get('src')} showed it the higher term {term}"


def _quorum_lost(e: Event) -> str:
    within = ms(e.get("within_us", 0))
    return f"heard {plural(e.get('heard'), 'server')} in {within}, itself included; needs {e.get('quorum')} to lead"


def _refused(e: Event) -> str:
    """Why a vote or pre-vote was refused."""
    src, term = e.get("src"), e.get("term")
    match e.why:
        case "old_term":
            return f"{src} asks for term {term}, but it is in term {e.get('own_term')} already"
        case "leader_alive":
            return f"it heard its leader {e.get('leader') or 'just now'} within the shortest timeout"
        case "voted":
            return f"it voted for {e.get('voted_for')} in term {term}, and has one vote a term"
    mine = f"{e.get('last_index')} of term {e.get('last_term')}"
    return f"its log ends at {mine}, {src}'s at {e.get('their_index')} of term {e.get('their_term')}: behind"


def _prevote_refused(e: Event) -> str:
    return f"would not vote for {e.get('src')}: {_refused(e)}"


def _vote_refused(e: Event) -> str:
    return f"refuses {e.get('src')} its vote: {_refused(e)}"


def _vote_ignored(e: Event) -> str:
    return f"ignores {e.get('src')}'s RequestVote t{e.get('term')}: {_refused(e)}"


def _vote_granted(e: Event) -> str:
    return f"gives {e.get('src')} its one vote of term {e.get('term')}: the log it shows is not behind its own"


def _prevote_granted(e: Event) -> str:
    return f"would vote for {e.get('src')} in term {e.get('term')}: hears no leader, and its log is not ahead"


def _follow(e: Event) -> str:
    return f"follows {e.get('src')}, the leader of term {e.get('term')}: its heartbeat came"


# -- replication -----------------------------------------------------------------------------------------------------


def _append(e: Event) -> str:
    entry = f"entry {e.get('index')} of term {e.get('term')}"
    if e.why == "noop":
        return f"appends an empty {entry}: once it commits, so does all that earlier terms left"
    return f"appends {describe(e.get('command'))} as {entry}: not committed, only {e.node} has it"


def _store(e: Event) -> str:
    entries, previous = span(e.get("first"), e.get("last")), e.get("prev")
    if not previous:
        return f"stores {entries}, from the beginning of the log"
    return f"stores {entries}: its entry {previous} has term {e.get('prev_term')}, as the leader says"


def _append_refused(e: Event) -> str:
    src = e.get("src")
    if e.why == "old_term":
        return f"refuses {src}'s AppendEntries: it is of term {e.get('term')}, {e.node} is in term {e.get('own_term')}"
    previous = f"entry {e.get('prev')} of term {e.get('prev_term')}"
    if e.why == "gap":
        return f"refuses: {src} builds on {previous}, {e.node}'s log ends at {e.get('last_index')}"
    return (
        f"refuses: {src} builds on {previous}, {e.node} has term {e.get('conflict_term')} there, "
        f"since entry {e.get('conflict_index')}"
    )


def _backtrack(e: Event) -> str:
    before, after = e.get("before"), e.get("after")
    return f"goes back in {e.get('src')}'s log, next {before} > {after}: entry {e.get('refused')} did not match"


def _match_found(e: Event) -> str:
    return f"found where {e.get('src')}'s log agrees with its own: up to entry {e.get('index')}; sends the rest"


def _truncate(e: Event) -> str:
    first, commit = e.get("first"), e.get("commit")
    why = f"of term {e.get('old_term')}: {e.get('src')} has term {e.get('new_term')} there"
    if first <= commit:
        return f"deletes COMMITTED {span(first, e.get('last'))} {why}. Only a broken rule allows that (5.4)"
    return f"deletes {span(first, e.get('last'))} {why}; committed is only up to {commit}"


def _commit(e: Event) -> str:
    on = (e.node, *e.get("holders", ()))
    first, index = e.get("first"), e.get("index")
    verb = "is" if first >= index else "are"
    old = "" if e.get("entry_term") == e.get("term") else f", though of old term {e.get('entry_term')}: the rule is off"
    return f"{span(first, index)} {verb} on {names(on)}: {len(on)}, {e.get('quorum')} needed: committed{old}"


def _commit_withheld(e: Event) -> str:
    return (
        f"commit withheld: entry {e.get('index')} is of term {e.get('entry_term')}, "
        "counting replicas proves nothing for old terms (5.4.2)"
    )


# -- clients ---------------------------------------------------------------------------------------------------------


def _propose(e: Event) -> str:
    command = describe(m.Command("you", 0, e.get("op"), e.get("key"), e.get("value")))
    where = f"propose {command} at {e.peer}" if e.peer else f"propose {command}"
    return f"{where}; it waits until your last command is answered" if e.get("waiting") else where


def _ask(e: Event) -> str:
    command: m.Command = e.get("command")
    again = f", attempt {e.get('attempt')} under the same number #{command.serial}" if e.get("attempt", 1) > 1 else ""
    return f"asks {e.get('target')} for {describe(command)}{again}"


def _answered(e: Event) -> str:
    command: m.Command = e.get("command")
    value = f", {command.key} is now {e.get('result')}" if command.op == "add" else ""
    tries = f", after {e.get('attempts')} attempts" if e.get("attempts", 1) > 1 else ""
    return f"is told by {e.get('src')} that {describe(command)} is done{value}{tries}"


def _give_up(e: Event) -> str:
    after = f"{e.get('attempts')} attempt{'s' if e.get('attempts') != 1 else ''}"
    return f"gives up {describe(e.get('command'))} after {after}, {e.why}: it cannot know whether it happened or will"


def _redirect(e: Event) -> str:
    where = f"ask {e.get('leader')}, its leader" if e.get("leader") else "it knows no leader now"
    return f"does not lead, so it cannot take #{e.get('serial')} of {e.get('src')}: {where}"


def _answer_again(e: Event) -> str:
    return f"answers #{e.get('serial')} of {e.get('src')} from memory: it was applied already, once is enough"


def _deduplicate(e: Event) -> str:
    again = f"#{e.get('serial')} of {e.get('client')}"
    return f"skips entry {e.get('index')}: {again} stood in the log before and is applied only once"


# -- the world -------------------------------------------------------------------------------------------------------


TIMERS: Final = {
    "election": "its election timer runs out", "heartbeat": "time for a heartbeat to everyone",
    "quorum": "time to count who answered lately (check-quorum)", "think": "the client thinks of a command",
    "patience": "no answer: the client loses patience", "backoff": "the client asks again",
}  # fmt: skip

WORLD: Final = KernelWords(
    message=words,
    crashes=lambda node: "its role, commit index and state machine are gone; term, log and written vote stay on disk",
    restarts=lambda node: "restarts from disk as a follower: it knows its term, log and written vote, and not what is "
                          "committed",
    timer=lambda name: TIMERS.get(name, f"its timer {name} runs out"),
)  # fmt: skip
"""What the kernel's events mean to a Raft cluster."""


def _rule(e: Event) -> str:
    return f"rule {e.why.replace('_', ' ')} {'on again' if e.get('on') else 'OFF'}, on every server"


def _workload(e: Event) -> str:
    meaning = {"off": "no commands", "light": "about 2 commands a second each",
               "busy": "about 16 commands a second each",
               "flood": "the next command as soon as the last is answered"}  # fmt: skip
    return f"workload {e.why}: {meaning.get(e.why, '')}"


def _timing(e: Event) -> str:
    low, high = ms(e.get("election_min_us", 0)), ms(e.get("election_max_us", 0))
    return f"heartbeats every {ms(e.get('heartbeat_us', 0))}, election timeouts of {low} to {high} from now on"


TABLE: Final[dict[str, tuple[Say, Ink]]] = {
    "timeout": (_timeout, "candidate"),
    "campaign": (_campaign, "candidate"),
    "prevote_won": (_prevote_won, "precandidate"),
    "prevote_granted": (_prevote_granted, "follower"),
    "prevote_refused": (_prevote_refused, "follower"),
    "vote_granted": (_vote_granted, "follower"),
    "vote_refused": (_vote_refused, "follower"),
    "vote_ignored": (_vote_ignored, "follower"),
    "elected": (_elected, "leader"),
    "step_down": (_step_down, "warn"),
    "quorum_lost": (_quorum_lost, "warn"),
    "follow": (_follow, "follower"),
    "append": (_append, "leader"),
    "store": (_store, "follower"),
    "append_refused": (_append_refused, "stale"),
    "backtrack": (_backtrack, "leader"),
    "match_found": (_match_found, "leader"),
    "truncate": (_truncate, "bad"),
    "commit": (_commit, "good"),
    "commit_withheld": (_commit_withheld, "warn"),
    "propose": (_propose, "you"),
    "ask": (_ask, "client"),
    "answered": (_answered, "client"),
    "give_up": (_give_up, "warn"),
    "redirect": (_redirect, "follower"),
    "answer_again": (_answer_again, "leader"),
    "deduplicate": (_deduplicate, "leader"),
    "rule": (_rule, "warn"),
    "workload": (_workload, "you"),
    "timing": (_timing, "you"),
}  # fmt: skip
"""Every kind of event: how it is said, and the ink of the name before it."""
