"""Hunts: search thousands of seeds of any pattern for a broken guarantee, and make what is found small.

>>> from engines.hunt import Here, hunt, request_for
>>> from engines.consensus.pattern import PATTERN
>>> found = hunt(request_for(PATTERN, "raft", broken=("persist_vote",)), Here(), first=0, last=7)
>>> shrunk = next(iter(found.shrunk.values()))
>>> shrunk.violation.check, shrunk.inputs
('terms and votes survive', 2)

profiles    how much befalls a world: the draw of a seed
nemesis     faults that wait for their moment, and strike whoever it is about
plan        a run that is still to be made, as data
trial       a plan, played: what broke, what bit, what was reached
bites       what faults have touched
coverage    situations: kind of event, role, fault
shrink      a failing run made small
minimal     the least number of commands, by breadth-first search
jobs        a piece of a hunt as a worker gets it
found       what was found, as a run one can walk
search      the hunt: hands out seeds, folds what comes back
executors   this process, a pool of processes, any executor
cluster     workers of other machines

This is the one room of the engines that may start processes and look at the machine it runs on; ``cluster`` alone
imports a third party's package.
"""

from engines.hunt.executors import Given, Here, Pool, Workers, processors
from engines.hunt.jobs import Request, pattern_of
from engines.hunt.profiles import PROFILES, Profile
from engines.hunt.search import Search, Tally, hunt
from engines.hunt.shrink import Shrunk, shrink
from engines.hunt.trial import Trial, Violation, play
from engines.sim.pattern import Config, Pattern


def request_for(
    pattern: Pattern,
    variant: str,
    profile: str = "usual",
    config: Config = (),
    broken: tuple[str, ...] = (),
    scenario: str = "",
    fixed: bool = False,
    home: str = "",
) -> Request:
    """What is to be hunted. ``home``: the module of the pattern's record, for one that is not the program's own."""
    config = (*config, *((rule, False) for rule in broken))
    version = pattern.variant(variant).engine_version
    return Request(home or pattern.name, variant, version, profile, config, scenario, fixed)


__all__ = [
    "PROFILES", "Given", "Here", "Pool", "Profile", "Request", "Search", "Shrunk", "Tally", "Trial", "Violation",
    "Workers", "hunt", "pattern_of", "play", "processors", "request_for", "shrink",
]  # fmt: skip
