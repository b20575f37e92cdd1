"""How much befalls a world, and the draw of it: the swarm.

A seed does not get a little of everything. It draws which kinds of fault there are at all, how fast they follow each
other and whether they end by themselves, so that some seeds know nothing but slow disks, and bugs that one kind of
fault would hide behind another come out (Groce et al., "Swarm Testing", ISSTA 2012). Some seeds keep to one theme of
their variant, and lie in wait for its moments (``nemesis``).
"""

from dataclasses import dataclass, replace
from typing import Any, Final

from engines.hunt.nemesis import Scene, lay
from engines.hunt.plan import Plan
from engines.sim import faults, hazards
from engines.sim.chaos import HARSH, MILD, USUAL, Chaos, Hazard, Stage, Theme
from engines.sim.pattern import Config, Scenario, Step, Variant
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S

START_US: Final = 1_000 * US_PER_MS
"""The first fault comes within this time."""


@dataclass(frozen=True, slots=True)
class Profile:
    """How many faults, of which kinds, and how hard."""

    name: str
    help: str
    fewest: int = 6
    most: int = 40
    severity: int = USUAL
    share_ppm: int = 400_000
    """The chance of each kind to be in a seed at all."""
    only: tuple[str, ...] = ()
    """The kinds to draw from; none: all of the variant's."""
    beyond: bool = False
    """Whether also what the variant does not promise to survive."""
    themes_ppm: int = 500_000
    """The chance of a seed to keep to a theme."""

    def allows(self, hazard: Hazard) -> bool:
        """Whether this may befall."""
        return (self.beyond or not hazard.beyond) and (not self.only or hazard.name in self.only)


_MACHINES: Final = (*(each.name for each in hazards.MACHINES), hazards.SLOW_DISK.name)
_CUTS: Final = tuple(each.name for each in hazards.CUTS)
_LINKS: Final = tuple(each.name for each in hazards.LINKS)

PROFILES: Final = {
    each.name: each
    for each in (
        Profile("calm", "few faults, and mild ones", 2, 8, MILD, 250_000, themes_ppm=0),
        Profile("usual", "some faults of some kinds"),
        Profile("hostile", "many faults of most kinds, and hard ones", 30, 90, HARSH, 700_000),
        Profile("machines", "crashes, freezes and slow disks only", only=_MACHINES),
        Profile("partitions", "cuts of every shape only", only=_CUTS),
        Profile("links", "loss, delay, repeats, disorder only", only=_LINKS),
        Profile(
            "beyond", "also what the fault model leaves out: nothing is promised", 10, 60, USUAL, 500_000, (), True
        ),
    )
}
"""By name, as ``--faults`` takes them."""


def draw(
    variant: Variant,
    chaos: Chaos,
    profile: Profile,
    seed: int,
    config: Config = (),
    scenario: Scenario | None = None,
) -> tuple[Plan, Any]:
    """The plan of a seed: configuration, what happens and when, the heal, and what is asked for after it. Beside it
    the engine that was looked at: a fresh one of this seed and configuration, for whoever plays the plan at once.

    ``config``: settings that are not drawn. A scenario brings its own settings, and its script happens, too.
    """
    stream = Stream(seed, "hunt")
    theme = _theme(chaos, profile, stream)
    drawn = [] if scenario else _settings(chaos, theme, stream)
    given = {**dict(scenario.config if scenario else drawn), **dict(config)}
    known = [setting.name for setting in variant.settings]
    chosen: Config = tuple((name, given[name]) for name in known if name in given)
    engine = variant.make(seed, chosen)
    stage = _stage(engine, chosen, profile, stream)
    kinds = _kinds(chaos, profile, stream, theme)
    inputs, end_us = _schedule(chaos, profile, stream, stage, kinds)
    if scenario is not None:
        script = [step for step in scenario.script if not isinstance(step.command, faults.Narrate)]
        inputs, end_us = [*inputs, *script], max(end_us, *(step.at_us for step in script)) if script else end_us
    inputs.sort(key=lambda step: step.at_us)
    plan = Plan(
        variant.name, seed, chosen, tuple(inputs), 0, end_us, tuple(each.name for each in kinds),
        theme.name if theme else "lasting" if not stage.longest_us else "",
    )  # fmt: skip
    if theme is not None:
        plan = _with_ambushes(plan, chaos, profile, stream, stage, theme)
    healed_us = plan.end_us
    rest = (Step(healed_us, faults.Heal()), *(Step(healed_us + each.us, each.command) for each in chaos.rest))
    plan = replace(plan, inputs=(*plan.inputs, *rest), tail=len(rest), end_us=healed_us + chaos.quiet_us)
    return plan, engine


