"""What there is to see at this moment, in numbers, and what to try: what ``e`` tells at a cue."""

from engines import units
from engines.consensus.raft.snapshot import Server, Snapshot
from engines.consensus.raft.state_machine import describe
from tui.kit.explain import cure, rules_off
from tui.kit.words import names, plural
from tui.panel import Focus
from tui.panels.consensus import members
from tui.panels.consensus.members import majorities, needs
from tui.panels.consensus.queries import network_of, role


def present(snapshot: Snapshot, focus: Focus) -> tuple[str, ...]:
    """Who leads and why, what is committed and what it takes, what to try. Paragraphs."""
    return (f"Now: {_offices(snapshot)}", _commitment(snapshot), f"To try: {_experiment(snapshot)}")


def _offices(snapshot: Snapshot) -> str:
    """Who leads, who stands for election, who is out of reach."""
    configuration = snapshot.configuration
    needed = members.wanted(configuration)
    leaders = [each for each in snapshot.servers if role(each) == "leader"]
    standing = [each for each in snapshot.servers if role(each) in ("candidate", "precandidate")]
    said = [f"{each.id} leads term {each.term} for {units.span(each.leader_for_us)} already" for each in leaders]
    said = said or ["nobody leads, so nothing can commit"]
    said += [_candidacy(each, needed) for each in standing]
    up = members.up(snapshot)
    if len(up) < len(members.voters(snapshot)):
        said.append(f"{members.tally(configuration, up)} servers run, {needed} are a quorum")
    if configuration.joint:
        said.append(f"the configuration is joint: {needs(configuration)}")
    apart = network_of(snapshot).apart()
    if apart:
        said.append(apart)
    if off := rules_off(snapshot.rules):
        said.append(f"off: {', '.join(off)}")
    return "; ".join(said) + "."


def _candidacy(server: Server, needed: str) -> str:
    """What it asks the others for; a pre-vote asks about the next term and enters none."""
    if role(server) == "precandidate":
        return f"{server.id} asks whether it would win term {server.term + 1}: {_votes(server)} of {needed} pre-votes"
    return f"{server.id} stands in term {server.term} with {_votes(server)} of the {needed} votes it needs"


def _votes(server: Server) -> int:
    return sum(granted for _, granted in server.votes)


def _commitment(snapshot: Snapshot) -> str:
    """How far the cluster got, and what the next entry waits for."""
    leader = snapshot.server(snapshot.leader)
    done = f"Committed: {plural(snapshot.commit, 'entry') if snapshot.commit == 1 else f'{snapshot.commit} entries'}"
    if leader is None or role(leader) != "leader":
        return f"{done}, as far as any server knows. A majority is {_majority(snapshot)}."
    waiting = next((entry for entry in leader.log if entry.number > leader.commit), None)
    if waiting is None:
        return f"{done}: all that {leader.id} has. A majority is {_majority(snapshot)}."
    on = snapshot.holders(waiting)
    text = f"{done}; entry {waiting.number} ({describe(waiting.command)}) of term {waiting.term} is on {names(on)}"
    if waiting.term < leader.term and not rules_off(snapshot.rules, ("current_term_commit",)):
        return f"{text}: copies of an old term prove nothing, it commits with an entry of term {leader.term} (5.4.2)."
    tally, wanted = members.tally(snapshot.configuration, on), members.wanted(snapshot.configuration)
    return f"{text}: {tally}, and {wanted} must have confirmed it."


def _majority(snapshot: Snapshot) -> str:
    """``3 of 5``; both while the configuration is joint."""
    configuration = snapshot.configuration
    return needs(configuration) if configuration.joint else majorities(configuration)


def _experiment(snapshot: Snapshot) -> str:
    """One thing worth doing in just this situation."""
    leaders = [each for each in snapshot.servers if role(each) == "leader"]
    cut = [each.id for each in snapshot.servers if network_of(snapshot).cut_ways(each.id) != ((), ())]
    down = [each for each in snapshot.servers if each.status == "crashed"]
    failed = [check.name for check in snapshot.checks if not check.ok]
    if failed:
        return f"e on the failed check ({failed[0]}) shows who saw what; r plays the story anew{cure(snapshot.rules)}."
    if len(leaders) > 1:
        old = min(leaders, key=lambda each: each.term)
        return f"h heals the links: watch {old.id} see the higher term and step down, and its uncommitted entries go."
    if cut:
        where = "on either side of the cut: only a majority commits it"
        return f"a asks the selected server for a command {where}; h heals."
    if down:
        return f"select {down[0].id} and press k: it comes back with log and vote, and the leader repairs the rest."
    if leaders:
        count = len(members.voters(snapshot))
        rest = count - snapshot.quorum
        return (f"k crashes the leader {leaders[0].id}: the next timeout elects another. With {rest + 1} of "
                f"{count} down nothing commits any more.")  # fmt: skip
    return "step with . and watch the votes, or press y to let all timers run out together: a split vote."
