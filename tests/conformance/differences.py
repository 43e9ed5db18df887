#!/usr/bin/env python3
"""Holds the marks of the tests to docs/differences.md: the words of every @differs(...) stand in one entry there.

    python3 tests/conformance/differences.py [--self-test]
"""

import ast
import glob
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, "..", "..", "docs", "differences.md")


def entries(text):
    """The entries of the page, each in one line and with the heading it stands under."""
    found = []
    heading = ""
    for part in re.split(r"\n(?=- |## )", text):
        words = " ".join(part.split())
        if part.startswith("## "):
            heading = " ".join(part.split("\n")[0].split()[1:])
        elif part.startswith("- "):
            found.append("%s: %s" % (heading, words[2:]))
    return found


def entries_of_the_page():
    with open(PAGE, encoding="utf-8") as file:
        return entries(file.read())


def entry_with(words, among):
    """The one entry that has these words; None when there is none, or more than one."""
    found = [entry for entry in among if words in entry]
    return found[0] if len(found) == 1 else None


def marks_of(source):
    """(line, words) of every @differs in a file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "differs":
            yield node.lineno, ast.literal_eval(node.args[0])


def problems_of(name, source, among):
    return ["%s:%d: docs/differences.md has no entry, or more than one, with %r" % (name, line, words)
            for line, words in marks_of(source) if entry_with(words, among) is None]


def self_test():
    among = entries("# Page\n\n## One\n\n- a b\n  c d\n- a e\n")
    source = "@differs('a')\ndef f(): pass\n@differs('b c')\ndef g(): pass\n@differs('x', not_run='y')\ndef h(): pass\n"
    found = [problem.split(":")[1] for problem in problems_of("file", source, among)]
    return [] if (among, found) == (["One: a b c d", "One: a e"], ["1", "5"]) else ["the self-test found %r in %r"
                                                                                  % (found, among)]


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    among = entries_of_the_page()
    problems = []
    for path in sorted(glob.glob(os.path.join(HERE, "test_*.py"))):
        with open(path, encoding="utf-8") as file:
            problems += problems_of(os.path.relpath(path), file.read(), among)
    return problems


if __name__ == "__main__":
    result = main()
    print("\n".join(result), end="\n" if result else "")
    sys.exit(1 if result else 0)
