"""Ways through a batch: in this process, or in one that may end without harm to the others."""

from __future__ import annotations

import gc
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, BinaryIO, Final

from gradcli.batch.records import is_blank
from gradcli.batch.worker import UNLIMITED, Reply, failed, reply
from gradcli.language.telling.diagnostics import Diagnostic
from gradcli.process import (
    NO_MEMORY,
    OUT_OF_MEMORY,
    Limits,
    end,
    fork,
    has_ended,
    set_alarm,
    told,
    wait,
)
from gradcli.tensor.memory import limit_memory
from gradcli.views.jsonout import dumps, loads


def replies(lines: Iterable[bytes], limits: Limits = UNLIMITED) -> Iterator[tuple[int, Reply]]:
    """Line numbers and replies, in order; a line is read when the reply before it was taken.

    Limits that only another process can enforce start one.
    """
    if limits.needs_child:
        return _by_worker(lines, limits)
    return _by_this_process(lines, limits)


def _by_this_process(lines: Iterable[bytes], limits: Limits) -> Iterator[tuple[int, Reply]]:
    for number, line in enumerate(lines, 1):
        answered = reply(line, number, limits)
        if answered is not None:
            yield number, answered


def _by_worker(lines: Iterable[bytes], limits: Limits) -> Iterator[tuple[int, Reply]]:
    worker = Worker(limits)
    memory = limits.max_memory
    try:
        for number, line in enumerate(lines, 1):
            if memory is not None and len(line) > memory:
                yield number, failed(number, None, Diagnostic(MemoryError.__name__, NO_MEMORY))
            elif not is_blank(line):
                yield number, worker.ask(line, number)
    finally:
        worker.stop()


_REQUEST: Final = struct.Struct("!QQ")
"""The number and the size of a line, which follows."""

_MESSAGE: Final = struct.Struct("!cQ")
"""The kind and the size of a text, which follows."""

_ASKED, _PRINTED, _ANSWERED, _FAILED = b"q", b"p", b"a", b"f"


class Worker:
    """A process that answers records, one after another.

    It is forked when the first record comes, and again after a record has ended it. The system
    enforces its limits: an alarm that ends it, and memory that it does not get. So whoever asks
    may just wait for what comes out of its pipe, be it an answer or the end.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.child = 0
        self.requests: BinaryIO
        self.messages: BinaryIO

    def ask(self, line: bytes, number: int) -> Reply:
        """The reply to a line that holds a record."""
        if self.child and has_ended(self.child):
            self._close()
        if not self.child:
            self._start()
        id: Any = number
        printed: list[str] = []
        is_program = False
        try:
            self.requests.write(_REQUEST.pack(number, len(line)) + line)
            self.requests.flush()
            while True:
                kind, text = self._receive()
                if kind == _ASKED:
                    id, is_program = loads(text)
                elif kind == _PRINTED:
                    printed.append(text)
                else:
                    return Reply(text, kind == _ANSWERED)
        except (EOFError, BrokenPipeError):
            kind_of_error, message = told(wait(self.child), self.limits)
            self._close()
        stdout = "".join(printed) if is_program or printed else None
        return failed(id, stdout, Diagnostic(kind_of_error, message))

    def stop(self) -> None:
        """Ends the process."""
        if self.child:
            end(self.child)
            self._close()

    def _start(self) -> None:
        ours, theirs = os.pipe()
        requests, messages = os.pipe()
        self.child = fork(writes=False)
        if self.child == 0:
            os.close(ours)
            os.close(messages)
            _serve(os.fdopen(requests, "rb"), os.fdopen(theirs, "wb"), self.limits)
        os.close(theirs)
        os.close(requests)
        self.requests, self.messages = os.fdopen(messages, "wb"), os.fdopen(ours, "rb")

    def _receive(self) -> tuple[bytes, str]:
        head = self.messages.read(_MESSAGE.size)
        if len(head) < _MESSAGE.size:
            raise EOFError
        kind, size = _MESSAGE.unpack(head)
        body = self.messages.read(size)
        if len(body) < size:
            raise EOFError
        return kind, body.decode("utf-8", "surrogatepass")

    def _close(self) -> None:
        self.child = 0
        self.messages.close()
        with suppress(BrokenPipeError):  # part of a line that nobody read
            self.requests.close()


class _Messages:
    """What a worker sends: what is known of a record before it has an answer, and that.

    It is the `Listener` of the worker.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream

    def asked(self, id: Any, is_program: bool) -> None:
        self.send(_ASKED, dumps([id, is_program]).encode())

    def printed(self, text: str) -> None:
        self.send(_PRINTED, text.encode("utf-8", "surrogatepass"))

    def send(self, kind: bytes, body: bytes) -> None:
        self.stream.write(_MESSAGE.pack(kind, len(body)) + body)
        self.stream.flush()


def _serve(requests: BinaryIO, stream: BinaryIO, limits: Limits) -> None:
    """Answers what comes, in a process of its own, which does not come back."""
    code = 1
    try:
        messages = _Messages(stream)
        if limits.max_memory is not None:
            limit_memory(limits.max_memory)
            gc.freeze()
        while head := requests.read(_REQUEST.size):
            number, size = _REQUEST.unpack(head)
            set_alarm(limits.timeout)
            answered = reply(requests.read(size), number, limits, messages)
            assert answered is not None
            body = answered.text.encode()
            set_alarm(None)
            messages.send(_ANSWERED if answered.ok else _FAILED, body)
            if limits.max_memory is not None:
                gc.collect()  # a record has all of its memory
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
    finally:
        os._exit(code)
