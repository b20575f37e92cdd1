"""Every panel with what its tests need to know of it: what the contract of panels is tested on."""

from tests.tui.subjects.consensus import CONSENSUS
from tests.tui.subjects.consistency import CONSISTENCY
from tests.tui.subjects.cqrs import CQRS
from tests.tui.subjects.events import EVENTS
from tests.tui.subjects.pbft import PBFT
from tests.tui.subjects.resilience import RESILIENCE
from tests.tui.subjects.sharding import SHARDING
from tests.tui.subjects.subject import Subject
from tests.tui.subjects.toy import TOY
from tests.tui.subjects.tracing import TRACING

SUBJECTS = (CONSISTENCY, CONSENSUS, PBFT, SHARDING, RESILIENCE, EVENTS, CQRS, TRACING, TOY)

__all__ = ["SUBJECTS", "Subject"]
"""One a panel. A new panel adds a module here and a name to this line."""