def _theme(chaos: Chaos, profile: Profile, stream: Stream) -> Theme | None:
    """What this seed keeps to, if anything."""
    if not chaos.themes or not stream.chance(profile.themes_ppm):
        return None
    return stream.pick([theme for theme in chaos.themes for _ in range(theme.weight)])


def _settings(chaos: Chaos, theme: Theme | None, stream: Stream) -> list[tuple[str, Any]]:
    """Half of the settings; those of a theme are drawn always, and over the others."""
    drawn = [(name, stream.pick(values)) for name, values in chaos.settings if stream.chance(500_000)]
    return drawn + [(name, stream.pick(values)) for name, values in (theme.settings if theme else ())]


def _with_ambushes(plan: Plan, chaos: Chaos, profile: Profile, stream: Stream, stage: Stage, theme: Theme) -> Plan:
    """The plan with what waits for its moment, and time for it."""
    able = [each for each in chaos.hazards if profile.allows(each)]
    wanted = [each for each in able if not theme.hazards or each.name in theme.hazards]
    orders = [each for each in chaos.orders if each.name in theme.orders and (profile.beyond or not each.beyond)]
    still = stream.chance(300_000)  # some things show only when nothing happens for a while
    scene = Scene(stage, tuple(orders), tuple(wanted), still)
    chains = lay(stream, scene, theme, frozenset(each.name for each in able))
    end_us = max(plan.end_us, stream.between(2, 8) * US_PER_S) + (chaos.pause_us if still else 0)
    return replace(plan, chains=chains, end_us=end_us)


def _stage(engine: Any, config: Config, profile: Profile, stream: Stream) -> Stage:
    """Who is there, by a look at a fresh engine."""
    links = tuple((src, dst) for src, host in engine.hosts.items() for dst in host.links)
    longest = stream.pick((300 * US_PER_MS, 1 * US_PER_S, 3 * US_PER_S, 0))
    return Stage(engine.servers, engine.clients, links, config, profile.severity, longest, stream.below(1 << 30))


def _kinds(chaos: Chaos, profile: Profile, stream: Stream, theme: Theme | None) -> tuple[Hazard, ...]:
    """The kinds of fault and of order that this seed knows: at least one fault, but for a theme that brings its own."""
    able = [each for each in chaos.hazards if profile.allows(each)]
    if theme is not None and theme.hazards:
        able = [each for each in able if each.name in theme.hazards]
    share_ppm = profile.share_ppm
    if theme is not None:  # what it does not name would only be in the way
        share_ppm = stream.pick((0, share_ppm // 4, share_ppm, 900_000) if theme.hazards else (0, 0, share_ppm // 4))
    kinds = [each for each in able if stream.chance(share_ppm)]
    first = stream.below(max(1, len(able)))
    if able and not kinds and theme is None:
        kinds = [able[first]]
    share = stream.pick((0, 400_000, 700_000, 1_000_000))
    orders = [each for each in chaos.orders if (profile.beyond or not each.beyond) and stream.chance(share)]
    if theme is not None:
        orders = [each for each in chaos.orders if each.name in theme.orders]
    return (*kinds, *orders)


def _schedule(
    chaos: Chaos, profile: Profile, stream: Stream, stage: Stage, kinds: tuple[Hazard, ...]
) -> tuple[list[Step], int]:
    """What happens and when, and when it is over."""
    bag = [kind for kind in kinds for _ in range(kind.weight)]
    wait_us = max(1, chaos.wait_us * stream.pick((1, 4, 4, 12)) // 4)
    pauses_ppm = stream.pick((0, 0, 0, 100_000))
    at_us = stream.below(START_US)
    inputs: list[Step] = []
    for _ in range(stream.between(profile.fewest, profile.most) if bag else 0):
        made = stream.pick(bag).make(stream, stage)
        inputs += [Step(at_us + each.us, each.command) for each in made]
        at_us += stream.below(wait_us)
        if stream.chance(pauses_ppm):  # some things show only when nothing happens for a while
            at_us += stream.below(chaos.pause_us)
    return inputs, max([at_us, *(step.at_us for step in inputs)]) + 1


__all__ = ["PROFILES", "Profile", "draw"]
