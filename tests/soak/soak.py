#!/usr/bin/env python3
"""Random operations of many clients against a model that predicts every state; what `make soak` runs.

    tests/soak/soak.py [--build DIR] [--seconds N] [--seed TEXT] [--clients N] [--verbose]

One daemon with dozens of programs of all kinds (model.py) serves clients (clients.py) that own some of the programs
each. A listener records every change of a state; the chain of states of each process must be the one that the model
predicts. Every while all clients pause, everything is stopped, and the daemon must be back where it was: descriptors,
children, memory. What was written into logs that are never cleared must be there, number by number. SOAK_SECONDS and
SOAK_SEED are the defaults of the options. The same seed makes each client choose the same operations again; in which
order those of different clients meet is up to the machine.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The leaver ends every twenty events. It rests when all rest, for it has descriptors at some times only.
POOLS = ("recorder", "outputs", "leaver")
CHECKS = ("states", "events", "logs", "memory", "descriptors", "children", "idle", "end", "log")


class Gate:
    """Lets clients in one operation at a time, and keeps all of them out while the conductor does something."""

    def __init__(self):
        self.condition = threading.Condition()
        self.inside = 0
        self.is_shut = False
        self.is_over = False

    def enter(self):
        """False when it is all over."""
        with self.condition:
            self.condition.wait_for(lambda: not self.is_shut or self.is_over)
            self.inside += not self.is_over
            return not self.is_over

    def leave(self):
        with self.condition:
            self.inside -= 1
            self.condition.notify_all()

    def shut(self):
        with self.condition:
            self.is_shut = True
            self.condition.wait_for(lambda: self.inside == 0)

    def open(self):
        with self.condition:
            self.is_shut = False
            self.condition.notify_all()

    def break_open(self):
        with self.condition:
            self.is_over = True
            self.condition.notify_all()


class Soak:
    def __init__(self, options, directory):
        self.options = options
        self.directory = directory
        self.random = random.Random(options.seed)
        self.gate = Gate()
        self.events = watch.Events(os.path.join(directory, "events"))
        self.failures = []
        self.rests = []  # (memory, descriptors) at each rest
        self.rounds = 0
        self.over = threading.Event()
        os.mkdir(os.path.join(directory, "conf.d"))
        self.daemon = self.make_daemon()

    def make_daemon(self):
        pools = "".join(
            harness.pool(name, *actions, events=types, buffer_size=100000, autorestart="true", startsecs=0)
            for name, actions, types in (
                ("recorder", ("record=" + self.events.path, "serve"), "PROCESS_STATE,REMOTE_COMMUNICATION"),
                ("outputs", ("serve",), "PROCESS_LOG,TICK_5"),
                ("leaver", ("serve=20", "exit=0"), "EVENT")))
        config = pools + "[include]\nfiles=%s/conf.d/*.conf\n" % self.directory
        return harness.Daemon(self.directory, config, supervisord={"loglevel": "info", "minfds": "4096"}, inet=True)

    def fail(self, check, text):
        self.failures.append((check, text))
        print("FAILED %s: %s" % (check, text), flush=True)

    # Life

    def run(self):
        self.clients = []
        units = [[model.Unit(self.directory, name, "c%d_%s" % (number, name)) for name in model.KINDS]
                 for number in range(self.options.clients)]
        for unit in sum(units, []):
            unit.configure()
        self.followers = [watch.Follower(unit.log_path()) for unit in sum(units, []) if unit.kind.log]
        self.began = time.monotonic()
        self.daemon.start(60)
        self.watcher = threading.Thread(target=self.watch, daemon=True)
        self.watcher.start()
        self.gate.shut()
        self.clients = [clients.Client(number, self.options.seed, self.daemon, self.events, self.gate, owned)
                        for number, owned in enumerate(units)]
        for client in self.clients:
            client.start()
        self.guard("states", self.expect_boot)
        self.guard("states", self.rest)
        self.gate.open()
        self.conduct()
        self.gate.shut()
        self.guard("states", self.rest)
        self.guard("idle", self.look_at_idle)
        self.gate.break_open()
        for client in self.clients:
            client.join(60)
            if client.failure:
                self.fail("states", "%s after %s: %s" % (client.name, ", ".join(client.trail), "".join(
                    traceback.format_exception(client.failure))))
        self.guard("end", self.end)
        self.over.set()
        self.watcher.join()
        self.finish_logs()
        self.judge()

    def guard(self, check, action):
        """Does it unless something has failed, and takes what it raises for the failure of the check."""
        if self.gate.is_over:
            return
        try:
            action()
        except Exception as failure:
            self.fail(check, "%s: %s" % (type(failure).__name__, failure))
            self.gate.break_open()

    def watch(self):
        """Takes events as they come, and logs once a second; says how it goes every ten."""
        ticks = 0
        while not self.over.wait(0.02):
            self.events.poll()
            ticks += 1
            if ticks % 25 == 0:
                for follower in self.followers:
                    follower.read()
            if ticks % 50 == 0 and (self.events.errors or any(one.error for one in self.followers)):
                self.gate.break_open()
            if ticks % 500 == 0:
                self.tell()

    def tell(self):
        operations = sum(client.operations for client in self.clients)
        print("%5.0f s  %d operations, %d state changes, %.1f MB of logs, %d kB, %d descriptors" % (
            time.monotonic() - self.began, operations, self.events.count,
            sum(one.bytes for one in self.followers) / 1e6, self.memory(), self.descriptors()), flush=True)

    def conduct(self):
        """What concerns everybody happens now and then, and while the clients pause; all but one kind of upgrade."""
        turns = [self.restart_everything, self.upgrade_meanwhile, self.rest, self.stop_and_start_all, self.upgrade,
                 self.upgrade_meanwhile, self.rest]
        limit = self.began + self.options.seconds
        while not self.gate.is_over and time.monotonic() < limit:
            with self.gate.condition:
                self.gate.condition.wait_for(lambda: self.gate.is_over, min(limit - time.monotonic(),
                                                                            4 + 8 * self.random.random()))
            turn = turns[self.rounds % len(turns)]
            self.rounds += 1
            if time.monotonic() >= limit:
                break
            if turn != self.upgrade_meanwhile:
                self.gate.shut()
            self.guard("states", turn)
            self.gate.open()

    def processes(self):
        return [(client, process) for client in self.clients for unit in client.units for process in unit.processes]

    def expect_boot(self):
        for client, process in self.processes():
            client.expect_new(process)

    def start_resting(self):
        """As startAllProcesses does: whatever does not run."""
        for client, process in self.processes():
            if not process.is_up():
                client.expect_started(process)

    def stop_everything(self, leave_out_leaver=False):
        was_up = [(client, process) for client, process in self.processes() if process.is_up()]
        if self.random.random() < 0.5:
            self.daemon.supervisor.stopAllProcesses()
        else:
            self.daemon.ctl("stop", "all", timeout=60)
        for name in POOLS[:2] if leave_out_leaver else POOLS:
            self.daemon.supervisor.startProcess(name)
        for client, process in was_up:
            # One that flaps may have been between two runs, where there is nothing to stop but its restart.
            if process.state == "FLAPPING" and self.daemon.state(process.full_name) != "STOPPED":
                harness.wait_for(lambda: client.fault_of("stopProcess", process.namespec) is None, 20)
            client.expect_stopped(process)

    def stop_and_start_all(self):
        self.stop_everything()
        self.daemon.supervisor.startAllProcesses(self.random.random() < 0.5)
        self.start_resting()

    def restart_everything(self):
        """SIGHUP: all is stopped, the configuration is read, all is new."""
        was_up = {process: process.state for _, process in self.processes()}
        self.events.allow_replacement(*["%s:%s" % (name, name) for name in POOLS],
                                      *[process.full_name for process in was_up])
        for client in self.clients:
            client.disconnect()
        self.daemon.rpc("close")()
        count = self.log_count("supervisord started with pid")
        self.daemon.send_signal(signal.SIGHUP)
        harness.wait_for(lambda: self.log_count("supervisord started with pid") > count, 60, "the restart")
        harness.wait_for(self.daemon.answers, 20)
        for client in self.clients:
            for unit in client.units:
                client.expect_restarted_unit(unit, was_up)

    def log_count(self, text):
        return harness.read(self.daemon.log).count(text)

    def upgrade_meanwhile(self):
        """SIGUSR1: the daemon becomes the installed program."""
        count = self.log_count("has taken over, with pid")
        self.daemon.send_signal(signal.SIGUSR1)
        harness.wait_for(lambda: self.log_count("has taken over, with pid") > count, 60, "the upgrade")

    def upgrade(self):
        """The same, and no process notices."""
        before = {process.full_name: self.daemon.info(process.full_name)["pid"]
                  for _, process in self.processes() if process.state == "RUNNING"}
        self.upgrade_meanwhile()
        clients.require(before, {name: self.daemon.info(name)["pid"] for name in before}, "pids after an upgrade")

    def rest(self):
        """Stops all, compares all states with the model's, and notes what the daemon holds on to."""
        self.stop_everything(leave_out_leaver=True)
        for client in self.clients:
            client.disconnect()
        found = {"%s:%s" % (info["group"], info["name"]): info["statename"]
                 for info in self.daemon.supervisor.getAllProcessInfo()}
        expected = {process.full_name: process.state for _, process in self.processes()}
        for name in POOLS:
            found.pop("%s:%s" % (name, name))
        clients.require(expected, found, "all states at rest")
        unclaimed = {name: chain for name, chain in self.events.unclaimed().items() if name.split(":")[0] not in POOLS}
        clients.require({}, unclaimed, "changes of states that nobody expected")
        self.look_at_children()
        if self.rests:
            try:
                harness.wait_for(lambda: self.descriptors() <= self.rests[0][1], 20, "descriptors")
            except AssertionError:
                raise AssertionError("%d descriptors, at the first rest %d: %s" % (
                    self.descriptors(), self.rests[0][1], ", ".join(self.descriptor_targets()))) from None
        self.rests.append((self.memory(), self.descriptors()))

    def look_at_children(self):
        """At rest there are the listeners and nobody else, and no zombie."""
        def others():
            return [pid for pid in harness.children_of(self.daemon.pid)
                    if not harness.command_line(pid).startswith(harness.LISTENER)]
        harness.wait_for(lambda: not others(), 20, "the children to be gone: %s" % [
            (pid, harness.process_state(pid), harness.command_line(pid)) for pid in others()])

    def look_at_idle(self):
        """With nothing to do but a TICK now and then, the daemon uses no processor time that can be measured."""
        before = self.processor_ticks()
        time.sleep(3)
        used = self.processor_ticks() - before
        if used > (10 if harness.is_instrumented() else 2):
            raise AssertionError("%d ticks of processor time in 3 s of rest" % used)

    def end(self):
        clients.require(0, self.daemon.stop(timeout=60), "exit status")
        self.daemon.finish()

    # Figures

    def memory(self):
        """kB in memory."""
        for line in harness.read("/proc/%d/status" % self.daemon.pid).splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        return 0

    def descriptors(self):
        try:
            return len(os.listdir("/proc/%d/fd" % self.daemon.pid))
        except (FileNotFoundError, TypeError):
            return 0

    def descriptor_targets(self):
        path = "/proc/%d/fd" % self.daemon.pid
        return sorted(os.readlink(os.path.join(path, name)) for name in os.listdir(path))

    def processor_ticks(self):
        fields = harness.read("/proc/%d/stat" % self.daemon.pid).rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    # The end

    def finish_logs(self):
        self.events.poll()
        for follower in self.followers:
            follower.read()
            path = follower.path[:-len("log")] + "n"
            with open(path, "rb") as file:
                written = int.from_bytes(file.read(8), sys.byteorder)
            # One that was killed may have written a line and not counted it.
            if follower.error is None and follower.number not in (written, written + 1):
                follower.error = "%s ends with number %d; %d were written" % (follower.path, follower.number, written)

    def judge(self):
        for text in self.events.errors[:10]:
            self.fail("events", text)
        for follower in self.followers:
            if follower.error:
                self.fail("logs", follower.error)
        if not any(one.bytes for one in self.followers):
            self.fail("logs", "nothing was written")
        if len(self.rests) > 2:
            first, last = self.rests[1][0], self.rests[-1][0]
            slack = 65536 if harness.is_instrumented() else 1024 + first // 10
            if last > first + slack:
                self.fail("memory", "%d kB at the second rest, %d kB at the last" % (first, last))
        for line in harness.lines_of(self.daemon.log):
            if " CRIT " in line and "authentication" not in line and "Supervisor" not in line or "overflow" in line:
                self.fail("log", line)
        reports = [name for name in os.listdir(self.directory) if name.startswith("sanitizer.")]
        if reports:
            self.fail("end", harness.read(os.path.join(self.directory, reports[0]))[:20000])

    def report(self):
        seconds = time.monotonic() - self.began
        operations = sum(client.operations for client in self.clients)
        failed = {check for check, _ in self.failures}
        print("%d operations in %.0f s, %.1f/s; %d changes of states; %.1f MB of logs read, %d lines" % (
            operations, seconds, operations / seconds, self.events.count,
            sum(one.bytes for one in self.followers) / 1e6, sum(one.number for one in self.followers)))
        if self.rests:
            print("at rest, first and last: %d and %d kB, %d and %d descriptors; kB at each: %s" % (
                self.rests[0][0], self.rests[-1][0], self.rests[0][1], self.rests[-1][1],
                " ".join(str(memory) for memory, _ in self.rests)))
        print("seed %s" % self.options.seed)
        print("%d passed, %d failed" % (len(CHECKS) - len(failed), len(failed)))
        return 1 if failed else 0


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", default=os.environ.get("BUILD", "build"))
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("SOAK_SECONDS", "600")))
    parser.add_argument("--seed", default=os.environ.get("SOAK_SEED") or "%08x" % random.getrandbits(32))
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    options.build = os.path.abspath(os.path.join(TOP, options.build))
    return options


