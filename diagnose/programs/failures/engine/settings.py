"""Settings of the engine that exclude each other, or that it does not accept in their form."""

from diagnose.programs.failures.recognition import Failure

_BRIDGE = (
    Failure(
        name="bridge-and-its-address",
        mark="mutually exclusive",
        pattern=r"You specified -b & --(?P<option>bip6?), mutually exclusive options",
        cause="bridge (-b) and {option} are both set: {option} is the address of docker0, and bridge names another bridge",
        cure="remove one of the two from daemon.json or from the unit",
    ),
    Failure(
        name="icc-without-iptables",
        mark="with --icc=false",
        pattern=r"You specified --(?P<option>ip6?tables)=false with --icc=false",
        cause="icc is false, which the engine does with rules of the firewall, and {option} is false too: it may make no rules",
        cure="set icc or {option} to true in daemon.json or in the unit",
    ),
    Failure(
        name="bridge-of-other-address",
        mark="does not match requested configuration",
        pattern=r"bridge (?P<kind>IPv[46]) \((?P<has>[\da-f.:/]{2,50})\) does not match requested configuration (?P<wanted>[\da-f.:/]{2,50})",
        cause="the bridge still has the address {has}, and the settings (bip) ask for {wanted}",
        cure="ip link delete docker0, then start the engine: it makes the bridge with the new address",
    ),
    Failure(
        name="bridge-not-made",
        mark="bridge device with non default name",
        pattern=r"bridge device with non default name (?P<bridge>[\w.-]{1,16}) must (?P<lack>be created manually|have a valid IP address)",
        cause="bridge in daemon.json (or -b) names {bridge}, which must {lack}: the engine makes no bridge but docker0",
        cure="take the setting out; or make it: ip link add {bridge} type bridge, ip addr add ADDRESS/24 dev {bridge}, ip link set {bridge} up",
    ),
    Failure(
        name="bridge-is-another-interface",
        mark="is not a bridge",
        pattern=r"existing interface (?P<interface>[\w.-]{1,16}) is not a bridge",
        cause="the host has an interface {interface} that is not a bridge, and the engine needs this name for its own",
        cure="ip -d link show {interface} says what it is; rename or delete that one, and start the engine again",
    ),
)

_PLACES = (
    Failure(
        name="mirror-malformed",
        mark="invalid mirror",
        pattern=r"invalid mirror: (?P<why>[^\n]{1,300})",
        cause="an entry under registry-mirrors is not an address that the engine takes: {why}",
        cure="write https://HOST or http://HOST:PORT, without a path, a user or a question mark",
    ),
    Failure(
        name="insecure-registry-malformed",
        mark=("insecure registry", "allow-nondistributable-artifacts registry"),
        pattern=r"(?:insecure|allow-nondistributable-artifacts) registry (?P<registry>\S{1,200}) (?:is not valid|should not contain '://')",
        cause='the entry "{registry}" is not a name of a registry',
        cure="write HOST:PORT or a subnet (192.0.2.0/24), without http://, in daemon.json",
    ),
    Failure(
        name="remap-malformed",
        mark="userns-remap",
        pattern=r"Invalid user/group specification in --userns-remap: \\?\"(?P<value>[^\"\\\n]{0,100})",
        cause='userns-remap has the value "{value}", which is neither a user nor a pair user:group',
        cure="write default, a user, or USER:GROUP; the ids come from /etc/subuid and /etc/subgid",
    ),
)

_RUNTIMES = (
    Failure(
        name="default-runtime-unlisted",
        mark="specified default runtime",
        pattern=r"specified default runtime '(?P<runtime>[^'\n]{1,100})' does not exist",
        cause='default-runtime is "{runtime}", and daemon.json lists no such runtime',
        cure="add it under runtimes (nvidia: nvidia-ctk runtime configure --runtime=docker), or remove default-runtime",
    ),
    Failure(
        name="runtime-entry-invalid",
        mark=("runtime ", "runtime name"),
        pattern=r"runtime (?P<runtime>[\w./-]{1,60}): (?P<why>either a runtimeType or a path must be configured|cannot configure both path and "
        r"runtimeType[^\n]{0,60}|options cannot be used with a path runtime|args cannot be used with a runtimeType runtime)"
        r"|runtime name '(?P<runtime_own>[^'\n]{1,60})' (?P<why_own>is reserved)",
        cause="the entry of runtime {runtime} in daemon.json is not accepted: {why}",
        cure="give it a path (a program, /usr/bin/NAME) or a runtimeType (a shim, io.containerd.NAME.v2), and not both",
    ),
    Failure(
        name="cgroup-driver-unknown",
        mark="native.cgroupdriver option",
        pattern=r"native\.cgroupdriver option (?P<value>[\w.-]{1,40}) (?:not supported|is internally used)",
        cause='native.cgroupdriver is "{value}", and the engine knows systemd and cgroupfs',
        cure='write "exec-opts": ["native.cgroupdriver=systemd"] in daemon.json, or remove the line',
    ),
    Failure(
        name="remap-with-snapshotter",
        mark="not compatible with userns remapping",
        pattern=r"containerd-snapshotter is explicitly enabled, but is not compatible with userns remapping",
        cause="userns-remap and the containerd image store are both on, and this engine cannot do both",
        cure="set the feature containerd-snapshotter to false in daemon.json, or remove userns-remap",
    ),
)

_ANY = (
    Failure(
        name="keys-unknown",
        mark="don't match any configuration option",
        pattern=r"following directives don't match any configuration option: (?P<keys>[\w., -]{1,300})",
        cause="daemon.json has keys that this engine does not know: {keys}",
        cure="correct or remove them; dockerd --validate reads the file without a start",
        confirmed_by="daemon.config-invalid",
    ),
    Failure(
        name="setting-refused",
        mark=(
            "failed to start daemon: ",
            "configure the docker daemon",
            "validation from file",
            "error starting daemon: ",
        ),
        pattern=r"""(?x)
            (?:
                failed\ to\ start\ daemon: | Error\ starting\ daemon:
              | unable\ to\ configure\ the\ Docker\ daemon\ with\ file\ \S{1,200}:
              | validation\ from\ file\ and\ command\ line\ flags\ failed:
            )\ (?P<why>
                (?:merged\ configuration\ validation[^\n:]{0,80}:\ )?
                (?:invalid|bad|unsupported|unknown|cannot\ specify|conflicting)[ ]
                (?!character|database|argument\b|cross-device)[^\n]{3,250}
            )
        """,
        cause="the engine does not accept one of its settings: {why}",
        cure="correct it in /etc/docker/daemon.json or in the unit (systemctl cat docker); dockerd --validate reads the file without a start",
    ),
)

SETTINGS = (*_BRIDGE, *_PLACES, *_RUNTIMES, *_ANY)
"""The first row that fits counts: the last one knows the form alone."""
