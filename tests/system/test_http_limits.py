"""Limits of the HTTP servers: who takes all it can get, or takes for ever, keeps nobody out."""

import socket
import time
import xmlrpc.client

from harness import TestCase, actor, program, read, wait_for

GET_STATE = xmlrpc.client.dumps((), "supervisor.getState").encode()
CALL = b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(GET_STATE), GET_STATE)
MANY = 300


class Limits(TestCase):
    def connect(self, source="127.0.0.1"):
        sock = socket.create_connection(("127.0.0.1", self.it.port), 20, (source, 0))
        self.addCleanup(sock.close)
        return sock

    def answer(self, sock):
        """The answer to a call, or nothing when the connection was closed."""
        answer = b""
        try:
            sock.sendall(CALL)
            while b"</methodResponse>" not in answer and b"\r\n\r\n4" not in answer:
                piece = sock.recv(65536)
                if not piece:
                    return b""
                answer += piece
        except ConnectionError:
            return b""
        return answer

    def is_closed(self, sock):
        sock.settimeout(20)
        try:
            return sock.recv(1) == b""
        except ConnectionError:
            return True

    def test_silent_clients_of_one_address_keep_nobody_out(self):
        self.it = self.daemon(inet={"username": "me", "password": "secret"}, supervisord={"minfds": "4096"})
        silent = [self.connect() for _ in range(MANY * 4)]
        begin = time.monotonic()
        self.assertIn(b" 401 ", self.answer(self.connect("127.0.0.2")))
        self.assertLess(time.monotonic() - begin, 5)
        self.it.wait_log("127.0.0.1 has as many connections as one address may have")
        self.assertEqual(1, read(self.it.log).count("as many connections as one address may have"))
        del silent

    def test_connections_of_one_address(self):
        self.it = self.daemon(inet={"max_connections_per_address": "2"})
        first, second, third = (self.connect() for _ in range(3))
        self.assertTrue(self.is_closed(third))
        for sock in (first, second, self.connect("127.0.0.2")):
            self.assertIn(b"RUNNING", self.answer(sock))

    def test_connections_beyond_the_maximum_wait(self):
        self.it = self.daemon(inet={"max_connections": "2", "max_connections_per_address": "2"})
        taken = [self.connect(), self.connect()]
        for sock in taken:
            self.assertIn(b"RUNNING", self.answer(sock))
        waiting = self.connect("127.0.0.2")
        waiting.sendall(CALL)
        waiting.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            waiting.recv(1)
        taken[0].close()
        waiting.settimeout(20)
        self.assertIn(b"200", waiting.recv(65536))

    def test_silent_clients_have_little_time(self):
        self.it = self.daemon(inet={"request_timeout": "1", "max_connections": "20"})
        silent = [self.connect("127.0.0.%d" % (2 + number % 2)) for number in range(30)]
        self.assertIn(b"RUNNING", self.answer(self.connect("127.0.0.4")))
        for sock in silent:
            self.assertTrue(self.is_closed(sock))

    def test_a_request_in_single_bytes_has_little_time_too(self):
        self.it = self.daemon(inet={"request_timeout": "1"})
        sock = self.connect()
        begin = time.monotonic()

        def is_cut_off():
            try:
                sock.sendall(b"G")
                return False
            except ConnectionError:
                return True

        wait_for(is_cut_off, 15)
        self.assertGreater(time.monotonic() - begin, 0.9)

    def test_one_that_was_heard_has_time(self):
        self.it = self.daemon(program("a", actor("hang")), inet={"request_timeout": "1"})
        sock = self.connect()
        stranger = self.connect()
        self.assertIn(b"RUNNING", self.answer(sock))
        self.assertTrue(self.is_closed(stranger))
        self.assertIn(b"RUNNING", self.answer(sock))

    def test_idle_connections_are_closed(self):
        self.it = self.daemon(inet={"idle_timeout": "1"})
        sock = self.connect()
        self.assertIn(b"RUNNING", self.answer(sock))
        self.assertTrue(self.is_closed(sock))

    def test_sizes(self):
        self.it = self.daemon(unix={"max_header_bytes": "4KB", "max_body_bytes": "1000"})
        self.assertIn(b" 413 ", self.it.raw(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n"
                                            b"Connection: close\r\n\r\n" + b" " * 1001))
        self.assertIn(b" 431 ", self.it.raw(b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 5000 + b"\r\n\r\n"))
        self.assertIn(b" 200 ", self.it.raw(CALL.replace(b"Host: x", b"Host: x\r\nConnection: close")))
