"""Things that happen while others are under way: clients that leave, groups that go, signals in the midst of it."""

import http.client
import os
import signal
import socket
import time
import xmlrpc.client

from harness import Fault, TestCase, actor, children_of, is_alive, program, read, time_limit, wait_for

DEAF = actor("ignore=TERM", "print=up", "hang")


def connect(daemon):
    connection = daemon.http()
    connection.connect()
    return connection.sock


class Call:
    """A call that is sent at once and whose answer is fetched when it is wanted."""

    def __init__(self, daemon, method, *parameters, times=1):
        body = xmlrpc.client.dumps(parameters, method).encode()
        self.sock = connect(daemon)
        self.sock.sendall((b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body) + body) * times)

    def answer(self):
        """What it returned, a Fault, or None when the connection was closed without an answer."""
        response = http.client.HTTPResponse(self.sock)
        try:
            response.begin()
            return xmlrpc.client.loads(response.read())[0][0]
        except xmlrpc.client.Fault as fault:
            return fault.faultCode
        except (http.client.HTTPException, ConnectionError):
            return None
        finally:
            self.leave()

    def leave(self):
        self.sock.close()


def inner(method, *parameters):
    return {"methodName": "supervisor." + method, "params": list(parameters)}


class Races(TestCase):
    def tearDown(self):
        for daemon in self.daemons:
            if daemon.is_running():
                self.assertEqual("RUNNING", daemon.new_rpc().supervisor.getState()["statename"])
        super().tearDown()

    def deaf(self, count=1, directory=None):
        """A daemon with programs d0, d1... that do not hear TERM."""
        daemon = self.daemon("".join(program("d%d" % number, DEAF, stopwaitsecs=600) for number in range(count)),
                             directory=directory)
        for number in range(count):
            daemon.wait_stdout("d%d" % number, "up")
        return daemon

    def kill(self, daemon, name):
        self.assertTrue(daemon.supervisor.signalProcess(name, "KILL"))


class ClientsThatLeave(Races):
    def test_while_it_waits_for_a_stop(self):
        daemon = self.deaf()
        call = Call(daemon, "supervisor.stopProcess", "d0")
        daemon.wait_state("d0", "STOPPING")
        call.leave()
        self.kill(daemon, "d0")
        daemon.wait_state("d0", "STOPPED")

    def test_while_a_call_inside_a_multicall_waits(self):
        daemon = self.deaf()
        call = Call(daemon, "system.multicall", [inner("getState"), inner("stopProcess", "d0"),
                                                 inner("startProcess", "d0")])
        daemon.wait_state("d0", "STOPPING")
        call.leave()
        self.assertEqual("RUNNING", daemon.supervisor.getState()["statename"])
        self.kill(daemon, "d0")
        daemon.wait_state("d0", "STOPPED")

    def test_while_a_group_is_started(self):
        daemon = self.daemon(program("s", actor("hang"), numprocs=20, process_name="s%(process_num)d", startsecs=2,
                                     autostart="false"))
        calls = [Call(daemon, "supervisor.startProcessGroup", "s") for _ in range(5)]
        daemon.wait_state("s:s19", "STARTING")
        for call in calls:
            call.leave()
        daemon.wait_state("s:s19", "RUNNING")

    def test_with_more_requests_sent_behind_the_one_that_waits(self):
        daemon = self.deaf()
        call = Call(daemon, "supervisor.stopProcess", "d0", times=50)
        daemon.wait_state("d0", "STOPPING")
        call.leave()
        self.kill(daemon, "d0")
        daemon.wait_state("d0", "STOPPED")

    def test_in_the_moment_in_which_the_process_ends(self):
        daemon = self.deaf(8)
        for number in range(8):
            name = "d%d" % number
            calls = [Call(daemon, "system.multicall", [inner("stopProcess", name), inner("getState")]),
                     Call(daemon, "supervisor.stopProcessGroup", name)]
            pid = daemon.wait_state(name, "STOPPING")["pid"]
            time.sleep(0.002 * number)  # on purpose: each time another moment
            for call in calls if number % 2 else []:
                call.leave()
            self.assertTrue(is_alive(pid))
            daemon.supervisor.signalProcess(name, "KILL")
            for call in calls:
                call.leave()
            daemon.wait_state(name, "STOPPED")

    @time_limit(120)
    def test_many_streams_are_opened_and_dropped(self):
        daemon = self.daemon(program("a", actor("lines=100000", "hang")))
        daemon.wait_state("a", "RUNNING")
        for number in range(200):
            sock = connect(daemon)
            sock.sendall(b"GET /logtail/a HTTP/1.1\r\nHost: x\r\n\r\n")
            if number % 3:
                sock.recv(100)
            sock.close()


