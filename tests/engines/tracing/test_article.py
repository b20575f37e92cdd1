"""What the article says of tracing, and where the program shows it, or says what is right instead."""

from collections.abc import Callable
from typing import Final

import pytest

from engines.tracing import Format
from engines.tracing.pattern import FIDELITY, PATTERN
from engines.tracing.topology import SIZE_MAX
from engines.tracing.world.options import Options

NOTES: Final = " ".join(PATTERN.notes)
MODELLED: Final = " ".join(text for _, text in FIDELITY)


def shown(name: str, words: str) -> bool:
    """Whether a story says this."""
    found = PATTERN.scenario(name)
    texts = [str(getattr(step.command, "text", "")) for step in found.script]
    return any(words in text for text in (found.title, found.summary, *texts))


CLAIMS: Final[dict[str, Callable[[], bool]]] = {
    "Why is my request slow?": lambda: PATTERN.question == "Why is my request slow?",
    "one trace id": lambda: shown("auth-pool-p99", "one trace: the headers carry the trace id"),
    "spans with parents": lambda: "every call carries real headers" in MODELLED,
    "extract and inject": lambda: shown("dropped-header", "to extract the header and to inject it again"),
    "the code extracts a parent and never uses it": lambda: (
        shown("unused-parent", "parent is not used") and "breaks the trace at every hop" in NOTES
    ),
    "links make the tree a graph": lambda: "a graph, not a tree" in NOTES,
    "sampling: not every request is kept": lambda: "not every request is kept" in NOTES,
    "70+ services": lambda: Options().services == 72 < SIZE_MAX,
    "auth is blocking because its pool is exhausted at p99": lambda: shown("auth-pool-p99", "the pool of auth"),
    "at p99 takes a cohort and pool metrics": lambda: "That takes a cohort" in NOTES,
    "OpenTelemetry": lambda: "spans as OpenTelemetry has them" in MODELLED,
    "Jaeger": lambda: Format.JAEGER.label == "Jaeger JSON",
    "Zipkin": lambda: Format.ZIPKIN.label == "Zipkin v2 JSON",
    "Datadog, Honeycomb": lambda: "Datadog and Honeycomb" in NOTES,
}
"""A claim, and whether it is met."""


@pytest.mark.parametrize("claim", CLAIMS)
def test_what_the_article_says_is_shown_or_put_right(claim: str) -> None:
    assert CLAIMS[claim]()
