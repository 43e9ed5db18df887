"""Bad luck of every kind, and what has no part in it goes on: a program that writes, a client that asks."""

import itertools
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import threading
import time
import xmlrpc.client

from harness import (PROGRAMS, SUPERVISORCTL, Fault, TestCase, actor, alone, descendants_of, events_of, is_alive, needs_root,
                     not_wrapped, pool, process_state, program, read, section, time_limit, wait_for)

BYSTANDER = program("bystander", actor("ticker=0.01"), stdout_logfile_maxbytes=0)


class UnluckyTestCase(TestCase):
    """Each daemon runs `bystander`, whose log must be whole at the end, and answers while the test does its worst."""

    def daemon(self, config="", **options):
        daemon = super().daemon(BYSTANDER + config, **options)
        daemon.log_of_bystander = daemon.wait_state("bystander", "RUNNING")["stdout_logfile"]
        daemon.pid_of_bystander = daemon.info("bystander")["pid"]
        return daemon

    def check_bystander(self, daemon):
        """It has gone on, lost nothing and is still the same."""
        self.assertEqual(daemon.pid_of_bystander, daemon.info("bystander")["pid"])
        count = len(read(daemon.log_of_bystander))
        wait_for(lambda: len(read(daemon.log_of_bystander)) > count, what="the bystander to go on")
        daemon.supervisor.stopProcess("bystander")
        lines = read(daemon.log_of_bystander).splitlines()
        self.assertEqual([str(number) for number in range(1, len(lines))] + ["end"], lines)

    def assertAnswers(self, daemon, within=2.0):
        began = time.monotonic()
        self.assertEqual("RUNNING", daemon.new_rpc().supervisor.getState()["statename"])
        self.assertLess(time.monotonic() - began, within * float(os.environ.get("SUPERVISOR_TEST_PATIENCE", "1")))


# --- the machine -----------------------------------------------------------------------------------------------------


class Luck:
    """What tests/programs/unlucky.c makes of the machine, from now on."""

    def __init__(self, path):
        self.path = path
        self.have()

    def have(self, offset=0, fd_errno=0, clone_errno=0, kill_errno=0):
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("<qqqq", offset, fd_errno, clone_errno, kill_errno))