class Groups(Races):
    def test_removed_while_an_operation_waits_for_others(self):
        daemon = self.daemon(program("a", DEAF, stopwaitsecs=60) + program("b", actor("hang")))
        daemon.wait_stdout("a", "up")
        daemon.wait_state("b", "RUNNING")
        call = Call(daemon, "supervisor.stopAllProcesses")
        daemon.wait_state("b", "STOPPED")
        for _ in range(3):
            self.assertTrue(daemon.supervisor.removeProcessGroup("b"))
            self.assertTrue(daemon.supervisor.addProcessGroup("b"))
            daemon.wait_state("b", "RUNNING")
            daemon.supervisor.stopProcess("b")
        self.kill(daemon, "a")
        self.assertEqual({("a", Fault.SUCCESS), ("b", Fault.SUCCESS)},
                         {(entry["name"], entry["status"]) for entry in call.answer()})

    def test_removed_while_somebody_waits_for_its_start(self):
        daemon = self.daemon(program("a", actor("hang"), startsecs=60, autostart="false"))
        call = Call(daemon, "supervisor.startProcess", "a")
        daemon.wait_state("a", "STARTING")
        self.assertTrue(daemon.supervisor.stopProcess("a"))
        self.assertTrue(daemon.supervisor.removeProcessGroup("a"))
        self.assertEqual(Fault.ABNORMAL_TERMINATION, call.answer())

    def test_removed_while_its_log_is_followed(self):
        daemon = self.daemon(program("a", actor("print=here", "hang")))
        daemon.wait_stdout("a", "here")
        stream = daemon.http()
        stream.request("GET", "/logtail/a")
        response = stream.getresponse()
        self.assertEqual(b"here\n", response.read(5))
        daemon.supervisor.stopProcess("a")
        self.assertTrue(daemon.supervisor.removeProcessGroup("a"))
        self.assertEqual(b"", response.read())
        stream.close()

    def test_removed_while_a_restart_is_due(self):
        daemon = self.daemon(program("a", actor("exit=0"), autorestart="true"))

        def is_removed():
            try:
                return daemon.supervisor.removeProcessGroup("a")
            except xmlrpc.client.Fault as fault:
                self.assertEqual(Fault.STILL_RUNNING, fault.faultCode)
                return False

        for _ in range(20):
            tries = 0
            while not is_removed():  # without a pause: it is down for a few milliseconds only
                tries += 1
                self.assertLess(tries, 100000)
            self.assertTrue(daemon.supervisor.addProcessGroup("a"))


