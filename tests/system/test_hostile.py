"""Clients that mean harm, or are only clumsy: the right answer for them, and everybody else is served meanwhile."""

import base64
import http.client
import os
import socket
import time
import xmlrpc.client

from harness import TestCase, actor, alone, free_port, program, read, time_limit, wait_for

GET_STATE = xmlrpc.client.dumps((), "supervisor.getState").encode()
BOMB = (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
        + b"".join(b'<!ENTITY %c "%s">' % (name, b"&%c;" % (name - 1) * 10) for name in range(ord("b"), ord("k")))
        + b"]><methodCall><methodName>&j;</methodName></methodCall>")
ENTITY = (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
          b"<methodCall><methodName>supervisor.getProcessInfo</methodName><params><param><value><string>&f;</string>"
          b"</value></param></params></methodCall>")


class Hostile(TestCase):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(program("a", actor("hang")))

    def tearDown(self):
        self.assertEqual("RUNNING", self.it.new_rpc().supervisor.getState()["statename"])
        super().tearDown()

    def post(self, body, headers=None, timeout=20):
        connection = self.it.http(timeout)
        connection.request("POST", "/RPC2", body, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, text

    def fault(self, body):
        status, text = self.post(body)
        self.assertEqual(200, status, text)
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            xmlrpc.client.loads(text)
        return caught.exception

    def call(self, name, *values):
        """A call with raw XML values."""
        return ("<?xml version='1.0'?><methodCall><methodName>%s</methodName><params>%s</params></methodCall>" %
                (name, "".join("<param><value>%s</value></param>" % value for value in values))).encode()


class Bodies(Hostile):
    def test_not_xml_rpc_is_400(self):
        for body in (b"", b"\0" * 1000, b"\xff\xfe", b"<methodCall/>", b"<methodResponse/>",
                     b"<methodCall><methodName>",
                     b"<methodCall></methodCall><methodCall></methodCall>", b"]]>",
                     b"<methodCall><params/></methodCall>"):
            with self.subTest(body[:20]):
                self.assertEqual(400, self.post(body)[0])

    def test_entities_are_not_expanded(self):
        began = time.monotonic()
        for body in (BOMB, ENTITY):
            status, text = self.post(body)
            self.assertNotIn(b"root:", text)
            self.assertIn(status, (200, 400))
        self.assertLess(time.monotonic() - began, 5)

    def test_deep_nesting_is_refused(self):
        depth = 20000
        body = self.call("supervisor.getProcessInfo",
                         "<array><data><value>" * depth + "</value></data></array>" * depth)
        self.assertIn(self.post(body)[0], (200, 400))

    def test_huge_body_is_413(self):
        connection = self.it.http()
        connection.putrequest("POST", "/RPC2")
        connection.putheader("Content-Length", str(1 << 40))
        connection.endheaders()
        self.assertEqual(413, connection.getresponse().status)

    def test_long_text_is_taken(self):
        self.assertEqual(10, self.fault(self.call("supervisor.getProcessInfo",
                                                  "<string>%s</string>" % ("x" * 200000))).faultCode)

    def test_wrong_types_are_a_fault(self):
        wrong = ["<int>5</int>", "<boolean>1</boolean>", "<double>1.5</double>", "<array><data/></array>", "<struct/>",
                 "<nil/>", "<base64>AAAA</base64>", "<dateTime.iso8601>20200101T00:00:00</dateTime.iso8601>"]
        for value in wrong:
            with self.subTest(value):
                status, text = self.post(self.call("supervisor.getProcessInfo", value))
                self.assertIn(status, (200, 400))
                if status == 200:
                    self.assertIn(b"<fault>", text)

    def test_number_where_a_struct_is_wanted(self):
        self.assertEqual(2, self.fault(self.call("system.multicall", "<int>5</int>")).faultCode)
        self.assertEqual(2, self.fault(self.call("supervisor.readLog", "<array><data/></array>",
                                                 "<int>0</int>")).faultCode)

    def test_bad_numbers(self):
        for value in ("<int>x</int>", "<int/>", "<int>99999999999999999999999999</int>", "<i4>1e5</i4>",
                      "<boolean>2</boolean>"):
            with self.subTest(value):
                self.assertIn(self.post(self.call("supervisor.readLog", value, "<int>0</int>"))[0], (200, 400))

    def test_numeric_strings_are_integers(self):
        status, text = self.post(self.call("supervisor.readLog", "<string>0</string>", "<string>5</string>"))
        self.assertEqual(200, status)
        self.assertEqual(5, len(xmlrpc.client.loads(text)[0][0]))

    def test_dotted_names_lead_nowhere(self):
        for name in ("supervisor.supervisord.options.warnings.linecache.os.system", "supervisor..getState", ".",
                     "supervisor.", "..", "supervisor.getState.", "system.multicall.x", "SUPERVISOR.getState"):
            with self.subTest(name):
                self.assertEqual(1, self.fault(self.call(name, "<string>id</string>")).faultCode)

    def test_control_characters_in_a_name(self):
        status, text = self.post(self.call("supervisor.getProcessInfo", "<string>&lt;x&gt;&amp;]]&gt;</string>"))
        self.assertEqual(200, status)
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            xmlrpc.client.loads(text)
        self.assertEqual("BAD_NAME: <x>&]]>", caught.exception.faultString)

    def test_large_multicall(self):
        calls = [{"methodName": "supervisor.getProcessInfo", "params": ["a"]}] * 1000
        self.assertEqual(1000, len(self.it.rpc.system.multicall(calls)))

    def test_stdin_of_a_child_that_does_not_read_is_kept_within_bounds(self):
        text = "x" * 100000
        for _ in range(5):
            self.assertIs(True, self.it.supervisor.sendProcessStdin("a", text))
        self.assertEqual("RUNNING", self.it.state("a"))


class Lines(Hostile):
    def test_nonsense_ends_the_connection(self):
        begin = time.monotonic()
        self.assertRegex(self.it.raw(b"nonsense\r\n\r\n", timeout=20), b"^(HTTP/1.[01] 400 |$)")
        self.assertLess(time.monotonic() - begin, 10)

    def test_long_header_is_refused(self):
        answer = self.it.raw(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 1000000 + b"\r\n\r\n", timeout=5)
        self.assertNotIn(b" 200 ", answer)

    def test_other_methods_are_refused(self):
        for method in ("PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"):
            connection = self.it.http(5)
            connection.request(method, "/RPC2", b"")
            self.assertIn(connection.getresponse().status, (400, 404, 405, 501), method)

    def test_paths_do_not_leave_the_tree(self):
        for path in ("/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/logtail/../../etc/passwd", "/logtail/%00",
                     "//etc/passwd"):
            connection = self.it.http(5)
            connection.putrequest("GET", path)
            connection.endheaders()
            answer = connection.getresponse()
            self.assertIn(answer.status, (400, 403, 404), path)
            self.assertNotIn(b"root:", answer.read())

    def test_two_lengths_are_refused(self):
        """What stands behind the body in one reading must not become a request of its own in the other."""
        length = b"Content-Length: %d\r\n" % len(GET_STATE)
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(GET_STATE), GET_STATE)
        for lengths, body in ((b"Content-Length: 0\r\n" + length, GET_STATE), (length + length, GET_STATE),
                              (length + b"Transfer-Encoding: chunked\r\n", chunks)):
            answer = self.it.raw(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\n" + lengths + b"\r\n" + body + b"GET / HTTP/1.1\r\n"
                                 b"Host: x\r\n\r\n")
            self.assertRegex(answer, b"^HTTP/1.1 400 ")
            self.assertEqual(1, answer.count(b"HTTP/1.1 "))

    def test_requests_that_end_early(self):
        head = b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(GET_STATE)
        whole = head + GET_STATE
        for cut in range(0, len(whole), 7):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(self.it.socket)
                sock.sendall(whole[:cut])
        self.assertEqual("RUNNING", self.it.supervisor.getState()["statename"])

    def test_answers_that_nobody_reads(self):
        for _ in range(50):
            with socket.socket(socket.AF_UNIX) as sock:
                sock.connect(self.it.socket)
                sock.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(GET_STATE),
                                                                                                  GET_STATE))


