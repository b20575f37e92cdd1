"""The engines: the seven patterns distributed systems are built from, each as the real algorithm.

Pure Python on the standard library, usable without the terminal program. ``engines.sim`` is the deterministic
world they all run in. The patterns, in the order in which they are usually taught:

1 consistency   2 consensus   3 sharding   4 resilience   5 event_sourcing   6 cqrs   7 tracing
"""

TITLES = ("Consistency", "Consensus", "Sharding", "Resilience", "Events", "CQRS", "Tracing")
"""The seven by their numbers, 1 to 7, whether built yet or not."""

NAMES = ("consistency", "consensus", "sharding", "resilience", "events", "cqrs", "tracing")
"""What they are called on the command line, in the same order."""

QUESTIONS = (
    "When is my read fresh?",
    "How do nodes agree?",
    "How do I scale data?",
    "How do I survive failures?",
    "How do I track history?",
    "How do I scale reads separately?",
    "Why is my request slow?",
)
"""The problem that each of them solves, in the same order and in the words of the article this program illustrates."""
