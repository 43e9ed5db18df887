"""The pages' stream of server-sent events, and pages under attack by names, logs, messages and errors."""

import http.client
import json
import os
import signal
import socket
import time
import urllib.parse

from harness import PATIENCE, TestCase, actor, is_instrumented, program, read, section, time_limit, wait_for, write

EVIL = '<script>alert(1)</script>"><img src=x onerror=alert(2)>\'&\u2028'


class Events:
    """A client of /live that reads as it is asked."""

    def __init__(self, test, daemon):
        self.socket = socket.create_connection(("127.0.0.1", daemon.port), timeout=20 * PATIENCE)
        test.addCleanup(self.socket.close)
        self.socket.sendall(b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
        self.file = self.socket.makefile("rb")
        self.status = self.file.readline().split()[1]
        self.headers = http.client.parse_headers(self.file)
        self.text = b""

    def read_chunk(self):
        size = int(self.file.readline() or b"0", 16)
        self.text += self.file.read(size)
        self.file.readline()
        return size

    def next(self):
        """(event, data) of the next event."""
        while b"\n\n" not in self.text:
            if self.read_chunk() == 0:
                return None, None
        frame, self.text = self.text.split(b"\n\n", 1)
        lines = frame.decode().split("\n")
        if lines == [":"]:
            return self.next()
        assert len(lines) == 2 and lines[0].startswith("event: ") and lines[1].startswith("data: "), lines
        return lines[0][7:], json.loads(lines[1][6:])

    def until(self, wanted):
        """The first event for which `wanted(event, data)` holds."""
        while True:
            event, data = self.next()
            if event is None:
                raise AssertionError("the stream has ended")
            if wanted(event, data):
                return data


class Live(TestCase):
    def serve(self, config, **options):
        self.it = self.daemon(config, inet=True, **options)
        return self.it

    def test_a_client_is_told_all_and_then_what_changes(self):
        daemon = self.serve(program("a", actor("hang")) + program("b", actor("hang"), autostart="false"))
        daemon.wait_state("a", "RUNNING")
        events = Events(self, daemon)
        self.assertEqual(b"200", events.status)
        self.assertEqual("text/event-stream", events.headers["Content-Type"])
        self.assertEqual(("snapshot", {"count": 2}), events.next())
        self.assertEqual("RUNNING", events.until(lambda event, data: event == "supervisor")["statename"])
        told = [events.until(lambda event, data: event == "process") for _ in range(2)]
        self.assertEqual([("a", "a", "RUNNING"), ("b", "b", "STOPPED")],
                         [(one["group"], one["name"], one["statename"]) for one in told])
        daemon.supervisor.startProcess("b")
        told = events.until(lambda event, data: event == "process" and data["statename"] == "RUNNING")
        self.assertEqual(("b", "b", daemon.info("b")["pid"], 20),
                         (told["group"], told["name"], told["pid"], told["state"]))
        self.assertTrue(told["description"].startswith("pid %d, uptime" % told["pid"]))

    def test_cpu_and_memory(self):
        daemon = self.serve(program("busy", "/bin/sh -c 'while :; do :; done'") + program("idle", actor("hang")))
        for name in ("busy", "idle"):
            daemon.wait_state(name, "RUNNING")
        events = Events(self, daemon)
        first = events.until(lambda event, data: event == "usage")
        self.assertEqual({"busy", "idle"}, {one["name"] for one in first["processes"]})
        self.assertTrue(all(one["memory"] > 4096 for one in first["processes"]), first)
        busy = events.until(lambda event, data: event == "usage" and
                            any(one["name"] == "busy" and one["cpu"] > 0 for one in data["processes"]))
        self.assertNotIn("idle", [one["name"] for one in busy["processes"] if one["cpu"] > 5])

    def test_groups_come_and_go(self):
        daemon = self.serve(program("a", actor("hang")))
        events = Events(self, daemon)
        events.next()
        daemon.configure(program("b", actor("hang")))
        daemon.supervisor.reloadConfig()
        daemon.supervisor.addProcessGroup("b")
        events.until(lambda event, data: event == "group")
        events.until(lambda event, data: event == "process" and data["name"] == "b")
        daemon.supervisor.stopProcess("a")
        daemon.supervisor.removeProcessGroup("a")
        events.until(lambda event, data: event == "group")

    def test_shutdown_is_told_and_ends_the_stream(self):
        daemon = self.serve(program("a", actor("ignore=TERM", "print=ready", "hang"), stopwaitsecs=1,
                                    stdout_logfile=self.path("out")))
        wait_for(lambda: read(self.path("out")))
        events = Events(self, daemon)
        events.next()
        daemon.supervisor.shutdown()
        self.assertEqual("SHUTDOWN", events.until(lambda event, data: event == "supervisor" and
                                                  data["statename"] != "RUNNING")["statename"])
        daemon.wait()

    def test_a_client_that_does_not_read_is_told_the_newest_state_and_costs_no_memory(self):
        daemon = self.serve(program("a", actor("exit=0"), autorestart="true") + program("b", actor("hang"), numprocs=50,
                            process_name="b%(process_num)d") + program("last", actor("hang"), autostart="false"))
        slow = Events(self, daemon)
        slow.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        quick = Events(self, daemon)
        for _ in range(20):
            quick.until(lambda event, data: event == "process" and data["name"] == "a")
        daemon.supervisor.startProcess("last")
        quick.until(lambda event, data: event == "process" and data["name"] == "last")
        slow.until(lambda event, data: event == "process" and data["name"] == "last" and data["statename"] == "RUNNING")

    def test_without_clients_the_daemon_rests(self):
        daemon = self.serve(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        events = Events(self, daemon)
        events.until(lambda event, data: event == "usage")
        events.socket.close()
        events.file.close()

        def switches():
            with open("/proc/%d/status" % daemon.pid) as file:
                return [line for line in file if line.startswith("voluntary")]

        def rests():
            before = switches()
            time.sleep(6.5)  # longer than the interval at which usage is looked at
            return before == switches()

        wait_for(rests, 30)

    def test_many_start_at_once_and_are_told_once(self):
        daemon = self.serve(program("m", actor("hang"), numprocs=300, process_name="m%(process_num)d",
                                    autostart="false"))
        events = Events(self, daemon)
        for _ in range(300):
            events.until(lambda event, data: event == "process")
        daemon.supervisor.startProcessGroup("m")
        running, frames = set(), 0
        while len(running) < 300:
            event, data = events.next()
            frames += event == "process"
            if event == "process" and data["statename"] == "RUNNING":
                running.add(data["name"])
        self.assertLessEqual(frames, 2 * 300)  # each goes through two states


class Injection(TestCase):
    """Whatever others may name or write stays text."""

    def setUp(self):
        super().setUp()
        name = "<b>\"x'&amp;"
        self.it = self.daemon(
            program(name, actor("raw=" + "<script>1</script>", "hang"), startsecs=0, stdout_logfile=self.path("out")) +
            program("fatal", "'/nowhere/<i onmouseover=x>'", startretries=0) +
            section("group:<u>g", programs="fatal"),
            inet=True, supervisord={"identifier": "<em>id\"'"})
        self.name = name
        self.it.wait_state("<u>g:fatal", "FATAL")

    def get(self, path, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.it.port, timeout=20)
        self.addCleanup(connection.close)
        connection.request("GET", path, None, headers or {})
        answer = connection.getresponse()
        return answer.headers, answer.read().decode()

    def assertClean(self, page):
        for trace in ("<b>", "<u>", "<i ", "<em>", "<script>", "onerror=alert(2)>\"", "<img"):
            self.assertNotIn(trace, page)

    def test_table(self):
        page = self.get("/")[1]
        self.assertClean(page)
        self.assertIn("&lt;b&gt;&quot;x&#39;&amp;amp;", page)
        self.assertIn("%3Cb%3E%22x%27%26amp%3B", page)
        self.assertIn("/nowhere/&lt;i onmouseover=x&gt;", page)

    def test_message(self):
        page = self.get("/?message=" + urllib.parse.quote(EVIL))[1]
        self.assertClean(page)
        self.assertIn("&lt;img src=x onerror=alert(2)&gt;", page)
        self.assertIn("\ufffd", self.get("/?message=a%01b")[1])
        self.assertIn("a\ufffdb", self.get("/?message=a%ffb")[1])

    def test_tail(self):
        wait_for(lambda: os.path.getsize(self.path("out")))
        page = self.get("/tail.html?processname=" + urllib.parse.quote(self.name))[1]
        self.assertClean(page)
        self.assertIn("&lt;script&gt;1&lt;/script&gt;", page)
        write(self.path("out"), "".join(map(chr, range(1, 32))) + "</pre><img src=x>")
        self.assertClean(self.get("/tail.html?processname=" + urllib.parse.quote(self.name))[1])
        self.assertClean(self.get("/tail.html?processname=" + urllib.parse.quote(EVIL))[1])
        self.assertClean(self.get("/tail.html?processname=a&limit=" + urllib.parse.quote(EVIL))[1])

    def test_redirection_has_one_line_and_no_markup(self):
        headers, _ = self.get("/?action=stop&processname=" + urllib.parse.quote(EVIL + "\r\nX-Evil: 1\r\n\r\n<b>"))
        self.assertNotIn("X-Evil", headers)
        self.assertRegex(headers["Location"], r"^\./\?message=[A-Za-z0-9%._~-]*$")

    def test_events(self):
        events = Events(self, self.it)
        events.until(lambda event, data: event == "process" and data["name"] == self.name)

    def test_errors_are_no_html(self):
        for path in ("/<script>", "/?action=<script>", "/static/<script>"):
            headers, _ = self.get(urllib.parse.quote(path, safe="/?=&"))
            self.assertTrue(headers["Content-Type"].startswith("text/plain"), headers["Content-Type"])


class Load(TestCase):
    @time_limit(120)
    def test_ten_pages_cost_little_memory(self):
        daemon = self.daemon(program("a", actor("hang"), numprocs=30, process_name="a%(process_num)d"), inet=True)
        for number in range(30):
            daemon.wait_state("a:a%d" % number, "RUNNING")

        def private():
            with open("/proc/%d/smaps_rollup" % daemon.pid) as file:
                return sum(int(line.split()[1]) for line in file if line.startswith("Private_"))

        first = Events(self, daemon)
        first.until(lambda event, data: event == "usage")
        before = private()
        for _ in range(10):
            Events(self, daemon).until(lambda event, data: event == "usage")
        if not is_instrumented():
            self.assertLess(private() - before, 1024)

    def test_a_restart_goes_on_without_its_client(self):
        daemon = self.daemon(program("a", actor("exit_on=TERM,0", "hang"), startsecs=1), inet=True)
        before = daemon.wait_state("a", "RUNNING")["pid"]
        os.kill(before, signal.SIGSTOP)
        with socket.create_connection(("127.0.0.1", daemon.port)) as sock:
            sock.sendall(b"GET /?action=restart&processname=a HTTP/1.1\r\nHost: x\r\n\r\n")
            daemon.wait_state("a", "STOPPING")
        os.kill(before, signal.SIGCONT)
        wait_for(lambda: daemon.info("a")["statename"] == "RUNNING" and daemon.info("a")["pid"] != before)

    def test_shutdown_while_an_action_waits(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=ready", "hang"), stopwaitsecs=2,
                                     stdout_logfile=self.path("out")), inet=True)
        wait_for(lambda: read(self.path("out")))
        with socket.create_connection(("127.0.0.1", daemon.port)) as sock:
            sock.sendall(b"GET /?action=restart&processname=a HTTP/1.1\r\nHost: x\r\n\r\n")
            daemon.wait_state("a", "STOPPING")
            daemon.supervisor.shutdown()
            daemon.wait()
