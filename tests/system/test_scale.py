"""Many programs, many respawns, many calls. SUPERVISOR_TEST_LONG=1 runs the long versions."""

import os
import resource
import socket
import time
import xmlrpc.client

from harness import (PATIENCE, TestCase, actor, alone, children_of, is_instrumented, lines_of, program, time_limit,
                     wait_for)

LONG = bool(os.environ.get("SUPERVISOR_TEST_LONG"))


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def memory(pid):
    """KiB of private memory; 0 when a tool in between makes the figure worthless."""
    if is_instrumented():
        return 0
    for line in lines_of("/proc/%d/smaps_rollup" % pid):
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1])
    return 0


@alone
class Many(TestCase):
    def many(self, count, **options):
        daemon = self.daemon(program("w", "sleep 100000", numprocs=count, process_name="w%(process_num)05d",
                                     stdout_logfile="NONE", stderr_logfile="NONE", autostart="false", **options),
                             supervisord={"loglevel": "info", "minfds": count * 3 + 1000})
        self.assertEqual(count, len(daemon.supervisor.getAllProcessInfo()))
        return daemon

    def count(self, daemon, state):
        return sum(info["statename"] == state for info in daemon.supervisor.getAllProcessInfo())

    def round_trip(self, count):
        resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
        daemon = self.many(count)
        patient = daemon.new_rpc(timeout=120)
        self.assertEqual(count, len(patient.supervisor.startAllProcesses()))
        wait_for(lambda: self.count(daemon, "RUNNING") == count, 60)
        self.assertEqual(count, len(children_of(daemon.pid)))
        self.assertEqual(count, len(patient.supervisor.stopAllProcesses()))
        self.assertEqual(count, self.count(daemon, "STOPPED"))
        self.assertEqual([], children_of(daemon.pid))
        daemon.supervisor.startAllProcesses(False)
        wait_for(lambda: self.count(daemon, "RUNNING") == count, 60)
        self.assertEqual(0, daemon.stop(timeout=60))

    @time_limit(120)
    def test_1000_programs_start_stop_and_start_again(self):
        self.round_trip(1000)

    @time_limit(480)
    def test_5000_programs_start_stop_and_start_again(self):
        needed = 5000 * 3 + 1000
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard < needed:
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (needed, needed))
            except (ValueError, OSError):
                self.skipTest("needs %d descriptors" % needed)
        self.round_trip(5000)


@alone
class Storm(TestCase):
    @time_limit(120)
    def test_50_programs_that_exit_at_once_leave_room_for_calls(self):
        daemon = self.daemon(program("s", actor("exit=0"), numprocs=50, process_name="s%(process_num)02d",
                                     autorestart="true",
                                     stdout_logfile="NONE", stderr_logfile="NONE"),
                             supervisord={"loglevel": "critical"})
        slowest = 0
        limit = time.monotonic() + 3
        while time.monotonic() < limit:
            began = time.monotonic()
            daemon.supervisor.getState()
            slowest = max(slowest, time.monotonic() - began)
        self.assertLess(slowest, 1 * PATIENCE)
        wait_for(lambda: daemon.supervisor.stopAllProcesses() == [], what="all to be stopped")


@alone
class Growth(TestCase):
    """Neither descriptors nor memory grow."""

    RESPAWNS = 100000 if LONG else 2000
    CALLS = 1000000 if LONG else 20000

    @time_limit(3600 if LONG else 120)
    def test_over_respawns(self):
        mark = self.path("runs")
        daemon = self.daemon(program("r", actor("mark=%s," % mark, "print=x", "exit=0"), numprocs=4,
                                     process_name="r%(process_num)d", autorestart="true",
                                     stdout_logfile_maxbytes="10KB"),
                             supervisord={"loglevel": "critical"})

        def runs():
            return os.path.getsize(mark) if os.path.exists(mark) else 0

        wait_for(lambda: runs() > 200, 60)
        before = memory(daemon.pid)
        wait_for(lambda: runs() > 200 + self.RESPAWNS, 3000 if LONG else 100)
        after = memory(daemon.pid)
        daemon.supervisor.stopAllProcesses()
        self.assertLess(after - before, 512)
        self.assertLess(descriptors(daemon.pid), 40)
        self.assertEqual([], children_of(daemon.pid))

    @time_limit(3600 if LONG else 120)
    def test_over_calls(self):
        daemon = self.daemon(program("a", actor("hang")) + program("b", actor("hang"), autostart="false"),
                             supervisord={"loglevel": "warn"})
        daemon.wait_state("a", "RUNNING")
        it = daemon.supervisor

        def refused(call, *arguments):
            with self.assertRaises(xmlrpc.client.Fault):
                call(*arguments)

        def change():
            it.startProcess("b")
            it.stopProcess("b")
            refused(it.startProcess, "a")
            it.reloadConfig()
            it.removeProcessGroup("b")
            it.addProcessGroup("b")
            self.assertIn(b" 400 ", daemon.raw(b"POST /RPC2 HTTP/1.0\r\nContent-Length: 3\r\n\r\n<x>"))

        def talk(times):
            for _ in range(times // 40):
                change()
                several = xmlrpc.client.MultiCall(daemon.rpc)
                for _ in range(4):
                    several.supervisor.getState()
                    several.supervisor.getProcessInfo("a")
                    several.supervisor.getAllProcessInfo()
                    several.supervisor.readProcessStdoutLog("a", 0, 0)
                several()
                for _ in range(16):
                    it.getState()

        talk(1000)
        before, open_before = memory(daemon.pid), descriptors(daemon.pid)
        talk(self.CALLS)
        self.assertLess(memory(daemon.pid) - before, 512)
        self.assertEqual(open_before, descriptors(daemon.pid))

    def test_over_streams(self):
        daemon = self.daemon(program("a", actor("lines=1000", "hang")))
        daemon.wait_state("a", "RUNNING")

        def follow(times):
            for _ in range(times):
                with socket.socket(socket.AF_UNIX) as sock:
                    sock.connect(daemon.socket)
                    sock.sendall(b"GET /logtail/a HTTP/1.1\r\nHost: x\r\n\r\n")
                    sock.recv(100)

        follow(50)
        wait_for(lambda: descriptors(daemon.pid) < 30)
        before, open_before = memory(daemon.pid), descriptors(daemon.pid)
        follow(500)
        wait_for(lambda: descriptors(daemon.pid) <= open_before)
        self.assertLess(memory(daemon.pid) - before, 512)

    def test_over_connections(self):
        daemon = self.daemon()
        daemon.supervisor.getState()
        before = descriptors(daemon.pid)
        for _ in range(500):
            rpc = daemon.new_rpc()
            rpc.supervisor.getState()
            rpc("close")()
        wait_for(lambda: descriptors(daemon.pid) <= before)

    def test_over_reloads(self):
        config = "".join(program("p%d" % number, actor("hang"), autostart="false") for number in range(50))
        daemon = self.daemon(config)
        for _ in range(20):
            daemon.supervisor.reloadConfig()
        before = memory(daemon.pid)
        for _ in range(200):
            daemon.supervisor.reloadConfig()
        self.assertLess(memory(daemon.pid) - before, 512)
