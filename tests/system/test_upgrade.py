"""An upgrade: the daemon becomes the installed program while everything goes on (SIGUSR1, supervisorctl upgrade)."""

import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import xmlrpc.client

from harness import (SUPERVISORD, Fault, TestCase, actor, alone, events_of, is_alive, lines_of, not_wrapped, pool,
                     program, read, section, time_limit, wait_for, write)

TAKEN = "has taken over, with pid"
IDENTITY = ("name", "group", "statename", "pid", "start", "stop", "exitstatus", "stdout_logfile", "stderr_logfile",
            "spawnerr")


class UpgradeTestCase(TestCase):
    def upgrades(self, daemon):
        return read(daemon.log).count(TAKEN)

    def upgrade(self, daemon, times=1):
        for _ in range(times):
            before = self.upgrades(daemon)
            daemon.send_signal(signal.SIGUSR1)
            wait_for(lambda: self.upgrades(daemon) > before, 30, "an upgrade")

    def identities(self, daemon):
        return [{key: info[key] for key in IDENTITY} for info in daemon.supervisor.getAllProcessInfo()]

    def own_program(self):
        """A copy of supervisord that the test may replace."""
        path = self.path("supervisord")
        if not os.path.exists(path):
            shutil.copy(SUPERVISORD, path)
        return path

    def replace(self, path, text):
        """As a package manager does: a new file in the place of the old one."""
        write(path + ".new", text, 0o755)
        os.rename(path + ".new", path)


