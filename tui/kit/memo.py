"""What is worked out of a long file is worked out once: the same records, the same question, the same answer.

The records of a snapshot are a tuple that nobody changes, so it is recognised by being the same object. A few answers
are kept; a living run brings new records with every picture and gains nothing, which costs nothing either.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")
KEPT: Final = 12
FEW: Final = 2_000
"""So few records are looked through in no time."""
_answers: Final[deque[tuple[Sequence[Any], Any, Any]]] = deque(maxlen=KEPT)


def once(records: Sequence[Any], question: tuple[Any, ...], work: Callable[[], T]) -> T:
    """The answer to a question about these records."""
    if len(records) < FEW:
        return work()
    for known, asked, answer in _answers:
        if known is records and asked == question:
            return answer  # type: ignore[no-any-return]
    found = work()
    _answers.append((records, question, found))
    return found


def of_stream(events: Sequence[T], stream: str) -> Sequence[T]:
    """The events of a stream."""
    every: Sequence[Any] = events
    return once(events, ("stream", stream), lambda: [event for event in every if event.stream == stream])
