"""Rights, profiles and devices that the kernel, the engine or its policy does not give."""

from diagnose.programs.failures.recognition import Failure

_KERNEL = (
    Failure(
        name="host-namespace-remapped",
        mark="user namespaces are enabled",
        pattern=r"cannot share the host'?s? (?P<kind>\w{2,10}) namespace when user namespaces are enabled",
        cause="the engine maps users (userns-remap), and a container in the host's {kind} namespace needs the host's users",
        cure="add --userns=host (compose: userns_mode: host) to this container",
    ),
    Failure(
        name="capability-not-here",
        mark="capability not supported",
        pattern=r"capability not supported by your kernel or not available in the current environment: \"(?P<capability>CAP_\w{1,40})",
        cause="the engine does not have {capability} itself: the kernel is older than this right, or the engine runs in a "
        "container or as a user without it",
        cure="leave out --cap-add {capability} (compose: cap_add); capsh --print lists what the host allows",
    ),
    Failure(
        name="real-time-unsupported",
        mark="cpu real-time scheduler",
        pattern=r"kernel does not support CPU real-time scheduler",
        cause="a container asks for real-time processor time, which this kernel cannot give by cgroup (CONFIG_RT_GROUP_SCHED)",
        cure="leave out --cpu-rt-runtime and --cpu-rt-period; --ulimit rtprio=99 --cap-add SYS_NICE lets the program set its own priority",
    ),
    Failure(
        name="seccomp-not-in-kernel",
        mark="seccomp",
        pattern=r"seccomp is not enabled in your kernel|seccomp profiles are not supported on this daemon",
        cause="the kernel, or this build of the engine, has no filter of system calls (seccomp), and the container asks for one",
        cure="leave out --security-opt seccomp=FILE; grep SECCOMP /boot/config-$(uname -r) shows what the kernel has",
    ),
)

_DEVICES = (
    Failure(
        name="cdi-device-unknown",
        mark="unresolvable cdi devices",
        pattern=r"unresolvable CDI devices (?P<device>[\w./=,:-]{1,200})",
        cause="no file under /etc/cdi or /var/run/cdi describes the device {device}",
        cure="nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml writes it for NVIDIA; nvidia-ctk cdi list shows the names",
    ),
    Failure(
        name="device-name-as-path",
        mark="is not an absolute path",
        pattern=r"^(?:docker: )?(?P<device>[\w.-]{1,60}/[\w.-]{1,60}=[\w.:-]{1,60}) is not an absolute path",
        cause="{device} is a device by its CDI name, and this docker command is older than these names (25.0)",
        cure="upgrade the docker command and the engine; until then --gpus all gives NVIDIA's cards",
    ),
    Failure(
        name="cdi-off",
        mark=("device driver", "cdi device driver"),
        pattern=r"could not select device driver \"cdi\"|no CDI device driver registered",
        cause="the container asks for a device by its CDI name, and CDI is off in this engine (before 28.3 it is by default)",
        cure="set the feature cdi to true under features in /etc/docker/daemon.json, and restart the engine",
    ),
)

_POLICY = (
    Failure(
        name="plugin-denies",
        mark="authorization denied by plugin",
        pattern=r"authorization denied by plugin (?P<plugin>[\w./:-]{1,200}): (?P<why>[^\n]{1,300})",
        cause="the authorization plugin {plugin} of this engine forbids the request: {why}",
        cure="ask who keeps the rules of that plugin; authorization-plugins in /etc/docker/daemon.json switches it on",
    ),
    Failure(
        name="plugin-of-policy-fails",
        mark="authzplugin.authz",
        pattern=r"plugin (?P<plugin>[\w./:-]{1,200}) failed with error: AuthZPlugin\.AuthZ\w{3}: (?P<why>[^\n]{1,300})",
        cause="the authorization plugin {plugin} does not answer, and until it does the engine refuses every request: {why}",
        cure="start that plugin again; or take it out of authorization-plugins in daemon.json, and restart the engine",
    ),
)

REFUSED_ISOLATION = (*_KERNEL, *_DEVICES, *_POLICY)
"""The first row that fits counts."""