@not_wrapped("what is preloaded would be preloaded into the wrapper")
class Machine(UnluckyTestCase):
    def setUp(self):
        super().setUp()
        self.luck = Luck(self.path("luck"))
        # a sanitizer wants to be first, and has nothing to say about what is preloaded
        os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"

    def daemon(self, config="", **options):
        variables = {"LD_PRELOAD": os.path.join(PROGRAMS, "unlucky.so"), "UNLUCKY_FILE": self.path("luck")}
        return super().daemon(config, environment=variables, **options)

    def cleared(self):
        """For the daemon alone: a child of another user could not read the file."""
        return "LD_PRELOAD=\"\""

    def test_no_descriptors_in_the_whole_system(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false", startretries=0,
                                     environment=self.cleared()))
        for error in (23, 24):  # ENFILE, EMFILE
            self.luck.have(fd_errno=error)
            self.assertFault(Fault.SPAWN_ERROR, "SPAWN_ERROR: a", daemon.supervisor.startProcess, "a")
            self.assertEqual("FATAL", daemon.state("a"))
            late = daemon.http()
            late.request("GET", "/mainlogtail", headers={"Host": "x"})  # waits until it can be accepted
            daemon.wait_log("cannot accept a connection")
            self.assertEqual("RUNNING", daemon.state("bystander"))
            self.luck.have()
            self.assertEqual(200, late.getresponse().status)
            late.close()
            self.assertIs(True, daemon.supervisor.startProcess("a"))
            daemon.supervisor.stopProcess("a")
        self.check_bystander(daemon)

    def test_no_descriptor_for_an_upgrade(self):
        daemon = self.daemon()
        self.luck.have(fd_errno=24)
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            daemon.supervisor.upgrade()
        self.assertIn("Too many open files", caught.exception.faultString)
        self.luck.have(clone_errno=11)
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            daemon.supervisor.upgrade()
        self.assertIn("Resource temporarily unavailable", caught.exception.faultString)
        self.luck.have()
        self.assertIs(True, daemon.supervisor.upgrade())
        self.check_bystander(daemon)

    def test_no_process_or_memory_for_a_child(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false", startretries=0,
                                     environment=self.cleared()) +
                             program("other", actor("hang"), autostart="false", startretries=0, user="nobody",
                                     environment=self.cleared()))
        for error, text in ((11, "Too many processes in process table to spawn '%s'"),
                            (12, "couldn't fork to spawn '%s': ENOMEM")):
            self.luck.have(clone_errno=error)
            for name in ("a", "other"):
                self.assertFault(Fault.SPAWN_ERROR, "SPAWN_ERROR: " + name, daemon.supervisor.startProcess, name)
                self.assertEqual(("FATAL", text % name), (daemon.state(name), daemon.info(name)["spawnerr"]))
            self.assertAnswers(daemon)
        self.luck.have()
        for name in ("a", "other"):
            self.assertIs(True, daemon.supervisor.startProcess(name))
        self.check_bystander(daemon)

    def test_a_restart_that_fails_for_want_of_processes_is_tried_again(self):
        daemon = self.daemon(program("a", actor("hang"), autorestart="true", startretries=50,
                                     environment=self.cleared()))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        self.luck.have(clone_errno=11)
        os.kill(pid, signal.SIGKILL)
        daemon.wait_state("a", "BACKOFF")
        self.luck.have()
        daemon.wait_state("a", "RUNNING")
        self.check_bystander(daemon)

    def test_a_process_that_may_not_be_signalled_stays_when_it_is_to_be_updated(self):
        a = program("a", actor("hang"), environment=self.cleared())
        daemon = self.daemon(a)
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        daemon.configure(BYSTANDER)
        self.luck.have(kill_errno=1)  # EPERM
        outcome = daemon.ctl("update")
        self.luck.have()
        self.assertEqual((1, "a: stopped\na: has problems; not removing\n"), (outcome.code, outcome.out))
        self.assertEqual(("UNKNOWN", pid), (daemon.state("a"), daemon.info("a")["pid"]))
        os.kill(pid, signal.SIGKILL)
        daemon.wait_state("a", "STOPPED")
        self.assertEqual((0, "a: stopped\na: removed process group\n"), daemon.ctl("update")[:2])
        self.check_bystander(daemon)

    def test_the_clock_is_set_while_processes_start_and_stop(self):
        """What lasts so many seconds does, whatever the wall clock says."""
        daemon = self.daemon(program("slow", actor("hang"), startsecs=2, autostart="false", environment=self.cleared()) +
                             program("deaf", actor("ignore=TERM", "print=deaf", "hang"), stopwaitsecs=2,
                                     environment=self.cleared()))
        daemon.wait_stdout("deaf", "deaf")
        for offset in (86400, -86400):
            began = time.monotonic()
            daemon.supervisor.startProcess("slow", False)
            daemon.supervisor.stopProcess("deaf", False)
            self.luck.have(offset=offset)
            self.assertEqual(("STARTING", "STOPPING"), (daemon.state("slow"), daemon.state("deaf")))
            daemon.wait_state("slow", "RUNNING")
            daemon.wait_state("deaf", "STOPPED")
            self.assertGreater(time.monotonic() - began, 1.5)
            self.assertLess(abs(daemon.info("slow")["now"] - time.time() - offset), 10)
            self.assertRegex(daemon.info("bystander")["description"], r"^pid \d+, uptime (1 day, )?\d+:\d\d:\d\d$")
            daemon.supervisor.stopProcess("slow")
            daemon.supervisor.startProcess("deaf")
            wait_for(lambda: daemon.stdout("deaf").count("deaf") == 2 + (offset < 0))
        self.check_bystander(daemon)

    def test_ticks_of_minutes_and_hours(self):
        now = time.time()
        self.luck.have(offset=int(3600 - now % 3600) - 2)  # an hour is full in two seconds
        events = self.path("events")
        daemon = self.daemon(pool("l", "record=" + events, "serve", events="TICK_60,TICK_3600",
                                  environment=self.cleared()))
        found = wait_for(lambda: len(events_of(events)) >= 2 and events_of(events), 15)
        self.assertEqual(["TICK_3600", "TICK_60"], sorted(event.name for event in found))
        for event in found:
            self.assertRegex(event.payload, r"^when:\d+$")
            self.assertEqual(0, int(event.payload.split(":")[1]) % 3600)
        self.check_bystander(daemon)


