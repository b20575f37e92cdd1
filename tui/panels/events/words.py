"""The journal: what happened, and why, one line an event, as a lecturer would say it."""

from collections.abc import Sequence
from typing import Any, Final

from engines.event_sourcing.world import events as e
from engines.event_sourcing.world import messages as m
from engines.sim.events import Event
from engines.sim.rules import RuleSwitched
from tui.canvas import Ink
from tui.kit.kernel_words import KernelWords, choice_words, is_kernel, rule_words, tell
from tui.kit.words import plural
from tui.panel import Line
from tui.panels.events.queries import show

YOU: Final = (RuleSwitched, e.OptionSet, e.Released, e.SchemaChanged)


def narrate(event: Event) -> Line:
    """Who, and what and why."""
    if is_kernel(event):
        return tell(event, WORLD)
    text, ink = said(event.what)
    return Line("you" if isinstance(event.what, YOU) else show(event.node, 10) or "world", text, ink)


def said(what: e.StoreEvent) -> tuple[str, Ink]:
    """The sentence, and the ink of the name before it."""
    match what:
        case e.Released(version=version):
            return f"the next release runs everywhere: it knows deposits of version {version}", "good"
        case e.SchemaChanged(schema=schema):
            return f"the layout of snapshots is {schema} now: what is kept of the old one is of no use", "warn"
        case RuleSwitched():
            return rule_words(what)
        case e.OptionSet(name=name, value=value):
            return choice_words(name, value)
        case e.SnapshotKept(stream=stream, revision=number):
            return f"keeps a snapshot of {stream} at revision {number}", "dim"
        case e.SnapshotIgnored(stream=stream, revision=number, schema=schema):
            return f"ignores the snapshot of {stream} at revision {number}: its layout is {schema}", "stale"
        case e.EventLifted(stream=stream, revision=number, type=type, version=version, newest=newest):
            return f"lifts {stream} revision {number}, {type}, from version {version} to {newest}", "dim"
    return _of_writing(what)


def revision(number: int) -> str:
    """A revision, or what stands for none."""
    return "no stream" if number == -1 else "any revision" if number < -1 else f"revision {number}"


def _of_writing(what: e.WritingEvent | e.ReadingEvent | e.GroupEvent | e.FileEvent) -> tuple[str, Ink]:
    match what:
        case e.Appended(stream=stream, first=first, revision=last, position=position, who=who, command=command):
            span = f"revision {first}" if first == last else f"revisions {first} to {last}"
            by = f"{show(command, 24)} of {show(who, 16)}" if who else show(command, 24)
            return f"{show(stream, 24)} {span}, position {position}: {by}", "committed"
        case e.Repeated(stream=stream, position=position, who=who):
            return f"{who} repeats a batch of {stream}: it is there, position {position}; nothing is written", "good"
        case e.Conflicted(stream=stream, expected=expected, actual=actual, who=who):
            asked = revision(expected)
            return f"conflict: {who} expected {asked} of {stream}, actual {actual}: somebody wrote meanwhile", "warn"
        case e.CommandDone(stream=stream, command=command, amount=amount, balance=balance, attempts=attempts):
            tries = f", at attempt {attempts}" if attempts > 1 else ""
            return f"{command} {amount} on {stream} is recorded{tries}: balance {balance}", "client"
        case e.CommandRefused(
            stream=stream, command=command, amount=amount, balance=balance, attempts=attempts, why=why
        ):
            reason = "there is not enough" if why is e.RefusalReason.FUNDS else "the account is not open"
            tries = f" at attempt {attempts}" if attempts > 1 else ""
            return f"{command} {amount} on {stream} is refused{tries}: balance {balance}, {reason}", "client"
        case e.CommandFailed(stream=stream, command=command, why=why, revision=number):
            reason = {
                e.FailureReason.CONFLICTS: "others were faster five times",
                e.FailureReason.UNREADABLE: f"this release cannot read revision {number}, so it knows no state",
                e.FailureReason.FULL: "the store is full",
                e.FailureReason.CLOSED: "the stream is closed for ever",
            }[why]
            return f"gives up {command} on {stream}: {reason}", "bad"
        case e.AskedAgain(stream=stream):
            return f"no answer about {stream} in 400 ms: asks again with the same ids", "slow"
    return _of_reading(what)


