"""Events that come by the dozen and share a line of the journal: parcels, redirects of busy clients, losses."""

from collections.abc import Sequence
from typing import Final

from engines.sim.world import Event
from tui.kit.words import names, plural
from tui.panel import Line
from tui.panels.sharding.narration import narrate

REDIRECTS: Final = frozenset({"moved", "ask_redirect", "follow", "answered"})


def routine(event: Event) -> str:
    """What an event repeats; nothing: it has a line of its own, as all has that happens to ``you``."""
    kind = event.kind
    if kind in ("keys_sent", "map_learned", "map_cached", "unit_empty"):
        return kind
    if kind in REDIRECTS:
        yours = "you" in (event.node, event.get("client"))
        straight = all(answer.endswith(" served") for answer in event.get("answers", ()))
        return "" if yours or (kind == "answered" and (event.why != "ok" or straight)) else "redirects"
    if kind in ("importing", "migrating", "assigned"):
        return f"{kind} {event.node}"
    if kind == "no_answer" and event.node != "you":
        return f"silence of {event.get('asked')}"
    return f"lost {event.why}" if kind == "lost" else ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = narrate(events[-1])
    match events[-1].kind:
        case "keys_sent":
            return last._replace(who=_nodes(events), text=_parcels(events))
        case "moved" | "ask_redirect" | "follow" | "answered":
            return Line(_clients(events), _redirects(events), "client")
        case "importing":
            sources = names(dict.fromkeys(each.get("source", "") for each in events))
            return last._replace(text=f"IMPORTING {len(events)} units from {sources}: takes their keys, unit by unit")
        case "migrating":
            keys = plural(sum(each.get("keys", 0) for each in events), "key")
            to = names(dict.fromkeys(each.get("target", "") for each in events))
            return last._replace(text=f"MIGRATING {len(events)} units to {to}: sends {keys}, serves what is still here")
        case "assigned":
            keys = plural(sum(each.get("keys", 0) for each in events), "key")
            to = names(dict.fromkeys(each.get("target", "") for each in events))
            epoch = events[-1].get("epoch")
            return last._replace(text=f"{len(events)} units with {keys} are assigned, map {epoch}: to {to}")
        case "no_answer":
            asked = events[-1].get("asked")
            hear, ask = ("hear", "ask") if _several(events) else ("hears", "asks")
            text = f"{hear} nothing of {asked} for {len(events)} requests: {ask} others, who may know better"
            return last._replace(who=_nodes(events), text=text)
        case "unit_empty":
            keys = sum(each.get("keys", 0) for each in events)
            have = "have" if _several(events) else "has"
            text = f"{have} given away all that is in {len(events)} units: {plural(keys, 'key')}; cfg assigns them next"
            return last._replace(who=_nodes(events), text=text)
        case "lost":
            count = len(events) - 1
            return last._replace(text=f"{last.text}; and {plural(count, 'message')} before it, for the same reason")
    if all(narrate(each).text == last.text for each in events):
        return last._replace(who=_nodes(events))
    return last._replace(text=f"{last.text} (and {len(events) - 1} others before it)")


def _nodes(events: Sequence[Event]) -> str:
    """Who it happened to, each once; the newest where they are too many for the column."""
    nodes = tuple(dict.fromkeys(each.node for each in events))
    return " ".join(nodes) if len(nodes) <= 3 else f"{nodes[-1]} +{len(nodes) - 1}"


def _several(events: Sequence[Event]) -> bool:
    """Whether it happened to more than one."""
    return any(each.node != events[0].node for each in events)


def _clients(events: Sequence[Event]) -> str:
    found = dict.fromkeys(each.get("client") or each.node for each in events)
    return " ".join(found) if len(found) <= 3 else "clients"


def _parcels(events: Sequence[Event]) -> str:
    """How many keys left in all, where to, and how many are still to go."""
    keys = sum(each.get("keys", 0) for each in events)
    left = {(each.node, each.get("unit")): each.get("left", 0) for each in events}
    to = names(dict.fromkeys(each.get("to", "") for each in events))
    kept = "; deleted here at once, the rule is off" if events[-1].why == "not_kept" else ""
    end = f"; {sum(left.values())} left" if sum(left.values()) else "; that was all"
    return f"{plural(keys, 'key')} to {to} in {plural(len(events), 'parcel')}{end}{kept}"


def _redirects(events: Sequence[Event]) -> str:
    """Who was sent where, by what kind of answer, and how many have what they wanted."""
    counts: dict[str, int] = {}
    for each in events:
        if each.kind == "moved":
            said = f"MOVED to {each.get('owner')}"
        elif each.kind == "ask_redirect":
            said = f"ASK {each.get('target')}"
        else:
            continue
        counts[said] = counts.get(said, 0) + 1
    sent = ", ".join(f"{said} {count} x" for said, count in list(counts.items())[:4])
    done = sum(each.kind == "answered" for each in events)
    clients = dict.fromkeys(each.get("client") or each.node for each in events)
    many = len(clients) > 1
    told = "follow where they were sent" if many else "follows where it was sent"
    if sent:
        told = f"{'are' if many else 'is'} sent on: {sent}"
    return told + (f"; {plural(done, 'request')} served after that" if done else "")
