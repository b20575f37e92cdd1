"""What the tool says of what only the simulation knows: whether a verdict is right, and where a trace went astray."""

from engines.tracing.context import NewTrace
from engines.tracing.critical import NoLength
from engines.tracing.tree import Note
from engines.tracing.verdicts import Verdict
from engines.tracing.world.events import Score
from engines.tracing.world.snapshot import Fault, Oddness, Strayed
from tui.userdata.verdict_words import flaw_words, no_length_words


def score_words(score: Score, verdicts: tuple[Verdict, ...], injected: tuple[Fault, ...]) -> str:
    """How the first verdict compares with the newest fault that was injected; empty: there is nothing to compare."""
    if score is Score.NONE or not injected:
        return ""
    fault = injected[-1]
    match score:
        case Score.NO_VERDICT:
            return "the tool has no verdict yet"
        case Score.RIGHT:
            return "the verdict names it"
        case Score.MISSES:
            return "the verdict names its misses"
        case Score.UNFELT:
            return f"what was injected ({fault.kind} of {fault.service}) is not felt: under 5 % of the extra time"
        case Score.OTHER_KIND:
            first = verdicts[0]
            return f"the verdict names {first.service}, but as {first.kind} instead of {fault.kind}"
        case Score.OTHER_SERVICE:
            first = verdicts[0]
            return f"the verdict names {first.service} ({first.kind}) instead of {fault.service} ({fault.kind})"


def oddness_words(odd: Oddness | None) -> str:
    """What is odd about a trace."""
    match odd:
        case None:
            return ""
        case Note():
            return flaw_words(odd)
        case Strayed(src=src, dst=dst, why=why):
            return f"{dst} starts a new trace: {new_trace_words(why)}, called by {src}"
        case NoLength():
            return no_length_words(odd)


def new_trace_words(why: NewTrace) -> str:
    """Why a trace was not continued, in the words of the headers' own specification."""
    return why.value