def _of_reading(what: e.ReadingEvent | e.GroupEvent | e.FileEvent) -> tuple[str, Ink]:
    match what:
        case e.EffectDone(position=position):
            return f"did what event {position} asks for", "dim"
        case e.EffectRepeated(position=position, stream=stream, revision=number, times=times):
            return f"did the effect of event {position} ({stream} revision {number}) again: {times} times now", "bad"
        case e.EventSkipped(position=position, stream=stream, revision=number):
            return f"never handled event {position} ({stream} revision {number}), and its position is past it", "bad"
        case e.EventParked(position=position, stream=stream, revision=number, held=True):
            return f"parks event {position} ({stream} revision {number}): one before it in its stream is parked", "warn"
        case e.EventParked(position=position, stream=stream, revision=number, attempts=attempts):
            return f"parks event {position} ({stream} revision {number}): it cannot read it, {attempts} attempts", "bad"
        case e.ParkedReplayed(done=done, left=left):
            return f"tries what is parked again: {plural(done, 'event')} done, {left} still parked", "good"
        case e.SubscriberStopped(position=position, stream=stream, revision=number):
            return f"stops at event {position} ({stream} revision {number}): it cannot read it", "bad"
        case e.StalePage(after=after):
            return f"ignores a page from {after} on: it came twice, or late", "dim"
        case e.GapPassed(number=number, cure=cure):
            return f"passes number {number} without having seen it ({cure})", "warn"
        case e.GapFilled(number=number, stream=stream):
            return f"number {number} ({stream}) commits behind higher ones", "accent"
        case e.RolledBack(number=number):
            return f"number {number} is burnt: its transaction rolls back", "stale"
    return _of_the_group(what)


def _of_the_group(what: e.GroupEvent | e.FileEvent) -> tuple[str, Ink]:
    match what:
        case e.HandedAgain(position=position, consumer=consumer, attempt=0):
            return f"hands event {position} to {consumer}: its checkpoint does not say that it was done before", "warn"
        case e.HandedAgain(position=position, consumer=consumer, attempt=attempt):
            return f"hands event {position} out again, to {consumer}: retry {attempt}", "warn"
        case e.EffectKnown(position=position):
            return f"was handed event {position}, whose letter is written already: it only acknowledges", "good"
        case e.ConsumerJoined(consumer=consumer, members=members):
            return f"{consumer} is in the group, {plural(members, 'consumer')} now", "dim"
        case e.ConsumerGone(consumer=consumer, held=held):
            said = f"{plural(held, 'event')} it held {'is' if held == 1 else 'are'} handed out again"
            return f"{consumer} is gone, or began anew: {said}", "bad"
        case e.GroupCheckpoint(position=position, before=before):
            return f"the group's checkpoint is {position} now, it was {before}: all up to it are done", "committed"
        case e.GroupBegan(checkpoint=checkpoint, head=head):
            again = f"{checkpoint + 1} to {head} may go out again" if head > checkpoint else "nothing lies behind it"
            return f"the group begins again behind its checkpoint {checkpoint}: {again}", "warn"
        case e.ParkedHanded(events=events):
            return f"hands out again what the group had parked: {plural(events, 'event')}, before new ones", "good"
    return _of_the_file(what)


def _of_the_file(what: e.FileEvent) -> tuple[str, Ink]:
    match what:
        case e.StoreRecovered(events=events, dropped=dropped, broken=broken):
            tail = "; its end was torn" if broken else ""
            lost = f", {plural(dropped, 'event')} of an unfinished batch dropped" if dropped else ""
            return f"reads its log: {plural(events, 'event')}, every checksum verified{lost}{tail}", "good"
        case e.PowerFailed(lost=lost, survived=survived, torn=torn):
            return f"of the pages that waited for a sync {lost} are lost, {survived} survived, {torn} are torn", "dead"
        case e.ProcessKilled(pages=pages):
            return f"SIGKILL: the process is gone, {plural(pages, 'page')} in the machine's cache survive", "dead"
        case e.EventTampered(position=position, stream=stream, revision=number, before=before, after=after):
            return f"in the file, event {position} ({stream} revision {number}) says {after} instead of {before}", "bad"
        case e.ChainVerified(events=events, position=0):
            return f"the chain of {plural(events, 'event')} is intact", "good"
        case e.ChainVerified(position=position, stream=stream, revision=number):
            return f"the chain breaks at event {position}: {stream} revision {number}", "bad"
        case e.LogCompacted(removed=removed, kept=kept):
            return f"compacted: {plural(removed, 'event')} gone, {kept} left, the newest of each stream", "warn"


