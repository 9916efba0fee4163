"""What a person does by hand where a page can only say what is to be done: scripts filled like a
page, or functions.

A page's `manual` blocks hold values that only the person knows (a version, a command, a receiver),
or the cure is an edit of a file. What stands here does just that in the lab.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

from tests.lab import images, registry
from tests.lab.box import Box
from tests.lab.faults import Expectation
from tests.lab.images import Recipe
from tests.lab.provider import WEB
from tests.lab.runner import BASE_CONFIG

ByHand = str | Callable[[Box], None]

_TIDY = (
    "--memory 64m --pids-limit 64 --user 1000:1000 --read-only --cap-drop ALL --security-opt no-new-privileges"
    " --restart unless-stopped"
)


def _anew(options: str = "", image: str = "bb:1.36", command: str = "sleep 1000") -> str:
    """Create the container again, as the pages say it."""
    return (
        "{docker} rm -f {container}\n"
        f"{{docker}} run -d --name {{container}} {_TIDY} --stop-timeout 0 {options} {image} {command}"
    )


_CONFIG = f"printf '%s' '{json.dumps(dict(BASE_CONFIG))}' >/etc/docker/daemon.json"
"""daemon.json as it should be."""


_START_PLAIN = "systemctl stop docker; printf 'dockerd\\0' >/run/lab/dockerd.argv; rm -f /run/lab/dockerd.environ; systemctl start docker"
"""The engine without the flags and the environment that it had."""


def _pull(
    port: int | None = None, *, serve: bool = False, certificate: bool = False
) -> Callable[[Box], None]:
    """Have a pull work: from the registry on that port, without TLS unless its certificate is
    trusted, or from the Hub."""

    def pull(box: Box) -> None:
        if serve:
            registry.start(box, port or 5000)
        name = f"{WEB}:{port}/old/app:1" if port else "old/app:1"
        if certificate:
            box.write(
                f"/etc/docker/certs.d/{WEB}:{port}/ca.crt",
                box.provider.sh("openssl x509 -in /run/cert.pem"),
            )
        elif port:
            box.write(
                "/etc/docker/daemon.json", {**BASE_CONFIG, "insecure-registries": [f"{WEB}:{port}"]}
            )
            box.kill(box.engine_pid, signal.SIGHUP)
            box.wait_for(
                lambda: f"{WEB}:{port}" in str(box.api("/info")["RegistryConfig"]),
                what="the reload",
            )
        box.docker("pull", "-q", name, timeout=60)

    return pull


def _reload_image(name: str) -> Callable[[Box], None]:
    def again(box: Box) -> None:
        box.sh(
            f"docker ps -aq --filter ancestor={name} | xargs -r docker rm -f; docker image rm -f {name}"
        )
        images.load(box, name, Recipe())

    return again


def _mend_resolver(box: Box) -> None:
    box.provider.undrop()


FIRST: dict[str, ByHand] = {
    "programs.programs_behind_a_shell": "{docker} rm -f behind-glibc behind-plain behind-nothing as-command",
    "named_settings.wrong_port_in_a_mounted_file": (
        "sed -i s/808081/8081/ /srv/typo8/nginx.conf; {docker} start {container}"
    ),
    "container.fails_over_and_over": "echo url >/srv/loop/db.url; {docker} restart {container}",
    "container.built_for_another_machine": _anew(),
    "container.script_for_a_missing_interpreter": _anew(),
    "container.script_whose_interpreter_env_does_not_find": _anew(),
    "container.probe_cannot_run": _anew("--health-cmd true --health-interval 1s"),
    "container.source_gone_before_the_start": "echo x >{source}\n{docker} start {container}",
    "container.built_for_another_machine_and_restarted": _anew(),
    "network.nobody_serves_the_port": _anew("-p 18091:8080", command="httpd -f -p 8080 -h /www"),
    "storage.d_type_missing": "echo '/var/lib/docker/disk /srv/docker ext4 loop 0 0' >>/etc/fstab",
    "storage.scratch_full": _anew("--tmpfs /scratch:size=64m"),
    "storage.disk_behind_a_link_full": "rm /srv/parts/x",
    "storage.disk_full": "rm /var/lib/docker/volumes/orders/_data/orders.db",
    "storage.inodes_exhausted": "find /var/lib/docker/volumes/cache/_data -type f -delete",
    "daemon_told.no_room_to_start": "rm -f /var/lib/docker/volumes/one /var/lib/docker/volumes/two; systemctl start docker",
    "dns.resolver_does_not_answer": _mend_resolver,
    "dns.only_tcp_gets_through": _mend_resolver,
    "image.hub_counts_pulls": _pull(),
    "image.no_such_tag": _pull(),
    "image.no_right_to_an_image": _pull(5000),
    "image.registry_is_down": _pull(5999, serve=True),
    "image.registry_signed_by_itself": _pull(5443, certificate=True),
}
"""By scenario: how the cause that only this scenario has is removed, before the page is followed.
"""


SLOW_S: dict[str, float] = {
    # the scheduler places the tasks, and the engine starts them
    "swarm.service_underreplicated": 15.0,
    # lines of the log count for 90 s, those of a sequence for 240 s
    "calls.guest_of_a_vpn_that_asks_the_vpns_server": 95.0,
    "restored_databases.sequence_behind_its_table": 245.0,
    # requests and logins that were turned away count for five minutes
    "maintenance.maintenance_that_nobody_ended": 305.0,
    "hidden_neighbours.neighbours_behind_a_rule_for_everything": 305.0,
    # one that was restarted a moment ago may fail again
    "container.folder_that_only_grows": 65.0,
    "deploys.cache_killed_by_hand": 95.0,
    "turned_away.nginx_of_the_host_that_has_no_room_for_a_header": 95.0,
    "sources.mail_that_leaves_by_the_first_address": 95.0,
    "sockets.proxy_without_a_local_port": 95.0,
    "real_servers.nginx_without_a_resolver": 95.0,
    "untranslated_answers.boot_file_from_another_port": 95.0,
}
"""By scenario: seconds until a cure shows."""


BY_HAND: dict[str, ByHand] = {
    "container.cpu-unsupported": _anew(),
    "container.data-outside-mount": _anew(),
    "container.data-version-mismatch": _anew(),
    "container.variable-missing": _anew(),
    "container.entrypoint-missing": _anew("--entrypoint sleep", "{image}", "1000"),
    "container.mount-source-missing": ": >{source}\ndiagnose recreate {container} | sh",
    "daemon.config-invalid": _CONFIG,
    "daemon.config-flag-conflict": _CONFIG,
    "daemon.remote-api-open": _START_PLAIN,
    "daemon.client-api-too-old": _anew().replace("{container}", "{name}"),
    "daemon.live-restore-off": _CONFIG.replace('"log-driver"', '"live-restore": true, "log-driver"')
    + "; systemctl reload docker; sleep 1",
    "daemon.clock-skewed": "{docker} rm -f web",
    "dns.no-nameserver": "rm -f /etc/resolv.conf\necho 'nameserver 192.0.2.53' >/etc/resolv.conf\n"
    "{docker} ps -q | xargs -r {docker} restart",
    "firewall.forward-dropped": "nft insert rule {family} {table} {chain} oifname {bridge} ct status dnat accept\n"
    "nft insert rule {family} {table} {chain} oifname {bridge} ct state established,related accept\n"
    "nft insert rule {family} {table} {chain} iifname {bridge} accept",
    "image.corrupt": _reload_image("torn:1"),
    "image.labels-missing": "echo FROM {image} | DOCKER_BUILDKIT=0 {docker} build -q -t {image}"
    " --label org.opencontainers.image.source=https://git.lab.test/shop -\n"
    + _anew(image="{image}").replace("{container}", "plain"),
    "image.latest-tag": _anew(),
    "image.platform-mismatch": "{docker} rm -f {container}; {docker} image rm -f {image}; {docker} tag bb:1.36 {image}\n"
    + _anew(image="{image}").partition("\n")[2],
    "logging.backpressure": "ss -Hltnp sport = :5514 | grep -o 'pid=[0-9]*' | cut -d= -f2 | xargs -r kill -9\n"
    + _anew(
        "--log-driver syslog --log-opt syslog-address=udp://127.0.0.1:5514 --log-opt mode=non-blocking"
    ),
    "network.mtu-mismatch": "iptables -t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
    "network.subnet-overlaps-route": "{docker} network disconnect --force {network} stray\n"
    "{docker} network rm {network}\n{docker} network create --subnet 10.201.0.0/24 {network}\n"
    "{docker} network connect {network} stray",
    "security.capabilities": _anew(),
    "security.docker-socket-mounted": _anew(),
    "security.host-namespace": _anew(),
    "security.host-path": _anew(),
    "security.insecure-registry": _CONFIG.replace(
        '"log-driver"', '"insecure-registries": [], "log-driver"'
    )
    + "; kill -HUP $(pidof dockerd); sleep 1",
    "security.root-user": _anew(),
    "security.secrets-in-env": _anew(),
    "security.secrets-in-image": "{docker} ps -aq --filter ancestor={image} | xargs -r {docker} rm -f\n"
    "{docker} image rm -f {image}; {docker} tag shop:1.4 {image}",
    "storage.folder-full": "disk=$(findmnt -no SOURCE {point}); image=$(losetup -nO BACK-FILE $disk)\n"
    "umount {point}\ntune2fs -O large_dir $image\nmount -o loop $image {point}",
    "storage.read-only": "systemctl stop docker\numount {point}\nfsck -fy {device}\nmount {device} {point}\n"
    "systemctl start docker",
}
"""By check: the equivalent of a page's `manual` blocks."""

