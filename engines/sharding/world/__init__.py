"""A living sharded cluster: nodes, a coordinator that owns the map, clients that cache it, keys that travel.

what crosses the screen
    commands     what a person can ask
    events       what happens, a record per kind
    snapshot     what there is to see
    rules        rules that can be switched off to see why they are there
    options      the settings of a run
    scenarios    the stories
    chaos        what befalls it at random in a hunt, and what it owes afterwards
machines
    messages     what the machines say to each other
    node         a machine: serves, redirects, migrates, replicates
    store        its keys, on its disk
    transfer     the source's side of a migration
    load_stats   a node's requests by key
    coordinator  ``cfg``: heartbeats, plans, the authoritative map and its epoch
    progress     how far a plan is, unit by unit
    balancing    what the coordinator evens out by itself
    requests     requests in flight: follows redirects for a client or a router
    client       a client with a workload
    router       a router between clients and nodes
who owns what
    ownership    placements with copies, plans, maps with epochs
    changes      a change of a placement, as data
    orders       the change that a command orders
    memo         values that memoize what is derived from them
the world
    engine       all of it in the simulated world
    cluster      its machines from outside
    bootstrap    its initial state
    symbols      symbolic names in commands
    ledger       what was served and acknowledged, for the checks
    checks       the guarantees, checked after every event
    capture      takes the snapshot
    keyspace     the map as a picture can show it
    key_counts   keys by node and chunk
    comparisons  all strategies on the same keys; curves
"""