class Storage(UnluckyTestCase):
    def small_file_system(self):
        path = self.subdirectory("small")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", path], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("cannot mount a tmpfs")
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        return path

    def remount(self, path, how):
        subprocess.run(["mount", "-o", "remount,%s" % how, path], check=True)

    @needs_root
    def test_a_file_system_that_becomes_read_only(self):
        small = self.small_file_system()
        log = os.path.join(small, "a.log")
        daemon = self.daemon(program("a", actor("ticker=0.01"), stdout_logfile=log, startretries=0, autostart="false"))
        self.remount(small, "ro")
        self.assertFault(Fault.SPAWN_ERROR, "SPAWN_ERROR: a", daemon.supervisor.startProcess, "a")
        self.assertIn("cannot open log file %s" % log, daemon.info("a")["spawnerr"])
        self.assertAnswers(daemon)
        self.remount(small, "rw")
        self.assertIs(True, daemon.supervisor.startProcess("a"))
        wait_for(lambda: read(log).count("\n") > 5)
        daemon.supervisor.stopProcess("a")
        self.assertEqual("end", read(log).splitlines()[-1])
        self.check_bystander(daemon)

    @needs_root
    def test_full_and_empty_and_full_again(self):
        small = self.small_file_system()
        log, filler = os.path.join(small, "a.log"), os.path.join(small, "filler")
        daemon = self.daemon(program("a", actor("ticker=0.005"), stdout_logfile=log, stdout_logfile_maxbytes=0))
        for number in (1, 2):
            with open(filler, "wb", buffering=0) as file:
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            wait_for(lambda: read(daemon.log).count("cannot write log file") == number, 60)
            self.assertAnswers(daemon)
            os.unlink(filler)
            wait_for(lambda: read(daemon.log).count("can be written again") == number)
        daemon.supervisor.stopProcess("a")
        numbers = [int(line) for line in read(log).splitlines()[:-1]]
        behind = sum(after <= before for before, after in zip(numbers, numbers[1:]))
        self.assertLessEqual(behind, 2)  # at each outage a line may be cut, and the next one follow on its stump
        self.check_bystander(daemon)

    def test_children_that_flood_both_streams(self):
        daemon = self.daemon("".join(program("flood%d" % number, actor("fork", "errlines=1000000000", "end",
                                                                       "lines=1000000000"),
                                             stdout_logfile_maxbytes="1MB", stderr_logfile_maxbytes="1MB",
                                             stdout_logfile_backups=1, stderr_logfile_backups=1, stopasgroup="true")
                                     for number in range(2)), supervisord={"loglevel": "info"})
        for _ in range(20):
            self.assertAnswers(daemon)
        for number in range(2):
            wait_for(lambda: os.path.exists(daemon.info("flood%d" % number)["stderr_logfile"] + ".1"), 30)
            self.assertIs(True, daemon.supervisor.stopProcess("flood%d" % number))
        self.check_bystander(daemon)


# --- those that stand still ------------------------------------------------------------------------------------------


class Stopped(UnluckyTestCase):
    def test_a_listener(self):
        events = self.path("events")
        daemon = self.daemon(pool("l", "record=" + events, "serve", events="REMOTE_COMMUNICATION", buffer_size=1000))
        pid = daemon.wait_state("l", "RUNNING")["pid"]
        os.kill(pid, signal.SIGSTOP)
        for number in range(500):
            daemon.supervisor.sendRemoteCommEvent("t", str(number))
        self.assertAnswers(daemon)
        os.kill(pid, signal.SIGCONT)
        found = wait_for(lambda: len(events_of(events)) == 500 and events_of(events), 20)
        self.assertEqual([str(number) for number in range(500)], [event.payload.split("\n")[1] for event in found])
        self.check_bystander(daemon)

    def test_a_listener_at_a_shutdown(self):
        daemon = self.daemon(pool("l", "serve", events="PROCESS_STATE", stopwaitsecs=1))
        os.kill(daemon.wait_state("l", "RUNNING")["pid"], signal.SIGSTOP)
        wait_for(lambda: read(daemon.log_of_bystander))
        self.assertEqual(0, daemon.stop())
        self.assertEqual("end", read(daemon.log_of_bystander).splitlines()[-1])

    def test_a_client_that_follows_a_log(self):
        daemon = self.daemon(program("flood", actor("lines=1000000000"), stdout_logfile_maxbytes="1MB",
                                     stdout_logfile_backups=1), supervisord={"loglevel": "info"})
        with subprocess.Popen([SUPERVISORCTL, "-c", daemon.path, "tail", "-f", "flood"],
                              stdout=subprocess.PIPE) as client:
            self.assertTrue(client.stdout.readline())
            client.send_signal(signal.SIGSTOP)
            wait_for(lambda: process_state(client.pid) == "T")
            before = self.memory(daemon)
            for _ in range(20):
                self.assertAnswers(daemon)
            self.assertLess(self.memory(daemon) - before, 16 * 1024)
            client.kill()
        daemon.supervisor.stopProcess("flood")
        self.check_bystander(daemon)

    def memory(self, daemon):
        """KiB."""
        return int(next(line for line in read("/proc/%d/status" % daemon.pid).splitlines()
                        if line.startswith("VmRSS")).split()[1])

    def test_a_child_that_is_asked_to_stop(self):
        daemon = self.daemon(program("still", actor("print=up", "hang"), stopwaitsecs=1))
        daemon.wait_stdout("still", "up")
        pid = daemon.info("still")["pid"]
        os.kill(pid, signal.SIGSTOP)
        self.assertIs(True, daemon.supervisor.stopProcess("still"))
        self.assertFalse(is_alive(pid))
        self.check_bystander(daemon)

    def test_a_child_with_a_tree_that_hears_nothing(self):
        daemon = self.daemon(program("tree", actor("ignore=TERM", "fork", "ignore=TERM", "fork", "ignore=TERM",
                                                   "print=leaf", "hang", "end", "hang", "end", "hang"),
                                     stopasgroup="true", killasgroup="true", stopwaitsecs=1))
        daemon.wait_stdout("tree", "leaf")
        group = daemon.info("tree")["pid"]
        self.assertIs(True, daemon.supervisor.stopProcess("tree"))

        def members():
            return [pid for pid in descendants_of(os.getpid()) if is_alive(pid) and os.getpgid(pid) == group]

        wait_for(lambda: not members(), what="the whole tree to be gone")
        self.check_bystander(daemon)


