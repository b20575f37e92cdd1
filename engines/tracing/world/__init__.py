"""A living system of 12 to 200 services, traced as OpenTelemetry does it, with faults that the traces must explain.

commands     what a person can ask
messages     what the machines say to each other
telemetry    a service's tracer: spans from contexts, and the exporter that sends them
node         a service: workers, a queue, a pool, and the calls it makes for a request
broker       a queue between producers and consumers
users        the load, and ``you``
collector    receives spans, samples at the tail, holds the store
faults       what was injected, in words: the truth
rules        rules that can be switched off to see why they are there
invariants   the guarantees, checked after every event
engine       all of it in the simulated world
scoring      the verdict against the truth
view         the snapshot, built from what changed
scenarios    the stories
"""
