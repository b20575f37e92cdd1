"""One command serves a room: every visitor gets the app, or watches the stage, in a terminal or in a browser.

command        `dp-tui serve`: its options, what it says when it starts, how it stops
house          the visits there are, their timers, and how each of them ends
limits         what a visitor may use, who may come in, and who has had enough
guest          what a client says of its terminal, made safe
child          the app as a process of its own on a pty of its own
visitor        that process's beginning: it gives itself limits and its parts of the command line
credentials    the host key, the keys that may log in
tokens         the word in a link that lets its holder in
stage          one run watched by everybody, each in her own size, colours and glyphs
takeover       from the stage into a private branch, the server's side
private        the same, the process's side
entrance       the ways in: what can be wrong with one is found before it is opened
web            the same app in a browser tab
presenter      the stage beside the presenter's app: who watches, who is thrown out
ssh            the SSH server: no shell, no commands, no files, no forwarding
log            what the operator reads: no names, no input, no tokens

*The way of a visitor.* A connection asks the `limits` whether it may be there at all, before any cryptography. Once it
has logged in and asked for a terminal, `house` opens a `Visit`: a `child` on a pty of the client's size, whose bytes go
to the connection as they are and whose input comes from it as it is. No shell is ever started, the arguments are those
of the operator, the environment is made here name by name, and the app runs with `--sandbox` under limits of the
system. A client that does not read lets its pty fill, so that its app, which waits for an answer to every picture,
stands still.

Why a process for each: the app has globals (signals, the terminal), a bug ends one visit and no other, the system
counts memory and time, and a key of one visitor never waits for the work of another.
"""
