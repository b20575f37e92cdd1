"""What a client makes of answers: which redirects it follows, what it learns, and when it gives up."""

from typing import Any

from engines.sharding.world import commands as c
from engines.sharding.world import messages as m
from engines.sharding.world.events import RefusalReason, Said
from engines.sharding.world.rules import REDIRECTS_MAX
from tests.engines.sharding.world.lab import SLOT, A, Bench


def asking(bench: Bench) -> m.Request:
    """``you`` ask for A; the request that left, which goes to the owner, n1."""
    ((to, request),) = bench.command(c.Get(A))
    assert to == "n1"
    assert isinstance(request, m.Request)
    return request


def moved(request: m.Request, owner: str, epoch: int) -> m.Moved:
    return m.Moved(request.serial, SLOT, owner, epoch)


def requests(said: list[tuple[str, Any]]) -> list[tuple[str, int]]:
    """Who is asked, and with the permission of which plan."""
    return [(to, message.asking) for to, message in said if isinstance(message, m.Request)]


def test_a_moved_is_followed_and_remembered() -> None:
    bench = Bench()
    request = asking(bench)
    assert requests(bench.tell_all("you", "n1", moved(request, "n2", 1))) == [("n2", 0)]
    assert bench.engine.cluster.client("you").requests.owner(A) == "n2"


def test_an_ask_is_followed_once_with_its_plan_and_nothing_is_remembered() -> None:
    bench = Bench()
    request = asking(bench)
    assert requests(bench.tell_all("you", "n1", m.Ask(request.serial, SLOT, "n3", 1, 4))) == [("n3", 4)]
    assert bench.engine.cluster.client("you").requests.owner(A) == "n1"


def test_a_redirect_by_an_older_map_is_not_followed() -> None:
    bench = Bench()
    request = asking(bench)
    bench.tell_all("you", "n1", moved(request, "n2", 5))
    assert bench.tell_all("you", "n2", moved(request, "n3", 3)) == []
    assert bench.engine.cluster.client("you").requests.owner(A) == "n2", "and nothing is learned from it"
    assert requests(bench.fire("you", "pause0")) == [("n2", 0)], "it is asked again soon"


def test_an_ask_by_an_older_map_is_not_followed() -> None:
    bench = Bench()
    request = asking(bench)
    bench.tell_all("you", "n1", moved(request, "n2", 5))
    assert bench.tell_all("you", "n2", m.Ask(request.serial, SLOT, "n3", 3, 1)) == []


def test_tryagain_is_asked_again_after_a_pause() -> None:
    bench = Bench()
    request = asking(bench)
    again = m.Refusal(request.serial, Said.TRYAGAIN, RefusalReason.PARTLY_GONE, ("a", "b"))
    assert bench.tell_all("you", "n1", again) == []
    assert requests(bench.fire("you", "pause0")) == [("n1", 0)]


def test_crossslot_is_final() -> None:
    bench = Bench()
    request = asking(bench)
    bench.tell_all("you", "n1", m.Refusal(request.serial, Said.CROSSSLOT, RefusalReason.DIFFERENT_SLOTS))
    assert bench.engine.cluster.client("you").failed == 1


def test_silence_is_asked_of_another_node() -> None:
    bench = Bench()
    asking(bench)
    ((to, _),) = requests(bench.fire("you", "patience0"))
    assert to in ("n2", "n3")


def test_an_answer_of_a_node_that_is_not_asked_any_more_is_ignored() -> None:
    bench = Bench()
    request = asking(bench)
    bench.fire("you", "patience0")
    bench.tell_all("you", "n1", m.Answer(request.serial, (m.Item(A, 1, 7),)))
    assert bench.engine.cluster.client("you").done == 0


def test_redirects_in_a_row_are_bounded() -> None:
    bench = Bench()
    request = asking(bench)
    at = "n1"
    for hop in range(3 * REDIRECTS_MAX + 1):
        to = "n2" if at == "n1" else "n1"
        bench.tell_all("you", at, moved(request, to, hop + 2))
        at = to
    assert bench.engine.cluster.client("you").failed == 1


def test_the_whole_map_is_fetched_after_every_fifth_moved() -> None:
    bench = Bench()
    request = asking(bench)
    fetched, at = [], "n1"
    for hop in range(1, 11):
        to = "n2" if at == "n1" else "n1"
        if any(isinstance(message, m.WantMap) for _, message in bench.tell_all("you", at, moved(request, to, hop + 1))):
            fetched.append(hop)
        at = to
    assert fetched == [5, 10]
