"""Limits and values of a new container that the engine does not accept."""

from diagnose.programs.failures.recognition import Failure

_MEMORY = (
    Failure(
        name="swap-below-memory",
        mark="minimum memoryswap limit",
        pattern=r"Minimum memoryswap limit should be larger than memory limit",
        cause="--memory-swap limits memory and swap together, and it is below --memory",
        cure="raise --memory-swap (compose: memswap_limit): the value of --memory allows no swap, -1 any amount",
    ),
    Failure(
        name="swap-without-memory",
        mark="memoryswap limit",
        pattern=r"should always set the Memory limit when using Memoryswap limit",
        cause="--memory-swap is given without --memory, and the one counts only beside the other",
        cure="add --memory (compose: mem_limit), or leave out --memory-swap",
    ),
)

_PROCESSORS = (
    Failure(
        name="quota-too-small",
        mark="cpu cfs",
        pattern=r"CPU cfs (?P<what>quota|period) can ?not be less than 1ms",
        cause="--cpu-{what} counts microseconds, and its value is outside what the kernel accepts",
        cure="write at least 1000 (a period: at most 1000000), or take --cpus=0.5, which sets quota and period",
    ),
    Failure(
        name="cpus-given-twice",
        mark="nano cpus",
        pattern=r"Nano CPUs and CPU (?:Period|Quota) cannot both be set",
        cause="--cpus sets the period and the quota already, and one of these is given as well",
        cure="keep --cpus, and leave out --cpu-period and --cpu-quota (compose: cpu_period, cpu_quota)",
    ),
    Failure(
        name="cpus-without-scheduler",
        mark="cpu cfs scheduler",
        pattern=r"NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted",
        cause="this kernel has no limit for processor time (CONFIG_CFS_BANDWIDTH), or its cgroup cpu is not mounted",
        cure="docker info | grep WARNING lists what the kernel lacks; leave out --cpus (compose: cpus), or boot another kernel",
    ),
    Failure(
        name="cpu-shares-negative",
        mark=("invalid cpu shares", "shares: invalid argument"),
        pattern=r"invalid CPU shares \(-?\d{1,20}\)|response from daemon: shares: invalid argument",
        cause="--cpu-shares has a value that is not a number from 2 to 262144",
        cure="correct it (1024 is the usual weight), or leave it out",
    ),
)

_RANGES = (
    Failure(
        name="value-outside-range",
        mark=("can not be", "cannot be", "range"),
        pattern=r"""(?x)
              (?P<what>
                  (?:Interval|Timeout|Start\ ?Period|Start\ ?Interval|Retries)\ in\ Health(?:check|Config)
                | SHM\ size
              )\ can\ ?not\ be\ (?P<bound>less\ than\ \w{1,20}|negative)
            | range\ of\ (?P<what_weight>blkio\ weight)\ is\ (?P<bound_weight>from\ \d{1,9}\ to\ \d{1,9})
            | valid\ (?P<what_swap>memory\ swappiness)\ range\ is\ (?P<bound_swap>\d{1,3}-\d{1,3})
            | range\ for\ (?P<what_score>oom\ score\ adj)\ is\ (?P<bound_score>\[[-\d,\ ]{1,20}\])
        """,
        cause="{what} is outside what the engine accepts: {bound}",
        cure="correct the number, or leave the option out to have the default",
    ),
)

_NAMES = (
    Failure(
        name="host-name-too-long",
        mark="is too long (maximum",
        pattern=r"hostname \"(?P<name>[^\"\n]{1,300})\" is too long \(maximum (?P<most>\d{1,4}) bytes\)",
        cause='the host name "{name}" has more than {most} characters',
        cure="give the container a shorter --hostname (compose: hostname)",
    ),
    Failure(
        name="variable-without-name",
        mark="environment variable",
        pattern=r"""(?x)
              invalid\ environment\ variable:?\ ["']?=
            | invalid\ environment\ variable:\ (?:missing\ '=' | name\ cannot\ be\ empty)
            | environment\ variable\ name\ can't\ be\ empty
        """,
        cause="an entry of the environment has no name before its =",
        cure="write NAME=VALUE: docker inspect and docker compose config show the entries; a shell variable for the name may be empty",
    ),
    Failure(
        name="env-file-spaces",
        mark=("poorly formatted environment", "contains whitespaces", "no variable name"),
        pattern=r"poorly formatted environment: (?:variable )?'?(?P<entry>[^'\n]{1,200})'? (?:contains|has) whitespaces"
        r"|no variable name on line '?(?P<entry_nameless>[^'\n]{1,200})",
        cause='a line of the file of --env-file is not NAME=VALUE: "{entry}"',
        cure="take the spaces and the word export out of the name: this file is read without a shell",
    ),
    Failure(
        name="host-gateway-unknown",
        mark="in add-host",
        pattern=r"invalid IP address in add-host: \"host-gateway\"",
        cause="this engine is older than 20.10, and does not know host-gateway as the address of the host",
        cure="update the engine; until then write the host's own address on docker0 (ip -4 address show docker0)",
    ),
    Failure(
        name="host-address-malformed",
        mark="in add-host",
        pattern=r"invalid IP address in add-host: \"(?P<value>[^\"\n]{0,200})",
        cause='--add-host takes an address behind the name, and "{value}" is none',
        cure="write NAME:ADDRESS (compose: extra_hosts); host-gateway stands for the address of this host",
    ),
)

REFUSED_LIMITS = (*_MEMORY, *_PROCESSORS, *_RANGES, *_NAMES)
"""The first row that fits counts."""
