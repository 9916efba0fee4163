"""A Linux packet filter as evidence: rulesets in one model, judged by walking a packet through it.

`nft` and `iptables` turn what the kernel and `iptables-save` say into the model of `rules`: chains,
`conditions` on a `packet` whose fields have `values`, and `actions`. `ruleset` joins them without
counting a table twice. `walk` takes one packet to its `verdict` on one hook. `reach` asks the
questions an operator has: does a container get out, does a published port get in. All pure.
"""
