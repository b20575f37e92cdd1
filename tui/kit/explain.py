"""Explanations: the lesson behind an event, and what a check demands, in the same paragraphs in every panel."""

from collections.abc import Iterable, Mapping

from engines.sim.pattern import Check

HOLDS = "It holds: it was examined after every event of this run."


def rules_off(rules: Iterable[tuple[str, bool]], among: tuple[str, ...] = ()) -> list[str]:
    """The rules that are switched off (of these), as people write them."""
    return [name.replace("_", " ") for name, on in rules if not on and (not among or name in among)]


def explain_check(
    check: Check,
    demands: Mapping[str, str],
    if_broken: Mapping[str, str],
    rules: Iterable[tuple[str, bool]],
    *,
    suspects: Mapping[str, str] | None = None,
    exempt: str = "",
) -> tuple[str, ...]:
    """What the check demands; if it failed, who saw what and which rule is missing.

    ``suspects``: the rule whose absence breaks a check, asked about if all are on now. ``exempt``: why it is not asked
    of what is shown.
    """
    demand = f"{check.name}: {demands.get(check.name, check.detail)}."
    behind = if_broken.get(check.name, "It is watched after every event.")
    if check.ok:
        told: tuple[str, ...] = (demand, exempt, HOLDS, behind)
    else:
        off = rules_off(rules)
        suspect = (suspects or {}).get(check.name, "")
        missing = f"Switched off in this run: {', '.join(off)}." if off else ""
        if not off and suspect:
            missing = f"All rules are on now. Was {suspect} off for a time?"
        told = (demand, f"FAILED: {check.detail}.", *check.witness, behind, missing)
    return tuple(text for text in told if text)
