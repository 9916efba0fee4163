"""`diagnose follow`: a page step by step in a terminal.

It is the only room whose commands change a host.

- `run`         the whole: the finding, the walk, the transcript, the exit code.
- `steps`       a finding's page as steps: what each runs, its risk, what it touches.
- `guide`       the walk through the steps: asks, runs what was agreed to, diagnoses again, stops.
                Knows neither terminal nor shell.
- `terminal`    prompts and answers.
- `shell`       runs a command that was agreed to, and the tool itself for the next diagnosis.
- `transcript`  what was done, redacted, as Markdown for the ticket.
- `script`      the same steps as a commented script, where there is no terminal.
"""
