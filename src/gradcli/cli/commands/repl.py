"""`gradcli repl`: the language at a prompt.

The line editor is prompt_toolkit: history, multi-line editing and completion come with it. It is
imported on a terminal only; input from a pipe is run without prompts.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradcli.cli.declarations import Debug
from gradcli.cli.report import FAILED, Exit, fail
from gradcli.process import Watch, come_back_from_interrupts

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

    from gradcli.cli.session import Session

PROMPT = ">>> "
CONTINUED = "... "
GREETING = "gradcli: PyTorch's language for gradients. Ctrl-D leaves, ? helps."


def command(debug: Debug = False) -> None:
    """Talk in the language: the value of an expression is shown, and `_` holds the last one.

    Ctrl-C ends the line, not the session, unless a call does not come back from it within a second;
    Ctrl-D, exit and quit leave. help(sin) or ?sin tells of a function. History is kept between
    sessions.
    """
    watch = Watch("error: the call did not come back from Ctrl-C: the session ends")
    come_back_from_interrupts()
    from gradcli.cli.session import Session

    session = Session(sys.stdout.write)
    if sys.stdin.isatty() and sys.stdout.isatty():
        converse(session, editor(session), watch, debug)
    elif not run_lines(session, watch, debug):
        raise Exit(FAILED)


def converse(session: "Session", prompts: "PromptSession[str]", watch: Watch, debug: bool) -> None:
    """Reads, runs and answers until the end of input."""
    print(GREETING)
    while True:
        try:
            text = prompts.prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        answer(session, text, watch, debug)


def answer(session: "Session", text: str, watch: Watch, debug: bool) -> bool:
    """Runs one input and reports its error; whether it went well.

    Raises:
        Exit: the session is to end.
    """
    if not text.strip():
        return True
    try:
        with watch:
            session.run(text)
    except KeyboardInterrupt:
        print("KeyboardInterrupt", file=sys.stderr)
        return False
    except Exit:
        raise
    except Exception as error:
        fail(error, debug)
        return False
    finally:
        sys.stdout.flush()
    return True


def run_lines(session: "Session", watch: Watch, debug: bool) -> bool:
    """Runs the lines of the standard input, each as soon as it is complete."""
    from gradcli.cli.session import ORIGIN
    from gradcli.cli.source import decode, read_lines
    from gradcli.language.telling.diagnostics import ParseError

    went_well = True
    text = ""
    for line in read_lines("-"):
        try:
            text += decode(line, ORIGIN).rstrip("\r\n")
        except ParseError as error:
            fail(error, debug)
            went_well, text = False, ""
            continue
        if session.is_complete(text):
            try:
                went_well = answer(session, text, watch, debug) and went_well
            except Exit:
                return went_well
            text = ""
        else:
            text += "\n"
    return answer(session, text, watch, debug) and went_well


def history_file() -> Path | None:
    """Where inputs are kept, in the user's state directory; None where that cannot be written."""
    base = os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")
    directory = Path(base) / "gradcli"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(directory / "history", "ab+"):
            return directory / "history"
    except OSError:
        return None


def editor(session: "Session", **streams: Any) -> "PromptSession[str]":
    """The line editor: Enter ends an input that is complete and begins a line otherwise."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings

    class Kept(FileHistory):
        def store_string(self, string: str) -> None:
            with suppress(OSError):  # a full disk does not end a conversation
                super().store_string(string)

    class Names(Completer):
        def get_completions(self, document: Any, complete_event: Any) -> Any:
            for word, length in session.completions(document.text_before_cursor):
                yield Completion(word, start_position=-length)

    keys = KeyBindings()

    @keys.add("enter")
    def _enter(event: Any) -> None:
        buffer = event.current_buffer
        if not buffer.document.is_cursor_at_the_end or session.is_complete(buffer.text):
            buffer.validate_and_handle()
        else:
            line = buffer.document.current_line
            indent = line[: len(line) - len(line.lstrip())]
            buffer.insert_text("\n" + indent + "    " * line.rstrip().endswith(":"))

    path = history_file()
    return PromptSession(
        message=PROMPT,
        multiline=True,
        prompt_continuation=lambda width, number, soft: CONTINUED,
        history=Kept(str(path)) if path else InMemoryHistory(),
        completer=Names(),
        complete_while_typing=False,
        enable_suspend=True,
        key_bindings=keys,
        **streams,
    )
