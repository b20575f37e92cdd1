"""The settings of a sharded cluster, and the keys and places that follow from them."""

from dataclasses import dataclass
from typing import Any, Final

from engines.errors import UserError
from engines.sharding.keys import parse_weight
from engines.sharding.placement import Place
from engines.sharding.world.rules import ALL_ON, ShardRules
from engines.sim.options import option, settings_of
from engines.sim.options import read as read_options
from engines.sim.pattern import Config
from engines.sim.random import draw, stream_key

NODES_MAX: Final = 12
KEYS_MAX: Final = 5_000
WORKLOADS: Final = ("off", "uniform", "zipf", "monotonic", "hot")
KINDS: Final = ("cart", "user", "order", "item")


@dataclass(frozen=True, slots=True)
class Options:
    """What a run begins with."""

    nodes: int = option(6, 1, NODES_MAX, help="nodes at the start")
    keys: int = option(2_000, 10, KEYS_MAX, help="keys at the start")
    vnodes: int = option(150, 1, 1_000, help="tokens of every node (ring, bounded)")
    rf: int = option(1, 1, 3, help="copies of every key")
    racks: int = option(3, 1, 6, help="racks in every data centre")
    datacenters: int = option(1, 1, 2, help="data centres")
    rack_aware: bool = option(False, help="copies on different racks")
    clients: int = option(3, 0, 3, help="clients that work by themselves")
    router: bool = option(False, help="clients ask a router instead of the nodes")
    workload: str = option("zipf", choices=WORKLOADS, help="which keys the clients ask for")
    skew: int = option(110, 0, 300, help="of Zipf's law, in hundredths")
    rate: int = option(20, 1, 50, help="requests a second of every client")
    poisson: bool = option(True, help="requests come at random times; off: evenly paced")
    bandwidth: int = option(60, 1, 5_000, help="keys a second that a node sends to new owners")
    bound: int = option(125, 100, 400, help="percent of the mean that a node may take (bounded)")
    chunks: int = option(8, 0, 32, help="chunks of every node at the start (range); 0: the letters A to Z, cut evenly")
    full_coverage: bool = option(True, help="one slot without owner takes the whole cluster down (slots)")
    balancer: bool = option(True, help="chunks are split and moved by themselves (range)")
    user_keys: tuple[tuple[str, int | str], ...] = option((), help="your own keys, as (key, weight)")
    stand_for: int = option(0, 0, 1 << 40, help="how many keys your own are a sample of")
    rules: ShardRules = ALL_ON

    def sized(self, variant: str) -> bool:
        """Whether the weights of the user's keys are sizes of their data; else they are requests."""
        return variant == "range"


SETTINGS: Final = settings_of(Options)


def read(config: Config) -> Options:
    """The defaults, but for what is given. UserError for options that do not go together."""
    options = read_options(Options, config)
    pairs: Any = options.user_keys
    for pair in pairs:
        kinds = [type(each) for each in pair] if isinstance(pair, tuple) else []
        if kinds not in ([str, int], [str, str]) or weight_of(pair[1]) is None:
            raise UserError(f"user_keys: {pair!r}: pairs of a key and a weight are accepted, 2 or '2.5'"[:300])
    if pairs and not any(weight_of(weight) for _, weight in pairs):
        raise UserError("user_keys: every weight is 0, so there is no load: at least one must be above 0")
    if options.rf > options.nodes:
        raise UserError(f"rf {options.rf}: every copy needs a node of its own, and there are {options.nodes} nodes")
    if len(options.user_keys) > KEYS_MAX:
        raise UserError(f"{len(options.user_keys)} keys: the cluster runs at most {KEYS_MAX}; give it a sample")
    return options


def weight_of(given: int | str) -> float | None:
    """A weight as it is given: a whole number, or any other as text; None if it is none."""
    return parse_weight(str(given).encode())


def given_keys(options: Options, names: tuple[str, ...]) -> tuple[tuple[str, float], ...]:
    """What strategies are compared on: the user's lines in their order with their weights, else the made keys."""
    if not options.user_keys:
        return tuple((name, 1) for name in names)
    return tuple((key, weight_of(weight) or 0) for key, weight in options.user_keys)


def first_keys(options: Options, seed: int) -> tuple[tuple[str, int], ...]:
    """The keys at the start with their weights, the hottest first. A key that is given twice counts once."""
    if options.user_keys:
        weights: dict[str, int] = {}
        for key, weight in options.user_keys:
            weights[key] = weights.get(key, 0) + max(1, round(weight_of(weight) or 0))
        return tuple(sorted(weights.items(), key=lambda each: (-each[1], each[0])))
    stream = stream_key(seed, "keys")
    names: dict[str, int] = {}
    n = 0
    while len(names) < options.keys:
        number = draw(stream, n)
        names[f"{KINDS[number % len(KINDS)]}:{1_000 + (number >> 8) % 9_000}"] = 1
        n += 1
    return tuple(names.items())


def place_of(number: int, options: Options) -> Place:
    """Where the number-th machine stands: data centres take turns, then racks."""
    datacenter = number % options.datacenters
    rack = number // options.datacenters % options.racks
    return Place(f"dc{datacenter + 1}", f"r{rack + 1}")
