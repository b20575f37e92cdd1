"""Everything about the selected server, and the arithmetic people otherwise do in their heads."""

from typing import Final

from engines.consensus.operations import written
from engines.consensus.raft.quorum import has_quorum
from engines.consensus.raft.snapshot import Acknowledged, ClientState, Progress, Question, Server, Snapshot
from engines.consensus.raft.state_machine import describe
from engines.units import span, stamp
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.kit import sheet
from tui.kit.explain import rules_off
from tui.kit.link_faults import BOTH
from tui.kit.selection import message_of, there
from tui.kit.sheet import Fact, Facts, Section, fact
from tui.kit.words import by, names, plural
from tui.panel import Focus
from tui.panels.consensus import details, members, traced
from tui.panels.consensus import queries as q
from tui.panels.consensus.members import needs
from tui.panels.consensus.queries import role
from tui.plot import bar

CELLS: Final = 12
"""Of the bar of a lease."""
ROLE_WORDS = {"dead": "crashed", "frozen": "frozen", "precandidate": "pre-candidate"}


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> str:
    """Draw what is selected; returns the title."""
    flight = message_of(snapshot, focus)
    if flight is not None:
        sheet.draw(canvas, details.message(snapshot, flight))
        return f"{flight.src}>{flight.dst}  {details.title(flight)}"
    server = there(snapshot.server(focus.node))
    index = q.index_of(focus)
    entry = server.entry(index) if index else None
    if entry is not None:
        known = [Section(0, traced.entry(snapshot, server, entry))] if snapshot.recorded else None
        sheet.draw(canvas, known or details.entry(snapshot, server, entry))
        return f"{server.id}  entry {index}"
    pages = traced.sections(snapshot, server) if snapshot.recorded else sections(snapshot, server, glyphs)
    sheet.draw(canvas, pages)
    return f"{server.id}  {ROLE_WORDS.get(role(server), role(server))} of term {server.term}"


def sections(snapshot: Snapshot, server: Server, glyphs: Glyphs) -> list[Section]:
    """The facts of a server, in reading order."""
    return [
        Section(0, office(snapshot, server)),
        Section(1, (quorum(snapshot), *members.facts(snapshot, server))),
        Section(2, reads(snapshot, server, glyphs)),
        Section(2, replication(snapshot, server)),
        Section(5, (_peer(snapshot, server, each) for each in server.progress if server.status == "up")),
        Section(3, check_quorum(snapshot, server)),
        Section(6, memory(server)),
        Section(4, troubles(snapshot, server)),
        Section(8, (_client(snapshot, each) for each in snapshot.clients if each.current or each.operations)),
        sheet.of_checks(snapshot.checks, 7),
        Section(9, cost(snapshot)),
    ]


def office(snapshot: Snapshot, server: Server) -> Facts:
    """Role, vote, votes, timer."""
    if server.status == "crashed":
        forgets = f" (that for {server.voted_for} was never written)" if server.voted_for != server.durable_vote else ""
        vote = f"{server.durable_vote or 'none'}{forgets if server.voted_for else ''}"
        entries = "1 log entry" if server.last_index == 1 else f"{server.last_index} log entries"
        kept = f"term {server.durable_term}, vote {vote}, {entries}"
        yield fact("role", "crashed", "dead", (f"was {server.role}", "dim"))
        yield fact("on disk", kept, "bright")
        yield fact("lost", "its role, commit index, timers and state machine")
        return
    voted = f"{server.voted_for} (itself)" if server.voted_for == server.id else server.voted_for or "nobody yet"
    yield _role(snapshot, server)
    yield fact("voted for", f"{voted} in term {server.term}", "text")
    if server.votes and server.role != "follower":
        yield _votes(snapshot, server)
    yield _timer(snapshot, server)


def _role(snapshot: Snapshot, server: Server) -> Fact:
    if server.status == "frozen":
        waiting = f"; {server.waiting} waiting: messages and timers"
        return fact("role", f"frozen {server.role}", "frozen", (waiting, "text"))
    if server.role == "leader":
        since = stamp(max(0, snapshot.at_us - server.leader_for_us))
        deposed = f"deposed: {snapshot.leader} leads a newer term, and it does not know"
        stale = (deposed, "bad") if snapshot.leader not in ("", server.id) else ("", "dim")
        return fact("role", "leader", "leader", (f"since {since} ({span(server.leader_for_us)})", "text"), stale)
    if server.role == "follower":
        return fact("role", "follower", "follower", (f"of {server.leader}" if server.leader else "of nobody", "text"))
    asks = "asks for votes" if server.role == "candidate" else f"asks who would vote for it in term {server.term + 1}"
    return fact("role", ROLE_WORDS.get(server.role, server.role), server.role, (asks, "text"))


