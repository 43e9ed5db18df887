"""Clients that do what comes to mind, one after another, and hold every answer to the model.

Each client owns some units; nobody else touches them while it works, so it knows what must come of each operation.
"""

import http.client
import os
import random
import re
import signal
import socket
import threading
import time
import xmlrpc.client

import harness
from harness import Fault, wait_for
from model import FLAPPING, Unit

LIMIT = 20  # seconds for what an operation brings about


# Held while files of the configuration go and while the daemon reads them: one that is gone between its being found and
# its being read makes the reading fail, and rightly so.
CONFIGURATION = threading.Lock()


class Mismatch(AssertionError):
    pass


def require(expected, found, what):
    if expected != found:
        raise Mismatch("%s: expected %r, found %r" % (what, expected, found))


class Client(threading.Thread):
    def __init__(self, number, seed, daemon, events, gate, units):
        super().__init__(name="client %d" % number, daemon=True)
        self.number = number
        self.random = random.Random("%s/%d" % (seed, number))
        self.daemon_under_test = daemon
        self.events = events
        self.gate = gate
        self.units = units
        self.operations = 0
        self.trail = []  # the last operations, for the report of a failure
        self.failure = None
        self.sent = {}  # by unit: lines sent to a reader
        self.spare = 0
        self.proxies = []
        self.connect()

    # Connections

    def connect(self):
        """One connection over each kind of socket, kept until disconnect()."""
        self.proxies = [self.daemon_under_test.new_rpc(60),
                        xmlrpc.client.ServerProxy("http://127.0.0.1:%d/RPC2" % self.daemon_under_test.port)]

    def disconnect(self):
        for proxy in self.proxies:
            proxy("close")()

    @property
    def supervisor(self):
        return self.random.choice(self.proxies).supervisor

    def fault_of(self, method, *arguments):
        """The code of the fault that a call is answered with, or None."""
        try:
            getattr(self.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            return fault.faultCode
        return None

    def ctl(self, *arguments):
        outcome = self.daemon_under_test.ctl(*arguments, timeout=60)
        return outcome.code, outcome.out + outcome.err

    # The loop

    def run(self):
        choices = [operation for operation, weight in OPERATIONS for _ in range(weight)]
        while self.gate.enter():
            try:
                operation = self.random.choice(choices)
                self.trail = self.trail[-9:] + [operation.__name__]
                operation(self)
                self.operations += 1
            except Exception as failure:  # whatever it was, it ends the run and is reported
                self.failure = failure
                self.gate.break_open()
            finally:
                self.gate.leave()

    def note(self, what):
        self.trail[-1] += " " + what

    def pick(self, *kinds, active=True):
        found = [unit for unit in self.units if unit.is_active == active and (not kinds or unit.kind_name in kinds)]
        unit = self.random.choice(found) if found else None
        self.note(unit.name if unit else "nothing")
        return unit

    def pick_process(self, *kinds):
        unit = self.pick(*kinds)
        return self.random.choice(unit.processes) if unit else None

    # What must come of it

    def expect(self, process, pattern, state):
        """The process passes through the states of the pattern and ends in the state."""
        chain = self.events.claim(process.full_name, pattern, LIMIT * harness.PATIENCE)
        if chain is not None:
            raise Mismatch("%s: the model says %s, the events %r" % (process.full_name, pattern, chain))
        process.state = state
        self.compare(process)

    def compare(self, process):
        allowed = FLAPPING if process.state == "FLAPPING" else (process.state,)
        found = self.supervisor.getProcessInfo(process.full_name)["statename"]
        if found not in allowed:
            raise Mismatch("%s: the model says %s, the daemon %s" % (process.full_name, process.state, found))

    def expect_started(self, process):
        self.expect(process, process.unit.kind.start, process.unit.kind.state)

    def expect_stopped(self, process):
        flapping = process.state == "FLAPPING"
        self.expect(process, "[SRE]*(PT|T)" if flapping else "PT", "STOPPED")

    def expect_restarted_unit(self, unit, was_up):
        """The unit was replaced by a new one; every process of it that ran was stopped before.

        One that flaps may have been between two runs: nothing was stopped then.
        """
        if "FLAPPING" in was_up.values():  # what the old one did looks as what the new one does
            self.events.catch_up(self.supervisor, LIMIT * harness.PATIENCE)
        for process in unit.processes:
            self.expect_new(process, {"RUNNING": "PT", "FLAPPING": "[SRE]*(PT|T)?"}.get(was_up[process], ""))

    def expect_new(self, process, before=""):
        if process.unit.starts_by_itself():
            self.expect(process, "(%s)(%s)" % (before, process.unit.kind.start), process.unit.kind.state)
        else:
            self.expect(process, before, "STOPPED")

    # Operations

    def start_one(self):
        process = self.pick_process()
        if process is None:
            return
        if process.state == "FLAPPING":
            return
        if process.state == "RUNNING":
            require(Fault.ALREADY_STARTED, self.fault_of("startProcess", process.namespec), "start of a running one")
            return
        way = self.random.choice(("wait", "no wait", "ctl"))
        if way == "ctl":
            self.ctl("start", process.namespec)
        else:
            code = self.fault_of("startProcess", process.namespec, way == "wait")
            if process.unit.kind.state != "FATAL" or way != "wait":
                require(None, code, "start of " + process.full_name)
            elif code not in (Fault.ABNORMAL_TERMINATION, Fault.SPAWN_ERROR):
                raise Mismatch("start of %s gave %r" % (process.full_name, code))
        self.expect_started(process)

    def stop_one(self):
        process = self.pick_process()
        if process is None:
            return
        if not process.is_up():
            require(Fault.NOT_RUNNING, self.fault_of("stopProcess", process.namespec), "stop of a resting one")
            return
        family = self.family_of(process)
        if process.state == "FLAPPING":
            wait_for(lambda: self.fault_of("stopProcess", process.namespec) is None, LIMIT, "a flapping one to stop")
        elif self.random.random() < 0.3:
            require((0, process.namespec + ": stopped\n"), self.ctl("stop", process.namespec), "ctl stop")
        else:
            wait = self.random.random() < 0.7
            require(None, self.fault_of("stopProcess", process.namespec, wait), "stop of " + process.full_name)
        self.expect_stopped(process)
        self.expect_gone(family)

    def family_of(self, process):
        """What must not outlive the process: those below it, when it is stopped as a group."""
        if process.unit.kind_name != "tree" or process.state != "RUNNING":
            return []
        pid = self.supervisor.getProcessInfo(process.full_name)["pid"]
        return [pid] + harness.descendants_of(pid)

    def expect_gone(self, family):
        wait_for(lambda: not any(harness.is_alive(pid) for pid in family), LIMIT, "the whole group to be gone")

    def stop_while_starting(self):
        process = self.pick_process("slow")
        if process is None or process.is_up():
            return
        require(None, self.fault_of("startProcess", process.namespec, False), "start")
        require(None, self.fault_of("stopProcess", process.namespec), "stop while STARTING")
        self.expect(process, "SPT", "STOPPED")

    def stop_in_backoff(self):
        process = self.pick_process("failing")
        if process is None:
            return
        require(None, self.fault_of("startProcess", process.namespec, False), "start")
        wait_for(lambda: self.supervisor.getProcessInfo(process.full_name)["statename"] == "BACKOFF", LIMIT)
        require(None, self.fault_of("stopProcess", process.namespec), "stop in BACKOFF")
        self.expect(process, "SBT|SBSPT|SBSBT", "STOPPED")

    def restart(self):
        process = self.pick_process("steady", "flood", "errors", "deaf", "tree", "reader", "cleared", "watched")
        if process is None:
            return
        before = "PT" if process.is_up() else ""
        code, text = self.ctl("restart", process.namespec)
        require(True, text.endswith("%s: started\n" % process.namespec), "restart said %r, status %d" % (text, code))
        self.expect(process, before + process.unit.kind.start, process.unit.kind.state)

    def act_on_group(self):
        unit = self.pick("trio", "fcgi")
        if unit is None:
            return
        was_up = {process: process.is_up() for process in unit.processes}
        stop = self.random.random() < 0.5
        results = getattr(self.supervisor, "stopProcessGroup" if stop else "startProcessGroup")(unit.name)
        changed = sorted(process.name for process in unit.processes if was_up[process] == stop)
        require(changed, sorted(result["name"] for result in results), "members that a group call names")
        for process in unit.processes:
            if was_up[process] == stop:
                (self.expect_stopped if stop else self.expect_started)(process)

    def kill_from_outside(self):
        process = self.pick_process("steady", "flood", "errors", "watched", "cleared", "reader", "deaf", "trio",
                                    "slow", "fcgi")
        if process is None or process.state != "RUNNING":
            return
        pid = self.supervisor.getProcessInfo(process.full_name)["pid"]
        os.kill(pid, self.random.choice((signal.SIGKILL, signal.SIGABRT)))  # a sanitizer would catch SEGV in a child
        self.expect(process, process.unit.kind.crash, process.unit.kind.crash_state)

    def signal_process(self):
        process = self.pick_process("steady", "errors", "deaf", "trio", "fcgi", "flood")
        if process is None:
            return
        require(Fault.BAD_SIGNAL, self.fault_of("signalProcess", process.namespec, "NONSENSE"), "no such signal")
        code = self.fault_of("signalProcess", process.namespec, "KILL")
        if process.state == "RUNNING":
            require(None, code, "signal to a running one")
            self.expect(process, process.unit.kind.crash, process.unit.kind.crash_state)
        else:
            require(Fault.NOT_RUNNING, code, "signal to a resting one")

    def stop_and_continue(self):
        """A process that is held for a moment changes nothing for anybody."""
        process = self.pick_process("steady", "flood", "deaf", "reader")
        if process is None or process.state != "RUNNING":
            return
        pid = self.supervisor.getProcessInfo(process.full_name)["pid"]
        os.kill(pid, signal.SIGSTOP)
        self.compare(process)
        os.kill(pid, signal.SIGCONT)
        self.compare(process)

    def send_input(self):
        process = self.pick_process("reader")
        if process is None:
            return
        sent = self.sent.setdefault(process.unit.name, [])
        line = "line %d %s" % (len(sent), "y" * self.random.randrange(200))
        code = self.fault_of("sendProcessStdin", process.namespec, line + "\n")
        if process.state != "RUNNING":
            require(Fault.NOT_RUNNING, code, "input for a resting one")
            return
        require(None, code, "input")
        sent.append(line)
        path = process.unit.log_path()
        wait_for(lambda: os.path.getsize(path) == sum(len(one) + 1 for one in sent), LIMIT, "%s to be echoed" % line)

    def read_logs(self):
        process = self.pick_process("reader")
        if process is None:
            return
        text = "".join(line + "\n" for line in self.sent.get(process.unit.name, []))
        if not text:
            return
        offset = self.random.randrange(len(text))
        length = self.random.randrange(1, 3000)
        require(text[offset:offset + length],
                self.supervisor.readProcessStdoutLog(process.namespec, offset, length), "readProcessStdoutLog")
        require([text[-length:], len(text), len(text) > length],
                self.supervisor.tailProcessStdoutLog(process.namespec, 0, length), "tailProcessStdoutLog")
        require((0, text[-length:] + "\n"), self.ctl("tail", "-%d" % length, process.namespec), "ctl tail")

    def clear_log(self):
        process = self.pick_process("cleared")
        if process is None:
            return
        require(None, self.fault_of("clearProcessLogs", process.namespec), "clearProcessLogs")
        text = harness.read(process.unit.log_path())
        whole = text[:text.rfind("\n") + 1].splitlines()
        numbers = [int(line.split()[0]) for line in whole]
        gaps = [pair for pair in zip(numbers, numbers[1:]) if pair[1] - pair[0] not in (0, 1)]
        require([], gaps, "gaps in a log after it was cleared")

    def remove_and_add(self):
        unit = self.pick()
        if unit is None:
            return
        up = [process for process in unit.processes if process.is_up()]
        if up and not any(process.state == "FLAPPING" for process in up):
            require(Fault.STILL_RUNNING, self.fault_of("removeProcessGroup", unit.name), "removal of a running one")
            require(Fault.ALREADY_ADDED, self.fault_of("addProcessGroup", unit.name), "addition of an active one")
            return
        if up:
            return
        require(None, self.fault_of("removeProcessGroup", unit.name), "removal")
        unit.is_active = False
        require(Fault.BAD_NAME, self.fault_of("getProcessInfo", unit.processes[0].full_name), "a removed one")
        self.replace(unit)
        require(None, self.fault_of("addProcessGroup", unit.name), "addition")
        unit.is_active = True
        for process in unit.processes:
            self.expect_new(process)

    def replace(self, unit):
        self.events.allow_replacement(*[process.full_name for process in unit.processes])

    def change(self):
        """Changes a unit's configuration, and has the daemon take it over."""
        unit = self.pick()
        if unit is None:
            return
        was_up = {process: process.state for process in unit.processes}
        unit.variation += 1
        unit.configure()
        with CONFIGURATION:
            (added, changed, removed), = self.supervisor.reloadConfig()
        require((False, True, False), (unit.name in added, unit.name in changed, unit.name in removed),
                "what reloadConfig says of a changed one")
        self.replace(unit)
        code, text = self.update(unit)
        require((0, True), (code, "%s: updated process group\n" % unit.name in text), "update said " + text)
        self.expect_restarted_unit(unit, was_up)

    def update(self, unit):
        with CONFIGURATION:
            return self.ctl("update", unit.name)

    def come_and_go(self):
        """A program that is new in the configuration, and later no longer there."""
        extra = [unit for unit in self.units if unit.kind_name == "once" and "extra" in unit.name]
        if not extra:
            self.spare += 1
            unit = Unit(self.units[0].directory, "once", "c%d_extra%d" % (self.number, self.spare))
            unit.configure()
            self.note(unit.name)
            code, text = self.update(unit)
            require((0, "%s: added process group\n" % unit.name), (code, text), "update")
            self.units.append(unit)
            self.expect_started(unit.processes[0])
            return
        unit = extra[0]
        self.note(unit.name)
        self.units.remove(unit)
        with CONFIGURATION:
            unit.unconfigure()
        code, text = self.update(unit)
        require((0, True), (code, text.endswith("%s: removed process group\n" % unit.name)), "update said " + text)
        require(Fault.BAD_NAME, self.fault_of("startProcess", unit.name), "a removed one")

    def look(self):
        for unit in self.units:
            for process in unit.processes:
                self.compare(process)

    def status(self):
        process = self.pick_process()
        if process is None:
            return
        code, text = self.ctl("status", process.namespec)
        allowed = FLAPPING if process.state == "FLAPPING" else (process.state,)
        require(True, text.split()[:1] == [process.namespec] and text.split()[1] in allowed, "status: " + text)
        require(True, code == (0 if "RUNNING" in text or "STARTING" in text else 3), "status %d of %s" % (code, text))

    def wrong_names(self):
        name = self.random.choice(("nobody", "no:body", "", ":", "*", "a:b:c", "c0_steady:x", "\u00e9", "x" * 2000))
        for method in ("startProcess", "stopProcess", "getProcessInfo", "clearProcessLogs", "startProcessGroup",
                       "stopProcessGroup", "addProcessGroup", "removeProcessGroup"):
            require(Fault.BAD_NAME, self.fault_of(method, name), "%s(%r)" % (method, name))

    def multicall(self):
        process = self.pick_process()
        if process is None:
            return
        answers = self.random.choice(self.proxies).system.multicall([
            {"methodName": "supervisor.getProcessInfo", "params": [process.full_name]},
            {"methodName": "supervisor.startProcess", "params": ["nobody"]},
            {"methodName": "supervisor.getState", "params": []},
            {"methodName": "none", "params": []}] * 5)
        require(20, len(answers), "answers of a multicall")
        require(process.name, answers[0]["name"], "multicall")
        require(Fault.BAD_NAME, answers[1]["faultCode"], "multicall")
        require("RUNNING", answers[18]["statename"], "multicall")

    def half_a_request(self):
        body = xmlrpc.client.dumps((), "supervisor.getState").encode()
        request = b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        for _ in range(5):
            if self.random.random() < 0.5:
                sock = socket.create_connection(("127.0.0.1", self.daemon_under_test.port))
            else:
                sock = socket.socket(socket.AF_UNIX)
                sock.connect(self.daemon_under_test.socket)
            with sock:
                sock.sendall(request[:self.random.randrange(len(request))])

    def pages(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.daemon_under_test.port, timeout=60)
        process = self.pick_process("steady", "errors")
        for path in ("/", "/tail.html?processname=" + process.namespec if process else "/", "/none"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            require(404 if path == "/none" else 200, answer.status, path)
        connection.close()

    def follow(self):
        """A stream of a log, left in the midst of it."""
        process = self.pick_process("steady", "flood")
        if process is None:
            return
        connection = self.daemon_under_test.http(60)
        connection.request("GET", "/logtail/%s" % process.namespec)
        answer = connection.getresponse()
        require(200, answer.status, "logtail")
        if process.state == "RUNNING":
            require(True, re.search(rb"\d", answer.read(64)) is not None, "a piece of the log")
        connection.close()

    def reopen_logs(self):
        self.daemon_under_test.send_signal(signal.SIGUSR2)

    def rest_a_moment(self):
        time.sleep(self.random.random() * 0.1)


OPERATIONS = [
    (Client.start_one, 14), (Client.stop_one, 10), (Client.stop_while_starting, 2), (Client.stop_in_backoff, 1),
    (Client.restart, 4), (Client.act_on_group, 4), (Client.kill_from_outside, 6), (Client.signal_process, 4),
    (Client.stop_and_continue, 2), (Client.send_input, 6), (Client.read_logs, 4), (Client.clear_log, 4),
    (Client.remove_and_add, 4), (Client.change, 3), (Client.come_and_go, 2), (Client.look, 2), (Client.status, 3),
    (Client.wrong_names, 2), (Client.multicall, 3), (Client.half_a_request, 3), (Client.pages, 1), (Client.follow, 2),
    (Client.reopen_logs, 1), (Client.rest_a_moment, 6),
]
