"""Event sourcing alive: a small bank on a simulated network, whose store writes to a simulated disk.

messages       what machines send each other
events         what happens, one record a kind
device         the disk, and the log on it
node           the store, in three kinds
client         tellers, and the desk that carries transfers on
subscriber     mail and books
group          a persistent group: the server's side of it, and its consumers
group_world    the world with the group in it
rules          rules that can be switched off; what all machines share
options        settings of a run
commands       what a person can ask for
checks         what must hold
engine         the world
snapshot       what there is to see
scenarios      the stories
chaos          what befalls it at random in a hunt, and what it owes afterwards
"""
