"""`diagnose`: what is wrong with a Docker host, what caused it, on what evidence, and what to type next.

One arrow runs through the house:

    Host -> Evidence -> Check -> Finding -> Report -> Renderer

- `host`      the seam: kinds of questions, `Host`. Deadlines, lanes and priorities belong to the kind.
- `live/`     the hands: the only package that touches the world. `Live` answers questions, redacted.
- `recorder`  `Recorder` asks each question once, inside the budget, and keeps the tape; `Replay` answers from a tape.
- `tape`      the tape as files: a fixture, the inside of a bundle. `source` is what `--from` names: such a folder, an archive, the demo.
- `redact`    an answer without its secrets.
- `evidence/` frozen typed views of answers, one module per kind: the type, and the function that collects it.
- `firewall/` a packet filter as values, judged by walking a packet through it; pure, for the evidence of that name.
- `registry`  `@check`, `@evidence`, discovery of packs; the only import by name.
- `model`     the nouns: Severity, Subject, Finding, Check, Result, Report.
- `engine`    collects what the chosen checks need, judges, and makes the report.
- `causes`    pure: folds effects under causes; `common` says what failures without one have in common.
- `silence`   pure: findings that someone lives with; `config` reads them and the thresholds.
- `runbooks`  reads pages, fills their variables.
- `render/`   functions of the Report.
- `ticket/`   the bundle: sealed, proven clean, read back without trust.
- `compare`, `timeline`  two runs by finding; the last hours in one list.
- `run`       one run from what the user asked; `selection` resolves ids, `exits` gives the exit code.
- `cli`       options in, exit code out.

The engine knows no particular check. The built-in pack is the package `checks` with its pages in `runbooks/`.

Where the code refines the design it was built from:

- An evidence function may take other evidence kinds as parameters, like a check: what follows from the container list
  is collected after it, and is unavailable when it is. (One function of the host alone would decode every inspect
  again in each kind.)
- A finding carries what links it: `touches` (the other things it reaches or depends on), `calls` (containers that did
  not answer it), `signs` (classes of error text) and `onset`. `causes.link` needs no knowledge of any check.
- Checks may import `diagnose.error_signatures` and `diagnose.phrases` too: pure vocabulary, like the model.
- Failed has one more reason, "shed": the answer was left out of a bundle to keep its size.
- The Recorder and the Replay have a module of their own; the seam's vocabulary in `host` stays small.
- One thread asks the engine, with eight requests under way (`live/client`), where the design has four workers: these spend
  as much of the processor on the interpreter's lock as on the answers. So `Live.serve` answers a lane, not a question.
- Two helper processes serve `live/helper`: one for what may block in the kernel, and the network process, which alone imports
  pyroute2 and alone enters network namespaces (`.github/decisions/network-process.md`).
- DNS messages are dnslib's, not dnspython's: 5 ms of every run's imports, not 32.
- A run with a longer budget is patient with each question in proportion, so that slow machines are judged too.
- What a collector cannot read is Unavailable("malformed"); CRASHED is left for the rest. Tests on real hosts refuse both.
- A container that is gone when asked again leaves no trace; one that lives again is left unexamined.
- Values are `msgspec.Struct`s: the 143 dataclasses that they were took 90 ms of every start to generate their methods.
- Two ids stand beside the catalogue's: container.start-refused and container.crashed. Without them a container whose
  start the engine refuses for a rarer reason, and a service that died after it had worked, were passed over.
- What the user asked (`--since`, `--resolve`, the selected ids) is an answer like any other, so that a tape holds it.
"""
