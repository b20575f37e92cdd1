"""The spans a request leaves behind are those OpenTelemetry would write."""

from pathlib import Path

from engines.sim import faults
from engines.tracing import world
from engines.tracing.context import extract
from engines.tracing.spans import Kind, Status
from engines.tracing.tree import build
from engines.tracing.world import commands as c
from tests.engines.tracing.world.system import MS, S, System, named, path_of


def checkout(system: System) -> System:
    return system.do(c.Request("POST /checkout")).run(3 * S)


def test_a_request_is_one_trace_with_one_root_and_no_hole() -> None:
    tree = build(checkout(System()).only())
    assert (len(tree.roots), tree.missing_parents, tree.notes) == (1, 0, ())
    assert tree.spans[tree.root].label == "gateway/POST /checkout"
    assert {span.service for span in tree.spans} == {
        "gateway", "auth", "auth-db", "cart", "catalog", "catalog-cache", "payment", "orders", "orders-db", "mailer",
    }  # fmt: skip


def test_a_server_span_is_named_by_method_and_route_and_a_client_span_by_method() -> None:
    trace = checkout(System()).only()
    (root,) = named(trace, "gateway", Kind.SERVER)
    assert root.name == "POST /checkout"
    assert (root.get("http.request.method"), root.get("http.route"), root.get("http.response.status_code")) == (
        "POST", "/checkout", 200,
    )  # fmt: skip
    assert sorted(span.name for span in named(trace, "gateway", Kind.CLIENT)) == ["GET", "GET", "POST", "POST"]


def test_a_query_is_named_by_operation_and_table_on_both_sides() -> None:
    trace = checkout(System()).only()
    (client,) = named(trace, "auth", Kind.CLIENT)
    (server,) = named(trace, "auth-db", Kind.SERVER)
    assert client.name == server.name == "SELECT sessions"
    assert client.get("db.system.name") == "postgresql"
    assert server.parent_id == client.span_id


def test_every_hop_carries_the_context_of_its_own_client_span() -> None:
    system = checkout(System())
    trace = system.only()
    by_id = {span.span_id: span for span in trace}
    hops = [hop for hop in system.snapshot.store.hops(trace[0].trace_id) if hop.src != "you"]
    assert len(hops) > 8
    for hop in hops:
        sent = extract(hop.headers)
        assert sent.trace_id == trace[0].trace_id
        assert by_id[sent.span_id].kind in (Kind.CLIENT, Kind.PRODUCER)
        assert by_id[hop.span_id].parent_id == sent.span_id
        assert hop.why is None


def test_a_consumer_hangs_under_its_producer_has_a_link_to_it_and_blocks_nobody() -> None:
    system = System().do(c.SlowService("mailer", 3_000))
    trace = checkout(system).only()
    (producer,) = named(trace, "orders", Kind.PRODUCER)
    (consumer,) = named(trace, "mailer", Kind.CONSUMER)
    (root,) = named(trace, "gateway", Kind.SERVER)
    assert (producer.name, consumer.name) == ("publish OrderPlaced", "process OrderPlaced")
    assert consumer.parent_id == producer.span_id
    assert [link.span_id for link in consumer.links] == [producer.span_id]
    assert consumer.end_us > root.end_us + 100 * MS
    assert not any("mailer" in label for label in path_of(trace))


def test_waiting_for_a_connection_is_a_span_that_says_how_full_the_pool_was() -> None:
    system = System().do(c.ShrinkPool("auth", 1), c.Request("POST /login"), c.Request("POST /login")).run(3 * S)
    waits = [span for trace in system.traces() for span in trace if span.name == "acquire connection"]
    (wait,) = waits
    assert (wait.service, wait.kind) == ("auth", Kind.INTERNAL)
    told = [wait.get(name) for name in ("pool.name", "pool.in_use", "pool.max", "pool.waiting")]
    assert told == ["auth-db", 1, 1, 1]


def test_a_lock_makes_queries_wait_for_each_other() -> None:
    system = System().do(c.Lock("auth-db", 50_000), c.Request("POST /login"), c.Request("POST /login")).run(3 * S)
    (wait,) = [span for trace in system.traces() for span in trace if span.name == "acquire lock"]
    assert (wait.service, wait.get("lock.name")) == ("auth-db", "accounts")
    assert wait.duration_us > 40 * MS


def test_a_full_house_of_workers_makes_requests_wait_in_line() -> None:
    system = System().do(c.SlowService("mailer", 2_000), *[c.Request("POST /checkout")] * 12).run(6 * S)
    waits = [span for trace in system.traces() for span in trace if span.name == "queue wait"]
    assert not waits, "the queue hands a consumer four messages at a time, and it has four workers"
    system = System(services=12).do(c.SlowService("auth", 3_000), *[c.Request("POST /login")] * 40).run(6 * S)
    waits = [span for trace in system.traces() for span in trace if span.name == "queue wait"]
    assert {(span.service, span.get("workers.busy"), span.get("workers.max")) for span in waits} == {("auth", 32, 32)}
    assert len(waits) == 8


