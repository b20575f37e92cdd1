"""A toy pattern: servers that greet each other in turn. It proves what the eighth pattern costs, and serves the tests.

Everything a pattern publishes is here: a world of nodes, a check with a rule that can be broken, scenarios with cues,
and a panel. One line in a registry (``PANELS = (TOY,)``) is all the rest of the program needs.
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias, assert_never

from engines.errors import UserError
from engines.sim import faults
from engines.sim.events import Event
from engines.sim.host import Host
from engines.sim.network import LinkOptions
from engines.sim.node import Context
from engines.sim.pattern import Check, Config, Pattern, Scenario, Setting, Step, Variant
from engines.sim.timeline import Timeline
from engines.sim.world import World
from engines.units import span
from tui.canvas import Canvas, clip
from tui.glyphs import Glyphs
from tui.kit import forms
from tui.kit.kernel_words import KernelWords, is_kernel, tell
from tui.kit.verbs import Machine, Target, ask, marker, standard_keys
from tui.panel import Focus, Frame, Key, Line, Offer, Outcome, Panel, Refuse, Sizes, fold_alike

PERIOD_US = 40_000


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""

    number: int


@dataclass(frozen=True, slots=True)
class Pong:
    """Yes, to this question."""

    number: int


@dataclass(frozen=True, slots=True)
class Greet:
    """A client's command: the node asks all others at once."""

    node: str


@dataclass(frozen=True, slots=True)
class Lie:
    """A broken rule: the node answers a question that nobody asked."""

    node: str


class Begin(NamedTuple):
    """A node begins to ask."""


class Answered(NamedTuple):
    """A node that was asked answered."""

    by: str
    number: int


class Greeted(NamedTuple):
    """A client let a node greet all."""


class Lied(NamedTuple):
    """A node answers what nobody asked."""


ToyEvent: TypeAlias = Begin | Answered | Greeted | Lied


class Pinger:
    """Asks the next node every 40 ms, and answers."""

    def __init__(self, id: str, others: tuple[str, ...]) -> None:
        self.id = id
        self.others = others
        self.asked = 0
        self.answered = 0

    def on_start(self, ctx: Context) -> None:
        ctx.note(Begin())
        ctx.set_timer("ask", ctx.stream("start").below(PERIOD_US))

    def on_message(self, ctx: Context, src: str, message: object) -> None:
        match message:
            case Ping(number):
                ctx.send(src, Pong(number))
            case Pong(number):
                self.answered += 1
                ctx.note(Answered(src, number))

    def on_timer(self, ctx: Context, name: str) -> None:
        self.ask(ctx, self.others[self.asked % len(self.others)])
        ctx.set_timer("ask", PERIOD_US)

    def on_synced(self, ctx: Context) -> None:
        """Nothing waits for a disk here."""

    def ask(self, ctx: Context, other: str) -> None:
        self.asked += 1
        ctx.send(other, Ping(self.asked))


@dataclass(frozen=True, slots=True)
class ToyNode:
    name: str
    status: str
    asked: int
    answered: int


@dataclass(frozen=True, slots=True)
class ToySnapshot:
    at_us: int
    nodes: tuple[ToyNode, ...]
    flights: tuple[tuple[int, str, str], ...]


class ToyWorld(World):
    """Servers p1, p2, ..."""

    def __init__(self, seed: int, config: Config) -> None:
        count = dict(config).get("nodes", 3)
        names = tuple(f"p{n}" for n in range(1, count + 1))
        super().__init__(seed, names, (), LinkOptions())
        self.broken: tuple[str, ...] = ()
        self.begin()

    def make_node(self, host: Host) -> Pinger:
        return Pinger(host.id, tuple(name for name in self.servers if name != host.id))

    def observe(self, host: Host) -> None:
        node: Any = host.node
        if node.answered > node.asked and not self.broken:
            self.broken = (f"{host.id} asked {node.asked} times", f"{host.id} heard {node.answered} answers")

    def validate(self, command: Any) -> None:
        super().validate(command)
        if isinstance(command, Greet) and self.hosts[command.node].status != "up":
            raise UserError(f"{command.node} is {self.hosts[command.node].status}: it hears no client")

    def execute(self, command: Any) -> None:
        match command:
            case Greet(node):
                host = self.hosts[node]
                pinger: Any = host.node
                for other in pinger.others:
                    pinger.ask(host, other)
                self.record(Greeted(), node)
            case Lie(node):
                liar: Any = self.hosts[node].node
                liar.answered = liar.asked + 1
                self.record(Lied(), node)
            case _:
                super().execute(command)

    def snapshot(self) -> ToySnapshot:
        nodes: list[ToyNode] = []
        for name in self.servers:
            node: Any = self.hosts[name].node
            nodes.append(ToyNode(name, self.hosts[name].status, node.asked, node.answered))
        return ToySnapshot(self.now_us, tuple(nodes), tuple((each.id, each.src, each.dst) for each in self.flights()))

    def check(self) -> tuple[Check, ...]:
        return (
            Check("no answer without a question", not self.broken, "answers never outnumber questions", self.broken),
            Check("time is kept", True, "always"),
        )


