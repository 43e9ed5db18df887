"""examples/web-stack with the real nginx and redis-server."""

import os
import shutil
import signal
import socket
import unittest
import urllib.request

from harness import TestCase, free_port, lines_of, time_limit, wait_for

EXAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples", "web-stack",
                       "supervisord.conf")
NAMES = ["nginx:nginx", "redis:redis", "worker:worker_00", "worker:worker_01"]


def installed():
    return all(shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") for name in ("nginx", "redis-server",
                                                                                       "redis-cli"))


@unittest.skipUnless(installed(), "needs nginx and redis-server")
@time_limit(120)
class WebStack(TestCase):
    def setUp(self):
        super().setUp()
        os.chmod(self.dir, 0o755)
        self.http_port, self.redis_port = free_port(), free_port()
        variables = {"WEB_STACK_DIR": self.dir, "WEB_STACK_HTTP_PORT": str(self.http_port),
                     "WEB_STACK_REDIS_PORT": str(self.redis_port), "PATH": os.environ["PATH"] + ":/usr/sbin"}
        self.it = self.prepare(environment=variables)
        self.it.path = os.path.abspath(EXAMPLE)
        self.it.socket = self.path("supervisor.sock")
        os.environ.update(variables)  # supervisorctl expands them too
        self.it.start()
        for name in NAMES:
            self.it.wait_state(name, "RUNNING", timeout=20)

    def redis(self, *words):
        with socket.create_connection(("127.0.0.1", self.redis_port), 5) as sock:
            sock.sendall((" ".join(words) + "\r\n").encode())
            return sock.recv(4096).decode()

    def page(self):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/" % self.http_port, timeout=5) as answer:
                return answer.status
        except OSError:
            return None

    def done(self):
        try:
            answer = self.redis("GET", "done").splitlines()
        except OSError:
            return 0
        return int(answer[1]) if len(answer) > 1 and answer[1].isdigit() else 0

    def serves(self):
        wait_for(lambda: self.page() == 200, 20, "nginx")
        before = self.done()
        # a client left by a worker that was killed may still take a job with it: so more than one is offered
        wait_for(lambda: self.try_redis("RPUSH", "jobs", "one") and self.done() > before, 20, "redis and the workers")

    def try_redis(self, *words):
        try:
            return self.redis(*words).startswith(":")
        except OSError:
            return False

    def test_serves_comes_back_after_kill_and_stops_in_order(self):
        self.serves()
        for name in NAMES:
            info = self.it.wait_state(name, "RUNNING", timeout=20)
            pid = info["pid"]
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: self.it.info(name)["pid"] not in (0, pid), 20, name + " to be back")
            self.it.wait_state(name, "RUNNING", timeout=20)
            self.serves()
        answer = self.it.ctl("status")
        self.assertEqual((0, 4), (answer.code, answer.out.count(" RUNNING ")), answer)
        self.assertEqual("Shut down\n", self.it.ctl("shutdown").out)
        self.assertEqual(0, self.it.wait())
        stopped = [line.split("stopped: ")[1].split()[0] for line in lines_of(self.it.log) if " stopped: " in line]
        self.assertEqual(["nginx", "redis"], stopped[2:])
        self.assertEqual({"worker_00", "worker_01"}, set(stopped[:2]))
        for port in (self.http_port, self.redis_port):
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", port), 1)
