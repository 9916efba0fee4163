"""`diagnose`: what is wrong with a Docker host, what caused it, on what evidence, and what to type
next.

One arrow runs through the house:

    Host -> Evidence -> Check -> Finding -> Report -> Renderer

- `questions/`  what a host can be asked: each question with its answer and its policy (deadline,
                lane, scope, priority).
- `live/`       the only package that touches the world: `Live` answers questions, redacted. Rooms:
                `engine` (the API), `network` (netlink, packet filters, DNS), `disk`, `kernel`
                (/proc, /sys), `commands`. `helper` runs the helper processes.
- `recording/`  `Recorder` asks each question once, inside the budget; `Replay` answers from a
                recording. A recording as files (`answer_files`) and as an archive (`archive`);
                `source` is what `--from` names.
- `redact/`     an answer without its secrets.
- `evidence/`   frozen typed views of answers by subject, each with the function that collects it:
                `containers`, `engine`, `images`, `storage`, `network`, `dns`, `swarm`, `machine`,
                `run`. A room with rooms of its own lists them in its docstring.
- `firewall/`   a packet filter as values, judged by walking a packet through it; pure.
- `programs/`   what well-known programs write when they fail, and what they read; pure. `failures`
                has rooms for the words of the `engine`, of refused `starts` and of failed
                `commands`.
- `first_steps/`  which command a page offers: a line of a log, or a rule that drops packets, held
                against the host; pure.
- `nginx_text`  nginx's configuration as a tree of its directives; `caddy_text` a Caddyfile;
                `yaml_text` YAML as compose reads it; `markdown_text` text of others inside
                Markdown; `address_lists` lists of addresses in settings; pure.
- `registry`    `@check`, `@evidence`; the only import by name. `packs` are the packages that hold
                checks and pages.
                `annotations` are the types that a function's annotations allow.
- `model/`      the nouns: Severity, Subject, Finding, Check, Result, Report. `phrases` writes
                numbers, names, times and sizes; `error_signatures` are classes of error text;
                `foreign_words` puts errors of the system in another language into English;
                `usage_texts` are what a program prints about its options;
                `lazy_pattern` is a regular expression that is compiled when it is first needed.
                `required_words` are those without which a text matches no pattern.
                `mappings` groups things by a key and leaves out what is empty.
                `word_sets` makes a set of the words of a text.
                `numbers` says whether a text is a whole number, and how many bytes a unit has.
                `file_paths` says whether one path lies within another.
                Checks may import these nine, `evidence`, `programs`, `first_steps` and `registry`.
- `judgement/`  `engine` runs the chosen checks: `collection` collects their evidence, `judge`
                judges, `recheck` asks again about what has changed, `report` makes the report.
                `causes` folds effects under causes, which `proof` has proven; `coincidence` says
                what failures without a cause have in common; `silences`, `selection` of ids,
                `exit_codes`, `deadline`.
- `runbooks/`   reads pages, fills their variables, and offers their commands for a finding.
- `document`    a Report as a JSON value: what other programs, a fleet and `diff` read.
- `render/`     functions of the Report: its `outlines`, the terminal, `html`, other `formats`.
- `ticket/`     the bundle: packed, checked for leaks, read back without trust.
- `fleet/`      one answer for the reports of many hosts: `causes`, `groups`, what is missing.
- `shapes`      values as types, from several threads at once. `filesystem_types` says which file
                systems wait for another machine.
- `symptoms/`   from what people say of a symptom, or from a pasted error message, to the checks
                that it may be about, and what the message names on the host.
- `watch/`      roots as they begin and end: sleeps until `live.wake` reports a change, judges
                again what the change concerns.
- `path/`       why A cannot reach B: the ends, each hop between them, and what mends the broken
                one; pure.
- `compare`, `timeline`  two runs by finding; the last hours in one list.
- `recreate/`   scripts that make a container, a network or a service again with a change; pure.
                `misplaced_options` are options of `docker run` that were given as a part of the
                command.
- `repair/`     the smallest repair as a script, judged on the recorded answers first.
- `follow/`     runs a page's commands step by step, each after a typed yes: the only room that
                changes a host.
- `reach/`      a run on another host over ssh (`--on`), and the launcher of the folder with its own
                Python.
- `mcp/`      a read-only server for assistants: what its tools run, and the protocol by the SDK.
- `setup/`      Docker CLI plugin and hook, completions, man pages, timer: put in and taken out.
- `session/`    one run, live or from a recording; `config` reads thresholds and silences;
                `interrupts` handles signals, and `limited_memory` a limit on memory.
                `own_modules` finds the tool's modules faster than Python does.
                `plain_file` reads a file that somebody named, and `state_file` writes one that
                others read. `version` imports nothing.
- `cli/`       a module for each command: options in, exit code out. `main` has the group, `options`
               what several commands take.

The engine knows no particular check. The built-in pack is the package `checks` with its pages in
`runbooks/`. Why it is built as it is, with the figures: `.github/decisions/`. How to add to it:
`.github/CONTRIBUTING.md`.
"""
