"""Servers as they stand in the picture of the cluster: role, term, the timer that shrinks, votes, what ails them."""

from typing import Final

from engines.consensus.raft.snapshot import ClientState, Flight, Server, Snapshot
from engines.consensus.raft.state_machine import describe
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit import cluster
from tui.kit.cluster import NARROW_BLOCK, Client, Cluster, Look, Node, Pieces, Text
from tui.kit.selection import message_of
from tui.kit.words import chip
from tui.panel import Focus
from tui.panels.consensus import members
from tui.panels.consensus.queries import letter, network_of, role
from tui.panels.consensus.words import is_news
from tui.panels.consensus.words import letter as letter_of
from tui.plot import bar

MESSAGE_INKS: Final = {
    "A": "good", "a": "follower", "V": "candidate", "v": "candidate", "P": "precandidate", "p": "precandidate",
    "C": "client", "c": "client", "T": "leader", "S": "good", "s": "follower",
}  # fmt: skip

SHORT_CUTS: Final = {"cut both ways": "cut <>", "hears nobody": "hears none", "heard by nobody": "unheard"}
"""Which way all links of a server are cut, where there is no room to say it."""


LEGEND: Final = (
    "letters fly: A append  V vote",
    "P pre-vote  C client  T take over",
    "small letters: their answers",
    "F follower  L leader  C candidate",
    "P pre-candidate  X crashed  Z frozen",
    "bar: to its timeout, hb: heartbeat",
    "2/3 n1 n4: votes it has and needs",
    "F~ learner  F+ new  F- old or out",
)
"""What the signs of the picture mean."""


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """The whole cluster, on the whole canvas."""
    chosen = message_of(snapshot, focus)
    picture = Cluster(
        nodes=tuple(_node(snapshot, server, glyphs) for server in snapshot.servers),
        clients=tuple(map(_client, snapshot.clients)),
        letters=cluster.letters(snapshot.flights, snapshot.at_us, look),
        links=snapshot.links,
        selected=focus.node,
        chosen=chosen.id if chosen else None,
        legend=LEGEND,
    )
    cluster.draw(canvas, picture, glyphs)


def _client(each: ClientState) -> Client:
    you = each.id == "you"
    return Client(each.id, describe(each.current) if each.current else "", "you" if you else "client", right=you)


def _node(snapshot: Snapshot, server: Server, glyphs: Glyphs) -> Node:
    def row() -> tuple[Pieces, Pieces]:
        extra = remark(snapshot, server)
        end = f"{server.commit}/{server.last_index}", "dim"
        return [_chip(snapshot, server), *timer(server, 14, glyphs)], [*([extra] if extra[0] else []), end]

    return Node(server.id, lambda width, rows: block_text(snapshot, server, width, rows, glyphs), row)


def _chip(snapshot: Snapshot, server: Server) -> tuple[str, Ink]:
    return f" {server.id} {letter(server)}{members.mark(snapshot, server)} t{server.term} ", chip(role(server))


def block_text(snapshot: Snapshot, server: Server, width: int, rows: int, glyphs: Glyphs) -> Text:
    """The chip, the timer below it, and below that its votes or what ails it."""
    extra, ink = remark(snapshot, server, width)
    campaigning = ink == server.role
    text = [[_chip(snapshot, server)], timer(server, width - 1, glyphs, extra if rows == 2 and campaigning else "")]
    if extra and rows > 2:
        text.append([(clip(extra, width), ink)])
    return text


def timer(server: Server, room: int, glyphs: Glyphs, extra: str = "") -> list[tuple[str, Ink]]:
    """A shrinking bar and milliseconds; of a leader until its next heartbeat. What is dead or frozen says so."""
    if server.status == "crashed":
        return [(clip(f"disk t{server.durable_term} #{server.last_index}", room), "dim")]
    if server.status == "frozen":
        return [(clip(f"{server.waiting} waiting", room), "frozen")]
    if server.timer_left_us is None:
        return [("no timer", "dim")]
    lease = server.rounds.lease_left_us if server.rounds else 0
    left, total = server.timer_left_us, server.timer_total_us
    if lease and server.rounds:
        left, total = lease, server.rounds.lease_us
    time = "<1ms" if 0 < left < 1_000 else f"{left // 1000}ms" if left < 1_000_000 else f"{left / 1_000_000:.1f}s"
    words = f" {time}" if server.role != "leader" else f" {'lease' if lease else 'hb'} {time}"
    if extra:
        words = f" {extra}"
    cells = max(2, min(6, room - len(words)))
    full = bar(left / max(1, total), cells, glyphs)
    return [(full, server.role), (clip(words, max(0, room - cells)), server.role if extra else "dim")]


def remark(snapshot: Snapshot, server: Server, room: int = 0) -> tuple[str, Ink]:
    """The one thing worth saying beyond role and timer: a candidate's votes, else its gravest fault."""
    if server.status == "crashed":
        return "", "dim"
    if server.role in ("candidate", "precandidate") and server.status == "up":
        yes = [name for name, granted in server.votes if granted]
        sums = members.tally(server.configuration, yes), members.wanted(server.configuration)
        got, takes = (text.split(" and ") for text in sums)
        votes = "+".join(f"{each.split()[0]}/{of}" for each, of in zip(got, takes, strict=True))
        return f"{votes} {' '.join(yes)}", server.role
    network = network_of(snapshot)
    if cut := network.cut_off(server.id):
        return cut if room > NARROW_BLOCK else SHORT_CUTS[cut], "cut"
    some = [name for name in server.cut_from if not network.cut_off(name)]
    if some:
        return f"cut {' '.join(some)}", "cut"
    if server.drift_ppm:
        return f"clock {server.drift_ppm / 10_000:+.0f}%", "warn"
    if server.clock_off_us:
        return f"clock {server.clock_off_us // 1000:+d}ms", "warn"
    if server.unsynced:
        return f"{server.unsynced} unsynced", "slow"
    return "", "dim"


def look(flight: Flight) -> Look:
    """A message's letter; whose it is, or what it is about; whether it carries news."""
    written = letter_of(flight.message)
    ink = "you" if "you" in (flight.src, flight.dst) else MESSAGE_INKS[written]
    return Look(written, ink, is_news(flight.message))