@not_wrapped("the wrapper would not be executed again")
class Processes(UpgradeTestCase):
    def test_nothing_changes_for_them(self):
        daemon = self.daemon(program("a", actor("hang")) + program("b", actor("hang"), numprocs=3,
                                                                  process_name="%(program_name)s_%(process_num)d") +
                             program("ended", actor("exit=3")) + program("never", actor("hang"), autostart="false") +
                             program("missing", "/no/such/program", autorestart="true", startretries=0))
        daemon.wait_state("ended", "EXITED")
        daemon.wait_state("missing", "FATAL")
        daemon.wait_state("b:b_2", "RUNNING")
        before = self.identities(daemon)
        self.upgrade(daemon)
        self.assertEqual(before, self.identities(daemon))
        self.assertEqual(daemon.pid, daemon.supervisor.getPID())
        self.assertEqual("%d\n" % daemon.pid, read(daemon.pidfile))

    def test_ends_are_heard_of_and_states_go_on(self):
        daemon = self.daemon(program("again", actor("hang"), autorestart="true") + program("once", actor("hang")))
        self.upgrade(daemon)
        pids = {name: daemon.wait_state(name, "RUNNING")["pid"] for name in ("again", "once")}
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        daemon.wait_state("once", "EXITED")
        wait_for(lambda: daemon.info("again")["pid"] not in (0, pids["again"]))
        self.assertIs(True, daemon.supervisor.startProcess("once"))
        self.assertIs(True, daemon.supervisor.stopProcess("again"))

    def test_timers_go_on(self):
        daemon = self.daemon(program("slow", actor("hang"), startsecs=3) +
                             program("deaf", actor("ignore=TERM", "print=deaf", "hang"), stopwaitsecs=3) +
                             program("failing", actor("exit=1"), startsecs=1, startretries=2, autorestart="true"))
        daemon.wait_stdout("deaf", "deaf")
        began = time.monotonic()
        daemon.supervisor.stopProcess("deaf", False)
        self.upgrade(daemon, 3)
        self.assertEqual(("STARTING", "STOPPING"), (daemon.state("slow"), daemon.state("deaf")))
        daemon.wait_state("slow", "RUNNING")
        daemon.wait_state("deaf", "STOPPED")
        self.assertGreater(time.monotonic() - began, 2.5)
        self.assertIn("killing 'deaf'", read(daemon.log))
        daemon.wait_state("failing", "FATAL", timeout=20)
        self.assertEqual(3, read(daemon.log).count("spawned: 'failing'"))

    def test_an_end_in_the_middle_of_an_upgrade(self):
        programs = "".join(program("p%d" % number, actor("sleep=0.0%d" % (number % 10)), autorestart="true")
                           for number in range(40))
        daemon = self.daemon(programs)
        self.upgrade(daemon, 5)
        for name in ("p%d" % number for number in range(40)):
            daemon.supervisor.stopProcess(name)
            self.assertEqual("STOPPED", daemon.state(name))

    def test_environment_of_children_says_nothing_of_it(self):
        daemon = self.daemon(program("env", "/usr/bin/env", autostart="false"))
        self.upgrade(daemon)
        daemon.supervisor.startProcess("env")
        daemon.wait_state("env", "EXITED")
        self.assertIn("SUPERVISOR_PROCESS_NAME=env\n", daemon.stdout("env"))
        self.assertNotIn("HANDOVER", daemon.stdout("env"))

    def test_no_descriptor_is_left_over(self):
        daemon = self.daemon(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")

        def count():
            daemon.connections.clear()
            return len(os.listdir("/proc/%d/fd" % daemon.pid))

        self.upgrade(daemon)
        first = count()
        self.upgrade(daemon, 5)
        wait_for(lambda: count() <= first, what="no more descriptors than %d" % first)

    @alone
    @time_limit(240)
    def test_500_children_through_ten_upgrades(self):
        daemon = self.daemon(program("w", actor("ticker=0.05"), numprocs=500, stopwaitsecs=60,
                                     process_name="%(program_name)s_%(process_num)03d",
                                     stdout_logfile=self.path("%(process_num)d.log"), stdout_logfile_maxbytes=0),
                             supervisord={"loglevel": "info"})
        wait_for(lambda: all(info["statename"] == "RUNNING" for info in daemon.supervisor.getAllProcessInfo()), 60)
        before = self.identities(daemon)
        for _ in range(10):
            self.upgrade(daemon)
            self.assertEqual(before, self.identities(daemon))
        daemon.new_rpc(timeout=100).supervisor.stopAllProcesses()
        for number in range(500):
            lines = lines_of(self.path("%d.log" % number))
            self.assertEqual([str(count) for count in range(1, len(lines))] + ["end"], lines)
            self.assertGreater(len(lines), 10)


@not_wrapped("the wrapper would not be executed again")
class Bytes(UpgradeTestCase):
    def test_what_is_in_the_middle_of_something(self):
        """Capture mode, ANSI sequences and prefixes that begin before an upgrade and end after it."""
        events, fifo = self.path("events"), self.path("fifo")
        os.mkfifo(fifo)
        daemon = self.daemon(
            program("cat", "/bin/cat", fifo, stdout_capture_maxbytes="1MB", stdout_prefix="here:") +
            pool("listener", "record=" + events, "serve", events="PROCESS_COMMUNICATION"),
            supervisord={"strip_ansi": "true"})
        pid = daemon.wait_state("cat", "RUNNING")["pid"]
        written = 0
        with open(fifo, "wb", buffering=0) as pipe:
            for piece in (b"be", b"fore\x1b", b"[1", b";31mred <!--XSUPER", b"VISOR:BEGIN-->mess",
                          b"age<!--XSUPERVISOR:E", b"ND-->after\n"):
                written += pipe.write(piece)
                wait_for(lambda: "wchar: %d\n" % written in read("/proc/%d/io" % pid))
                self.upgrade(daemon)
        self.assertEqual("here: beforered after\n", daemon.wait_stdout("cat", "after\n"))
        event = wait_for(lambda: events_of(events))[0]
        self.assertTrue(event.payload.endswith("\nmessage"), event.payload)

    def test_stdin_that_waits(self):
        daemon = self.daemon(program("echo", actor("echo")))
        pid = daemon.wait_state("echo", "RUNNING")["pid"]
        text = "".join("line %d\n" % number for number in range(60000))
        os.kill(pid, signal.SIGSTOP)
        daemon.supervisor.sendProcessStdin("echo", text)
        self.upgrade(daemon, 2)
        os.kill(pid, signal.SIGCONT)
        daemon.wait_stdout("echo", "line 59999\n")
        self.assertEqual(text, daemon.stdout("echo"))

    def test_rotation_goes_on_where_it_was(self):
        log = self.path("log")
        daemon = self.daemon(program("w", actor("ticker=0.002"), stdout_logfile=log, stdout_logfile_maxbytes=1000,
                                     stdout_logfile_backups=200))
        wait_for(lambda: os.path.exists(log + ".1"))
        self.upgrade(daemon, 3)
        wait_for(lambda: os.path.exists(log + ".9"))
        daemon.supervisor.stopProcess("w")
        paths = [log] + ["%s.%d" % (log, number) for number in range(1, 201)]
        pieces = [read(path) for path in paths if os.path.exists(path)]
        lines = "".join(reversed(pieces)).splitlines()
        self.assertEqual([str(number) for number in range(1, len(lines))] + ["end"], lines)
        self.assertLessEqual(max(map(len, pieces)), 1000)

    def test_log_that_was_moved_away_goes_on_there(self):
        log = self.path("log")
        daemon = self.daemon(program("echo", actor("echo"), stdout_logfile=log))
        daemon.supervisor.sendProcessStdin("echo", "first\n")
        daemon.wait_stdout("echo", "first\n")
        os.rename(log, log + ".moved")
        self.upgrade(daemon)
        daemon.supervisor.sendProcessStdin("echo", "second\n")
        wait_for(lambda: read(log + ".moved") == "first\nsecond\n")
        daemon.send_signal(signal.SIGUSR2)
        wait_for(lambda: os.path.exists(log))
        daemon.supervisor.sendProcessStdin("echo", "third\n")
        wait_for(lambda: read(log) == "third\n")


@not_wrapped("the wrapper would not be executed again")
class Listeners(UpgradeTestCase):
    def test_events_that_wait_and_one_that_is_being_processed(self):
        events, gate = self.path("events"), self.path("gate")
        daemon = self.daemon(pool("l", "record=" + events, "ready", "take", "await=" + gate, "ok", "serve",
                                  events="REMOTE_COMMUNICATION", buffer_size=100))
        daemon.wait_state("l", "RUNNING")
        for number in range(5):
            daemon.supervisor.sendRemoteCommEvent("t", "before %d" % number)
        wait_for(lambda: read(events))
        self.upgrade(daemon, 2)
        for number in range(5):
            daemon.supervisor.sendRemoteCommEvent("t", "after %d" % number)
        write(gate, "")
        found = wait_for(lambda: len(events_of(events)) == 10 and events_of(events))
        self.assertEqual(["before %d" % number for number in range(5)] + ["after %d" % number for number in range(5)],
                         [event.payload.split("\n")[1] for event in found])
        self.assertEqual(list(range(10)), [event.pool_serial for event in found])
        self.assertEqual(list(range(found[0].serial, found[0].serial + 10)), [event.serial for event in found])

    def test_they_hear_nothing_of_it(self):
        events = self.path("events")
        daemon = self.daemon(program("a", actor("hang")) + pool("l", "record=" + events, "serve", events="EVENT"))
        daemon.wait_state("l", "RUNNING")
        wait_for(lambda: len(events_of(events)) >= 3)
        before = len(events_of(events))
        self.upgrade(daemon)
        daemon.supervisor.sendRemoteCommEvent("t", "the end")
        wait_for(lambda: "the end" in read(events))
        names = [event.name for event in events_of(events)[before:] if not event.name.startswith("TICK")]
        self.assertEqual("REMOTE_COMMUNICATION", names[-1])
        self.assertNotIn("PROCESS_GROUP_ADDED", names)
        self.assertNotIn("SUPERVISOR_STATE_CHANGE_RUNNING", names)


@not_wrapped("the wrapper would not be executed again")
class Configuration(UpgradeTestCase):
    def test_edits_wait_for_reread_and_update_as_ever(self):
        daemon = self.daemon(program("a", actor("hang"), stopsignal="INT") + program("gone", actor("hang")))
        before = self.identities(daemon)
        daemon.configure(program("a", actor("hang"), stopsignal="QUIT") + program("new", actor("hang")))
        self.upgrade(daemon)
        self.assertEqual(before, self.identities(daemon))
        self.assertEqual([signal.SIGINT, signal.SIGTERM],
                         [info["stopsignal"] for info in daemon.supervisor.getAllConfigInfo()])
        self.assertEqual([[["new"], ["a"], ["gone"]]], daemon.supervisor.reloadConfig())
        self.upgrade(daemon)
        self.assertEqual(["a", "new"], [info["name"] for info in daemon.supervisor.getAllConfigInfo()])
        self.assertIs(True, daemon.supervisor.addProcessGroup("new"))
        self.upgrade(daemon)
        self.assertEqual([[[], ["a"], ["gone"]]], daemon.supervisor.reloadConfig())
        self.assertIn("gone: stopped", daemon.ctl("update").out)
        self.assertEqual([[[], [], []]], daemon.supervisor.reloadConfig())

    def test_every_option_crosses(self):
        everything = dict(
            process_name="%(program_name)s-%(process_num)d", numprocs=2, priority=7, startretries=5, exitcodes="1,2",
            autorestart="unexpected", stopsignal="USR2", stopwaitsecs=9, stopasgroup="true", killonparentdeath="true",
            user="nobody", redirect_stderr="true", stdout_logfile=self.path("%(process_num)d"),
            stdout_logfile_maxbytes="2MB", stdout_logfile_backups=3, stdout_capture_maxbytes=4,
            stdout_events_enabled="true", stdout_prefix="x", directory="/", umask="027", environment='A="1",B="%%"',
            serverurl="http://elsewhere:1")
        config = (program("a", actor("hang"), **everything) + section("group:g", programs="b", priority=3) +
                  program("b", actor("hang"), stdout_syslog="true", stderr_logfile="NONE") +
                  pool("l", "serve", events="TICK_60,PROCESS_STATE", buffer_size=12) +
                  section("fcgi-program:f", command=actor("hang"), socket="unix://" + self.path("f.sock"),
                          socket_owner="nobody", socket_mode="0710", socket_backlog=7, startsecs=0))
        daemon = self.daemon(config)
        before = daemon.supervisor.getAllConfigInfo()
        self.upgrade(daemon)
        self.assertEqual(before, daemon.supervisor.getAllConfigInfo())
        self.assertEqual([[[], [], []]], daemon.supervisor.reloadConfig())

    def test_restart_after_it_reads_the_file(self):
        daemon = self.daemon(program("old", actor("hang")))
        daemon.configure(program("new", actor("hang")))
        self.upgrade(daemon)
        daemon.send_signal(signal.SIGHUP)

        def has_new():
            try:
                return [info["name"] for info in daemon.new_rpc().supervisor.getAllProcessInfo()] == ["new"]
            except (OSError, xmlrpc.client.Fault):
                return False

        wait_for(has_new)

    def test_daemon_in_the_background_and_relative_paths(self):
        daemon = self.prepare(program("a", actor("hang")), daemonize=True, supervisord={"directory": "/"},
                              binary="./supervisord")
        self.own_program()
        daemon.start()
        self.upgrade(daemon, 2)
        self.assertEqual("RUNNING", daemon.state("a"))
        self.assertEqual(0, daemon.stop())

    def test_shared_socket_stays_what_it_is(self):
        path = self.path("f.sock")
        daemon = self.daemon(section("fcgi-program:f", command=actor("hang"), socket="unix://" + path, startsecs=0,
                                     autorestart="false"))
        daemon.wait_state("f", "RUNNING")
        inode = os.lstat(path).st_ino
        with socket.socket(socket.AF_UNIX) as waiting:
            waiting.connect(path)
            self.upgrade(daemon)
            self.assertEqual(inode, os.lstat(path).st_ino)
            daemon.supervisor.stopProcess("f")
            self.assertFalse(os.path.lexists(path))
        self.assertIs(True, daemon.supervisor.startProcess("f"))
        self.assertTrue(os.path.lexists(path))


@not_wrapped("the wrapper would not be executed again")
class Clients(UpgradeTestCase):
    def test_supervisorctl_upgrade(self):
        daemon = self.daemon(program("a", actor("hang")))
        answer = daemon.ctl("upgrade")
        version = daemon.supervisor.getSupervisorVersion()
        self.assertEqual((0, "Upgraded supervisord: version %s is running\n" % version), (answer.code, answer.out))
        self.assertEqual(1, self.upgrades(daemon))

    def test_supervisorctl_upgrade_takes_no_argument(self):
        daemon = self.daemon()
        self.assertEqual(1, daemon.ctl("upgrade", "now").code)
        self.assertEqual(0, self.upgrades(daemon))

    def test_no_call_is_refused_or_lost(self):
        daemon = self.daemon(program("a", actor("hang")), inet=True)
        stop = threading.Event()
        failures = []
        calls = []

        def ask(make):
            while not stop.is_set():
                try:
                    calls.append(make().supervisor.getProcessInfo("a")["pid"])
                except Exception as problem:  # whatever it is, the client has noticed
                    failures.append(repr(problem))

        url = "http://127.0.0.1:%d/RPC2" % daemon.port
        kept = daemon.new_rpc()
        threads = [threading.Thread(target=ask, args=(make,)) for make in
                   (daemon.new_rpc, lambda: kept, lambda: xmlrpc.client.ServerProxy(url))]
        for thread in threads:
            thread.start()
        self.upgrade(daemon, 10)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual([], failures)
        self.assertEqual({daemon.info("a")["pid"]}, set(calls))
        self.assertGreater(len(calls), 30)

    def test_waits_for_calls_under_way(self):
        daemon = self.daemon(program("slow", actor("hang"), startsecs=2, autostart="false"))
        answers = []
        caller = threading.Thread(target=lambda: answers.append(daemon.new_rpc().supervisor.startProcess("slow")))
        caller.start()
        daemon.wait_state("slow", "STARTING")
        daemon.send_signal(signal.SIGUSR1)
        daemon.wait_log("SIGUSR1")
        self.assertEqual("STARTING", daemon.state("slow"))
        self.assertEqual(0, self.upgrades(daemon))
        self.assertFault(Fault.FAILED, "FAILED: an upgrade is under way", daemon.supervisor.upgrade)
        caller.join()
        self.assertEqual([True], answers)
        wait_for(lambda: self.upgrades(daemon) == 1)
        self.assertEqual("RUNNING", daemon.state("slow"))

    def test_a_client_that_asks_and_goes_away(self):
        daemon = self.daemon(program("slow", actor("hang"), startsecs=1, autostart="false"))
        with socket.socket(socket.AF_UNIX) as waiting:
            waiting.connect(daemon.socket)
            self.send_call(waiting, "supervisor.startProcess", "slow")
            daemon.wait_state("slow", "STARTING")
            with socket.socket(socket.AF_UNIX) as leaving:
                leaving.connect(daemon.socket)
                self.send_call(leaving, "supervisor.upgrade")
                wait_for(lambda: self.is_under_way(daemon))
            wait_for(lambda: self.upgrades(daemon) == 1)

    def send_call(self, connection, method, *parameters):
        body = xmlrpc.client.dumps(parameters, method).encode()
        connection.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    def is_under_way(self, daemon):
        try:
            daemon.new_rpc().supervisor.upgrade()
        except xmlrpc.client.Fault as fault:
            return "under way" in fault.faultString
        return False

    def test_readonly_account_may_not(self):
        daemon = self.daemon(unix={"username": "a", "password": "b", "readonly_username": "c",
                                   "readonly_password": "d"}, inet={"username": "a", "password": "b",
                                                                    "readonly_username": "c",
                                                                    "readonly_password": "d"})
        reader = xmlrpc.client.ServerProxy("http://c:d@127.0.0.1:%d/RPC2" % daemon.port)
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            reader.supervisor.upgrade()
        self.assertEqual(Fault.READ_ONLY, caught.exception.faultCode)

    def test_page_log_stream_and_half_a_request_do_not_hold_it_up(self):
        daemon = self.daemon(program("a", actor("print=up", "hang")))
        daemon.wait_stdout("a", "up")
        connections = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        for connection, text in zip(connections, (b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n",
                                                  b"GET /logtail/a HTTP/1.1\r\nHost: x\r\n\r\n", b"POST /RP")):
            connection.connect(daemon.socket)
            connection.sendall(text)
        for connection in connections[:2]:
            self.assertIn(b"200 OK", connection.recv(4096))
        self.upgrade(daemon)
        for connection in connections:
            connection.settimeout(10)
            try:
                while connection.recv(4096):
                    pass
            except ConnectionResetError:
                pass
            connection.close()


@not_wrapped("the wrapper would not be executed again")
class Failures(UpgradeTestCase):
    """The running daemon finds out before it is too late, and goes on."""

    def check(self, change, text):
        path = self.own_program()
        daemon = self.daemon(program("w", actor("ticker=0.01")), binary=path)
        pid = daemon.wait_state("w", "RUNNING")["pid"]
        change(path)
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            daemon.supervisor.upgrade()
        self.assertEqual(Fault.FAILED, caught.exception.faultCode)
        self.assertIn(text, caught.exception.faultString)
        self.assertIn("cannot upgrade, supervisord goes on as it is: ", read(daemon.log))
        answer = daemon.ctl("upgrade")
        self.assertEqual(1, answer.code)
        self.assertIn(text, answer.out)
        self.assertEqual(pid, daemon.info("w")["pid"])
        self.assertEqual(daemon.pid, daemon.supervisor.getPID())
        shutil.copy(SUPERVISORD, path + ".new")
        os.rename(path + ".new", path)
        self.upgrade(daemon)  # mended, it works
        daemon.supervisor.stopProcess("w")
        lines = daemon.stdout("w").splitlines()
        self.assertEqual([str(number) for number in range(1, len(lines))] + ["end"], lines)

    def test_program_that_is_gone(self):
        self.check(os.unlink, "No such file or directory")

    def test_program_that_may_not_be_executed(self):
        self.check(lambda path: (self.replace(path, "#!/bin/sh\n"), os.chmod(path, 0o644)), "Permission denied")

    def test_file_that_is_no_program(self):
        self.check(lambda path: self.replace(path, "garbage"), "Exec format error")

    def test_program_that_knows_nothing_of_it(self):
        self.check(lambda path: self.replace(path, "#!/bin/sh\nexit 7\n"), "ended with status 7")

    def test_program_that_crashes(self):
        self.check(lambda path: self.replace(path, "#!/bin/sh\nkill -SEGV $$\n"), "signal 11")

    @time_limit(120)
    def test_program_that_hangs(self):
        self.check(lambda path: self.replace(path, "#!/bin/sh\nexec sleep 1000\n"), "did not answer within")

    def test_program_that_says_why_not(self):
        self.check(lambda path: self.replace(path, "#!/bin/bash\necho -n not today >&$SUPERVISOR_HANDOVER_TRIAL_FD\n"),
                   "not today")

    def test_a_state_that_makes_no_sense(self):
        with open(self.path("state"), "w+") as state:
            state.write("[]")
            state.flush()
            os.set_inheritable(state.fileno(), True)
            answer = self.refuse_with_state(state.fileno())
        self.assertEqual(2, answer.returncode)
        self.assertIn("what the program before handed over cannot be read", answer.stderr)

    def refuse_with_state(self, fd):
        return subprocess.run([SUPERVISORD, "-n", "-c", "/dev/null"], env={"SUPERVISOR_HANDOVER_FD": str(fd)},
                              pass_fds=[fd], stderr=subprocess.PIPE, text=True, check=False)


@not_wrapped("the wrapper would not be executed again")
class Signals(UpgradeTestCase):
    def test_ignored_while_stopping(self):
        daemon = self.daemon(program("deaf", actor("ignore=TERM", "print=deaf", "hang"), stopwaitsecs=2))
        daemon.wait_stdout("deaf", "deaf")
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_log("waiting for deaf to die")
        daemon.send_signal(signal.SIGUSR1)
        daemon.wait_log("ignored SIGUSR1 indicating upgrade request")
        self.assertEqual(0, daemon.wait())

    def test_none_is_lost(self):
        """A signal that comes while one program becomes the other ends the daemon all the same."""
        for pause in (0, 0.002, 0.005, 0.01, 0.02, 0.04):
            daemon = self.daemon(program("a", actor("hang")), directory=self.subdirectory(str(pause)))
            pid = daemon.wait_state("a", "RUNNING")["pid"]
            daemon.send_signal(signal.SIGUSR1)
            time.sleep(pause)  # not a wait for something: any moment is a good one
            self.assertEqual(0, daemon.stop())
            self.assertFalse(is_alive(pid))

    def test_many_at_once(self):
        daemon = self.daemon(program("w", actor("ticker=0.01")))
        daemon.wait_state("w", "RUNNING")
        for _ in range(200):
            daemon.send_signal(signal.SIGUSR1)
            daemon.send_signal(signal.SIGUSR2)
        wait_for(lambda: self.upgrades(daemon) >= 1)
        self.upgrade(daemon)
        daemon.supervisor.stopProcess("w")
        lines = daemon.stdout("w").splitlines()
        self.assertEqual([str(number) for number in range(1, len(lines))] + ["end"], lines)

    def test_the_log_says_what_happened(self):
        daemon = self.daemon(binary=self.own_program())
        self.upgrade(daemon)
        messages = "\n".join(daemon.log_messages())
        self.assertRegex(messages, "INFO received SIGUSR1 indicating upgrade request\n(.*\n)*"
                                   "INFO supervisord hands over to %s\n(.*\n)*"
                                   r"INFO supervisord \S+ has taken over, with pid %d" %
                         (re.escape(self.own_program()), daemon.pid))
