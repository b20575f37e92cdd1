"""A test that nothing can fail proves nothing: every rule of the protocol is deleted here, and its test says so.

A mutant is a method with a few words of its source replaced. It is caught by the test that is named after the rule.
"""

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from engines.sharding.world import coordinator, node
from engines.sharding.world.coordinator import Coordinator
from engines.sharding.world.node import ShardNode
from engines.sharding.world.requests import Requests
from engines.sharding.world.transfer import Transfers
from tests.engines.sharding.world import test_client as client
from tests.engines.sharding.world import test_coordinator as order
from tests.engines.sharding.world import test_protocol as protocol


class Mutant(NamedTuple):
    """One rule deleted."""

    owner: type
    method: str
    source: str
    instead: str
    caught_by: Callable[[], None]


MUTANTS = (
    # -- a node's answers
    Mutant(ShardNode, "verdict", "if any(strategy.slot_of(key) != slot for key in keys):", "if False:",
           protocol.test_keys_of_different_slots_are_crossslot),
    Mutant(ShardNode, "verdict", "if slotted and now.full_coverage and now.uncovered and not reads:", "if False:",
           protocol.test_one_dead_master_takes_the_whole_cluster_down),
    Mutant(ShardNode, "verdict", "and not reads:", "and True:", protocol.test_an_option_lets_reads_through),
    Mutant(ShardNode, "verdict", "if now.off:", "if False:",
           protocol.test_a_target_serves_nobody_while_its_plan_is_called_off),
    Mutant(ShardNode, "verdict", "if len(dict.fromkeys(keys)) > 1 and missing:", "if False:",
           protocol.test_the_target_answers_tryagain_after_asking_if_one_of_several_is_missing),
    Mutant(ShardNode, "verdict", "len(dict.fromkeys(keys)) > 1", "len(keys) > 1",
           protocol.test_one_key_asked_for_twice_is_one_key_after_asking),
    Mutant(ShardNode, "verdict", "if not self.may_serve(ctx):", "if False:",
           protocol.test_an_owner_that_was_never_heard_does_not_serve_where_others_could_be_promoted),
    Mutant(ShardNode, "admits", "request.asking == plan.number", "True",
           protocol.test_the_target_without_asking_answers_moved_back_to_the_source),
    Mutant(ShardNode, "admits", "request.asking == plan.number", "request.asking > 0",
           protocol.test_an_ask_of_a_plan_that_was_called_off_is_moved),
    Mutant(ShardNode, "admits", "unit not in self.importing", "False",
           protocol.test_asking_at_a_node_that_imports_nothing_is_moved),
    Mutant(ShardNode, "as_owner", "if not self.rules.ask_redirects:", "if True:",
           protocol.test_the_source_answers_ask_for_a_key_that_is_absent),
    Mutant(ShardNode, "as_owner", "if here:", "if False:",
           protocol.test_several_keys_of_which_some_have_left_are_tryagain),
    Mutant(ShardNode, "as_owner", "if len(here) == len(keys):", "if False:",
           protocol.test_the_source_serves_a_key_that_it_still_has),
    Mutant(ShardNode, "on_heartbeat_ack", "if ack.term == self.map.term:", "if True:",
           protocol.test_a_lease_of_another_term_counts_for_nothing),
    Mutant(ShardNode, "on_heartbeat_ack", "ack.at_us + LEASE_US", "ctx.now_us + LEASE_US",
           protocol.test_a_lease_counts_from_when_its_heartbeat_was_sent),
    # -- keys on their way
    Mutant(ShardNode, "on_request", "elif request.keys[0] not in self.transfers.flying:", "elif True:",
           protocol.test_a_write_of_a_key_in_the_air_waits_and_goes_where_the_key_went),
    Mutant(Transfers, "_send_some", "if not receivers or not keep:", "if True:",
           protocol.test_the_source_keeps_a_key_until_it_is_acknowledged),
    Mutant(Transfers, "_send_some", "self.credit -= 1_000", "pass",
           protocol.test_the_bandwidth_bounds_what_a_tick_sends),
    Mutant(ShardNode, "on_keys", "cell is None or cell.version < version", "True",
           protocol.test_a_parcel_that_comes_twice_does_not_undo_a_write_between),
    Mutant(ShardNode, "on_keys", "plan.number != parcel.plan", "False",
           protocol.test_keys_of_another_plan_are_not_stored),
    Mutant(ShardNode, "on_import", "plan.number != order.plan", "False",
           protocol.test_orders_of_another_plan_are_not_carried_out),
    Mutant(ShardNode, "on_map", "new.epoch > old.epoch:", "True:", protocol.test_an_older_map_is_not_learned),
    # -- copies
    Mutant(ShardNode, "write", "if not waits:", "if True:",
           protocol.test_a_write_is_acknowledged_when_every_replica_has_it),
    Mutant(ShardNode, "on_replicate_ack", "if not writing.waits:", "if True:",
           protocol.test_a_write_is_acknowledged_when_every_replica_has_it),
    Mutant(ShardNode, "on_replicate_ack", "if not ack.ok:", "if False:",
           protocol.test_the_owner_has_no_answer_for_a_deposed_write),
    Mutant(ShardNode, "on_replicate", "if message.term < self.map.term:", "if False:",
           protocol.test_a_replica_refuses_a_write_of_an_older_term),
    Mutant(ShardNode, "on_replicate", "cell is None or cell.version < version", "True",
           protocol.test_an_older_copy_does_not_undo_a_newer_one),
    # -- clients
    Mutant(Requests, "is_old", "epoch < request.epoch", "False",
           client.test_a_redirect_by_an_older_map_is_not_followed),
    Mutant(Requests, "is_old", "epoch < request.epoch", "False", client.test_an_ask_by_an_older_map_is_not_followed),
    Mutant(Requests, "learn_moved", "self.learned[moved.slot] = moved.owner", "pass",
           client.test_a_moved_is_followed_and_remembered),
    Mutant(Requests, "on_message", "self.asked += 1", "self.learned[message.slot] = message.owner",
           client.test_an_ask_is_followed_once_with_its_plan_and_nothing_is_remembered),
    Mutant(Requests, "learn_moved", "self.moved % REINITIALIZE == 0", "False",
           client.test_the_whole_map_is_fetched_after_every_fifth_moved),
    Mutant(Requests, "redirect", "if request.redirects > 3 * REDIRECTS_MAX:", "if False:",
           client.test_redirects_in_a_row_are_bounded),
    Mutant(Requests, "find", "and request.node == src", "",
           client.test_an_answer_of_a_node_that_is_not_asked_any_more_is_ignored),
    Mutant(Requests, "refused", "said is Said.CROSSSLOT or", "", client.test_crossslot_is_final),
    # -- the coordinator
    Mutant(Coordinator, "publish", "(*self.first, *first)", "()", order.test_a_new_owner_is_told_before_all_others),
    Mutant(Coordinator, "on_want_map", "if not self.first or src in self.first:", "if True:",
           order.test_nobody_else_can_fetch_a_map_that_its_new_owner_does_not_know),
    Mutant(Coordinator, "on_heartbeat", "and (not self.first or src in self.first)", "",
           order.test_nobody_else_can_fetch_a_map_that_its_new_owner_does_not_know),
    Mutant(Coordinator, "push", "if not all(node in progress.counted for node in alive):", "if False:",
           order.test_a_plan_begins_when_every_live_node_has_counted),
    Mutant(Coordinator, "tell", "if state == UnitState.IMPORTING:", "if state != UnitState.IMPORTING:",
           order.test_the_target_imports_before_the_source_migrates),
    Mutant(Coordinator, "unit_in", "self.progress.plan.number != message.plan", "False",
           order.test_reports_of_another_plan_count_for_nothing),
    Mutant(Coordinator, "push", "if each.state == UnitState.EMPTY]",
           "if each.state in (UnitState.MIGRATING, UnitState.EMPTY)]",
           order.test_a_unit_is_not_assigned_before_its_source_is_empty),
    Mutant(Coordinator, "handle_silence", "if plan is None or not plan.retain:", "if True:",
           order.test_a_plan_with_copies_is_called_off_before_anybody_is_promoted),
    Mutant(Coordinator, "handle_silence", "elif self.map.off and not self.first:", "elif self.map.off:",
           order.test_a_plan_with_copies_is_called_off_before_anybody_is_promoted),
    Mutant(Coordinator, "declare_dead", "self.next_map(term=now.term + 1,", "self.next_map(term=now.term,",
           order.test_a_promotion_begins_a_new_term),
    Mutant(Coordinator, "declare_dead", "placement.with_stale(dead, now.term + 1)", "placement",
           order.test_who_missed_writes_catches_up_before_it_counts),
    Mutant(Coordinator, "on_heartbeat", "m.HeartbeatAck(beat.at_us,", "m.HeartbeatAck(ctx.now_us,",
           order.test_a_lease_is_given_in_the_present_term_for_the_heartbeat_that_asked),
)  # fmt: skip


