"""Questions and recorded answers: ask each once, keep the answers, read them back.

- `recorder`      asks each question once, and keeps the answers.
- `recorded_answer` an answer as it is kept.
- `budget`        until when answers are collected, and until when they are judged.
- `limits`        what an answer may hold.
- `redaction`     a recording by the redaction rules of today.
- `answer_files`  a recording as files.
- `archive`       reads a bundle that somebody sent, without trust.
- `source`        what `--from` names."""
