"""The settings of a sharded cluster, and the keys and places that follow from them."""

from dataclasses import dataclass
from typing import Any, Final

from engines.errors import UserError
from engines.sharding.placement import Place
from engines.sharding.world.rules import RULE_NAMES, Rules
from engines.sim.pattern import Config, Setting
from engines.sim.random import draw, stream_key

NODES_MAX: Final = 12
KEYS_MAX: Final = 5_000
WORKLOADS: Final = ("off", "uniform", "zipf", "monotonic", "hot")
KINDS: Final = ("cart", "user", "order", "item")

SETTINGS: Final = (
    Setting("nodes", 6, 1, NODES_MAX, help="nodes at the start"),
    Setting("keys", 2_000, 10, KEYS_MAX, help="keys at the start"),
    Setting("vnodes", 150, 1, 1_000, help="tokens of every node (ring, bounded)"),
    Setting("rf", 1, 1, 3, help="copies of every key"),
    Setting("racks", 3, 1, 6, help="racks in every data centre"),
    Setting("datacenters", 1, 1, 2, help="data centres"),
    Setting("rack_aware", False, help="copies on different racks"),
    Setting("clients", 3, 0, 3, help="clients that work by themselves"),
    Setting("router", False, help="clients ask a router instead of the nodes"),
    Setting("workload", "zipf", choices=WORKLOADS, help="which keys the clients ask for"),
    Setting("skew", 110, 0, 300, help="of Zipf's law, in hundredths"),
    Setting("rate", 20, 1, 50, help="requests a second of every client"),
    Setting("bandwidth", 60, 1, 5_000, help="keys a second that a node sends to new owners"),
    Setting("bound", 125, 100, 400, help="percent of the mean that a node may take (bounded)"),
    Setting("chunks", 8, 0, 32, help="chunks of every node at the start (range); 0: the letters A to Z, cut evenly"),
    Setting("full_coverage", True, help="one slot without owner takes the whole cluster down (slots)"),
    Setting("balancer", True, help="chunks are split and moved by themselves (range)"),
    Setting("user_keys", (), help="your own keys, as (key, weight), instead of made ones"),
    Setting("stand_for", 0, 0, 1 << 40, help="how many keys your own are a sample of"),
    Setting("keep_until_acked", True, help="rule: the source keeps a key until the target has it"),
    Setting("ask_redirects", True, help="rule: the source answers ASK for a key that has left"),
    Setting("ask_names_plan", True, help="rule: an ASK is good for the plan that gave it"),
    Setting("lease", True, help="rule: an owner that is not heard stops serving"),
)


@dataclass(frozen=True, slots=True)
class Options:
    """The settings by name."""

    nodes: int
    keys: int
    vnodes: int
    rf: int
    racks: int
    datacenters: int
    rack_aware: bool
    clients: int
    router: bool
    workload: str
    skew: int
    rate: int
    bandwidth: int
    bound: int
    chunks: int
    full_coverage: bool
    balancer: bool
    user_keys: tuple[tuple[str, int], ...]
    stand_for: int
    rules: Rules

    def sized(self, variant: str) -> bool:
        """Whether the weights of the user's keys are sizes of their data; else they are requests."""
        return variant == "range"


def read(config: Config) -> Options:
    """The defaults, but for what is given."""
    given = dict(config)
    values: dict[str, Any] = {setting.name: given.get(setting.name, setting.default) for setting in SETTINGS}
    rules = Rules(**{name: values.pop(name) for name in RULE_NAMES})
    options = Options(**values, rules=rules)
    pairs: Any = options.user_keys
    for pair in pairs:
        if not (isinstance(pair, tuple) and [type(each) for each in pair] == [str, int]):
            raise UserError(f"user_keys: {pair!r}: pairs of a key and a whole weight are accepted"[:300])
    if options.rf > options.nodes:
        raise UserError(f"rf {options.rf}: every copy needs a node of its own, and there are {options.nodes} nodes")
    if len(options.user_keys) > KEYS_MAX:
        raise UserError(f"{len(options.user_keys)} keys: the cluster runs at most {KEYS_MAX}; give it a sample")
    return options


def first_keys(options: Options, seed: int) -> tuple[tuple[str, int], ...]:
    """The keys at the start with their weights, the hottest first. A key that is given twice counts once."""
    if options.user_keys:
        weights: dict[str, int] = {}
        for key, weight in options.user_keys:
            weights[key] = weights.get(key, 0) + max(0, weight)
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
