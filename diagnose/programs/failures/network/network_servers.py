"""Known failures of servers of names, mail, tunnels and pages: their zones, modules and
certificates."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.remedies import FreshContainer, Job

NETWORK_SERVERS = (
    Failure(
        name="squid-folders",
        mark="swap directories",
        pattern=r"Failed to verify one of the swap directories",
        cause="Squid's folders for its cache are not made in the volume",
        cure="run squid -z once over the same volume",
        source="Squid's own message",
        remedy=Job("squid -N -z", ("/var/spool/squid", "/var/cache/squid")),
    ),
    Failure(
        name="certificate-unusable",
        mark=("ca file", "ssl certificate", "at least one certificate", "certificate chain"),
        pattern=r"(?i)\b(?:cannot|can't|could not|unable to|failed to) (?:load|use|configure) (?:the )?(?:CA file|SSL certificate"
        r"|at least one certificate|certificate chain)\b",
        cause="the program cannot use a certificate, a key or a list of authorities of its settings: the file is missing, "
        "empty, in another form than PEM, or not readable for the program's user",
        cure="see that each file that the settings name is mounted and begins with -----BEGIN, and who may read it",
        source="HAProxy's, Apache's and Dovecot's own messages",
        look="certificate",
    ),
    Failure(
        name="haproxy-backend",
        mark="unable to find required",
        pattern=r"unable to find required (?P<kind>\w{1,40}): '(?P<name>[\w.-]{1,100})'",
        cause="HAProxy's configuration names {name} as {kind}, and nothing in it is called so",
        cure="correct the name, or add that section; a file that is not read (-f) may have it",
        source="HAProxy's own message",
    ),
    Failure(
        name="nginx-module-version",
        mark="instead of",
        pattern=r"module \"(?P<file>/[^\"]{1,200})\" version (?P<data>\d{4,8}) instead of (?P<program>\d{4,8})",
        cause="the module {file} was built for another nginx than the one in the image",
        cure="build the module again for this nginx, or keep to the tag of nginx that it was built for",
        source="nginx' own message",
        build="another",
    ),
    Failure(
        name="squid-shared-memory",
        mark="shm_open",
        pattern=r"shm_open\((?P<file>/[\w.-]{1,100})\): \(17\) File exists",
        cause="Squid was killed, and the memory that its processes share is left in /dev/shm",
        cure="make a new container from the image, or mount no /dev/shm of the host",
        source="Squid's own message",
        remedy=FreshContainer(),
    ),
    Failure(
        name="coredns-loop",
        mark="plugin/loop: loop",
        pattern=r"plugin/loop: Loop \((?P<address>[^)]{1,80})\) detected for zone",
        cause="CoreDNS asks itself: its forward leads to /etc/resolv.conf, and the server there is a stub of the host or "
        "CoreDNS again",
        cure="name the servers behind it in the Corefile, such as forward . 9.9.9.9, in the place of /etc/resolv.conf",
        source="CoreDNS documentation, loop",
    ),
    Failure(
        name="bind-zone-file",
        mark="loading from master file",
        pattern=r"\bzone (?P<zone>[\w.-]{1,200})/IN(?:/\w{1,40})?: loading from master file (?P<path>\S{1,200}) failed: "
        r"file not found",
        cause="BIND cannot find {path}, the file of its zone {zone}",
        cure="mount it there, or correct file in the zone's part of the configuration",
        source="BIND's own message",
        turns_away=True,
        look="mounts",
    ),
    Failure(
        name="bind-zone",
        mark=("has no ns records", "not loaded due to errors"),
        pattern=r"\bzone (?P<zone>[\w.-]{1,200})/IN(?:/\w{1,40})?: (?:has no NS records|not loaded due to errors)",
        cause="BIND does not load the zone {zone}: its file lacks a record that each zone has, or has a mistake",
        cure="check it with named-checkzone {zone} FILE in the container; each zone has one SOA and an NS record",
        source="BIND's own message",
        turns_away=True,
    ),
    Failure(
        name="wireguard-module",
        mark="unknown device type",
        pattern=r"\bUnknown device type\.",
        cause="the host's kernel has no WireGuard: its module is not loaded, or not built for this kernel",
        cure="load it on the host (modprobe wireguard); after an update of the kernel boot into it first; kernels before 5.6 "
        "need the package wireguard-dkms",
        source="linuxserver/docker-wireguard#12",
        look="machine",
    ),
    Failure(
        name="openvpn-list-expired",
        mark="crl has expired",
        pattern=r"VERIFY ERROR: .{0,200}\bCRL has expired\b",
        cause="OpenVPN turns all clients away: its list of revoked certificates (CRL) has expired",
        cure="make it again where the authority is (easyrsa gen-crl), and put it in the place that crl-verify names",
        source="OpenVPN's own message",
        turns_away=True,
        look="certificate",
    ),
    Failure(
        name="openvpn-file-missing",
        mark="error opening configuration file",
        pattern=r"Options error: .{0,60}Error opening configuration file: (?P<file>\S{1,200})",
        cause="OpenVPN finds no configuration {file}: it is not mounted there, or has another name",
        cure="mount the file at the path that the command names",
        source="OpenVPN's own message",
    ),
    Failure(
        name="postfix-interface",
        mark="no local interface found for",
        pattern=r"parameter inet_interfaces: no local interface found for (?!::1\b)(?P<address>[\w.:]{1,60})",
        cause="Postfix shall listen at {address}, which its container does not have",
        cure="set inet_interfaces = all, and limit the address by the port that is published (-p ADDRESS:25:25)",
        source="Postfix' own message",
    ),
    Failure(
        name="artifactory-key",
        mark="key is missing. pending",
        pattern=r"\b(?:Master|Join) key is missing\. Pending for",
        cause="Artifactory waits for its master key or join key, and ends without it: the file is not in its data, which are "
        "those of another one or belong to another user",
        cure="give it the volume with etc/security/master.key, or set shared.security.masterKey in system.yaml; the folder "
        "belongs to user 1030",
        source="JFrog's own message",
        look="data",
    ),
    Failure(
        name="ftp-folder-missing",
        mark="oops: cannot change directory",
        pattern=r"500 OOPS: cannot change directory:(?P<path>/\S{1,200})",
        cause="the FTP server lets nobody in: the user's folder {path} is not there, or he may not enter it",
        cure="make the folder, and give it to that user",
        source="vsftpd's own message",
        turns_away=True,
    ),
    Failure(
        name="airflow-running",
        mark="is already running under pid",
        pattern=r"The (?P<what>\w{1,20}) is already running under PID (?P<number>\d{1,7})",
        cause="a PID file of an earlier run of Airflow is left: the container was killed, and its files stayed",
        cure="make a new container from the image; where the folder is mounted, remove airflow-{what}.pid there",
        source="apache/airflow#26215",
        remedy=FreshContainer(),
    ),
)
