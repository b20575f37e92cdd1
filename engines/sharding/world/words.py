"""Messages in words: a letter for the picture, a sentence for the inspector, and the keys they carry."""

from typing import Any, Final

from engines.sharding.world import messages as m

KEYS_SHOWN: Final = 8
LETTERS: Final = {"get": "G", "put": "P", "mget": "M"}

Words = tuple[str, str, tuple[str, ...], int, bool]
"""Letter, words, keys (at most 8), how many in all, and whether it is routine."""


def describe(message: Any) -> Words:
    """A message in words."""
    return _of_clients(message) or _of_keys(message) or _of_coordinator(message)


def _of_clients(message: Any) -> Words | None:
    match message:
        case m.Request(op=op, keys=keys, value=value, asking=asking):
            first = "ASKING, " if asking else ""
            what = f"{op} {keys[0]}" + (f" and {len(keys) - 1} more" if len(keys) > 1 else "")
            return LETTERS[op], first + what + (f"={value}" if op == "put" else ""), keys[:KEYS_SHOWN], len(keys), False
        case m.Answer(items=items):
            keys = tuple(item.key for item in items)
            what = ", ".join(f"{item.key}={item.value}" for item in items[:3]) or "no such key"
            return "v", what, keys[:KEYS_SHOWN], len(keys), False
        case m.Moved(slot=slot, owner=owner, epoch=epoch):
            return "m", f"MOVED {slot} {owner}" if slot >= 0 else f"MOVED {owner}, epoch {epoch}", (), 0, False
        case m.Ask(slot=slot, owner=owner):
            return "a", f"ASK {slot} {owner}" if slot >= 0 else f"ASK {owner}", (), 0, False
        case m.Refusal(code=code, why=why):
            return "t" if code == "TRYAGAIN" else "x", f"{code}: {why}", (), 0, False
    return None


def _of_keys(message: Any) -> Words | None:
    match message:
        case m.Keys(unit=unit, items=items):
            keys = tuple(item.key for item in items)
            return "K", f"{len(keys)} keys of {unit}", keys[:KEYS_SHOWN], len(keys), False
        case m.KeysAck(unit=unit):
            return "k", f"stored, of {unit}", (), 0, False
        case m.Replicate(item=item):
            return "R", f"copy {item.key}={item.value}, version {m.count_of(item.version)}", (item.key,), 1, False
        case m.ReplicateAck(ok=ok, term=term):
            return "r", "copied" if ok else f"refused: term {term} has begun", (), 0, ok
    return None


def _of_coordinator(message: Any) -> Words:
    match message:
        case m.Heartbeat(epoch=epoch, keys=keys):
            return "H", f"alive with {keys} keys, knows epoch {epoch}", (), 0, True
        case m.HeartbeatAck(term=term):
            return "h", f"heard in term {term}", (), 0, True
        case m.MapUpdate(epoch=epoch):
            return "E", f"map of epoch {epoch}", (), 0, False
        case m.MapAck(epoch=epoch):
            return "e", f"epoch {epoch} learned", (), 0, True
        case m.WantMap():
            return "E", "which map is the newest?", (), 0, False
        case m.Import(unit=unit):
            return "C", f"IMPORTING {unit}", (), 0, False
        case m.Migrate(unit=unit):
            return "C", f"MIGRATING {unit}", (), 0, False
        case m.ImportOk(unit=unit):
            return "c", f"ready for {unit}", (), 0, False
        case m.UnitEmpty(unit=unit):
            return "c", f"{unit} is empty", (), 0, False
        case m.WantCut(low=low):
            return "C", f"where could chunk {low or '-inf'} be split?", (), 0, False
        case m.Cut(at=at):
            return "c", f"at {at}" if at else "nowhere: it is one key", (), 0, False
    raise AssertionError(f"no words for {message!r}")
