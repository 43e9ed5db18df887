"""Log streams of clients that are many, slow, or only curious."""

import os
import socket

from harness import TestCase, actor, alone, is_instrumented, program, wait_for

ECHO = program("a", actor("print=up", "echo"))


def memory_kilobytes(pid):
    """What the daemon has written to: its own memory, without what files lend it."""
    with open("/proc/%d/status" % pid) as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))


class LogStreams(TestCase):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(ECHO)
        self.it.wait_stdout("a", "up\n")

    def follow(self, receive_buffer=None):
        """A socket on which the answer to GET /logtail/a arrives."""
        sock = socket.socket(socket.AF_UNIX)
        self.addCleanup(sock.close)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(30)
        sock.connect(self.it.socket)
        sock.sendall(b"GET /logtail/a HTTP/1.1\r\nHost: x\r\n\r\n")
        return sock

    def read_until(self, sock, text):
        """What has arrived, up to and with `text`. Only its end is kept to look for it."""
        total, end = 0, b""
        while text not in end:
            piece = sock.recv(1 << 20)
            if not piece:
                raise AssertionError("the stream has ended")
            total += len(piece)
            end = end[-len(text):] + piece
        return total

    def descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.it.pid))

    def test_many_followers(self):
        before = self.descriptors()
        followers = [self.follow() for _ in range(100)]
        for sock in followers:
            self.read_until(sock, b"up\n")
        for line in ("first\n", "second\n"):
            self.it.supervisor.sendProcessStdin("a", line)
            for sock in followers:
                self.read_until(sock, line.encode())
        for sock in followers:
            sock.close()
        wait_for(lambda: self.descriptors() <= before)

    @alone
    def test_a_slow_reader_costs_no_memory(self):
        slow = self.follow(4096)
        self.read_until(slow, b"up\n")
        quick = self.follow()
        self.read_until(quick, b"up\n")
        chunk = ("x" * 1023 + "\n") * 1000
        self.it.supervisor.sendProcessStdin("a", chunk + "warm\n")
        self.read_until(quick, b"warm\n")
        before = memory_kilobytes(self.it.pid)
        for count in range(20):  # 20 MB
            self.it.supervisor.sendProcessStdin("a", chunk + "part %d.\n" % count)
            self.read_until(quick, b"part %d.\n" % count)
        if not is_instrumented():
            self.assertLess(memory_kilobytes(self.it.pid) - before, 6000)
        self.assertGreater(self.read_until(slow, b"part 19.\n"), 20 * len(chunk))

    def test_head_is_no_stream(self):
        before = self.descriptors()
        answer = self.it.raw(b"HEAD /logtail/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertRegex(answer, b"^HTTP/1.1 200 ")
        self.assertTrue(answer.endswith(b"\r\n\r\n"))
        self.assertIn(b"Content-Type: text/plain;charset=utf-8\r\n", answer)
        wait_for(lambda: self.descriptors() <= before)
