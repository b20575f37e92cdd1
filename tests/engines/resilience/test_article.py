"""What the article says of fault tolerance, and where the program shows it, or says what is right instead."""

from collections.abc import Callable
from typing import Final

import pytest

from engines.resilience import BACKOFFS, PRESETS, State
from engines.resilience.pattern import PATTERN
from engines.resilience.world.commands import Abort, Delay
from engines.resilience.world.scenarios import SCENARIOS

NOTES: Final = " ".join(PATTERN.notes)
FIDELITY: Final = " ".join(text for _, text in PATTERN.variants[0].fidelity)
ARTICLE: Final = PRESETS["article"].options


def shown(name: str, words: str) -> bool:
    """Whether a story says this."""
    found = PATTERN.scenario(name)
    texts = [str(getattr(step.command, "text", "")) for step in found.script]
    return any(words in text for text in (found.title, found.summary, *texts))


def used(kind: type) -> bool:
    """Whether a story uses this."""
    return any(isinstance(step.command, kind) for story in SCENARIOS for step in story.script)


CLAIMS: Final[dict[str, Callable[[], bool]]] = {
    "How do I survive failures?": lambda: PATTERN.question == "How do I survive failures?",
    "CLOSED, OPEN, HALF_OPEN": lambda: {"closed", "open", "half_open"} <= {state.value for state in State},
    "opens at 50 % over 10 s": lambda: (ARTICLE.failure_ppm, ARTICLE.window_us) == (500_000, 10_000_000),
    "stays open for 30 s": lambda: ARTICLE.wait_us == 30_000_000 and shown("trip-and-recover", "30 s open"),
    "half-open tries whether it has recovered": lambda: shown("trip-and-recover", "One probe decides"),
    "these numbers are a standard (they are not)": lambda: "these numbers are no standard" in NOTES,
    "no minimum volume is named (one failed call would trip it)": lambda: "without a minimum volume" in NOTES.lower(),
    "circuit breakers save you (not alone)": lambda: "alone it has saved nobody" in NOTES,
    "Hystrix": lambda: "hystrix" in PRESETS and "Hystrix" in NOTES,
    "Resilience4j": lambda: "resilience4j" in PRESETS and shown("stuck-half-open", "resilience4j"),
    "Polly": lambda: "polly" in PRESETS and "Polly" in NOTES,
    "Istio injects faults (a test tool)": lambda: "Istio's delays and aborts are a test tool" in NOTES and used(Abort),
    "Istio delays": lambda: "Istio" in str(Delay.__doc__),
    "Envoy breaks circuits (caps on concurrency)": lambda: (
        "What Envoy calls circuit breaking are caps" in NOTES and PATTERN.variant("envoy").title == "Envoy's way"
    ),
    "retries": lambda: {"fixed", "exponential", "full-jitter"} <= set(BACKOFFS),
    "retries amplify": lambda: "(1 + r) ^ L" in NOTES and shown("amplification", "3 x 3 x 3"),
    "timeouts, bulkheads, fallbacks": lambda: shown("bulkhead", "at most 2 calls to payment") and "timeout" in FIDELITY,
}
"""A claim, and whether it is met."""


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_the_article_says_is_shown_or_put_right(claim: str) -> None:
    assert CLAIMS[claim]()