def _votes(snapshot: Snapshot, server: Server) -> Fact:
    yes = [name for name, granted in server.votes if granted]
    no = [name for name, granted in server.votes if not granted]
    enough = has_quorum(server.configuration, yes)
    sum_ = f"{members.tally(server.configuration, yes)}, needs {members.wanted(server.configuration)}"
    if server.role == "leader" and server.configured_at:
        return fact("votes", names(yes), "text", ("by the configuration of that time", "dim"))
    refused = ((f"; no: {names(no)}", "bad"),) if no else ()
    return fact("pre-votes" if server.role == "precandidate" else "votes", f"{names(yes)}:", "text",
                (sum_, "good" if enough else "warn"), *refused)  # fmt: skip


def _timer(snapshot: Snapshot, server: Server) -> Fact:
    left = server.timer_left_us
    if server.role == "leader":
        when = f", next in {span(left)}" if left is not None else ""
        return fact("heartbeat", f"every {span(snapshot.heartbeat_us)}{when}")
    if left is None:
        return fact("election", "no timer runs")
    low, high = span(snapshot.election_min_us), span(snapshot.election_max_us)
    drawn = f"of {span(server.timer_total_us)}, drawn from {low} to {high}"
    if left > server.timer_total_us:
        drawn = "(set by hand)"
    spoken = ""
    if server.heard_ago_us is not None:
        spoken = f"; heard {server.leader or 'a leader'} {span(server.heard_ago_us)} ago"
    return fact("election", f"in {span(left)}", "bright", (f"{drawn}{spoken}", "text"))


def quorum(snapshot: Snapshot) -> Fact:
    """The majority, how it is worked out, and how many failures that survives."""
    alive = members.up(snapshot)
    count, needed, up = len(members.voters(snapshot)), snapshot.quorum, len(alive)
    survives = count - needed
    if not has_quorum(snapshot.configuration, alive):
        tally, wanted = members.tally(snapshot.configuration, alive), members.wanted(snapshot.configuration)
        return fact("quorum", f"{tally} alive: no majority, nothing can commit", "bad", (f"(needs {wanted})", "text"))
    if snapshot.configuration.joint:
        tally = members.tally(snapshot.configuration, alive)
        return fact("quorum", f"both: {needs(snapshot.configuration)}", "text", (f"; {tally} alive", "dim"))
    who = "1 server survives" if count == 1 else f"{count} servers survive"
    rule = f"{needed} = floor({count}/2)+1{members.whose(snapshot)}: {who} {plural(survives, 'failure')}"
    spare = up - needed
    now = (f"; {up} alive, {spare} to spare", "warn" if not spare else "text") if up < count else ("", "text")
    return fact("quorum", rule, "text", now)


def cost(snapshot: Snapshot) -> Facts:
    """What a request takes, counted in the run, beside what it should take."""
    if snapshot.cost is not None:
        entry, messages, formula = snapshot.cost
        same = "as" if messages == formula else "against"
        took = f"entry {entry} took {messages} messages, {same} 2(n-1) = {formula}"
        yield fact("cost", took, "text", ("; PBFT with 4: 24", "dim"))


def reads(snapshot: Snapshot, server: Server, glyphs: Glyphs) -> Facts:
    """Nothing where questions go through the log and none waits."""
    if server.rounds is not None and snapshot.reads != "log" and server.status == "up":
        yield _newest_round(server.rounds)
        if snapshot.reads == "lease":
            yield _lease(server.rounds, glyphs)
    yield from [_waiting(each) for each in server.questions]


