"""Language runtimes: their packages, libraries, memory, processors and processes."""
