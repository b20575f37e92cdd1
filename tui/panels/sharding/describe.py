"""Names of things: units, changes, reasons; and messages, with a letter for the picture."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from engines.sharding.world import events as e
from engines.sharding.world import messages as m
from engines.sharding.world.events import Said
from tui.canvas import Ink
from tui.kit.words import plural

LETTERS: Final = {"get": "G", "put": "P", "mget": "M"}


class Kind(NamedTuple):
    """Messages with one letter in the picture: what they are called, in which ink, and what comes of them."""

    name: str
    ink: Ink
    then: str
    legend: str = ""
    """The name in a word, for the legend; nothing: it is not explained there."""


MESSAGES: Final = {
    "G": Kind("get", "client",
              "the node answers if it owns the key and has it; else MOVED, or ASK if the key has left already", "get"),
    "P": Kind("put", "client",
              "the node writes if it owns the key; with copies the answer waits for every live replica", "put"),
    "v": Kind("the value", "good", "the client has its value", "value"),
    "m": Kind("MOVED", "warn", "the client asks the node it names, and remembers that for ever", "MOVED"),
    "a": Kind("ASK", "leader", "the client asks the node it names, once, with ASKING; it remembers nothing", "ASK"),
    "K": Kind("keys on their way", "accent",
              "the target writes them down and says so; until then the source keeps them and serves them", "keys"),
    "t": Kind("TRYAGAIN", "stale", "the client waits a moment and asks again: half of the keys have moved", "TRYAGAIN"),
    "x": Kind("refusal", "bad", "the client waits and asks again, or gives up", "refused"),
    "R": Kind("a copy for a replica", "follower",
              "the replica writes it, unless it knows a newer term: then a new owner was promoted meanwhile", "copy"),
    "M": Kind("get of several keys", "client",
              "all keys have to be in one slot; if only some have moved the answer is TRYAGAIN"),
    "k": Kind("keys stored", "dim", "now the source may forget them, and answers ASK for them"),
    "r": Kind("copied", "dim", "with the last one the owner tells the client that it is written"),
    "C": Kind("order of cfg", "candidate", "first the target is told IMPORTING, then the source MIGRATING"),
    "c": Kind("report to cfg", "candidate", "cfg goes on to the next step of the plan"),
    "H": Kind("heartbeat", "text", "cfg knows that the node lives and which map it has"),
    "h": Kind("heartbeat heard", "text", "the node's lease counts from when it sent its heartbeat"),
    "E": Kind("map", "precandidate", "the node learns who owns what from now on", "map"),
    "e": Kind("map learned", "text", "once the new owner knows, all others are told"),
}  # fmt: skip
"""Letters of messages, the most frequent of those that fly first."""


class Description(NamedTuple):
    """A message as people see it."""

    letter: str
    text: str
    keys: tuple[str, ...] = ()
    """Those it carries or asks for."""


def describe(message: m.Message) -> Description:
    """A message in words."""
    match message:
        case m.Request(op=op, keys=keys, value=value, asking=asking):
            first = "ASKING, " if asking else ""
            what = f"{op} {keys[0]}" + (f" and {len(keys) - 1} more" if len(keys) > 1 else "")
            text = first + what + (f"={value}" if op == "put" else "")
            return Description(LETTERS[op], text, keys)
        case m.Answer(items=items):
            keys = tuple(item.key for item in items)
            what = ", ".join(f"{item.key}={item.value}" for item in items[:3]) or "no such key"
            return Description("v", what, keys)
        case m.Moved(slot=slot, owner=owner, epoch=epoch):
            return Description("m", f"MOVED {slot} {owner}" if slot >= 0 else f"MOVED {owner}, epoch {epoch}")
        case m.Ask(slot=slot, owner=owner):
            return Description("a", f"ASK {slot} {owner}" if slot >= 0 else f"ASK {owner}")
        case m.Refusal(said=said, why=why, about=about):
            return Description("t" if said is Said.TRYAGAIN else "x", f"{said.value}: {because(why, about)}")
        case m.Keys(unit=unit, items=items):
            keys = tuple(item.key for item in items)
            return Description("K", f"{plural(len(keys), 'key')} of {unit}", keys)
        case m.KeysAck(unit=unit):
            return Description("k", f"stored, of {unit}")
        case m.Replicate(item=item):
            return Description("R", f"copy {item.key}={item.value}, version {m.count_of(item.version)}", (item.key,))
        case m.ReplicateAck(ok=ok, term=term):
            return Description("r", "copied" if ok else f"refused: term {term} has begun")
        case m.Heartbeat(epoch=epoch, keys=keys):
            return Description("H", f"alive with {keys} keys, knows epoch {epoch}")
        case m.HeartbeatAck(term=term):
            return Description("h", f"heard in term {term}")
        case m.MapUpdate(epoch=epoch):
            return Description("E", f"map of epoch {epoch}")
        case m.MapAck(epoch=epoch):
            return Description("e", f"epoch {epoch} learned")
        case m.WantMap():
            return Description("E", "which map is the newest?")
        case m.Import(unit=unit):
            return Description("C", f"IMPORTING {unit}")
        case m.Migrate(unit=unit):
            return Description("C", f"MIGRATING {unit}")
        case m.ImportOk(unit=unit):
            return Description("c", f"ready for {unit}")
        case m.UnitEmpty(unit=unit):
            return Description("c", f"{unit} is empty")
        case m.WantCut(low=low):
            return Description("C", f"where could chunk {low or '-inf'} be split?")
        case m.Cut(at=at):
            return Description("c", f"at {at}" if at else "nowhere: it is one key")


def message_letter(message: m.Message) -> str:
    """Its letter in the picture."""
    return describe(message).letter


def because(why: e.RefusalReason, about: Sequence[str]) -> str:
    """Why a request was refused."""
    match why:
        case e.RefusalReason.DIFFERENT_SLOTS:
            return "these keys are in different slots"
        case e.RefusalReason.UNCOVERED:
            return f"slots of {', '.join(about)} have no owner"
        case e.RefusalReason.OWNER_DEAD:
            return f"its owner {about[0]} was declared dead and has no replica"
        case e.RefusalReason.LEASE_OUT:
            return "the coordinator was not heard in time"
        case e.RefusalReason.CALLED_OFF:
            return "the move is called off"
        case e.RefusalReason.NOT_ARRIVED:
            return f"{about[0]} has not arrived yet"
        case e.RefusalReason.NOT_OPEN:
            return "its lane is not open yet"
        case e.RefusalReason.PARTLY_GONE:
            return f"{about[0]} is still here, {about[1]} is not"
        case e.RefusalReason.IN_THE_AIR:
            return f"{about[0]} is on its way"
        case e.RefusalReason.ROUTER:
            return "the router gave up"


def name(unit: e.UnitName) -> str:
    """A unit in words: ``lane n2>n7``, ``slot 3443``, ``slots 0-63``, ``chunk m``."""
    match unit.kind:
        case e.UnitKind.LANE:
            return f"lane {unit.source}>{unit.target}"
        case e.UnitKind.SLOTS:
            return f"slot {unit.first}" if unit.first == unit.last else f"slots {unit.first}-{unit.last}"
        case e.UnitKind.CHUNK:
            return chunk(unit.low)


def chunk(low: str) -> str:
    """A chunk by where it begins."""
    return f"chunk {low or '-inf'}"


def cause(of: e.Cause) -> str:
    """A change of the placement, and what made it necessary."""
    if of.why is e.ChangeReason.UNEVEN or of.why is e.ChangeReason.HOT:
        return _by_balancer(of)
    match of.kind:
        case e.ChangeKind.JOIN:
            return f"{of.node} joins"
        case e.ChangeKind.LEAVE:
            return f"{of.node} leaves"
        case e.ChangeKind.VNODES:
            return f"{of.number} virtual nodes each"
        case e.ChangeKind.COPIES:
            return f"{of.number} {'copy' if of.number == 1 else 'copies'} of every key"
        case e.ChangeKind.RACKS:
            return f"copies on {'different racks' if of.number else 'the next nodes'}"
        case e.ChangeKind.BOUND:
            return f"at most {of.number} % of the mean"
        case e.ChangeKind.SLOTS:
            return f"slot {of.number} goes to {of.node}"
        case e.ChangeKind.CHUNKS:
            return f"{chunk(of.low)} goes to {of.node}"
        case e.ChangeKind.SPLIT:
            return f"{chunk(of.low)} is split"
        case e.ChangeKind.MERGE:
            return f"{chunk(of.low)} takes in the next one"
        case e.ChangeKind.RECOVER:
            return f"{of.node} catches up"


def _by_balancer(of: e.Cause) -> str:
    """What the coordinator changes by itself."""
    noun = "documents" if of.documents else "keys"
    hot = of.why is e.ChangeReason.HOT
    if of.kind is e.ChangeKind.SPLIT:
        why = plural(of.number, "request") if hot else f"{of.number} {noun}, {of.other} are the limit"
        return f"{chunk(of.low)}: {why}"
    if of.kind is e.ChangeKind.SLOTS:
        if hot:
            return f"heat: slot {of.number} of {of.node} goes to the idlest node"
        return f"balancer: {plural(of.number, 'slot')} are not where they should be"
    if not hot:
        return f"balancer: {of.node} had {of.number} {noun}, {of.peer} {of.other}"
    if of.node:
        return f"heat: {of.node} is the busiest, {of.peer} the idlest"
    return f"heat: the upper half of {chunk(of.low)} goes to the idlest node"


def membership(of: e.Membership) -> str:
    """``n7 joins``, ``n3 crashed``, ``n1 n4 are back``."""
    verb = of.kind.value
    if of.kind is e.MembershipKind.IS_BACK and len(of.nodes) > 1:
        verb = "are back"
    return f"{' '.join(of.nodes)} {verb}"
