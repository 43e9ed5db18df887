#!/usr/bin/env python3
"""Runs the conformance suite and the command lines of ctl_compare.py against the original and against ours, and prints
what holds where and every difference; what `make conformance` runs.

    python3 tests/conformance/compare.py [--build DIR] [--original DIR] [--output FILE] [-k PATTERN]

The status is 0 when all holds on ours, and all that does not hold on the original is marked with @differs, stands in
docs/differences.md, and was seen to fail there.
"""

import argparse
import json
import os
import subprocess
import sys
import textwrap

import differences

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LINES = "conformance/supervisorctl lines/"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="build directory of ours")
    parser.add_argument("--original", default="/usr/bin", help="directory of the original's binaries")
    parser.add_argument("--output", default=os.path.join(ROOT, "test-output", "conformance.txt"),
                        help="where the table is written too, and the output of the runs beside it")
    parser.add_argument("-k", dest="pattern", action="append", default=[], help="only tests whose name contains this")
    return parser.parse_args()


# --- the runs --------------------------------------------------------------------------------------------------------


def run(title, log, command):
    """Runs a program that writes its results to a file: these, which are none when it could not run at all."""
    results = log + ".json"
    if os.path.exists(results):
        os.unlink(results)
    print("running %s; its output goes to %s ..." % (title, os.path.relpath(log)), flush=True)
    with open(log, "w", encoding="utf-8") as output:
        status = subprocess.run([sys.executable] + command + ["--results", results], stdout=output, stderr=output,
                                stdin=subprocess.DEVNULL, check=False).returncode
    if not os.path.exists(results):
        sys.exit("%s could not run (status %d); see %s" % (title, status, log))
    with open(results, encoding="utf-8") as file:
        return {result["name"]: result for result in json.load(file)}


def run_suites(options):
    """The results on both sides: two dictionaries by name."""
    suite = [os.path.join(ROOT, "tests", "run.py"), "--build", options.build, HERE]
    for pattern in options.pattern:
        suite += ["-k", pattern]
    beside = os.path.join(os.path.dirname(options.output), "conformance-")
    ours = run("the suite against ours", beside + "ours.log", suite)
    original = run("the suite against the original", beside + "original.log",
                   suite + ["--bin", options.original, "--patience", "3", "--again", "--differences"])
    return original, ours


def run_lines(options):
    """The command lines of supervisorctl, as results of tests that hold on the original whatever it does."""
    beside = os.path.join(os.path.dirname(options.output), "conformance-")
    found = run("command lines of both clients", beside + "lines.log",
                [os.path.join(HERE, "ctl_compare.py"), os.path.join(options.build, "src", "supervisorctl"),
                 "--original", os.path.join(options.original, "supervisorctl"),
                 "--original-daemon", os.path.join(options.original, "supervisord"),
                 "--daemon", os.path.join(options.build, "src", "supervisord", "supervisord")])
    original, ours = {}, {}
    for name, result in found.items():
        common = {"differs": None, "not_run": None, "again": False}
        original[LINES + name] = dict(common, outcome="passed", reason="")
        ours[LINES + name] = dict(common, outcome="passed" if result["same"] else "failed",
                                  reason="the original: %s\nours: %s" % (result["original"], result["ours"]))
    return original, ours


# --- what they mean --------------------------------------------------------------------------------------------------


