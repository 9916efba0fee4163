"""What the engine says when it gives up its start over a setting, or over containerd."""

from __future__ import annotations

_START = "failed to start daemon: "
_BRIDGE = (
    f'{_START}Error initializing network controller: error creating default "bridge" network: '
)
_FILE = "unable to configure the Docker daemon with file /etc/docker/daemon.json: "
SETTING_ENDS: dict[str, tuple[str, dict[str, str]]] = {
    "bridge-and-its-address": (
        f"{_START}You specified -b & --bip, mutually exclusive options. Please specify only one",
        {},
    ),
    "icc-without-iptables": (
        f"{_START}You specified --iptables=false with --icc=false. ICC=false uses iptables to function. Please set --icc or --iptables to true",
        {},
    ),
    "bridge-of-other-address": (
        f"{_BRIDGE}bridge IPv4 (172.17.0.1/16) does not match requested configuration 10.200.0.1/24",
        {},
    ),
    "bridge-not-made": (
        f"{_BRIDGE}bridge device with non default name br0 must be created manually",
        {},
    ),
    "bridge-is-another-interface": (f"{_BRIDGE}existing interface docker0 is not a bridge", {}),
    "mirror-malformed": (f'{_START}invalid mirror: unsupported scheme "" in "mirror.lan:5000"', {}),
    "insecure-registry-malformed": (
        f"{_START}insecure registry http://registry.lan:5000 is not valid: invalid host",
        {},
    ),
    "remap-malformed": (f'{_START}Invalid user/group specification in --userns-remap: "a:b:c"', {}),
    "default-runtime-unlisted": (
        f"{_START}invalid default runtime: specified default runtime 'nvidia' does not exist",
        {},
    ),
    "runtime-entry-invalid": (
        f"{_FILE}runtime kata: either a runtimeType or a path must be configured",
        {},
    ),
    "cgroup-driver-unknown": (f"{_START}native.cgroupdriver option cgroup not supported", {}),
    "remap-with-snapshotter": (
        f"{_START}containerd-snapshotter is explicitly enabled, but is not compatible with userns remapping. Please disable userns remapping or containerd-snapshotter",
        {},
    ),
    "keys-unknown": (
        f"{_FILE}the following directives don't match any configuration option: log-level2",
        {},
    ),
    "setting-refused": (
        f"{_FILE}merged configuration validation from file and command line flags failed: invalid max concurrent downloads: -2",
        {},
    ),
    "containerd-file-malformed": (
        "containerd: failed to load TOML from /etc/containerd/config.toml: toml: expected newline",
        {},
    ),
    "containerd-file-newer": (
        "containerd: invalid configuration: expected containerd config version equal to or less than `3`, got `4`",
        {},
    ),
    "containerd-already-runs": (
        "containerd: failed to get listener for main endpoint: listen unix /run/containerd/containerd.sock: bind: address already in use",
        {},
    ),
    "containerd-not-reached": (
        'failed to dial "/run/containerd/containerd.sock": context deadline exceeded: connection error: desc = "transport: error while dialing: dial unix:///run/containerd/containerd.sock: timeout"',
        {},
    ),
}
"""The row, the text, and the variables that it gives to the commands of its page."""
