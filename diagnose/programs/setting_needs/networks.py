"""DNS servers, VPN servers and VPN clients.

Sources: the documentation of each image.
"""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.setting_needs.needs import SettingNeed, image_named
from diagnose.programs.setting_needs.parts import (
    Capability,
    EngineAddress,
    ExistingPath,
    GivenDevice,
    GuestNamed,
    Lacking,
    MountAround,
    MountAt,
    Named,
    Published,
    Publishing,
    SharesNetwork,
    Text,
    Variable,
)

_LINUXSERVER_WIREGUARD = LazyPattern(r"linuxserver/wireguard(?:[:@]|$)")
_WG_EASY = image_named("wg-easy")
_PIHOLE_6 = LazyPattern(r"(?:^|/)pihole:20(?:2[5-9]|3\d)\.")
_WIREGUARD_PORT = "51820/udp"
_NO_HOST = r"localhost|127\.[\d.]{1,12}|0\.0\.0\.0|172\.17\.[\d.]{1,7}"

_ANY = LazyPattern(r".")

NETWORK_NEEDS = (
    SettingNeed(
        "guest-called",
        _ANY,
        (
            Variable(
                r".{0,60}(?:HOST|SERVER|URL|URI|ADDRESS|ENDPOINT)",
                r"(?:[a-z]{2,12}://)?(?:[^@/\s]{1,100}@)?(?P<name>[A-Za-z][\w-]{1,60})"
                r"(?::\d{1,5})?(?:/.{0,200})?",
            ),
            GuestNamed("{name}"),
        ),
        (Named("{name}"),),
        says=(
            "calls {name} ({variable}), which is not a name on a network: {name} has the network of "
            "{server}, and is reached by the name of that"
        ),
        fix="{variable} has to name {server} in the place of {name}",
    ),
    SettingNeed(
        "inner-address-published",
        _ANY,
        (
            Variable(
                r"(?i).{0,60}(?:PUBLISHED|PUBLIC|EXTERNAL|ADVERTISE)_?(?:\w{0,20}_?)(?:URL|IP|HOST|ADDRESS)",
                r"(?:[a-z]{2,8}://)?(?P<address>\d{1,3}(?:\.\d{1,3}){3})(?::\d{1,5})?/?",
            ),
            EngineAddress("{address}"),
            Publishing(),
        ),
        (),
        says=(
            "gives its clients {address} as its address ({variable}), which only this host reaches: "
            "it is its address inside Docker"
        ),
        fix="{variable} has to have the address by which clients reach this host",
        cuts_off=True,
    ),
    SettingNeed(
        "wireguard-without-peers",
        _LINUXSERVER_WIREGUARD,
        (Variable("SERVERURL"), Published(_WIREGUARD_PORT)),
        (
            Variable("PEERS"),
            ExistingPath("/config/wg_confs/wg0.conf"),
            ExistingPath("/config/wg0.conf"),
        ),
        says="has SERVERURL and no PEERS: without PEERS it is a client, and accepts no peer",
        fix="PEERS has to be the number of the clients, or a list of their names",
        option="--env=PEERS=1",
        cuts_off=True,
    ),
    SettingNeed(
        "wireguard-port-announced",
        _LINUXSERVER_WIREGUARD,
        (
            Variable("PEERS"),
            Published(_WIREGUARD_PORT),
            Variable("SERVERPORT", r"(?P<port>\d{1,5})"),
        ),
        (Published(_WIREGUARD_PORT, at="{port}"),),
        says="writes port {port} (SERVERPORT) into the files of its clients, and publishes another",
        fix="SERVERPORT has to be the port at which clients reach this host",
    ),
    SettingNeed(
        "wireguard-port-unannounced",
        _LINUXSERVER_WIREGUARD,
        (Variable("PEERS"), Published(_WIREGUARD_PORT), Lacking(Variable("SERVERPORT"))),
        (Published(_WIREGUARD_PORT, at="51820"),),
        says=(
            "writes port 51820 into the files of its clients, since it has no SERVERPORT, and "
            "publishes another"
        ),
        fix="SERVERPORT has to be the port at which clients reach this host",
    ),
    SettingNeed(
        "vpn-host-local",
        _WG_EASY,
        (Variable(r"WG_HOST|INIT_HOST", _NO_HOST),),
        (),
        says="tells its clients to call {value} ({variable}): that is their own machine, or none",
        fix="{variable} has to be the name or the address by which clients reach this host",
        cuts_off=True,
    ),
    SettingNeed(
        "transmission-network",
        LazyPattern(r"haugene/transmission-openvpn"),
        (Variable("OPENVPN_PROVIDER"), Published("9091/tcp")),
        (Variable("LOCAL_NETWORK"),),
        says=(
            "has no LOCAL_NETWORK: what it answers to other machines leaves through the VPN, and "
            "only this host reaches its page"
        ),
        fix="LOCAL_NETWORK has to be the network of the clients, such as 192.168.0.0/16",
    ),
    SettingNeed(
        "tailscale-state-lost",
        image_named("tailscale"),
        (
            Variable("TS_STATE_DIR", r"(?P<path>/[\w./-]{1,200}?)/?"),
            MountAt(r"/(?!dev/|etc/|lib/modules).{1,200}"),
        ),
        (MountAround("{path}"),),
        says=(
            "keeps its identity in {path} (TS_STATE_DIR), and nothing is mounted there: a new "
            "container is a new machine"
        ),
        fix="a volume has to be mounted at {path}",
    ),
    SettingNeed(
        "tailscale-kernel-mode",
        image_named("tailscale"),
        (Variable("TS_USERSPACE", "(?i)false|0"),),
        (Capability("NET_ADMIN"),),
        says="has TS_USERSPACE={value} without the capability NET_ADMIN: it cannot make its tunnel",
        fix="the container needs the capability NET_ADMIN and the device /dev/net/tun",
        option="--cap-add=NET_ADMIN",
    ),
    SettingNeed(
        "tailscale-tunnel-device",
        image_named("tailscale"),
        (Variable("TS_USERSPACE", "(?i)false|0"), Capability("NET_ADMIN")),
        (GivenDevice("/dev/net/tun"), MountAt(r"/dev/net(?:/tun)?")),
        says="has TS_USERSPACE={value} without the device /dev/net/tun: it cannot make its tunnel",
        fix="the container needs the device /dev/net/tun",
        option="--device=/dev/net/tun",
    ),
    SettingNeed(
        "dns-clients-local",
        _PIHOLE_6,
        (Published("53/udp"),),
        (
            SharesNetwork(),
            Variable("FTLCONF_dns_listeningMode", "(?i)all|bind|single|none"),
            Text(("/etc/pihole/pihole.toml",), r"(?i)listeningMode = \"(?:all|bind|single|none)\""),
        ),
        says=(
            "answers only clients of its own network, since FTLCONF_dns_listeningMode is not all: "
            "other machines get no answer"
        ),
        fix="FTLCONF_dns_listeningMode has to be all behind a published port",
        option="--env=FTLCONF_dns_listeningMode=all",
    ),
    SettingNeed(
        "password-of-former-release",
        _PIHOLE_6,
        (Variable("WEBPASSWORD"),),
        (Variable(r"FTLCONF_webserver_api_(?:password|pwhash)"), Variable("WEBPASSWORD_FILE")),
        says="has WEBPASSWORD, which only releases before 6 read",
        fix="the password has to be in FTLCONF_webserver_api_password",
    ),
)
