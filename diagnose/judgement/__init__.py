"""From evidence to a report: judging, linking causes, silences, selection and exit codes."""
