"""Volumes and mounts that the engine does not make, or not in the form that was given."""

from diagnose.programs.failures.recognition import Failure

_FORMS = (
    Failure(
        name="propagation-of-data-root",
        mark="mount source is within the daemon root",
        pattern=r"must use either propagation mode \"rslave\" or \"rshared\" when mount source is within the daemon root"
        r"(?:[^\n]{0,300}?bind mount source: \"(?P<source>[^\"\n]{1,200}))?",
        cause="the mount of {source} shows the engine's data root too, and would keep the files of other containers busy",
        cure="add rslave: -v SOURCE:TARGET:rslave, or bind-propagation=rslave in --mount (compose: bind: propagation: rslave)",
    ),
    Failure(
        name="options-of-other-mount",
        mark=(
            "options with mount type",
            "options are incompatible with type",
            "options must not be specified",
        ),
        pattern=r"cannot mix '(?P<options>[\w*-]{1,40})' options with mount type '(?P<type>\w{1,20})'"
        r"|(?P<options_old>\w{1,20}) options are incompatible with type (?P<type_old>\w{1,20})"
        r"|(?P<options_api>\w{1,20}Options) must not be specified on mount type \"?(?P<type_api>\w{1,20})",
        cause="a mount of type {type} takes no {options}",
        cure="leave these options out, or correct type=: volume-* belongs to type=volume, bind-* to bind, tmpfs-* to tmpfs",
    ),
    Failure(
        name="mount-target-relative",
        mark="must be an absolute path",
        pattern=r"invalid (?:bind mount source|mount target), must be an absolute path: (?P<path>\S{1,300})",
        cause="{path} is not an absolute path, which each side of a mount needs",
        cure="write it with a slash at its beginning; a name without a slash is a volume (type=volume)",
    ),
)

_LOCAL = (
    Failure(
        name="volume-folder-missing",
        mark="local volume: mount /",
        pattern=r"local volume: mount (?P<folder>/(?!/|dev/)[^:\n]{1,300}):/[^\n]{0,400}/_data, flags: 0x1000: no such file or directory",
        cause="the volume is the folder {folder} of the host (device=, o=bind), and there is no such folder",
        cure="mkdir -p {folder}; where a disk should be mounted there, mount that first",
        confirmed_by="storage.volume-source-missing",
    ),
    Failure(
        name="volume-unknown",
        mark="no such volume",
        pattern=r"(?:get (?P<volume>[\w.-]{1,255}): no such volume|no such volume: (?P<volume_new>[\w.-]{1,255}))",
        cause="the engine has no volume {volume}",
        cure="docker volume ls shows the names: compose writes PROJECT_NAME; another user or context has another engine",
    ),
    Failure(
        name="cifs-port-in-device",
        mark="cifs device url",
        pattern=r"port not allowed in CIFS device URL",
        cause="the address of an SMB volume has a port in device=, where the engine does not read it",
        cure="create the volume again with device=//SERVER/SHARE, and put port=PORT into o=",
    ),
    Failure(
        name="volume-option-missing",
        mark="missing required option",
        pattern=r"missing required option: \"(?P<option>[\w-]{1,40})\"",
        cause="a volume with options of its own needs the option {option} too",
        cure="docker volume create -d local -o type=TYPE -o device=DEVICE -o o=OPTIONS NAME (compose: driver_opts)",
    ),
    Failure(
        name="volume-quota-unsupported",
        mark="quota support",
        pattern=r"(?:size quota|quota size) requested (?:for volume )?but no quota support",
        cause="a volume was to have a size of its own, and the file system of the data root keeps no project quotas",
        cure="leave out -o size=, or put the data root on xfs that is mounted with pquota",
    ),
    Failure(
        name="volume-folder-busy",
        mark="device or resource busy",
        pattern=r"remove (?P<volume>[\w.-]{1,255}): [^\n]{0,120}?(?P<path>/\S{1,200}/volumes/\S{1,200}): device or resource busy",
        cause='something is still mounted at {path}, the folder of volume "{volume}"',
        cure="findmnt -R {path} shows what: umount {path}, then docker volume rm {volume}",
    ),
)

_DRIVERS = (
    Failure(
        name="volume-of-lost-driver",
        mark=("found reference to volume", "found references to volume"),
        pattern=r"found references? to volume '(?P<volume>[\w./-]{1,255})' in driver '(?P<driver>[\w./:-]{1,200})'",
        cause='the engine remembers volume "{volume}" of the driver {driver}, which does not answer or no longer has it',
        cure="docker plugin ls shows the driver: start it; while the driver is gone, docker volume rm -f {volume} forgets the entry alone",
    ),
    Failure(
        name="volume-of-other-driver",
        mark="driver does not match",
        pattern=r"(?:found|provided) volume driver does not match (?:passed in|stored) driver",
        cause="a volume of this name exists already, made by another driver",
        cure="docker volume inspect NAME shows its driver: take another name, or name that driver",
    ),
    Failure(
        name="volume-driver-unknown",
        mark="plugin not found",
        pattern=r"looking up (?P<kind>\w{1,20}) plugin (?P<plugin>[\w./:-]{1,200}): (?:legacy plugin: )?plugin not found",
        cause="the engine has no {kind} driver {plugin}: its plugin is not installed, or its program does not run",
        cure="docker plugin ls and ls /run/docker/plugins show what there is: docker plugin install {plugin}, or correct the driver's name",
        confirmed_by="daemon.plugin-gone",
    ),
)

REFUSED_VOLUMES = (*_FORMS, *_LOCAL, *_DRIVERS)
"""The first row that fits counts."""
