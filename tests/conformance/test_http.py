"""HTTP below XML-RPC: statuses, authentication, log streams."""

import base64
import hashlib
import http.client
import os
import socket
import xmlrpc.client

from harness import TestCase, actor, differs, program, read, wait_for

GET_STATE = xmlrpc.client.dumps((), "supervisor.getState").encode()


def authorization(user, password):
    return {"Authorization": "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()}


class Requests(TestCase):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(program("a", actor("say_on=HUP", "print=hello", "hang")))

    def request(self, method, path, body=None, headers=None):
        connection = self.it.http()
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def test_call(self):
        status, headers, body = self.request("POST", "/RPC2", GET_STATE, {"Content-Type": "text/xml"})
        self.assertEqual((200, "text/xml"), (status, headers["Content-Type"]))
        self.assertEqual(str(len(body)), headers["Content-Length"])
        self.assertEqual((({"statecode": 1, "statename": "RUNNING"},), None), xmlrpc.client.loads(body))

    def test_everything_that_begins_with_RPC2_is_the_endpoint(self):
        for path in ("/RPC2", "/RPC2/", "/RPC2/x", "/RPC2x"):
            self.assertEqual(200, self.request("POST", path, GET_STATE)[0], path)

    def test_content_type_does_not_matter(self):
        self.assertEqual(200, self.request("POST", "/RPC2", GET_STATE, {"Content-Type": "text/plain"})[0])

    def test_fault_is_200(self):
        status, _, body = self.request("POST", "/RPC2", xmlrpc.client.dumps((), "x.y").encode())
        self.assertEqual(200, status)
        self.assertIn(b"<int>1</int>", body)
        self.assertIn(b"UNKNOWN_METHOD", body)

    def test_malformed_xml_is_400(self):
        for body in (b"nonsense", b"<methodCall>", b"<a/>", GET_STATE[:-5]):
            with self.subTest(body):
                self.assertEqual(400, self.request("POST", "/RPC2", body)[0])

    def test_missing_content_length_is_411(self):
        answer = self.it.raw(b"POST /RPC2 HTTP/1.0\r\n\r\n", timeout=3)
        self.assertRegex(answer, b"^HTTP/1.[01] 411 ")

    def test_unknown_page_is_404(self):
        self.assertEqual(404, self.request("GET", "/nothing/here")[0])

    def test_keep_alive(self):
        connection = self.it.http()
        for _ in range(3):
            connection.request("POST", "/RPC2", GET_STATE)
            answer = connection.getresponse()
            self.assertEqual(200, answer.status)
            answer.read()
            self.assertIsNotNone(connection.sock)

    def test_http_1_0_closes(self):
        head = b"POST /RPC2 HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(GET_STATE)
        answer = self.it.raw(head + GET_STATE)
        self.assertRegex(answer, b"^HTTP/1.[01] 200 ")
        self.assertTrue(answer.rstrip().endswith(b"</methodResponse>"))

    def test_request_in_pieces(self):
        head = b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(GET_STATE)
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(10)
            sock.connect(self.it.socket)
            for byte in head + GET_STATE:
                sock.sendall(bytes([byte]))
            self.assertIn(b" 200 ", sock.recv(100))


class Authentication(TestCase):
    def status(self, daemon, headers=None):
        connection = daemon.http()
        connection.request("POST", "/RPC2", GET_STATE, headers or {})
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers.get("WWW-Authenticate")

    def test_clear_password(self):
        daemon = self.daemon(unix={"username": "me", "password": "secret"})
        self.assertEqual(200, self.status(daemon, authorization("me", "secret"))[0])
        for headers in ({}, authorization("me", "wrong"), authorization("you", "secret"), authorization("me", ""),
                        authorization("", ""), authorization("me", "secretx")):
            with self.subTest(headers):
                self.assertEqual((401, 'Basic realm="default"'), self.status(daemon, headers))

    def test_hashed_password(self):
        digest = hashlib.sha1(b"secret").hexdigest()
        daemon = self.daemon(unix={"username": "me", "password": "{SHA}" + digest})
        self.assertEqual(200, self.status(daemon, authorization("me", "secret"))[0])
        self.assertEqual(401, self.status(daemon, authorization("me", "{SHA}" + digest))[0])

    def test_other_schemes_are_refused(self):
        daemon = self.daemon(unix={"username": "me", "password": "secret"})
        self.assertIn(self.status(daemon, {"Authorization": "Bearer x"})[0], (400, 401))

    def test_password_with_colons(self):
        daemon = self.daemon(unix={"username": "me", "password": "a:b:c"})
        self.assertEqual(200, self.status(daemon, authorization("me", "a:b:c"))[0])

    def test_every_page_is_protected(self):
        daemon = self.daemon(program("a", actor("hang")), unix={"username": "me", "password": "secret"})
        for path in ("/", "/RPC2", "/logtail/a", "/mainlogtail"):
            connection = daemon.http()
            connection.request("GET", path)
            self.assertEqual(401, connection.getresponse().status, path)

    def test_no_critical_line_with_a_password(self):
        daemon = self.daemon(unix={"username": "me", "password": "secret"})
        self.assertNotIn("without any HTTP authentication", read(daemon.log))


class LogStreams(TestCase):
    def open(self, daemon, path):
        connection = daemon.http(timeout=10)
        connection.request("GET", path)
        return connection.getresponse()

    def wait_bytes(self, answer, text):
        seen = b""
        while text not in seen:
            piece = answer.read1(65536)
            if not piece:
                raise AssertionError("the stream ended after %r" % seen)
            seen += piece
        return seen

    def test_begins_with_the_end_of_the_log_and_follows(self):
        daemon = self.daemon(program("a", actor("lines=100,64", "say_on=HUP", "print=up", "hang")))
        daemon.wait_stdout("a", "up\n")
        answer = self.open(daemon, "/logtail/a")
        self.assertEqual(200, answer.status)
        self.assertEqual(daemon.stdout("a")[-1024:].encode(), self.wait_bytes(answer, b"up\n"))
        daemon.supervisor.signalProcess("a", "HUP")
        self.assertEqual(b"got HUP\n", self.wait_bytes(answer, b"HUP\n"))
        answer.close()

    def test_streams_by_name(self):
        daemon = self.daemon(program("a", actor("print=out", "error=err", "hang")))
        daemon.wait_stdout("a", "out\n")
        wait_for(lambda: daemon.stderr("a") == "err\n")
        for path, text in (("/logtail/a/stdout", b"out\n"), ("/logtail/a/stderr", b"err\n"),
                           ("/logtail/a:a", b"out\n")):
            with self.subTest(path):
                self.assertEqual(text, self.wait_bytes(self.open(daemon, path), text))

    def test_headers(self):
        daemon = self.daemon(program("a", actor("print=up", "hang")))
        daemon.wait_stdout("a", "up\n")
        answer = self.open(daemon, "/logtail/a")
        self.assertEqual(("text/plain;charset=utf-8", "no", "chunked"),
                         tuple(answer.headers[name] for name in ("Content-Type", "X-Accel-Buffering",
                                                                 "Transfer-Encoding")))

    def test_processes_of_a_group(self):
        daemon = self.daemon(program("a", actor("print=up", "hang")) + "[group:g]\nprograms=a\n")
        daemon.wait_stdout("g:a", "up\n")
        self.wait_bytes(self.open(daemon, "/logtail/g:a"), b"up\n")
        self.wait_bytes(self.open(daemon, "/logtail/g:a/stdout"), b"up\n")
        for path in ("/logtail/a", "/logtail/g", "/logtail/g:b", "/logtail/x:a", "/logtail/g:a/other"):
            self.assertEqual(404, self.open(daemon, path).status, path)

    @differs("Log streams lose nothing when the log is rotated")
    def test_follows_rotation(self):
        log = self.path("a.log")
        daemon = self.daemon(program("a", actor("print=up", "echo"), stdout_logfile=log, stdout_logfile_maxbytes=200,
                                     stdout_logfile_backups=1))
        daemon.wait_stdout("a", "up\n")
        answer = self.open(daemon, "/logtail/a")
        self.wait_bytes(answer, b"up\n")
        for number in range(10):
            line = "%d %s\n" % (number, "x" * 90)
            daemon.supervisor.sendProcessStdin("a", line)
            self.wait_bytes(answer, line.encode())
        self.assertTrue(os.path.exists(log + ".1"))

    def test_main_log(self):
        daemon = self.daemon()
        answer = self.open(daemon, "/mainlogtail")
        self.assertEqual(200, answer.status)
        self.wait_bytes(answer, b"supervisord started with pid")

    def test_follows_clearing(self):
        daemon = self.daemon(program("a", actor("say_on=HUP", "print=up", "hang")))
        daemon.wait_stdout("a", "up\n")
        answer = self.open(daemon, "/logtail/a")
        self.wait_bytes(answer, b"up\n")
        daemon.supervisor.clearProcessLogs("a")
        daemon.supervisor.signalProcess("a", "HUP")
        self.wait_bytes(answer, b"got HUP\n")

    def test_unknown_process_is_404(self):
        daemon = self.daemon(program("a", actor("hang")))
        for path in ("/logtail/x", "/logtail/a:b", "/logtail/x/stdout"):
            self.assertEqual(404, self.open(daemon, path).status, path)

    def test_log_that_does_not_exist_is_404(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false", stdout_logfile=self.path("a.log")))
        self.assertFalse(os.path.exists(self.path("a.log")))
        self.assertEqual(404, self.open(daemon, "/logtail/a").status)
