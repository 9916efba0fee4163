"""Lines of real logs for the rows of `diagnose/programs/failures/network/tunnels.py`."""

from __future__ import annotations

LINES = {
    "tunnel-key-refused": (
        "2023/11/14 16:55:56 control: [v1] TryLogin: invalid key: unable to validate API key"
    ),
    "tunnel-prefix-missing": (
        'FTL headscale.go:40 > Error initializing error="no IPv4 or IPv6 prefix configured, minimum one prefix is required"'
    ),
    "wireguard-unloaded": "[!] Missing WireGuard kernel module. Falling back to slow userspace implementation.",
    "vpn-choice": 'ERROR VPN settings: provider settings: server selection: for VPN service provider nordvpn: the country specified is not valid: value "Germny" is not one of the possible choices Albania, Argentina',
    "vpn-key": "ERROR VPN settings: Wireguard settings: private key is not set",
    "wireguard-not-there": "wg-quick: `wg0' is not a WireGuard interface",
    "tailscaled-not-there": "failed to connect to local tailscaled; it doesn't appear to be running (sudo systemctl start tailscaled ?)",
    "address-family-missing": "Failed to create listening socket: Address family not supported by protocol",
}
