"""Whether texts are in a file, of which nothing else is kept."""

from diagnose.questions.question import Policy, Question


class FindTexts(Question[list[str]], frozen=True):
    """The searched texts that the first 256 KB of a file contain. Nothing else of the file is
    kept."""

    POLICY = Policy(
        "file.texts",
        what="whether texts are in a file",
        collector="disk.files:found_texts",
        lane="file",
        deadline=1.5,
        priority=4,
    )
    path: str
    texts: list[str]
    """Where one begins with a line end, it counts at the beginning of the file too."""
    root: str | None = None
    """As of `ReadFile`."""

    def about(self) -> str:
        return f"whether texts are in the file {self.path}"
