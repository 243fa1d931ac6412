"""Answers that were recorded from PostgreSQL, for clients that tell more than one wants to write down.

They are in one file, a heading `== name` and what it shows, and are recorded anew with
CLIENTS_RECORD=yes run CLIENT --postgresql
"""

import difflib
import os
import pprint


class Answers:
    def __init__(self, checks, file):
        self.checks = checks
        self.path = os.path.join(os.path.dirname(os.path.abspath(__file__)), file)
        self.recording = bool(os.environ.get("CLIENTS_RECORD"))
        self.answers = {} if self.recording else self.read()

    def read(self):
        with open(self.path, encoding="utf-8") as file:
            parts = ("\n" + file.read()).split("\n== ")[1:]
        return {name: text.rstrip("\n") for name, text in (part.split("\n", 1) for part in parts)}

    def same(self, name, function, how=""):
        """Checks what a function answers. Dictionaries are compared whatever their order, lists in theirs."""
        try:
            text = pprint.pformat(function(), width=110)
        except Exception as error:
            self.checks.count += 1
            self.checks.fail(f"{name}{how}", f"{type(error).__name__}: {error}")
            return
        if self.recording:
            self.answers.setdefault(name, text)
        expected = self.answers.get(name, "no answer that is recorded")
        changes = difflib.unified_diff(expected.splitlines(), text.splitlines(), lineterm="", n=0)
        shown = "; ".join(line for line in changes if not line.startswith(("---", "+++", "@@")))
        self.checks.equal(f"{name}{how}", shown, "")

    def done(self):
        """The end of a session, with what it has recorded."""
        if self.recording:
            with open(self.path, "w", encoding="utf-8") as file:
                file.write("\n".join(f"== {name}\n{text}" for name, text in self.answers.items()) + "\n")
        self.checks.done()
