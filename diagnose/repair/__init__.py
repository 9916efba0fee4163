"""The smallest repair of a host, computed from what is and what must be, as a shell script.

Nothing here changes a host.

- `plan`        from a check's findings to the script that repairs them.
- `differences` what a repair changes: a kernel setting, a file, a route; each also says what an
                answer of the host would be afterwards.
- `json_text`   a JSON object's text with some keys changed, and nothing else.
- `simulation`  judges a host again on its recorded answers, as they would be after the repair.
- `script`      the differences as a script, with risk and the way back.
- `rules`       the engine's rules of iptables and of nftables.
"""
