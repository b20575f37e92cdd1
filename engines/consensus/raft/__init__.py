"""Raft: consensus by an elected leader and a replicated log.

messages           what servers say to each other
roles              the roles of a server, and which may follow which
events             what happens in a cluster, a record per kind
read_events        what happens to questions that are answered beside the log
change_events      what happens when members or leaders are changed on purpose
state_machine      what they agree on: a key-value store with client sessions
ports              what a server asks of whoever runs it
log                a log whose first index need not be 1, and the configurations in it
progress           what a leader knows of each other server, and how a new one catches up
state              what a server knows, and the rules of every role
compaction         snapshots: taken, received
replication        AppendEntries, sent and received; the commit rule
election           RequestVote, candidates, pre-vote, check-quorum
membership         which configuration rules, and how it is changed
transfer           how a leader hands its office over
reads              questions that need no entry: ReadIndex, leases; requests that are passed on
node               a server: the rooms above, read as the summary page of the paper (Figure 2)
client             a client that retries, with sessions
quorum             the arithmetic of majorities
rules              rules that can be switched off to see why they are there
options            what a run can be started with
commands           what a person can ask of a cluster
administration     what comes of it when the cluster itself is to change
folds              what a snapshot must be: the fold of what was applied
checks             the guarantees, checked after every event
durability_checks  those of what is written down
promises           those of clients and disks: exactly once, current reads, durable before counted
membership_checks  those of membership changes
liveness           what must happen in time while nothing is in the way
engine             a cluster of them in the simulated world
snapshot           what there is to see
views              parts of that
scenarios          the stories
read_scenarios     those of questions that need no entry
snapshot_scenarios  the story of snapshots
membership_scenarios  those of members and of handing over
gallery            bugs that real engines had, and their cures
chaos              what befalls it at random in a hunt, and what it owes afterwards

Sources: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014,
cited as *paper*; Ongaro, "Consensus: Bridging Theory and Practice", 2014, cited as *dissertation*.
"""
