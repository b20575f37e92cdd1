"""The ground floor: a deterministic world that knows no pattern.

clock       virtual time and the queue of what happens next
random      counter-based draws: a number is a function of (seed, stream, counter)
network     directed links with latency, loss, duplication, reordering, clogging and cuts
disk        what survives a crash
node        what a node is, and the effects it may ask for
faults      every fault as a frozen record
world       nodes on a clock and a network, with faults and a record of events
history     what clients asked and what they were told
pattern     the records a pattern publishes
codec       commands and snapshots as JSON
timeline    the input log: step, back, seek, branch, save, load
"""
