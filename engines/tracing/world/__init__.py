"""A living system of 12 to 200 services, traced as OpenTelemetry does it, with faults that the traces must explain.

commands     what a person can ask
messages     what the machines say to each other
telemetry    a service's tracer: spans from contexts, and the exporter that sends them
control      what all services share and a person can change; what is wrong with each
caller       the calls a service makes: connections, breakers, timeouts, attempts
node         a service: workers, a queue, and what it does for a request
broker       a queue between producers and consumers
users        the load, and ``you``
collector    receives spans, samples at the tail, holds the store
ledger       what really happened to every span: what the checks compare the traces with
truth        what was injected, in words
events       what happens, a record a kind
rules        rules that can be switched off to see why they are there
checks       the guarantees, checked after every event
orders       commands: what is refused, and what the others do
options      the settings, and what they amount to
snapshot     what there is to see
figures      calls, errors and durations of the last seconds
system       the machines and the links between them
engine       a run of it: figures, findings, commands
scoring      the verdict against the truth
view         the snapshot, built from what changed
scenarios    the stories
chaos        what befalls it at random in a hunt, and what it owes afterwards
"""