class TwoClients(Races):
    def test_stop_the_same_process(self):
        daemon = self.deaf()
        first = Call(daemon, "supervisor.stopProcess", "d0")
        daemon.wait_state("d0", "STOPPING")
        second = Call(daemon, "supervisor.stopProcess", "d0")
        third = Call(daemon, "supervisor.stopAllProcesses")
        self.assertEqual(Fault.NOT_RUNNING, second.answer())
        self.assertEqual([], third.answer())
        self.kill(daemon, "d0")
        self.assertIs(True, first.answer())

    def test_one_starts_and_one_stops(self):
        daemon = self.daemon(program("a", actor("hang"), startsecs=60, autostart="false"))
        starter = Call(daemon, "supervisor.startProcess", "a")
        daemon.wait_state("a", "STARTING")
        self.assertIs(True, Call(daemon, "supervisor.stopProcess", "a").answer())
        self.assertEqual(Fault.ABNORMAL_TERMINATION, starter.answer())

    def test_both_wait_for_the_same_start(self):
        daemon = self.daemon(program("a", actor("hang"), startsecs=1, autostart="false"))
        first = Call(daemon, "supervisor.startAllProcesses")
        daemon.wait_state("a", "STARTING")
        self.assertEqual(Fault.ALREADY_STARTED, Call(daemon, "supervisor.startProcess", "a").answer())
        self.assertEqual([Fault.SUCCESS], [entry["status"] for entry in first.answer()])