class Passwords(TestCase):
    def status(self, daemon, method, path, credentials):
        connection = daemon.http()
        connection.request(method, path, GET_STATE if method == "POST" else None,
                           {"Authorization": credentials} if credentials is not None else {})
        return connection.getresponse().status

    def test_every_path_asks_for_it(self):
        daemon = self.daemon(program("a", actor("hang")), unix={"username": "u", "password": "p:w"})
        encode = lambda text: "Basic " + base64.b64encode(text).decode()
        wrong = [None, "", "Basic", "Basic ", "Basic =", "Basic !", "Basic " + "A" * 20000, "Bearer x", encode(b""),
                 encode(b"u"), encode(b":"), encode(b"u:"), encode(b"u:p"), encode(b"u:p:w\0"), encode(b"u:p:wp:w"),
                 encode(b"\0u:p:w"), encode(b"U:p:w"), encode(b":p:w"), "Digest username=u"]
        for method, path in (("POST", "/RPC2"), ("POST", "/RPC2/x"), ("POST", "//RPC2"), ("GET", "/logtail/a"),
                             ("GET", "/mainlogtail"), ("GET", "/"), ("GET", "/none"), ("HEAD", "/mainlogtail"),
                             ("OPTIONS", "*"), ("TRACE", "/RPC2"), ("GET", "http://x/mainlogtail")):
            for credentials in wrong:
                with self.subTest("%s %s %s" % (method, path, credentials)):
                    self.assertEqual(401, self.status(daemon, method, path, credentials))
        self.assertEqual(200, self.status(daemon, "POST", "/RPC2", encode(b"u:p:w")))


