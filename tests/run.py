#!/usr/bin/env python3
"""Runs the black-box tests: every test in a process of its own, several at a time. See tests/README.md."""

import argparse
import atexit
import fnmatch
import glob
import importlib.util
import inspect
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("places", nargs="*", help="directories or files (default: tests/conformance tests/system)")
    parser.add_argument("--build", default=os.path.join(ROOT, "build"),
                        help="build directory: the daemon, the client and the test programs")
    parser.add_argument("--bin", help="directory with supervisord and supervisorctl, instead of the build's")
    parser.add_argument("--supervisord", help="path of supervisord")
    parser.add_argument("--supervisorctl", help="path of supervisorctl")
    parser.add_argument("--wrapper", default="",
                        help='run supervisord under a tool, such as "valgrind --error-exitcode=99"')
    parser.add_argument("--patience", type=float, help="factor for all time limits (default 1, with a wrapper 10)")
    parser.add_argument("-k", dest="pattern", action="append", default=[], help="only tests whose name contains this")
    parser.add_argument("-j", dest="jobs", type=int, default=8, help="tests at a time (default 8)")
    parser.add_argument("--limit", type=float, default=60, help="seconds for one test (default 60)")
    parser.add_argument("--again", action="store_true",
                        help="a test that fails is run once more, alone, and counts by that: for the original, which "
                        "is slow and racy, and never for ours")
    parser.add_argument("--differences", action="store_true",
                        help="on the original, run the tests that are marked as differences too; they should fail")
    parser.add_argument("--results", metavar="FILE", help="write what came of each test there, as JSON")
    parser.add_argument("-v", dest="verbose", action="store_true", help="a line for every test, with its time")
    parser.add_argument("-l", dest="list", action="store_true", help="list the tests and end")
    return parser.parse_args()


def copy_programs(source):
    """Every user must be able to run or load them, and nobody else to write to them, which holds for few builds."""
    directory = tempfile.mkdtemp(prefix="sv")
    atexit.register(shutil.rmtree, directory, True)
    os.chmod(directory, 0o755)
    for entry in os.scandir(source):
        if entry.is_file() and os.access(entry.path, os.X_OK):
            shutil.copy(entry.path, directory)
            os.chmod(os.path.join(directory, entry.name), 0o755)
    return directory


def copy_python_plugin(source):
    """The plugin that runs others in Python, and its Python files beside it, as copy_programs() does."""
    directory = copy_programs(source)
    shutil.copytree(os.path.join(source, "python"), os.path.join(directory, "python"))
    return directory


def set_environment(options):
    """The harness reads where things are from the environment, when it is first imported."""
    build = os.path.abspath(options.build)
    binaries = os.path.abspath(options.bin) if options.bin else None
    for variable, given, name in (("SUPERVISORD", options.supervisord, "supervisord"),
                                  ("SUPERVISORCTL", options.supervisorctl, "supervisorctl")):
        built = os.path.join(binaries, name) if binaries else os.path.join(build, "src", name, name)
        path = os.path.abspath(given) if given else os.environ.get(variable, built)
        if not os.access(path, os.X_OK):
            sys.exit("%s: no such program (see --build, --bin, --%s)" % (path, name))
        os.environ[variable] = path
    programs = os.environ.get("SUPERVISOR_TEST_PROGRAMS", os.path.join(build, "tests", "programs"))
    if not os.access(os.path.join(programs, "actor"), os.X_OK):
        sys.exit("%s: no test programs there (see --build)" % programs)
    os.environ["SUPERVISOR_TEST_PROGRAMS"] = copy_programs(programs)
    os.environ["SUPERVISOR_TEST_BUILD"] = build
    os.environ["SUPERVISOR_TEST_PLUGINS"] = copy_programs(os.path.join(build, "plugins"))
    os.environ["SUPERVISOR_TEST_PYTHON_PLUGIN"] = copy_python_plugin(os.path.join(build, "plugins", "python"))
    patience = options.patience or (10 if options.wrapper else 1)
    options.limit *= patience
    os.environ["SUPERVISOR_TEST_WRAPPER"] = options.wrapper
    os.environ["SUPERVISOR_TEST_PATIENCE"] = str(patience)
    os.environ["TZ"] = "UTC"
    for name in [name for name in os.environ if name.startswith("SUPERVISOR_") and "TEST" not in name]:
        del os.environ[name]
    os.umask(0o022)


def find_files(places):
    for place in places or [os.path.join(HERE, "conformance"), os.path.join(HERE, "system")]:
        if os.path.isdir(place):
            yield from sorted(glob.glob(os.path.join(place, "test_*.py")))
        elif os.path.exists(place):
            yield place
        else:
            sys.exit("%s: no such file or directory" % place)


