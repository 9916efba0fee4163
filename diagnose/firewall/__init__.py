"""A Linux packet filter as evidence: rulesets in one model, judged by walking a packet through it.

`nft/` and `iptables/` turn what the kernel and `iptables-save` say into the model of `rules`:
chains, `conditions` on a `packet` whose fields have `values`, and `actions`. `ruleset` joins them
without counting a table twice. `walk` takes one packet through the chains of one hook, to its
`verdict`. `trace` takes one connection (a `Flow`) through all hooks and routes of a host (a
`NetworkStack`), forth and back, to what stops it (an `Obstacle`). Evidence traces the connections
that count: `evidence/network/paths/`. All pure.
"""