class GoingDown(Races):
    """Whoever waits when the daemon ends, or starts anew, gets an answer."""

    def go_down(self, daemon, number):
        """Sends the signal, and waits until the daemon has begun to do as it says; a restart finds no program."""
        daemon.configure()
        daemon.send_signal(number)
        wait_for(lambda: self.refuses(daemon))

    def refuses(self, daemon):
        try:
            return not daemon.supervisor.getState()
        except xmlrpc.client.Fault as fault:
            return fault.faultCode == Fault.SHUTDOWN_STATE

    def wait_down(self, daemon, number):
        if number == signal.SIGTERM:
            self.assertEqual(0, daemon.wait())
        else:
            wait_for(lambda: read(daemon.log).count("supervisord started with pid") == 2)
            wait_for(daemon.answers)

    def for_both(self, check):
        for number in (signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                check(number)

    def test_stops_are_answered(self):
        def check(number):
            daemon = self.deaf(12, directory=self.subdirectory(str(number)))
            calls = [Call(daemon, "supervisor.stopProcess", "d%d" % deaf) for deaf in range(12)]
            for deaf in range(12):
                daemon.wait_state("d%d" % deaf, "STOPPING")
            pids = children_of(daemon.pid)
            self.go_down(daemon, number)
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
            self.assertEqual([True] * 12, [call.answer() for call in calls])
            self.wait_down(daemon, number)

        self.for_both(check)

    def test_starts_are_answered(self):
        def check(number):
            daemon = self.daemon(program("a", actor("hang"), startsecs=60, autostart="false") +
                                 program("b", actor("exit=1"), startsecs=60, autostart="false"),
                                 directory=self.subdirectory(str(number)))
            calls = [Call(daemon, "supervisor.startProcess", name) for name in "ab"]
            daemon.wait_state("a", "STARTING")
            daemon.wait_state("b", "BACKOFF")
            daemon.send_signal(number)
            self.assertEqual(Fault.ABNORMAL_TERMINATION, calls[0].answer())
            self.assertIn(calls[1].answer(), (Fault.SPAWN_ERROR, Fault.ABNORMAL_TERMINATION))
            self.wait_down(daemon, number)

        self.for_both(check)

    def test_what_is_left_of_a_multicall_is_refused(self):
        def check(number):
            daemon = self.deaf(directory=self.subdirectory(str(number)))
            call = Call(daemon, "system.multicall", [inner("getPID"), inner("stopProcess", "d0"), inner("getState")])
            pid = daemon.wait_state("d0", "STOPPING")["pid"]
            self.go_down(daemon, number)
            os.kill(pid, signal.SIGKILL)
            answer = call.answer()
            self.assertEqual([daemon.pid, True], answer[:2])
            self.assertEqual(Fault.SHUTDOWN_STATE, answer[2]["faultCode"])
            self.wait_down(daemon, number)

        self.for_both(check)

    def test_streams_end(self):
        def check(number):
            daemon = self.daemon(program("a", actor("print=here", "hang")), directory=self.subdirectory(str(number)))
            daemon.wait_stdout("a", "here")
            streams = [daemon.http() for _ in range(5)]
            responses = []
            for stream, path in zip(streams, ["/logtail/a", "/logtail/a/stderr", "/mainlogtail"] * 2):
                stream.request("GET", path)
                responses.append(stream.getresponse())
            daemon.send_signal(number)
            for response in responses:
                try:
                    response.read()
                except http.client.IncompleteRead:
                    pass
            self.wait_down(daemon, number)

        self.for_both(check)

    def test_a_client_that_never_reads_does_not_hold_it_up(self):
        daemon = self.daemon(program("p", actor("hang"), numprocs=300, process_name="p%(process_num)d",
                                     autostart="false"))
        calls = [Call(daemon, "supervisor.getAllProcessInfo", times=20) for _ in range(5)]
        daemon.supervisor.getState()
        self.assertEqual(0, daemon.stop(timeout=10))
        for call in calls:
            call.leave()

    def test_signals_between_two_lives_are_not_lost(self):
        daemon = self.daemon(program("a", actor("hang")))
        for number in range(60):
            daemon.send_signal((signal.SIGHUP, signal.SIGUSR2, signal.SIGCHLD)[number % 3])
            time.sleep(0.001 * (number % 7))  # on purpose: each time another moment
        wait_for(daemon.answers)
        self.assertEqual(0, daemon.stop())

    def test_a_restart_that_becomes_a_shutdown(self):
        daemon = self.deaf()
        pid = daemon.info("d0")["pid"]
        self.go_down(daemon, signal.SIGHUP)
        daemon.send_signal(signal.SIGTERM)
        daemon.wait_log("received SIGTERM")
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(0, daemon.wait())


class ComingUp(TestCase):
    @time_limit(120)
    def test_sigterm_during_the_boot_of_1000_programs(self):
        daemon = self.prepare(program("w", actor("hang"), numprocs=1000, process_name="w%(process_num)d",
                                      stdout_logfile="NONE", stderr_logfile="NONE"),
                              supervisord={"loglevel": "info", "minfds": 5000})
        daemon.launch()
        daemon.pid = daemon.process.pid
        daemon.wait_log("spawned: 'w100'", timeout=30)
        self.assertEqual(0, daemon.stop(timeout=60))
        self.assertLess(read(daemon.log).count("spawned"), 1000)

    @time_limit(120)
    def test_stopping_all_during_the_boot_of_1000_programs_leaves_out_none(self):
        daemon = self.prepare(program("w", actor("hang"), numprocs=1000, process_name="w%(process_num)d",
                                      stdout_logfile="NONE", stderr_logfile="NONE"),
                              supervisord={"loglevel": "info", "minfds": 5000})
        daemon.launch()
        daemon.pid = daemon.process.pid
        daemon.wait_log("spawned: 'w10'", timeout=30)
        results = daemon.supervisor.stopAllProcesses()
        self.assertEqual((1000, {80}), (len(results), {result["status"] for result in results}))
        self.assertEqual({"STOPPED"}, {info["statename"] for info in daemon.supervisor.getAllProcessInfo()})
        self.assertLess(read(daemon.log).count("spawned"), 1000)
        daemon.supervisor.startProcess("w:w999")
        self.assertEqual(1, sum(info["pid"] != 0 for info in daemon.supervisor.getAllProcessInfo()))

    def test_sigterm_at_any_moment_leaves_nothing_behind(self):
        for number in range(30):
            daemon = self.prepare(program("a", actor("hang")), directory=self.subdirectory(str(number)))
            daemon.launch()
            daemon.pid = daemon.process.pid
            time.sleep(0.001 * number)  # on purpose: each time another moment
            self.assertIn(daemon.stop(), (0, -signal.SIGTERM))
            daemon.finish()
