"""Lines of real logs for the rows of `diagnose/programs/failures/network/tunnels.py`."""

from __future__ import annotations

LINES = {
    "wireguard-unloaded": "[!] Missing WireGuard kernel module. Falling back to slow userspace implementation.",
    "vpn-choice": 'ERROR VPN settings: provider settings: server selection: for VPN service provider nordvpn: the country specified is not valid: value "Germny" is not one of the possible choices Albania, Argentina',
    "vpn-key": "ERROR VPN settings: Wireguard settings: private key is not set",
    "wireguard-not-there": "wg-quick: `wg0' is not a WireGuard interface",
    "tailscaled-not-there": "failed to connect to local tailscaled; it doesn't appear to be running (sudo systemctl start tailscaled ?)",
    "address-family-missing": "Failed to create listening socket: Address family not supported by protocol",
}