def test_4xx_is_an_error_of_the_client_span_and_none_of_the_server_span() -> None:
    system = System(rate=60, traffic="cart").run(6 * S)
    denied = [trace for trace in system.traces() if any(s.get("http.response.status_code") == 401 for s in trace)]
    assert denied
    for trace in denied:
        (server,) = named(trace, "auth", Kind.SERVER)
        client = next(span for span in trace if span.span_id == server.parent_id)
        assert (server.status, client.status) == (Status.UNSET, Status.ERROR)
        assert client.get("error.type") == "401"


def test_5xx_is_an_error_on_both_sides_and_retries_count_up() -> None:
    system = System(attempts=3).do(c.Amplify("auth-db", 1_000_000, 3), c.Request("POST /login")).run(3 * S)
    trace = system.only()
    assert len(named(trace, "auth-db", Kind.SERVER)) == 9, "three attempts at each of two layers"
    assert all(span.is_error for span in trace)
    for auth in named(trace, "auth", Kind.SERVER):
        tries = [span.get("http.request.resend_count") for span in trace if span.parent_id == auth.span_id]
        assert tries == [None, 1, 2]


def test_a_call_that_is_lost_times_out_and_is_made_again_after_a_backoff() -> None:
    system = System().do(faults.Lose("gateway", "auth", 1_000_000), c.Request("POST /login")).run(1 * S)
    system.do(faults.Lose("gateway", "auth", 0)).run(6 * S)
    trace = system.only()
    first, second = sorted(named(trace, "gateway", Kind.CLIENT), key=lambda span: span.start_ns)
    assert first.get("error.type") == "timeout"
    assert second.get("http.request.resend_count") == 1
    (backoff,) = [span for span in trace if span.name == "retry backoff"]
    assert first.end_us <= backoff.start_us <= backoff.end_us <= second.start_us


def test_a_breaker_refuses_at_once_and_the_span_says_so() -> None:
    system = System(rate=20, traffic="login", attempts=1, breakers=True).do(c.Amplify("auth-db", 1_000_000, 1))
    system.run(6 * S)
    refused = [s for trace in system.traces() for s in trace if s.get("error.type") == "circuit_open"]
    assert refused
    assert all(span.duration_us == 0 for span in refused)
    assert any(edge.breaker == "open" for edge in system.snapshot.map_edges)


def test_a_clock_that_is_behind_makes_a_child_start_before_its_parent() -> None:
    system = System().do(faults.Skew("cart", -60_000, 0)).run(1 * S).do(c.Request("GET /cart")).run(3 * S)
    trace = system.only()
    (server,) = named(trace, "cart", Kind.SERVER)
    client = next(span for span in trace if span.span_id == server.parent_id)
    assert -61 * MS < server.start_us - client.start_us < -55 * MS
    assert "cart/GET /cart" not in path_of(trace)


def test_baggage_travels_to_the_last_hop_and_the_root_writes_it_down() -> None:
    system = checkout(System())
    trace = system.only()
    (root,) = named(trace, "gateway", Kind.SERVER)
    assert root.get("user.tier") in ("gold", "free")
    hops = system.snapshot.store.hops(trace[0].trace_id)
    assert all(("baggage", f"user.tier={root.get('user.tier')}") in hop.headers for hop in hops)


def test_with_b3_headers_a_request_is_one_trace_as_well() -> None:
    """The setting of those whose services speak nothing but Zipkin's header."""
    system = System(headers="b3").do(c.Request("GET /product")).run(3 * S)
    trace = system.only()
    hops = system.snapshot.store.hops(trace[0].trace_id)
    assert len(hops) > 3
    assert [[name for name, _ in hop.headers] for hop in hops[1:]] == [["b3", "baggage"]] * (len(hops) - 1)
    assert all(hop.why is None for hop in hops[1:])
    assert build(trace).counts == {}
    assert system.broken() == []


def test_with_b3_headers_an_article_that_ignores_them_breaks_the_trace_too() -> None:
    system = System(headers="b3", continue_trace=False).do(c.Request("GET /product")).run(3 * S)
    assert len(system.traces()) > 1
    assert "one trace for a request" in system.broken()


def test_the_table_of_rooms_lists_what_is_there() -> None:
    assert world.__doc__ is not None
    listed = {line.split()[0] for line in world.__doc__.splitlines()[2:] if "  " in line}
    assert listed == {path.stem for path in Path(world.__file__).parent.glob("*.py")} - {"__init__"}