# --- clients ---------------------------------------------------------------------------------------------------------


class Crowd(UnluckyTestCase):
    REQUEST = (b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: 101\r\n\r\n"
               b"<?xml version='1.0'?><methodCall><methodName>supervisor.getPID</methodName><params/></methodCall>    ")

    def connect(self, daemon):
        connection = socket.socket(socket.AF_UNIX)
        connection.setblocking(False)
        connection.connect(daemon.socket)
        return connection

    def try_send(self, connection, data):
        try:
            connection.send(data)
        except (BrokenPipeError, ConnectionResetError, BlockingIOError):
            pass

    @alone
    @time_limit(120)
    def test_1000_clients_that_send_a_byte_a_second(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        daemon = self.daemon(supervisord={"minfds": 8192}, unix={"max_connections": 1500, "request_timeout": 5},
                             inet=True)
        proxy = xmlrpc.client.ServerProxy("http://127.0.0.1:%d/RPC2" % daemon.port)
        crowd = [self.connect(daemon) for _ in range(1000)]
        for second in range(8):
            due = time.monotonic() + 1
            for connection in crowd:
                self.try_send(connection, self.REQUEST[second:second + 1])
            self.assertAnswers(daemon)
            self.assertEqual(daemon.pid, proxy.supervisor.getPID())
            time.sleep(max(0.0, due - time.monotonic()))  # their pace, and nothing that is waited for
        wait_for(lambda: len(os.listdir("/proc/%d/fd" % daemon.pid)) < 100, 10, "the slow ones to be cut off")
        for connection in crowd:
            connection.close()
        self.check_bystander(daemon)

    def test_requests_cut_anywhere(self):
        daemon = self.daemon(supervisord={"loglevel": "info"})
        for length in range(len(self.REQUEST)):
            with self.connect(daemon) as connection:
                connection.setblocking(True)
                connection.sendall(self.REQUEST[:length])
                if length % 3 == 0:
                    connection.shutdown(socket.SHUT_WR)
        self.assertAnswers(daemon)
        with self.connect(daemon) as connection:
            connection.setblocking(True)
            connection.sendall(self.REQUEST)
            self.assertIn(b"<int>%d</int>" % daemon.pid, connection.recv(4096))
        wait_for(lambda: len(os.listdir("/proc/%d/fd" % daemon.pid)) < 40)
        self.check_bystander(daemon)

    def test_half_open_and_reset_connections(self):
        daemon = self.daemon(inet=True, supervisord={"loglevel": "info"})
        for number in range(200):
            with socket.create_connection(("127.0.0.1", daemon.port)) as connection:
                connection.sendall(self.REQUEST[:number])
                if number % 2:  # a reset, not an end
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        half = []
        for _ in range(50):  # they have said all they will say, and listen for ever
            connection = socket.create_connection(("127.0.0.1", daemon.port))
            connection.sendall(self.REQUEST[:60])
            connection.shutdown(socket.SHUT_WR)
            half.append(connection)
        self.assertAnswers(daemon)
        for connection in half:
            connection.close()
        wait_for(lambda: len(os.listdir("/proc/%d/fd" % daemon.pid)) < 40, 5)
        self.check_bystander(daemon)


class ReloadStorm(UnluckyTestCase):
    @time_limit(120)
    def test_many_clients_reload_add_and_remove(self):
        daemon = self.daemon(supervisord={"loglevel": "info"})
        names = ["g%d" % number for number in range(6)]
        failures = []

        def storm(seed):
            chance = random.Random(seed)
            rpc = daemon.new_rpc()
            for _ in range(60):
                try:
                    chance.choice((lambda: rpc.supervisor.reloadConfig(),
                                   lambda: rpc.supervisor.addProcessGroup(chance.choice(names)),
                                   lambda: rpc.supervisor.stopProcessGroup(chance.choice(names)),
                                   lambda: rpc.supervisor.removeProcessGroup(chance.choice(names))))()
                except xmlrpc.client.Fault as fault:
                    if fault.faultCode not in (Fault.BAD_NAME, Fault.ALREADY_ADDED, Fault.STILL_RUNNING):
                        failures.append(fault)

        for number in range(8):
            daemon.configure(BYSTANDER + "".join(program(name, actor("hang"), priority=number)
                                                 for name in names[:1 + number % 6]))
            threads = [threading.Thread(target=storm, args=(10 * number + which,)) for which in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual([], failures)
        daemon.configure(BYSTANDER)
        self.assertEqual(0, daemon.ctl("update").code)
        self.assertEqual(["bystander"], [info["name"] for info in daemon.supervisor.getAllProcessInfo()])
        self.check_bystander(daemon)


# --- signals ---------------------------------------------------------------------------------------------------------


class Signals(UnluckyTestCase):
    KINDS = (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCHLD)

    @time_limit(180)
    @not_wrapped("too slow below one")
    def test_in_every_order_and_then_the_end(self):
        """While it runs, and right after its start; the last one is TERM, INT or QUIT, twice."""
        last = itertools.cycle((signal.SIGTERM, signal.SIGINT, signal.SIGQUIT))
        for number, order in enumerate(itertools.permutations(self.KINDS)):
            daemon = self.prepare(program("a", actor("hang"), autorestart="true"),
                                  directory=self.subdirectory(str(number)), supervisord={"loglevel": "info"})
            if number % 2:
                daemon.launch()
                daemon.pid = daemon.process.pid
                wait_for(lambda: os.path.exists(daemon.pidfile))
            else:
                daemon.start()
            end = next(last)
            for kind in (*order, end, end):
                daemon.send_signal(kind)
            self.assertEqual(0, daemon.wait(), (order, end))
            daemon.finish()

    @time_limit(180)
    @not_wrapped("too slow below one")
    def test_in_every_order_during_a_shutdown(self):
        """The shutdown goes on, whatever else is asked for, until the last child has ended."""
        ends = itertools.cycle(itertools.product((signal.SIGTERM, signal.SIGINT, signal.SIGQUIT), repeat=2))
        for number, order in enumerate(itertools.permutations(self.KINDS)):
            daemon = self.prepare(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=60),
                                  directory=self.subdirectory(str(number))).start()
            daemon.wait_stdout("a", "up")
            pid = daemon.info("a")["pid"]
            first, second = next(ends)
            daemon.send_signal(first)
            daemon.wait_log("waiting for a to die")
            for kind in (*order, second):
                daemon.send_signal(kind)
            self.assertIn("system.listMethods", daemon.new_rpc().system.listMethods())
            self.assertTrue(is_alive(pid))
            os.kill(pid, signal.SIGKILL)
            self.assertEqual(0, daemon.wait(), (first, order, second))
            self.assertEqual(1, read(daemon.log).count("spawned: 'a'"))
            daemon.finish()

    def test_kill_9_and_a_new_daemon(self):
        daemon = self.daemon(program("dies", actor("hang"), killonparentdeath="true") + program("stays", actor("hang")) +
                             section("fcgi-program:f", command=actor("hang"), socket="unix://" + self.path("f.sock"),
                                     killonparentdeath="true"))
        pids = {name: daemon.wait_state(name, "RUNNING", timeout=20)["pid"]
                for name in ("dies", "stays", "bystander", "f")}
        daemon.kill()
        wait_for(lambda: not is_alive(pids["dies"]) and not is_alive(pids["f"]))
        self.assertTrue(is_alive(pids["stays"]))
        self.assertTrue(os.path.exists(daemon.pidfile) and os.path.lexists(daemon.socket))
        os.kill(pids["stays"], signal.SIGKILL)
        os.kill(pids["bystander"], signal.SIGKILL)
        daemon.connections.clear()
        daemon.start()
        self.assertEqual("%d\n" % daemon.pid, read(daemon.pidfile))
        for name in ("dies", "stays", "bystander", "f"):
            daemon.wait_state(name, "RUNNING", timeout=20)
        self.assertEqual(0, daemon.stop())
