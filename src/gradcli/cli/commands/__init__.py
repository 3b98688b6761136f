"""The commands: each module holds one function, `command`, which Typer makes a command of."""