def _newest_round(rounds: Acknowledged) -> Fact:
    """How far a majority has acknowledged."""
    said = [peer for peer, number in rounds.acked if number >= rounds.newest]
    if rounds.confirmed >= rounds.newest:
        return fact("round", f"{rounds.newest} is acknowledged: a majority obeyed when it was sent", "good")
    by = f"acknowledged by {names(said)}" if said else "nobody has acknowledged it yet"
    majority = f"; a majority up to {rounds.confirmed}"
    return fact("round", f"{rounds.newest} is under way: {by}", "text", (majority, "dim"))


def _lease(rounds: Acknowledged, glyphs: Glyphs) -> Fact:
    """What is left of the lease, as a bar."""
    if not rounds.lease_left_us:
        return fact("lease", bar(0, CELLS, glyphs), "dim", ("none: a question takes a round", "text"))
    left = f"{span(rounds.lease_left_us)} of {span(rounds.lease_us)}, by its own clock"
    return fact("lease", bar(rounds.lease_left_us / max(1, rounds.lease_us), CELLS, glyphs), "good", (left, "text"))


def _waiting(question: Question) -> Fact:
    if question.needs < 0:
        what = "an entry of its own term must commit first"
    elif question.round:
        what = f"for round {question.round}, then as of entry {question.needs}"
    else:
        what = f"until it has applied entry {question.needs}"
    return fact("question", f"{question.key}? of {question.client} waits: {what}", "warn")


def replication(snapshot: Snapshot, server: Server) -> Facts:
    """Commit and last index, and what the next entry waits for."""
    if server.status == "crashed":
        yield _missing(snapshot, server)
        return
    held = f"of {server.last_index} in the log, last term {server.last_term}"
    yield fact("commit", f"{server.commit}", "good", (held, "text"))
    if server.last_index > server.commit:
        yield _next_entry(snapshot, server)
    wrong = snapshot.first_divergent(server)
    if wrong:
        differs = f"from the leader's log at entry {wrong}: it will be overwritten from there"
        yield fact("differs", differs, "bad")
    elif server.id != snapshot.leader:
        yield _missing(snapshot, server)
    if server.deduplicated:
        yield fact("repeats", f"{plural(server.deduplicated, 'command')} came twice, applied once")


def _missing(snapshot: Snapshot, server: Server) -> Fact:
    leader = snapshot.server(snapshot.leader)
    lag = leader.last_index - server.last_index if leader else 0
    if lag <= 0:
        return fact("log", "complete" if leader else "no leader to compare with", "text")
    return fact("log", f"{lag} behind the leader", "stale")


def _next_entry(snapshot: Snapshot, server: Server) -> Fact:
    index = server.commit + 1
    entry = server.entry(index)
    label = f"entry {index}"
    if entry is None:
        return fact(label, "not committed yet")
    on = snapshot.holders(entry)
    configuration = snapshot.configuration
    needed = members.wanted(configuration)
    if server.role != "leader":
        tally = members.tally(configuration, on)
        return fact(label, f"{describe(entry.command)}, on {names(on)}: {tally}, needs {needed}", "text",
                    ("; only the leader can say it is committed", "dim"))  # fmt: skip
    known = server.confirmed(index)
    enough: Ink = "good" if has_quorum(snapshot.configuration, known) else "warn"
    parts: list[tuple[str, Ink]] = [
        (f"{describe(entry.command)} confirmed by {names(known)}:", "text"),
        (f"{members.tally(configuration, known)}, needs {needed}", enough),
    ]
    old = entry.term != server.term and not rules_off(snapshot.rules, ("current_term_commit",))
    if old:
        wait = "" if snapshot.noop else ", that is with a new command"
        parts.append((f"; of old term {entry.term}: commits only with an entry of term {server.term}{wait}", "bad"))
    elif short := members.missing(configuration, known):
        silent = [each.id for each in members.voters(snapshot) if each.id not in known]
        how_many, verb = ("one", "confirms") if short == 1 else (str(short), "confirm")
        parts.append((f"; commits when {how_many} of {names(silent)} {verb}", "text"))
    on_the_way = [name for name in on if name not in known]
    if on_the_way:
        parts.append((f"({names(on_the_way)}: stored, not confirmed)", "dim"))
    return Fact(label, tuple(parts))