class Check:
    """One test on both sides."""

    def __init__(self, name, original, ours, entries):
        self.area = name.split("/")[1]
        self.name = name.split("/", 1)[1]
        self.original = original
        self.ours = ours
        self.entry = differences.entry_with(ours["differs"], entries) if ours["differs"] else None

    def holds(self, side):
        return side["outcome"] == "passed"

    def is_left_out(self):
        """Because something is missing here, such as root; on both sides alike."""
        return not self.ours["differs"] and self.original["outcome"] == self.ours["outcome"] == "skipped"

    def problem(self):
        """What is wrong with it, or None."""
        if self.ours["outcome"] == "failed":
            return "fails on ours\n" + self.ours["reason"]
        if self.ours["differs"]:
            return self.problem_of_a_difference()
        if self.original["outcome"] == "failed":
            return "fails on the original, and is not marked as a difference\n" + self.original["reason"]
        if self.original["outcome"] != self.ours["outcome"]:
            return "is left out on one side alone: " + (self.original["reason"] or self.ours["reason"])
        return None

    def problem_of_a_difference(self):
        if self.entry is None:
            return "is marked with words of no entry of docs/differences.md: " + self.ours["differs"]
        if self.holds(self.original):
            return "is marked as a difference, and holds on the original too"
        if self.original["outcome"] == "skipped" and self.ours["outcome"] == "passed" and not self.ours["not_run"]:
            return "is left out on the original: " + self.original["reason"]
        return None

    def seen(self):
        """How the original showed the difference."""
        if self.ours["not_run"]:
            return "(not run against the original: %s)" % self.ours["not_run"]
        return "(seen: %s)" % next((line for line in self.original["reason"].splitlines()
                                if line and line[0] != " " and not line.startswith("Traceback")), "no reason")[:140]


def make_checks(original, ours, entries):
    assert original.keys() == ours.keys(), "the two sides had other tests"
    return [Check(name, original[name], ours[name], entries) for name in sorted(ours)]


# --- telling ---------------------------------------------------------------------------------------------------------


def table(checks):
    row = "%-22s %8s %12s %8s %14s"
    lines = [row % ("area", "checks", "the original", "ours", "differences"), "-" * 68]

    def add(title, some):
        lines.append(row % (title, len(some), sum(check.holds(check.original) for check in some),
                            sum(check.holds(check.ours) for check in some),
                            sum(check.entry is not None for check in some) or ""))

    counted = [check for check in checks if not check.is_left_out()]
    for area in sorted({check.area for check in counted}):
        add(area, [check for check in counted if check.area == area])
    lines.append("-" * 68)
    add("total", counted)
    return lines


def wrapped(text, indent):
    return [part for line in text.splitlines()[:25]
            for part in textwrap.wrap(line, 118, initial_indent=" " * indent, subsequent_indent=" " * indent)]


def listed(title, items):
    """A heading and the items below it: (name, what there is to say). Nothing when there are none."""
    lines = ["", "%s: %d" % (title, len(items))] if items else []
    for name, text in items:
        lines += ["  " + name] + wrapped(text, 6)
    return lines


def explained(checks):
    """The checks that are differences and as they should be, below the entries that explain them."""
    lines = ["", "Differences that are meant, and stand in docs/differences.md: %d" % len(checks)] if checks else []
    for entry in dict.fromkeys(check.entry for check in checks):
        lines += [""] + wrapped(entry, 2)
        for check in checks:
            if check.entry == entry:
                lines += wrapped("%s %s" % (check.name, check.seen()), 6)
    return lines


def describe(checks):
    """All that is printed, and whether all is well."""
    problems = [(check.name, check.problem()) for check in checks if check.problem()]
    meant = [check for check in checks if check.entry and not check.problem()]
    lines = table(checks) + explained(meant)
    lines += listed("Left out on both sides", [(check.name, check.ours["reason"])
                                               for check in checks if check.is_left_out()])
    lines += listed("Held by the original at the second time only",
                    [(check.name, "") for check in checks if check.original["again"] and check.holds(check.original)])
    lines += listed("UNEXPLAINED", problems)
    lines += ["", "%d checks, %d explained differences, %d unexplained" % (len(checks), len(meant), len(problems))]
    return lines, bool(checks) and not problems


def main():
    options = parse_arguments()
    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    original, ours = run_suites(options)
    if not options.pattern:
        for side, lines in zip((original, ours), run_lines(options)):
            side.update(lines)
    lines, good = describe(make_checks(original, ours, differences.entries_of_the_page()))
    text = "\n".join(lines) + "\n"
    with open(options.output, "w", encoding="utf-8") as file:
        file.write(text)
    print("\n" + text, end="")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
