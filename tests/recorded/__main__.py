"""Records PyTorch's answers: `python -m tests.recorded [--all | NAME...]`; needs PyTorch.

Asks for the calls that have no answer yet, and forgets answers to calls that are no more; with
names also asks anew for all calls of these entries of the operator table or groups of calls.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

from tests.recorded import calls, store, table
from tests.recorded.answers import Engine, Unasked


def record(names: Collection[str]) -> None:
    from tests.recorded.pytorch import PyTorch

    unknown = set(names) - table.asked().keys() - calls.groups().keys() - {"--all"}
    if unknown:
        raise SystemExit(f"nothing of this name is compared: {', '.join(sorted(unknown))}")
    engine = PyTorch()
    record_table(engine, names)
    record_calls(engine, names)


def record_table(engine: Engine, names: Collection[str]) -> None:
    known = store.read()
    modules: dict[str, store.Answers] = {}
    count = 0
    for name, entries in table.asked().items():
        anew = name in names or "--all" in names
        for entry in entries:
            module = modules.setdefault(entry.module.removeprefix("gradcli.ops."), {})
            for call in table.calls_of(entry):
                answers = None if anew else known.get(name, {}).get(call.key)
                if answers is None:
                    try:
                        answers = table.answers(engine, call, False)
                    except (AttributeError, Unasked) as error:
                        print(f"{name}: {error}; say `pytorch=` or `untested=`", file=sys.stderr)
                        continue
                    count += 1
                module.setdefault(name, {})[call.key] = answers
    size = store.write({module: answers for module, answers in modules.items() if answers})
    print(f"asked {count} calls of the table; {size} bytes in all")


def record_calls(engine: Engine, names: Collection[str]) -> None:
    known = store.read(store.CALLS)
    files: dict[str, dict[str, dict[str, Any]]] = {}
    count = 0
    for name, group in calls.groups().items():
        anew = name in names or "--all" in names
        answers = {} if anew else known.get(name, {})
        missing = [call for call in group.calls if call not in answers]
        fresh = {
            call: calls.recordable(group, calls.answer(engine, group, call)) for call in missing
        }
        count += len(missing)
        file = files.setdefault(name.partition(".")[0], {})
        file[name] = {call: fresh.get(call, answers.get(call)) for call in group.calls}
    size = store.write(files, store.CALLS)
    print(f"asked {count} calls of groups; {size} bytes in all")


if __name__ == "__main__":
    record(sys.argv[1:])