def words(message: Any) -> str:
    """A message in a few words."""
    match message:
        case m.Read(stream=stream):
            return f"load {stream}"
        case m.Stream(stream=stream, events=events):
            return f"{stream}, {plural(len(events), 'event')}"
        case m.Append(stream=stream, expected=expected):
            return f"append to {stream} expecting {revision(expected)}"
        case m.Saved(position=position):
            return f"saved at {position}"
        case m.Conflicting(expected=expected, actual=actual):
            return f"conflict: expected {revision(expected)}, actual {actual}"
        case m.NotSaved(why=why):
            return f"not saved: {why.value}"
        case m.KeepSnapshot(snapshot=snapshot):
            return f"snapshot of {snapshot.stream} at {snapshot.revision}"
        case m.Poll(after=after):
            return f"what is behind {after}?"
        case m.Page(events=events, head=head):
            return f"{plural(len(events), 'event')}, head {head}"
        case m.Join():
            return "I am in the group"
        case m.Handed(event=event, attempt=attempt):
            return f"event {event.position}{f', retry {attempt}' if attempt else ''}"
        case m.Done(position=position):
            return f"{position} is done"
        case m.NotDone(position=position, what=what):
            return f"cannot handle {position}: {what.value}"
    return str(message)


def _crash(node: str) -> str:
    if node == "store":
        return "the power is gone; what was not synced is lost, survives or is torn, page by page"
    if node == "post":
        return "the events it was handed are forgotten; what it did is durable"
    if node in ("mail", "books"):
        return "what it was handling is forgotten; its checkpoint and effects are durable"
    return "what it was doing is forgotten; nothing of it is kept but in the store"


WORLD: Final = KernelWords(
    message=words,
    crashes=_crash,
    restarts=lambda node: "restarts" + (" and reads its log" if node == "store" else ""),
    timer=lambda name: f"its timer {name.partition(':')[0]} runs out",
    others="machines",
    healed="links and clocks; frozen machines thaw, dead ones restart",
)


def routine(event: Event) -> str:
    """What can share a line: appends of quiet times, stale pages, gaps passed."""
    match event.what:
        case e.CommandDone():
            return "work"
        case e.Appended():  # in a file every event has a line of its own
            return "work" if event.node == "store" else ""
        case e.StalePage() | e.GapPassed() | e.EffectKnown():
            return f"{event.kind} {event.node}"
        case e.HandedAgain(attempt=attempt):
            return "handed again" if not attempt else f"handed again {event.what.position}"
        case e.AskedAgain():
            return "again"
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    line = narrate(events[-1])
    last = events[-1].what
    if isinstance(last, e.Appended | e.CommandDone):
        appended = [event.what for event in events if isinstance(event.what, e.Appended)]
        done = [event for event in events if isinstance(event.what, e.CommandDone)]
        if len(appended) + len(done) <= 2:
            return narrate(events[-1])
        if not appended:
            return line
        newest = narrate(next(event for event in reversed(events) if isinstance(event.what, e.Appended)))
        return newest._replace(
            text=f"{newest.text} (and {len(appended) - 1} more before it)" if len(appended) > 1 else newest.text
        )
    if isinstance(last, e.HandedAgain):
        return _handed_again([event.what for event in events], line)
    if isinstance(last, e.EffectKnown):
        known = ", ".join(str(event.what.position) for event in events)
        return line._replace(text=f"was handed events {known}, whose letters are written already: it only acknowledges")
    if isinstance(last, e.GapPassed):
        numbers = [str(event.what.number) for event in events]
        return line._replace(text=f"passes numbers {', '.join(numbers)} without having seen them ({last.cure})")
    return line._replace(text=f"{line.text} ({len(events)} times)")


def _handed_again(handed: Sequence[Any], line: Line) -> Line:
    if handed[-1].attempt:
        who = ", ".join(dict.fromkeys(each.consumer for each in handed))
        span = f"{handed[0].attempt} to {handed[-1].attempt}"
        return line._replace(text=f"hands event {handed[-1].position} out again, to {who}: retries {span}")
    numbers = f"{handed[0].position} to {handed[-1].position}"
    return line._replace(text=f"hands events {numbers} out: its checkpoint does not say that they were done before")
