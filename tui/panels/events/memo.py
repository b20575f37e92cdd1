"""What is worked out of a long file of events is worked out once: the same events, the same question, the same answer.

The events of a snapshot are a tuple that nobody changes, so it is recognised by being the same object. A few answers
are kept; a living run brings new events with every picture and gains nothing, which costs nothing either.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from engines.event_sourcing.events import RecordedEvent

T = TypeVar("T")
KEPT: Final = 12
FEW: Final = 2_000
"""So few events are looked through in no time."""
_answers: Final[deque[tuple[Sequence[RecordedEvent], Any, Any]]] = deque(maxlen=KEPT)


def once(events: Sequence[RecordedEvent], question: tuple[Any, ...], work: Callable[[], T]) -> T:
    """The answer to a question about these events."""
    if len(events) < FEW:
        return work()
    for known, asked, answer in _answers:
        if known is events and asked == question:
            return answer  # type: ignore[no-any-return]
    found = work()
    _answers.append((events, question, found))
    return found


def of_stream(events: Sequence[RecordedEvent], stream: str) -> Sequence[RecordedEvent]:
    """The events of a stream."""
    return once(events, ("stream", stream), lambda: [event for event in events if event.stream == stream])
