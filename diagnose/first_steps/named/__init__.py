"""What a line of a log names, whatever the program: a path, a program, a variable, a server."""
