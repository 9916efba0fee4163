"""What the files of a compose project say is refused, misread or not applied."""
