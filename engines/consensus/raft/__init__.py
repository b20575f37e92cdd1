"""Raft: consensus by an elected leader and a replicated log.

messages       what servers say to each other
roles          the roles of a server, and which may follow which
events         what happens in a cluster, a record per kind
state_machine  what they agree on: a key-value store with client sessions
ports          what a server asks of whoever runs it
log            a log whose first index need not be 1, and the configurations in it
progress       what a leader knows of each other server
state          what a server knows, and the rules of every role
replication    AppendEntries, sent and received; the commit rule
election       RequestVote, candidates, pre-vote, check-quorum
node           a server: the rooms above, read as the summary page of the paper (Figure 2)
client         a client that retries, with sessions
quorum         the arithmetic of majorities
membership     which configuration rules, and the rounds in which a new server catches up
rules          rules that can be switched off to see why they are there
options        what a run can be started with
commands       what a person can ask of a cluster
checks         the guarantees, checked after every event
engine         a cluster of them in the simulated world
snapshot       what there is to see
scenarios      the stories

Sources: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014,
cited as *paper*; Ongaro, "Consensus: Bridging Theory and Practice", 2014, cited as *dissertation*.
"""