def find_binaries(build):
    """For harness.py, which learns from its environment what it tests."""
    os.environ.update(SUPERVISORD=os.path.join(build, "src/supervisord/supervisord"),
                      SUPERVISORCTL=os.path.join(build, "src/supervisorctl/supervisorctl"),
                      SUPERVISOR_TEST_PROGRAMS=os.path.join(build, "tests/programs"))
    with open(os.environ["SUPERVISORD"], "rb") as file:
        if b"__asan_init" in file.read():
            os.environ.setdefault("SUPERVISOR_TEST_PATIENCE", "4")


def main(options):
    print("seed %s, %g s, %d clients" % (options.seed, options.seconds, options.clients), flush=True)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    harness.adopt_orphans()
    directory = tempfile.mkdtemp(prefix="soak")
    os.chmod(directory, 0o755)
    soak = Soak(options, directory)
    try:
        soak.run()
        return soak.report()
    finally:
        if soak.daemon.is_running():
            soak.daemon.kill()
        for pid in harness.descendants_of(os.getpid()):
            os.kill(pid, signal.SIGKILL)
        if soak.failures:
            kept = os.path.join(TOP, "test-output", "soak")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(directory, kept, ignore=shutil.ignore_patterns("*.sock"), ignore_dangling_symlinks=True)
            print("the daemon's files are kept in test-output/soak", file=sys.stderr)
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    arguments = parse_arguments()
    find_binaries(arguments.build)
    sys.path.insert(0, os.path.join(TOP, "tests", "system"))
    import clients
    import harness
    import model
    import watch

    sys.exit(main(arguments))
