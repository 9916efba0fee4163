"""Variables of containers: misspelt, misread, unlike their files, or without effect."""
