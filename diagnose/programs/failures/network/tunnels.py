"""Errors of programs that tunnel the traffic of others, and of their callers."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import TypedLike

TUNNELS = (
    Failure(
        name="wireguard-unloaded",
        mark="missing wireguard kernel module",
        pattern=r"\bMissing WireGuard kernel module\. Falling back\b",
        cause="the host's kernel has not loaded its module for WireGuard, and the program has none of its own",
        cure="load it on the host, and keep it in /etc/modules-load.d: modprobe wireguard",
        source="cloudflare/boringtun#69",
    ),
    Failure(
        name="vpn-choice",
        mark="specified is not valid",
        pattern=r"the (?P<kind>\w{2,20}) specified is not valid: value \"?(?P<value>(?!is )[^\"\n]{1,80}?)\"? is not one of the possible"
        r"|the (?P<kind_newer>\w{2,20}) specified is not valid: value is not one of the possible choices: value (?P<value_newer>[^,\n]{1,80})",
        cause="the provider of the tunnel has no {kind} {value}: it is misspelt, or the list of servers is out of date",
        cure="correct it in the settings (SERVER_COUNTRIES, SERVER_CITIES and the like), or run a newer image, whose "
        "list is newer",
        source="Gluetun's own message",
    ),
    Failure(
        name="vpn-key",
        mark="private key is not set",
        pattern=r"Wireguard settings: private key is not set",
        cause="the tunnel has no private key for Wireguard in its settings",
        cure="set WIREGUARD_PRIVATE_KEY to the key that the provider gave out",
        source="Gluetun's own message",
        remedy=TypedLike(r"WIREGUARD_PRIVATE_KEY"),
    ),
    Failure(
        name="wireguard-not-there",
        mark="is not a wireguard interface",
        pattern=r"`?(?P<interface>[\w.-]{1,15})'? is not a WireGuard interface",
        cause="{interface} is not there as an interface of WireGuard: an earlier step failed, or "
        "the kernel of the host lacks the module wireguard",
        cure="run modprobe wireguard on the host, and see the lines above this one",
        source="WireGuard's own message",
        look="machine",
    ),
    Failure(
        name="tunnel-key-refused",
        mark="unable to validate api key",
        pattern=r"\binvalid key: unable to validate API key\b",
        cause="the control server of the tunnel does not take the authentication key: it has expired, was used up, or is of "
        "another network",
        cure="make a new key, and set it in place of the old one (TS_AUTHKEY)",
        source="tailscale/golink's and tailscale's own message",
        turns_away=True,
        remedy=TypedLike(r"AUTH_?KEY$"),
    ),
    Failure(
        name="tunnel-prefix-missing",
        mark="minimum one prefix",
        pattern=r"\bno IPv4 or IPv6 prefix configured, minimum one prefix is required",
        cause="Headscale's configuration names no network for its clients: the file is not the one that is mounted, or is of "
        "an older release (ip_prefixes)",
        cure="set prefixes.v4 or prefixes.v6 in the configuration file, as the example of this release has them",
        source="Headscale's own message",
    ),
    Failure(
        name="tailscaled-not-there",
        mark="failed to connect to local tailscaled",
        pattern=r"failed to connect to local tailscaled",
        cause="tailscaled, which does the work, does not run in the container",
        cure="start tailscaled before tailscale up, or use the image's own start script with TS_AUTHKEY",
        source="Tailscale's own message",
    ),
    Failure(
        name="address-family-missing",
        mark="address family not supported by protocol",
        pattern=r"\b(?:socket|listen|bind)\w*\b[^\n]{0,80}: (?:\(97: )?Address family not supported by protocol",
        cause="the program asks for a kind of socket that the container does not have: as a rule an address of IPv6, "
        "where the host's kernel has it switched off",
        cure="give the program only addresses of IPv4 in its settings, such as 0.0.0.0 for [::]",
        source="nginx' own message",
    ),
)
"""In the order in which a line is compared with them."""
