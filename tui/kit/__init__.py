"""What a panel is assembled from, so that its own folder holds its words and its pictures and little else.

=============== ==================================================================================================
module          what it gives
=============== ==================================================================================================
charts          lines on one scale with their values beside them, bands of states, a row a measure
clicks          what can be clicked: names wherever they are drawn, the rows of lists
cluster         the picture of machines in a ring, messages as letters between them, faults written on their links
dates           dates that people type to go to, and how the time of a FILE reads
explain         what a check demands, and what broke it; what is in force; which lesson is a kernel event's
flights         a message in flight as facts, and its page
folding         events that share a line of the journal: whom they happened to, messages lost for one reason
forms           rows of dialogues: faults of machines and links with their parameters, splits, rules, choices
kernel_words    the sentences for what happens in every world: crashes, cuts, losses, clocks, cues
layers          pictures one below the other, each under a rule with its title
link_faults     what is wrong with machines and links, as facts
memo            what is worked out of a long file is worked out once
parts           a part of a canvas, a rule beside it, rows around a selected one, pieces, lines and paragraphs
rooms           the panel of a folder, and what each of its rooms answers for; it is given a focus that fits
selection       typed selections in ``Focus.pick``; the next one, round and round
service_graph   services in columns with wires between them, or in rows of cells: places, calls, marks, clicks
sheet           facts under labels, in sections that give way where there is no room
tables          lists with the selected row marked, cells that end where their columns do
verbs           k z x l d u c h as they act on a ``Target``, the marks they leave, verbs that need a simulation
words           numbers and names as people say them
=============== ==================================================================================================
"""
