"""Records PyTorch's answers: `python -m tests.recorded [--all | NAME...]`; needs PyTorch.

Asks for the calls that have no answer yet, and forgets answers to calls that are no more; with
names also asks anew for all calls of these entries of the operator table.

`python -m tests.recorded --prune` takes what is done off the list of what the table lacks.
"""

from __future__ import annotations

import sys

from tests.recorded import store, table
from tests.recorded.answers import Unasked


def record(names: list[str]) -> None:
    from tests.recorded.pytorch import PyTorch

    engine, known = PyTorch(), store.read()
    modules: dict[str, store.Answers] = {}
    count = 0
    unknown = set(names) - table.asked().keys() - {"--all"}
    if unknown:
        raise SystemExit(f"no entries that are compared: {', '.join(sorted(unknown))}")
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
    print(f"asked {count} calls; {size} bytes in all")


if __name__ == "__main__":
    if sys.argv[1:] == ["--prune"]:
        from tests.recorded.pending import prune

        prune()
    else:
        record(sys.argv[1:])
