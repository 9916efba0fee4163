"""Commands for the page of a finding: page variables from the finding and from evidence; pure.

A function here takes what is wrong (the line of a log, the known failure that it shows, a rule that
drops packets) and evidence about the host. It returns variables of a page (`PageVariables`): a page
offers the command whose variables are all known. None of them judges: whether there is a fault, a
check decides.

Rooms, for the line of a container's log:

- `rows/`  what the remedy of a known failure changes: `row_steps` for a program that has ended,
           `running_steps` for one that runs on, `server_steps` for the server that it calls
- `named/`  what the line itself names: `named_things` looks for paths, programs, host names and
            ports; `line_steps` for settings; `code_steps` for the place in the program's code
- `looks/`  what is looked at where no command heals: `subject_looks` by the known failure,
            `looks_by_kind` has a function for each kind of look

Rooms for a start:

- `starts/`  a container that the engine or the kernel refuses to start
- `engine/`  the engine itself, and its registries

Rooms for a call:

- `network/`  a call without an answer, a port, a route of a proxy, a rule of the packet filter
- `dns/`  a name that does not resolve

Modules for a container:

- `error_case`  what the host knows about an error that a running container repeats
- `error_steps`  what is done first about such an error
- `failed_run`  why the last run of a container failed, as its log, settings and peers tell it
- `failed_run_steps`  which cures suit such a run
- `inner_steps`  what is done about a program that has failed in a container that runs
- `setting_steps`  the setting to which a failed program objects
- `value_corrections`  the value that the line asks for, where it follows from the one that is given
- `data_releases`  the image of the release that wrote the data
- `image_steps`  another build of the image, and what lies inside the container
- `installed_parts`  what installs a part that an image lacks
- `probe_steps`  a better health check, or a start
- `changed_compose`  a compose file that is newer than its container
- `plain_run`  the same program with nothing around it

Modules for the host:

- `disk_cures`  what fills a disk, and can be let go of
"""
