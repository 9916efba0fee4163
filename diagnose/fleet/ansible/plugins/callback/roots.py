"""A callback that shows root findings only.

One line for each, then who did not answer, then the answer for all.
"""

from __future__ import annotations

import json
import unicodedata

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: roots
type: stdout
short_description: Shows the root findings of each host, and the answer for all
description:
  - Prints one line for each root finding above advice, in place of the output of tasks.
requirements:
  - Set it as stdout callback, with ANSIBLE_STDOUT_CALLBACK=diagnose.docker_host.roots
"""

REPORTING = ("ansible.builtin.raw", "raw", "ansible.builtin.script", "script")

LONGEST = 300
"""Characters of a line: a hostile host would flood the terminal."""


def clean(text: object) -> str:
    """A text that no terminal obeys: a report may come from a hostile host."""
    return "".join("?" if unicodedata.category(char)[0] == "C" else char for char in str(text))


class CallbackModule(CallbackBase):
    """Roots only."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "diagnose.docker_host.roots"

    def v2_runner_on_ok(self, result):
        """A report, or the answer for all."""
        fields = result._result
        host = result._host.get_name()
        if result._task.action in REPORTING and '"schema_version"' in str(fields.get("stdout", "")):
            self._show_report(host, fields["stdout"])
        elif result._task.action in ("ansible.builtin.debug", "debug") and host == "localhost":
            self._display.display("\n" + "\n".join(clean(line) for line in fields.get("msg", ())))

    def v2_runner_on_unreachable(self, result):
        """A host without an answer."""
        self._display.display(
            f"{result._host.get_name()}: cannot be reached: {clean(result._result.get('msg', ''))}",
            stderr=True,
        )

    def v2_runner_on_failed(self, result, ignore_errors=False):
        """A host on which the tool did not run, or hung."""
        fields = result._result
        why = fields.get("stderr") or fields.get("msg") or "it says nothing"
        self._display.display(
            f"{result._host.get_name()}: no report: {clean(why)[:LONGEST]}", stderr=True
        )

    def _show_report(self, host, text):
        """Show the roots above advice of one host's report, a line for each."""
        try:
            findings = json.loads(text)["findings"]
            roots = [
                row
                for row in findings
                if row["root"] and row["severity"] != "advice" and not row.get("silenced")
            ]
            lines = [
                f"{host}: {row['severity'].upper()} {row['id']}: {row['summary']}" for row in roots
            ]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            lines = [f"{host}: its report cannot be read"]
        for line in lines or [f"{host}: well"]:
            self._display.display(clean(line[:LONGEST]))
