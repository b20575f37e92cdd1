"""Events that come by the dozen and share a line of the journal: parcels, redirects of busy clients, losses."""

from collections.abc import Iterable, Sequence

from engines.sharding.world import events as e
from engines.sim.events import Event, Lost
from tui.kit.folding import lost_together, nodes_of, once, routine_of_loss
from tui.kit.words import by, names, plural
from tui.panel import Line
from tui.panels.sharding.describe import because
from tui.panels.sharding.words import MEANING, NOUNS, narrate, words


def routine(event: Event) -> str:
    """What an event repeats; nothing: it has a line of its own, as all has that happens to ``you``."""
    node = event.node
    match event.what:
        case e.KeysSent() | e.MapLearned() | e.MapCached() | e.UnitEmptied():
            return event.kind
        case e.SentAway(client=client) | e.Asked(client=client):
            return "" if "you" in (node, client) else "redirects"
        case e.Followed():
            return "" if node == "you" else "redirects"
        case e.Answered(why=why, hops=hops):
            straight = all(hop.said is e.Said.SERVED for hop in hops)
            return "" if node == "you" or why is not e.Ending.OK or straight else "redirects"
        case e.Refused(client=client, why=reason) if client != "you":
            return f"refused {reason.value}"
        case e.Importing() | e.Migrating() | e.UnitAssigned():
            return f"{event.kind} {node}"
        case e.NoAnswer(asked=asked) if node != "you":
            return f"silence of {asked}"
        case Lost() as lost:
            return routine_of_loss(lost)
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = narrate(events[-1])
    match events[-1].what:
        case e.KeysSent():
            return last._replace(who=_nodes(events), text=_parcels(events))
        case e.SentAway() | e.Asked() | e.Followed() | e.Answered():
            return Line(_clients(events), _redirects(events), "client")
        case e.Refused(why=why, about=about):
            said = f"{e.SAID_BY[why].value}: {because(why, about)} ({MEANING[e.SAID_BY[why]]})"
            return _of_all(events, f"answers {len(events)} requests of {_clients(events)} {said}")
        case e.Importing():
            sources = names(once(each.what.unit.source for each in events))
            return last._replace(text=f"IMPORTING {len(events)} units from {sources}: takes their keys, unit by unit")
        case e.Migrating():
            to = names(once(each.what.unit.target for each in events))
            sends = f"sends {plural(_keys(events), 'key')}"
            return last._replace(text=f"MIGRATING {len(events)} units to {to}: {sends}, serves what is still here")
        case e.UnitAssigned(epoch=epoch):
            to = names(once(each.what.unit.target for each in events))
            keys = plural(_keys(events), "key")
            return last._replace(text=f"{len(events)} units with {keys} are assigned, map {epoch}: to {to}")
        case e.NoAnswer(asked=asked):
            others = "others are asked, who may know better"
            return _of_all(events, f"hears nothing of {asked} for {len(events)} requests: {others}")
        case e.UnitEmptied():
            keys = plural(_keys(events), "key")
            return _of_all(events, f"has given away all that is in {len(events)} units: {keys}; cfg assigns them next")
        case Lost():
            return lost_together(events, last, words)
    if all(narrate(each).text == last.text for each in events):
        return last._replace(who=_nodes(events))
    return last._replace(text=f"{last.text} (and {len(events) - 1} others before it)")


def _keys(events: Sequence[Event]) -> int:
    """How many keys they are about in all."""
    return sum(each.what.keys for each in events)


def _nodes(events: Sequence[Event]) -> str:
    """Who it happened to, each once; the newest where they are too many for the column."""
    nodes = nodes_of(events)
    return " ".join(nodes) if len(nodes) <= 3 else f"{nodes[-1]} +{len(nodes) - 1}"


def _of_all(events: Sequence[Event], text: str) -> Line:
    """What each of them does, said of all."""
    return narrate(events[-1])._replace(who=_nodes(events), text=by("you", text) if len(nodes_of(events)) > 1 else text)


def _client(event: Event) -> str:
    """Whose request it was."""
    return event.what.client if isinstance(event.what, e.SentAway | e.Asked | e.Refused) else event.node


def _clients(events: Sequence[Event]) -> str:
    found = once(map(_client, events))
    return " ".join(found) if len(found) <= 3 else "clients"


def _parcels(events: Sequence[Event]) -> str:
    """How many keys were sent in all, where to, and how many their senders still have to send of what they began."""
    left = {(each.node, each.what.unit): each.what.left for each in events}
    to = names(once(each.what.to for each in events))
    kept = "" if events[-1].what.kept else "; deleted here at once, the rule is off"
    end = "; that was all"
    if rest := sum(left.values()):
        end = f"; {rest} left in {_under_way(key for key, more in left.items() if more)}"
    return f"{plural(_keys(events), 'key')} sent to {to} in {plural(len(events), 'parcel')}{end}{kept}"


def _under_way(units: Iterable[tuple[str, e.UnitName]]) -> str:
    """How many lanes, runs or chunks are being sent."""
    found = [unit.kind for _, unit in units]
    noun = NOUNS[found[0]] if len(set(found)) == 1 else "unit"
    return f"this {noun}" if len(found) == 1 else f"these {plural(len(found), noun)}"


def _redirects(events: Sequence[Event]) -> str:
    """Who was sent where, by what kind of answer, and how many have what they wanted."""
    counts: dict[str, int] = {}
    for each in events:
        match each.what:
            case e.SentAway(owner=owner):
                said = f"MOVED to {owner}"
            case e.Asked(target=target):
                said = f"ASK {target}"
            case _:
                continue
        counts[said] = counts.get(said, 0) + 1
    sent = ", ".join(f"{said} {count} x" for said, count in list(counts.items())[:4])
    done = sum(isinstance(each.what, e.Answered) for each in events)
    many = len(once(map(_client, events))) > 1
    told = "follow where they were sent" if many else "follows where it was sent"
    if sent:
        told = f"{'are' if many else 'is'} sent on: {sent}"
    return told + (f"; {plural(done, 'request')} served after that" if done else "")