def apply(mutant: Mutant, patch: pytest.MonkeyPatch) -> None:
    """Put the changed method in the place of the honest one, wherever that is known."""
    honest: Any = inspect.getattr_static(mutant.owner, mutant.method)
    function = honest.__func__ if isinstance(honest, staticmethod) else honest
    source = textwrap.dedent(inspect.getsource(function))
    old = mutant.source if mutant.source in source else textwrap.dedent(mutant.source)
    assert old in source, f"{mutant.method} does not say {mutant.source!r} any more"
    space = dict(vars(sys.modules[mutant.owner.__module__]))
    exec(source.replace(old, mutant.instead), space)
    changed = space[mutant.method]
    patch.setattr(mutant.owner, mutant.method, changed)
    for table in (node.HANDLERS, coordinator.HANDLERS):
        for kind, handler in dict(table).items():
            if handler is function:
                patch.setitem(table, kind, changed)


def name(mutant: Mutant) -> str:
    return f"{mutant.caught_by.__name__}-{mutant.method}-{mutant.source[:24].strip()}"


@pytest.mark.parametrize("mutant", MUTANTS, ids=name)
def test_a_deleted_rule_is_caught_by_the_test_of_its_name(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.caught_by()
    apply(mutant, monkeypatch)
    with pytest.raises((AssertionError, ValueError, KeyError, StopIteration)):
        mutant.caught_by()
