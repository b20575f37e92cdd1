"""The settings of a PBFT cluster."""

from typing import Final

from engines.sim.clock import US_PER_MS
from engines.sim.pattern import Setting

WORKLOADS: Final = {"off": 0, "light": 500 * US_PER_MS, "busy": 100 * US_PER_MS, "flood": -1}
"""Mean time between the requests of a client; -1: the next as soon as the last is answered."""

SETTINGS: Final = (
    Setting("nodes", 4, 4, 10, help="replicas: 4, 7 or 10, which survive 1, 2 or 3 traitors"),
    Setting("workload", "light", choices=tuple(WORKLOADS), help="how fast the clients ask"),
    Setting("clients", 2, 0, 8, help="clients that work by themselves"),
    Setting("checkpoint", 5, 1, 100, help="K: a checkpoint every so many requests"),
    Setting("window", 20, 2, 400, help="L: how far numbers may run ahead of the stable checkpoint"),
    Setting("timeout_ms", 400, 50, 60_000, help="T: how long a backup waits before it asks for a new view"),
    Setting("read_only", False, help="reads are answered at once, without an order; clients need 2f+1 equal replies"),
    Setting("match_digests", True, help="rule: only votes for the accepted digest count"),
    Setting("full_quorum", True, help="rule: 2f+1 make a certificate; off: f+1"),
    Setting("commit_phase", True, help="rule: execute when 2f+1 are prepared; off: when this replica is"),
    Setting("one_digest", True, help="rule: one digest is accepted per number and view"),
    Setting("remember", True, help="rule: what was promised survives a crash"),
    Setting("recompute_o", True, help="rule: backups work out O again"),
    Setting("verify_proofs", True, help="rule: a VIEW-CHANGE is believed for its proofs only"),
    Setting("verify_state", True, help="rule: a fetched state is held against its digest"),
    Setting("transfer_replies", True, help="rule: a state carries the last reply to each client"),
    Setting("execute_once", True, help="rule: a request is executed once"),
    Setting("wait_for_weak", True, help="rule: a client waits for f+1 equal replies"),
)