class Test:
    def __init__(self, case, group):
        method = getattr(case, case._testMethodName)
        self.case = case
        self.name = "%s/%s.%s" % (group, type(case).__name__, case._testMethodName)
        self.differs = getattr(method, "differs", getattr(case, "differs", None))
        self.not_run = getattr(method, "not_run", getattr(case, "not_run", None))
        self.time_limit = getattr(method, "time_limit", getattr(case, "time_limit", None))
        self.alone = getattr(method, "alone", getattr(case, "alone", False))


def load_tests(places):
    sys.path.insert(0, os.path.join(HERE, "system"))
    tests = []
    for path in find_files(places):
        if os.path.dirname(os.path.abspath(path)) not in sys.path:
            sys.path.insert(0, os.path.dirname(os.path.abspath(path)))  # what the tests of a folder share
        group = os.path.join(os.path.basename(os.path.dirname(os.path.abspath(path))), os.path.basename(path)[5:-3])
        spec = importlib.util.spec_from_file_location(group.replace("/", "_"), path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        for _, kind in sorted(inspect.getmembers(module, inspect.isclass)):
            if issubclass(kind, unittest.TestCase) and kind.__module__ == spec.name:
                tests += [Test(kind(name), group) for name in unittest.TestLoader().getTestCaseNames(kind)]
    return tests


def wanted(test, patterns):
    return not patterns or any(pattern in test.name or fnmatch.fnmatch(test.name, pattern) for pattern in patterns)


def telling_files(directory):
    """Logs and configurations below a directory, with the end of their text."""
    found = []
    for root, folders, names in os.walk(directory):
        folders[:] = [folder for folder in folders if folder != "profile"]  # a browser's, full of binary logs
        for name in sorted(names):
            if name.endswith((".log", ".conf")) or name == "output":
                path = os.path.join(root, name)
                if not os.path.isfile(path):
                    continue  # a FIFO would never open
                with open(path, errors="replace") as file:
                    text = file.read()[-6000:]
                if text:
                    found.append("--- %s\n%s" % (path, text))
    return "\n".join(found)


class Witness(unittest.TestResult):
    """Keeps what the files of a failed test say before they are removed."""

    def __init__(self):
        super().__init__()
        self.files = ""

    def addError(self, test, err):
        super().addError(test, err)
        self.files = self.files or telling_files(tempfile.gettempdir())

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.files = self.files or telling_files(tempfile.gettempdir())


def run_here(case):
    """Runs one test in this process: (outcome, reason, what the files say)."""
    witness = Witness()
    case.run(witness)
    problems = witness.failures + witness.errors
    if problems:
        return "failed", "\n".join(text for _, text in problems), witness.files
    if witness.skipped:
        return "skipped", witness.skipped[0][1], ""
    return "passed", "", ""


class Result:
    """What came of a test: passed, failed or skipped, why, and what its files and output say about it."""

    def __init__(self, test, outcome, reason="", evidence="", seconds=0.0):
        self.test = test
        self.outcome = outcome
        self.reason = reason
        self.evidence = evidence
        self.seconds = seconds
        self.again = False  # whether it is that of a second run

    def summary(self):
        """The beginning of the reason, which is a traceback and an assertion, without anything that follows."""
        lines = self.reason.strip().splitlines()
        return "\n".join("    " + line[:300] for line in lines[:25] + ["..."] * (len(lines) > 25))

    def as_dictionary(self):
        return {"name": self.test.name, "outcome": self.outcome, "reason": self.reason, "differs": self.test.differs,
                "not_run": self.test.not_run, "seconds": round(self.seconds, 3), "again": self.again}


class Running:
    """A test in its own process. Its output goes to a file, its verdict through a pipe."""

    def __init__(self, test, limit):
        self.test = test
        self.limit = limit
        self.began = time.monotonic()
        self.directory = tempfile.mkdtemp(prefix="sv")
        os.chmod(self.directory, 0o755)
        self.output = tempfile.TemporaryFile()
        self.verdict, writer = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            self.perform(writer)
        os.close(writer)

    def perform(self, writer):
        try:
            import harness

            os.setpgid(0, 0)
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):
                signal.signal(number, signal.SIG_DFL)  # nohup and `&` have them ignored, and children inherit that
            tempfile.tempdir = self.directory
            for fd in (1, 2):
                os.dup2(self.output.fileno(), fd)
            harness.adopt_orphans()
            answer = run_here(self.test.case)
        except BaseException:  # whatever it is, it is this test's failure
            answer = "failed", traceback.format_exc(), ""
        sys.stdout.flush()
        with os.fdopen(writer, "w") as pipe:
            json.dump(answer, pipe)
        os._exit(0)

    def is_late(self):
        return time.monotonic() - self.began > self.limit

    def finish(self):
        """After its end, or to end it."""
        late = self.is_late()
        if late:
            os.kill(self.pid, signal.SIGKILL)
        with os.fdopen(self.verdict) as pipe:
            text = pipe.read()  # before waiting for its end: a long verdict does not fit into the pipe
        os.waitpid(self.pid, 0)
        if text:
            outcome, reason, evidence = json.loads(text)
        else:
            outcome, reason = "failed", "took longer than %g s" % self.limit if late else "died"
            evidence = telling_files(self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.output.seek(0)
        printed = self.output.read().decode(errors="replace")
        self.output.close()
        return Result(self.test, outcome, reason, evidence + "\n" + printed, time.monotonic() - self.began)


def kill_orphans(running):
    """A test process keeps its orphans; those that come to us belong to one that is gone."""
    import harness

    ours = {one.pid for one in running}
    for pid in harness.children_of(os.getpid()):
        if pid not in ours:
            for victim in harness.descendants_of(pid) + [pid]:
                try:
                    os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            os.waitpid(pid, 0)


def run_all(tests, options, jobs):
    """Runs them and tells of each that fails, or of all: a list of results."""
    results = []
    waiting = sorted(tests, key=lambda test: (test.alone, -(test.time_limit or 0), not test.differs))
    running = []
    while waiting or running:
        while waiting and len(running) < jobs and not (running and (waiting[0].alone or running[0].test.alone)):
            test = waiting.pop(0)
            factor = float(os.environ["SUPERVISOR_TEST_PATIENCE"])
            running.append(Running(test, test.time_limit * factor if test.time_limit else options.limit))
        ready, _, _ = select.select([one.verdict for one in running], [], [], 1)
        for one in [one for one in running if one.verdict in ready or one.is_late()]:
            running.remove(one)
            result = one.finish()
            kill_orphans(running)
            results.append(result)
            if result.outcome == "failed":
                print("FAILED %s\n%s\n%s\n" % (one.test.name, result.reason, result.evidence), flush=True)
            elif options.verbose:
                print("%-7s %6.2f s  %s  %s" % (result.outcome, result.seconds, one.test.name, result.reason),
                      flush=True)
    return results


def run_again(results, options):
    """Gives those that have failed their second run, with nothing beside them; unless they were to fail."""
    final = []
    for result in results:
        if result.outcome == "failed" and not result.test.differs:
            print("once more: %s" % result.test.name, flush=True)
            first = result.summary()
            result, = run_all([result.test], options, 1)
            result.again = True
            if result.outcome != "failed":
                print("%s at the second time; before:\n%s" % (result.outcome, first), flush=True)
        final.append(result)
    return final


def report(results):
    """The end of what is printed: each failure with its reason, and the numbers."""
    counts = {outcome: sum(result.outcome == outcome for result in results)
              for outcome in ("passed", "failed", "skipped")}
    for result in results:
        if result.outcome == "failed":
            print("failed: %s\n%s" % (result.test.name, result.summary()))
        elif result.again:
            print("needed a second time: %s" % result.test.name)
    print("%d passed, %d failed%s" % (counts["passed"], counts["failed"],
                                      ", %d skipped" % counts["skipped"] if counts["skipped"] else ""))
    return 1 if counts["failed"] or not results else 0


def main():
    options = parse_arguments()
    set_environment(options)
    tests = [test for test in load_tests(options.places) if wanted(test, options.pattern)]
    if options.list:
        print("\n".join("%s%s" % (test.name,
                                  "  (differs: %s)" % test.differs if test.differs else "") for test in tests))
        return 0
    import harness

    if options.again and not harness.is_original():
        sys.exit("run.py: --again is for the original alone; a test of ours that fails once has failed")
    harness.adopt_orphans()
    left_out = [test for test in tests if test.differs and harness.is_original()
                and (test.not_run or not options.differences)]
    results = run_all([test for test in tests if test not in left_out], options, options.jobs)
    if options.again:
        results = run_again(results, options)
    results += [Result(test, "skipped", test.not_run or test.differs) for test in left_out]
    if options.results:
        with open(options.results, "w") as file:
            json.dump([result.as_dictionary() for result in results], file, indent=1)
    return report(results)


if __name__ == "__main__":
    sys.exit(main())
