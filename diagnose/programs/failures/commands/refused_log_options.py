"""Options of log drivers that the engine does not accept."""

from diagnose.programs.failures.recognition import Failure

REFUSED_LOG_OPTIONS = (
    Failure(
        name="log-option-unknown",
        mark="unknown log opt",
        pattern=r"unknown log opt ['\"](?P<option>[^'\"\n]{1,80})['\"] for (?:log driver )?(?P<driver>[\w.-]{1,40})",
        cause="the log driver {driver} has no option {option}",
        cure="correct --log-opt {option} (compose: logging.options; engine: log-opts in daemon.json), or leave it out",
    ),
    Failure(
        name="log-option-missing",
        mark=("is a required parameter", "is expected", "missing logentries"),
        pattern=r"(?P<option>(?:gelf|splunk|fluentd|awslogs)-[\w-]{1,40}) is (?:a required parameter|expected)",
        cause="the log driver does not work without its option {option}",
        cure="add --log-opt {option}=VALUE (compose: logging.options), or take another driver: --log-driver local",
    ),
    Failure(
        name="log-address-malformed",
        mark=("address", "response from daemon: unsupported scheme"),
        pattern=r"(?P<option>(?:gelf|syslog|fluentd)-address):? should be in form (?P<form>[^\s,]{1,60}), got (?P<value>\S{0,200})"
        r"|invalid (?P<option_fluentd>fluentd-address) \(?(?P<value_fluentd>[^\s)\n]{1,200})"
        r"|response from daemon: unsupported scheme: '(?P<value_scheme>[^'\n]{0,40})'"
        r"|please provide (?P<option_gelf>gelf-address) as (?P<form_gelf>\S{1,60})",
        cause='an address among the options of the log driver has not its form ("{value}")',
        cure="write the protocol, the host and the port: udp://HOST:514 for syslog, udp://HOST:12201 for gelf, HOST:24224 for fluentd",
    ),
    Failure(
        name="log-compression-alone",
        mark="compress",
        pattern=r"compress cannot be true when max-file is less than 2|compression cannot be enabled when max file count is 1",
        cause="compress packs the older log files, and max-size or max-file leaves no older ones",
        cure="add max-size=10m and max-file=3 to the log options, or leave compress out",
    ),
    Failure(
        name="log-size-malformed",
        mark=("max-size", "max size", "max-file", "max file"),
        pattern=r"invalid value for (?P<option>max-size|max-file)(?:: (?P<value>[^\s:]{1,40}))?"
        r"|(?P<option_size>max[- ]size) (?:must be a|should be a) positive number|(?P<option_file>max file count) cannot be less than",
        cause='the log option {option} has a value that is neither a size nor a number ("{value}")',
        cure="write max-size=10m (k, m or g) and max-file=3, both as text in quotes in daemon.json",
    ),
    Failure(
        name="syslog-facility-unknown",
        mark="invalid syslog facility",
        pattern=r"invalid syslog facility",
        cause="the option syslog-facility has a name that syslog does not know",
        cure="write daemon, local0 to local7, user or another name of syslog(3), or leave it out",
    ),
)
"""The first row that fits counts."""
