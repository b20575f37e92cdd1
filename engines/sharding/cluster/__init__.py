"""A living sharded cluster: nodes, a coordinator that owns the map, clients that cache it, keys that travel.

commands     what a person can ask
messages     what the machines say to each other
placement    who holds a key: a strategy, copies, and who is out of date
plan         a change of ownership, unit by unit
node         a machine: serves, redirects, migrates, replicates
coordinator  ``cfg``: heartbeats, plans, the authoritative map and its epoch
courier      follows redirects for a client or a router
client       a client with a workload
router       a router between clients and nodes
rules        rules that can be switched off to see why they are there
invariants   the guarantees, checked after every event
engine       all of it in the simulated world
snapshot     what there is to see
scenarios    the stories
"""
