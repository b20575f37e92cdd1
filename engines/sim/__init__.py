"""The ground floor: a deterministic world that knows no pattern.

the world
    clock       virtual time and the queue of what happens next
    random      counter-based draws: a number is a function of (seed, stream, counter)
    network     directed links with latency, loss, duplication, reordering, clogging and cuts
    disk        what survives a crash
    node        what a node is, and the effects it may ask for
    faults      every fault as a frozen record
    events      what happened: a record per kind, and the log of the newest
    host        a machine: node, disk, clock, timers, outgoing links
    kernel      the run loop: executes one thing at a time
    world       a kernel, and the faults a person applies to it
a run
    timeline    the input log: step, back, seek, branch; checkpoints in memory
    recording   a saved run as JSON
    line        a run as one line of text
    digest      the hash that two equal runs share
    codec       commands and snapshots as JSON
    script      how scenarios are written
    source recorded    the user's own records as the input of a run
what every living world needs
    pattern     the records a pattern publishes
    options     the options of a run, said once
    chaos       what may befall a variant at random, and what it owes afterwards
    hazards     the faults of any world, drawn at random
    rules       rules that can be switched off: settings and command
    agenda      what a node has to do later
    checks      the guarantees, and the first thing that broke one
    history     what clients asked and what they were told
    views       messages in flight, changed links, machines: as the picture shows them
    symbols     symbolic names in commands
    service     pools with a line before them, and service times
    load        load that changes over time
"""