COMMANDS = (Greet, Lie, *faults.FAULTS)
SETTINGS = (Setting("nodes", 3, 2, 9, help="servers"),)
PATTERN = Pattern(
    number=8,
    name="toy",
    title="Toy",
    question="Is anybody there?",
    variants=(
        Variant("ping", "Ping", "each asks the next", ToyWorld, COMMANDS, SETTINGS),
        Variant("crowd", "Crowd", "the same with seven", lambda s, c: ToyWorld(s, (("nodes", 7),)), COMMANDS),
    ),
    scenarios=(
        Scenario(
            "fall", "A node falls", "p2 crashes and comes back", "ping",
            (
                Step(100_000, faults.Narrate("All three greet each other. Watch p2, which is about to fall.")),
                Step(200_000, faults.Crash("p2")),
                Step(300_000, faults.Narrate("Nobody waits for p2.", pause=False)),
                Step(400_000, Greet("p2")),
                Step(500_000, faults.Restart("p2")),
            ),
            end_us=800_000, seed=7,
        ),
        Scenario(
            "lie", "A node lies", "an answer nobody asked for", "crowd", (Step(50_000, Lie("p1")),),
            end_us=200_000, breaks=("no answer without a question",),
        ),
    ),
    speed=(1, 10),
    notes=("A node that does not answer need not be dead.",),
)  # fmt: skip


# -- the panel: its words and its picture; the rest comes from the kit ------------------------------------------------


def aim(snapshot: ToySnapshot, focus: Focus) -> Target | Refuse:
    """What the standard verbs act on."""
    node = next((each for each in snapshot.nodes if each.name == focus.node), None)
    return Target.node(Machine(node.name, node.status), ()) if node else Refuse("select a node first")


def _on_node(make: Any) -> Any:
    return lambda snapshot, focus: make(focus.node) if focus.node else Refuse("select a node first")


KEYS: tuple[Key, ...] = (
    *standard_keys(aim, "node", messages=False, ranks={"k": 11, "x": 13, "z": 21, "h": 31}),
    Key("a", "greet", "let the selected node greet all", _on_node(Greet), rank=14),
    Key("A", "ask", "type who greets", ask("client")),
    Key("g", "lie", "answer without a question", _on_node(Lie), rank=61),
)


def timeline(seed: int = 42, scenario: str = "") -> Timeline[Any, Any]:
    """A run for tests that need no session."""
    story = PATTERN.scenario(scenario) if scenario else None
    return Timeline(PATTERN.variant(story.variant if story else "ping"), seed, (), story)


def view(snapshot: Any, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    picture, strip, inspector = (Canvas(*size) for size in sizes)
    for y, node in enumerate(snapshot.nodes):
        ink = "selected" if node.name == focus.node else "dead" if node.status == "crashed" else "follower"
        picture.put(1, y, f"{node.name} {node.status:7} asked {node.asked:4} answered {node.answered:4}", ink)
    strip.put(1, 0, f"{len(snapshot.flights)} messages in the air", "text")
    inspector.put(1, 0, clip(f"{focus.node or 'nobody'} at {span(snapshot.at_us)}", inspector.width - 1))
    return Frame(picture, strip, inspector, "toy", "3 nodes", "air", "", focus.node or "nobody")


def status(snapshot: Any) -> str:
    return f"{len(snapshot.nodes)} nodes  {sum(each.asked for each in snapshot.nodes)} questions"


def move(snapshot: Any, focus: Focus, direction: str) -> Focus:
    names = [each.name for each in snapshot.nodes]
    index = names.index(focus.node) if focus.node in names else -1
    return replace(focus, node=names[(index + (1 if direction in ("down", "right") else -1)) % len(names)])


def fit(snapshot: Any, focus: Focus) -> Focus:
    names = [each.name for each in snapshot.nodes]
    return focus if focus.node in names else replace(focus, node=names[0])


WORLD = KernelWords(
    message=lambda message: type(message).__name__.lower(),
    crashes=lambda node: "it forgets what it asked",
    restarts=lambda node: "begins anew",
)


def narrate(event: Event) -> Line:
    if is_kernel(event):
        return tell(event, WORLD)
    what: ToyEvent = event.what
    match what:
        case Begin():
            return Line(event.node, "begin: it begins to ask")
        case Answered(by=by):
            return Line(event.node, f"answered: {by} is there")
        case Greeted():
            return Line(event.node, "greet: a client asked for it")
        case Lied():
            return Line(event.node, "lie: the rule is switched off")
        case _:
            assert_never(what)


def explain(snapshot: Any, event: Event) -> tuple[str, ...]:
    return (f"This is a {event.kind}.", "A long explanation of it. " * 30)


def explain_check(snapshot: Any, check: Check) -> tuple[str, ...]:
    return (check.name, check.detail, *check.witness)


def offer_faults(snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
    names = [each.name for each in snapshot.nodes]
    node = next((each for each in snapshot.nodes if each.name == focus.node), snapshot.nodes[0])
    others = tuple(name for name in names if name != node.name)
    return (*forms.of_machine(node.name, node.status, "it forgets", "anew"), *forms.of_links(node.name, others))


def rules(snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
    return (Offer("answers need questions", "let the node lie", lambda values: Lie(focus.node), on=True),)


def sides(snapshot: Any, focus: Focus) -> tuple[Offer, ...]:
    others = tuple(each.name for each in snapshot.nodes if each.name != focus.node)
    return (forms.split(((focus.node,), others), "alone"), *forms.one_way(focus.node, others))


def client(snapshot: Any, focus: Focus, text: str) -> Outcome:
    if not text.strip():
        raise UserError("type the name of a node")
    return Greet(text.strip())


TOY = Panel(
    pattern=PATTERN,
    keys=KEYS,
    help=("Each row is a node: what it asked and what was answered.",),
    view=view,
    status=status,
    move=move,
    fit=fit,
    narrate=narrate,
    fold=fold_alike(narrate),
    explain=explain,
    explain_check=explain_check,
    mark=marker({Greet: ("a", "you")}),
    faults=offer_faults,
    rules=rules,
    sides=sides,
    client=client,
    client_hint="p1   p2   p3",
)
