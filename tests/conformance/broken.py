#!/usr/bin/env python3
"""Sees each test of the conformance suite fail: breaks our source in one place after the other, in a copy, and runs the
suite against what comes of it. See README.md; not a part of `make check`.

    python3 tests/conformance/broken.py [--build DIR] [--only TEXT] [--all] [--report]

What was seen is kept in test-output/broken.json, and a later run goes on from there: a breakage that is already known
is not tried again unless --only names it.
"""

import argparse
import concurrent.futures
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading

from breakages import BREAKAGES

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PROGRAMS = {name: os.path.join("src", folder, name) for name, folder in (
    ("supervisord", "supervisord"), ("supervisorctl", "supervisorctl"), ("pidproxy", "tools"))}


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=os.path.join(ROOT, "build"), help="a good build: its test programs are used")
    parser.add_argument("--kept", default=os.path.join(ROOT, "test-output", "broken.json"), help="what was seen")
    parser.add_argument("--only", action="append", default=[], help="only breakages whose name contains this")
    parser.add_argument("--all", action="store_true", help="also run tests that were already seen to fail")
    parser.add_argument("--report", action="store_true", help="break nothing, and tell what was seen")
    parser.add_argument("-j", dest="jobs", default="6", help="tests at a time, for each copy (default 6)")
    parser.add_argument("--copies", type=int, default=3, help="breakages at a time (default 3)")
    return parser.parse_args()


# --- a copy to break -------------------------------------------------------------------------------------------------


class Copy:
    """The source in a directory of its own, with a build of it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="broken")
        os.chmod(self.directory, 0o755)
        self.build = os.path.join(self.directory, "build")
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in listed.strip("\0").split("\0"):
            os.makedirs(os.path.dirname(os.path.join(self.directory, name)), exist_ok=True)
            shutil.copy(os.path.join(ROOT, name), os.path.join(self.directory, name))
        self.run("meson", "setup", self.build, "-Dtests=false", "-Dbuildtype=debug", "-Dwerror=false")

    def run(self, *command):
        done = subprocess.run(command, cwd=self.directory, capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise RuntimeError("%s:\n%s" % (" ".join(command), (done.stdout + done.stderr)[-3000:]))

    def make(self):
        self.run("ninja", "-C", self.build, *PROGRAMS.values())

    def path(self, name):
        return os.path.join(self.directory, "src", name)

    def edit(self, edits):
        """Applies them. What the files were: {path: text}."""
        before = {}
        for name, old, new in edits:
            path = self.path(name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            before.setdefault(path, text)
            if old not in text or old == new:
                self.restore(before)
                raise RuntimeError("%s has no %r" % (name, old))
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace(old, new))
        return before

    def restore(self, before):
        for path, text in before.items():
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)

    def programs(self):
        """A directory with the programs alone, as an installed one."""
        folder = os.path.join(self.directory, "bin")
        shutil.rmtree(folder, True)  # not written over: one of them may still be running
        os.makedirs(folder)
        for name, path in PROGRAMS.items():
            shutil.copy(os.path.join(self.build, path), os.path.join(folder, name))
        return folder

    def remove(self):
        shutil.rmtree(self.directory, True)


# --- the tests -------------------------------------------------------------------------------------------------------


def run_tests(options, folder, names):
    """{name: outcome} of the tests with these names."""
    with tempfile.TemporaryDirectory() as place:
        results = os.path.join(place, "results")
        command = [sys.executable, os.path.join(ROOT, "tests", "run.py"), "--build", os.path.abspath(options.build),
                   "--bin", folder,
                   "-j", options.jobs, "--limit", "30", "--patience", "0.5", "--results", results, HERE]
        for name in names:
            command += ["-k", name]
        with open(os.path.join(place, "output"), "w", encoding="utf-8") as output:
            subprocess.run(command, cwd=place, stdout=output, stderr=output, stdin=subprocess.DEVNULL, check=False)
        with open(results, encoding="utf-8") as file:
            return {result["name"]: result["outcome"] for result in json.load(file)}


def load_kept(path):
    if not os.path.exists(path):
        return {"tests": [], "failed": {}}
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def save_kept(path, kept):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(kept, file, indent=1)


def unseen(kept):
    seen = {name for names in list(kept["failed"].values()) for name in names}
    return [name for name in kept["tests"] if name not in seen]


def concerned(breakage, names):
    return [name for name in names if any(pattern in name for pattern in breakage.tests)]


def check_baseline(options, copy, kept):
    """All must hold before anything is broken."""
    outcomes = run_tests(options, copy.programs(), [])
    failed = [name for name, outcome in outcomes.items() if outcome == "failed"]
    if failed:
        sys.exit("these fail with nothing broken: " + ", ".join(failed))
    kept["tests"] = sorted(name for name, outcome in outcomes.items() if outcome == "passed")


def try_breakage(options, copy, kept, breakage):
    """The tests that fail under it. Those that were seen before are run only when no other fails, or with --all."""
    before = copy.edit(breakage.edits)
    try:
        copy.make()
        folder = copy.programs()
    finally:
        copy.restore(before)
    known = concerned(breakage, kept["tests"])
    fresh = concerned(breakage, unseen(kept))
    for names in ([known] if options.all else [fresh, [name for name in known if name not in fresh]]):
        outcomes = run_tests(options, folder, names) if names else {}
        failed = sorted(name for name, outcome in outcomes.items() if outcome == "failed")
        if failed:
            return failed
    return []


def report(kept):
    names = {breakage.name for breakage in BREAKAGES}
    for name, failed in kept["failed"].items():
        if name in names:
            print("%4d  %s" % (len(failed), name))
    unnoticed = [name for name, failed in kept["failed"].items() if not failed and name in names]
    survivors = unseen(kept)
    print("\n%d breakages; %d of %d tests were seen to fail" % (len(kept["failed"]),
                                                               len(kept["tests"]) - len(survivors), len(kept["tests"])))
    if unnoticed:
        print("\nnobody noticed: %d\n  %s" % (len(unnoticed), "\n  ".join(unnoticed)))
    if survivors:
        print("\nnever seen to fail: %d\n  %s" % (len(survivors), "\n  ".join(survivors)))
    return 1 if unnoticed or survivors else 0


def try_all(options, kept, copies):
    """Every breakage that is wanted, several at a time."""
    idle = queue.Queue()
    lock = threading.Lock()
    for copy in copies:
        idle.put(copy)

    def try_one(breakage):
        copy = idle.get()
        try:
            failed = try_breakage(options, copy, kept, breakage)
        except RuntimeError as error:
            print("CANNOT BREAK %s: %s" % (breakage.name, error), flush=True)
            return
        finally:
            idle.put(copy)
        with lock:
            kept["failed"][breakage.name] = failed
            save_kept(options.kept, kept)
        print("%4d fail  %s" % (len(failed), breakage.name), flush=True)

    wanted = [breakage for breakage in BREAKAGES if any(text in breakage.name for text in options.only)
              or (not options.only and breakage.name not in kept["failed"])]
    with concurrent.futures.ThreadPoolExecutor(len(copies)) as pool:
        list(pool.map(try_one, wanted))


def main():
    options = parse_arguments()
    kept = load_kept(options.kept)
    copies = []
    if options.report:
        return report(kept)
    try:
        for _ in range(options.copies):
            copies.append(Copy())
            copies[-1].make()
        check_baseline(options, copies[0], kept)
        try_all(options, kept, copies)
    finally:
        for copy in copies:
            copy.remove()
    return report(kept)


if __name__ == "__main__":
    sys.exit(main())
