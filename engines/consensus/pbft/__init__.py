"""PBFT: consensus among 3f+1 replicas of which f may lie, as in the paper, with signatures.

messages       what replicas and clients say to each other; digests, symbolic signatures
certificates   what 2f+1 signatures prove, and what a new view must contain
log            the three phases of every number in the window
checkpoints    who claims which state, and what that proves
view_changes   who asked for which view, and what that obliges to
node           a replica: it puts these together, rule by rule
acts           what a traitor does
client         believes f+1 equal replies
commands       what a person may do
rules          what can be switched off; sizes and times
options        the settings of a run
events         what happens, one record per kind
checks         the guarantees over the correct replicas, checked after every event
engine         a cluster of them in the simulated world
snapshot       what there is to see
views          pictures of one replica and one client
scenarios      the stories
chaos          what befalls it at random in a hunt, and what it owes afterwards

Source: Castro and Liskov, "Practical Byzantine Fault Tolerance", OSDI 1999, cited as *paper*.
"""