UNPROVABLE: dict[str, str] = {
    "container.killed_for_memory": "the program takes all that it is given: no limit is enough, as the page says",
    "container.child_killed_for_memory": "the program takes all that it is given: no limit is enough, as the page says",
    "running_programs.java_thread_without_heap": "the program fills any heap, as the page says",
    "image.proxy_is_down": "only a pull through a proxy that works ends it",
    "storage.overlay_orphans": "the page tells to leave them alone",
    "engine_wounds.volume_of_an_unknown_file_system": "the lab's kernel has no such module",
    "engine_wounds.image_larger_than_the_disk": "the disk is too small for the image, as the page says",
    "engine_wounds.image_of_many_layers": "only a new image ends it",
}
"""Scenarios whose cure the lab cannot make, and why; their `confirm` blocks are run all the same.
"""

LEFT_OUT: dict[str, str] = {
    "broken_host.fifteen_faults": "each of its faults has a scenario of its own",
    "image.registry_without_tls": "what it asks is not a registry, so that no pull from it can work",
    "programs.too_few_memory_maps": "the setting is the machine's, and may not be set from a box",
    "running_programs.program_that_its_supervisor_gave_up": "only another image ends it",
    "network.connections_beyond_number": "the table's size is the machine's, and may not be set from a box",
}
"""Scenarios that are not run for their page at all, and why."""

AFTERWARDS: dict[str, tuple[Expectation, ...]] = {
    # by hand the engine is given an empty data root again, beside the one that its container lies
    # in
    "daemon_told.data_root_read_only": (("daemon.wrong-data-root", "daemon:docker"),),
    # its start was refused while the disk lay over the data root, and nobody has started it since
    "daemon_told.disk_mounted_over_the_data_root": (("container.start-refused", "container:late"),),
    # its container continues calling an address of IPv6 that nobody has
    "firewall.site_that_is_closed_over_ipv6": (("network.ipv6-leads-nowhere", "container:acme"),),
    # on kernels without IPVS the calls do not arrive yet
    "calls.mesh_that_forwards_nothing": (("swarm.ipvs-missing", "daemon:docker"),),
    "image.layer_that_lost_its_link": (("image.corrupt", "daemon:docker"),),
    # it may open the socket now, as was wanted
    "programs.socket_that_its_user_cannot_open": (
        ("security.docker-socket-mounted", "container:panel"),
    ),
    # it runs now, with the socket that it needs
    "programs.client_that_is_newer_than_the_engine": (
        ("security.docker-socket-mounted", "container:updater9"),
    ),
}
"""What is still found after a cure, by the scenario's name: the daemon's log remembers for a day.
"""