def _peer(snapshot: Snapshot, server: Server, peer: Progress) -> Fact:
    ago = peer.heard_ago_us
    parts: list[tuple[str, Ink]] = [(f"next {peer.next_index}, match {peer.match_index}", "text")]
    if peer.probing:
        parts.append((", probing", "stale"))
    elif peer.rows:
        parts.append((f", gets the snapshot: {peer.sent_rows} of {peer.rows} rows", "stale"))
    elif peer.full:
        parts.append((f", waits: {peer.inflight} messages on the way", "stale"))
    cut = q.network_of(snapshot).cut_from(server.id, peer.peer)
    if cut not in ("", BOTH):
        parts.append((f", {cut}", "cut"))
    if ago is None:
        parts.append((", not heard yet", "warn"))
    else:
        late = ago > 3 * snapshot.heartbeat_us
        parts.append((f", silent {span(ago)}", "warn") if late else (f", {span(ago)} ago", "dim"))
    return Fact(f"{peer.peer} cut" if cut == BOTH else peer.peer, tuple(parts))


def check_quorum(snapshot: Snapshot, server: Server) -> tuple[Fact, ...]:
    """Whether this leader will stay one. It counts when its office began and then once a longest election timeout."""
    if server.role != "leader" or server.status != "up":
        return ()
    within = snapshot.election_max_us
    those = server.heard(within)
    tally, wanted = members.tally(server.configuration, those), members.wanted(server.configuration)
    facts = f"{tally} in {span(within)}, needs {wanted}:"
    if rules_off(snapshot.rules, ("check_quorum",)):
        return (fact("hears", facts, "text", ("check-quorum is off: it leads on", "warn")),)
    if has_quorum(server.configuration, those):
        return (fact("hears", facts, "text", ("stays leader", "good"), (f"; counted every {span(within)}", "dim")),)
    end = f"steps down when it counts (check-quorum), within {span(within)}, unless more answer", "bad"
    return (fact("hears", facts, "text", end, ("; itself included", "dim")),)


def memory(server: Server) -> Facts:
    """What a crash would keep, and what it would lose."""
    if server.status == "crashed":
        return
    vote = f"vote {server.durable_vote}" if server.durable_vote else "no vote"
    unwritten = f", its vote for {server.voted_for}" if server.voted_for not in (None, server.durable_vote) else ""
    empty = server.last_index < server.first_index
    log = "an empty log" if empty else f"log {server.first_index}..{server.last_index}"
    yield fact("durable", f"term {server.durable_term}, {vote}, {log}")
    if server.snapshot_index:
        upto = f"up to entry {server.snapshot_index} of term {server.snapshot_term}"
        yield fact("snapshot", f"{upto}, {plural(server.snapshot_rows, 'row')}")
    loses = f"commit {server.commit}, applied {server.applied}, role{unwritten}"
    yield fact("volatile", f"{loses}: a crash loses it", "dim")
    if server.unsynced:
        yield fact("unsynced", f"{plural(server.unsynced, 'write')}: a crash now would lose that", "slow")


def troubles(snapshot: Snapshot, server: Server) -> Facts:
    """Faults in force here, and rules that are off everywhere."""
    yield sheet.of_host(server, q.network_of(snapshot), snapshot.servers)
    yield from sheet.of_rules(snapshot.rules)
    if not snapshot.noop:
        counts = not rules_off(snapshot.rules, ("current_term_commit",))
        so = "nothing of an old term commits until a new command" if counts else "a new leader appends no entry"
        yield fact("no-op off", so, "warn")


def _client(snapshot: Snapshot, client: ClientState) -> Fact:
    """What it waits for, or was told last."""
    ink = "you" if client.id == "you" else "client"
    if client.current:
        since = max((each.invoked_us for each in client.operations if each.returned_us is None), default=snapshot.at_us)
        tries = f", attempt {client.attempts}" if client.attempts > 1 else ""
        queued = f", {client.queued} more queued" if client.queued else ""
        waits = f"asks {client.target} for {describe(client.current)} since {span(snapshot.at_us - since)}"
        return fact(client.id, by(client.id, f"{waits}{tries}{queued}"), ink)
    last = client.operations[-1]
    asked = written(last.f, last.key, last.value or 0)
    unknown = f", {client.unknown} unknown" if client.unknown else ""
    took = f" after {span(last.returned_us - last.invoked_us)}" if last.returned_us is not None else ""
    return fact(client.id, f"{asked} {last.status}{took}", ink, (f", {client.done} done{unknown}", "dim"))
