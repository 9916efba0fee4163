"""Starts of the engine that fail at its addresses, certificates, options and programs."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

OPTIONS = (
    Failure(
        name="address-not-here",
        mark="cannot assign requested",
        pattern=r"listen tcp\S* (?P<address>\S+):(?P<port>\d+): bind: cannot assign requested address",
        cause="it is configured to listen on {address}, which this host does not have: the network was not up "
        "yet, or the address has changed",
        cure="start it again when the address is there; correct hosts or -H",
        source="moby/moby#22847",
        page={"address": "{address}", "again": "docker"},
    ),
    Failure(
        name="certificate-missing",
        mark="cert",
        pattern=r"(?:X509 key pair .*: open |could not read CA certificate \W{0,2})"
        r"(?P<file>/[^\s:\"\\]+)",
        cause="there is no {file}, which its TLS settings name",
        cure="put the file back, or correct tlscert, tlskey and tlscacert",
        page={"lost": "{file}"},
    ),
    Failure(
        name="certificate-of-another-key",
        mark="does not match public key",
        pattern=r'cert: \\?"(?P<certificate>[^"\\]+)\\?", key: \\?"(?P<key>[^"\\]+)\\?".*'
        r"private key does not match",
        cause="its TLS key {key} and certificate {certificate} do not belong together",
        cure="put the two of the same pair there",
        page={"certificate": "{certificate}", "certificate_key": "{key}"},
    ),
    Failure(
        name="group-missing",
        mark="group",
        pattern=r"group (?P<group>[\w-]+) not found",
        cause='this host has no group "{group}", which is to own its socket',
        cure="create the group",
        page={"group": "{group}"},
    ),
    Failure(
        name="flag-unknown",
        mark="unknown",
        pattern=r"unknown (?:shorthand )?flag: '?(?P<flag>--?[\w-]+)",
        cause="its command line has the option {flag}, which this engine does not know",
        cure="remove the option from the unit or from /etc/default/docker (--graph is --data-root)",
        source="moby/moby#47744",
        page={"unknown_flag": "{flag}"},
    ),
    Failure(
        name="docker-proxy-missing",
        mark="userland-proxy",
        pattern=r"userland-proxy is enabled, but userland-proxy-path is not set",
        cause="the host has no program docker-proxy, and userland-proxy is on",
        cure='install the engine\'s package again, or set "userland-proxy": false',
        source="moby/moby#49052",
        page={"lost_program": "docker-proxy"},
    ),
    Failure(
        name="program-missing",
        mark="executable file not found",
        pattern=r'exec: \\?"(?P<program>[\w.-]+)\\?": executable file not found',
        cause="the host has no program {program}, which it needs",
        cure="install the package of that program again",
        page={"lost_program": "{program}"},
    ),
)