class LogLines(Hostile):
    def test_texts_of_clients_and_names_stay_within_their_line(self):
        directory = self.subdirectory("other")
        daemon = self.daemon(program("a", "/none/\033[2J/x", startretries=0), directory=directory)
        body = self.call("supervisor.\r\n2026-01-01 00:00:00,000 CRIT forged", "<x>\n\x7f</x>")
        connection = daemon.http()
        connection.request("POST", "/RPC2", body)
        connection.getresponse().read()
        daemon.wait_log("spawnerr")
        for line in read(daemon.log).split("\n")[:-1]:
            self.assertRegex(line, r"^\d{4}-\d\d-\d\d [^\x00-\x08\x0a-\x1f\x7f]*$")
            self.assertNotIn("CRIT forged", line[:60])


class Memory(Hostile):
    @time_limit(120)
    @alone
    def test_answers_that_nobody_fetches_are_bounded(self):
        path = self.it.info("a")["stdout_logfile"]
        with open(path, "wb") as file:
            file.truncate(60 << 20)
        body = xmlrpc.client.dumps(("a", 0, 60 << 20), "supervisor.readProcessStdoutLog").encode()
        request = b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        socks = []
        refused = 0
        while not refused and len(socks) < 12:
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(60)
            sock.connect(self.it.socket)
            sock.sendall(request)
            refused = sock.recv(100).startswith(b"HTTP/1.1 503")
            socks.append(sock)
        self.assertTrue(refused)
        self.assertLess(len(socks), 10)
        for sock in socks:
            sock.close()
        wait_for(lambda: self.post(GET_STATE)[0] == 200, what="the others to be served again")


class SlowClients(Hostile):
    def test_silent_and_slow_ones_do_not_hinder_others(self):
        socks = []
        for number in range(100):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(self.it.socket)
            sock.sendall(b"POST /RPC2 HTTP/1.1\r\nContent-Length: 100\r\n\r\n"[:number % 40])
            socks.append(sock)
        began = time.monotonic()
        for _ in range(20):
            self.assertEqual("RUNNING", self.it.supervisor.getState()["statename"])
        self.assertLess(time.monotonic() - began, 5)
        for sock in socks:
            sock.close()

    def test_waiting_call_does_not_hinder_others(self):
        daemon = self.daemon(program("slow", actor("hang"), startsecs=60, autostart="false"),
                             directory=self.subdirectory("other"))
        body = xmlrpc.client.dumps(("slow",), "supervisor.startProcess")
        connection = daemon.http()
        connection.request("POST", "/RPC2", body)
        daemon.wait_state("slow", "STARTING")
        self.assertEqual("RUNNING", daemon.supervisor.getState()["statename"])
        connection.close()  # and the one who waits goes away
        self.assertEqual("STARTING", daemon.state("slow"))

    def test_shutdown_answers_those_who_wait(self):
        daemon = self.daemon(program("slow", actor("hang"), startsecs=60, autostart="false"),
                             directory=self.subdirectory("other"))
        connection = daemon.http()
        connection.request("POST", "/RPC2", xmlrpc.client.dumps(("slow",), "supervisor.startProcess"))
        daemon.wait_state("slow", "STARTING")
        self.assertEqual(0, daemon.stop())


class SlowAddresses(TestCase):
    def test_no_password_beyond_loopback_is_critical(self):
        port = free_port()
        daemon = self.daemon("[inet_http_server]\nport=*:%d\n" % port)
        self.assertIn("CRIT Server 'inet_http_server' running without any HTTP authentication checking",
                      daemon.log_messages())
