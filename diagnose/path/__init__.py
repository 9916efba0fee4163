"""Why can A not reach B: each hop of one connection, in order, up to the first that stops it.

`ends` reads what the user typed. `hops` walks from one end to the other: `leave` the first end,
`traced` through the host, `arrive` at the other end, where something has to `listen`. `answer`
finds what mends the hop that is broken. All of it is pure, except `probe`: evidence in, hops out.
"""
