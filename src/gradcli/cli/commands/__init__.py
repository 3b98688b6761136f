"""The commands: each module holds one function, `command`, whose parameters say what it takes."""
