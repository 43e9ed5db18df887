"""FastCGI servers behind a real nginx: what a shared socket is good for."""

import concurrent.futures
import http.client
import os
import shutil
import signal
import socket
import unittest

from harness import (ACTOR, FCGI_RESPONDER, Fault, TestCase, actor, free_port, needs_ipv6, needs_root, read, section,
                     time_limit, wait_for, write)

NGINX = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")

NGINX_CONFIGURATION = """
daemon off;
%(user)s
worker_processes 1;
error_log stderr;
pid %(dir)s/nginx.pid;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path %(dir)s/n1; proxy_temp_path %(dir)s/n2; fastcgi_temp_path %(dir)s/n3;
    uwsgi_temp_path %(dir)s/n4; scgi_temp_path %(dir)s/n5;
    server {
        listen 127.0.0.1:%(port)d;
        location / {
            fastcgi_pass %(backend)s;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param REQUEST_METHOD $request_method;
        }
    }
}
"""


def fcgi(name, socket_url, *command, **options):
    options.setdefault("startsecs", 0)
    return section("fcgi-program:" + name, command=" ".join(command), socket=socket_url, **options)


@unittest.skipUnless(NGINX, "needs nginx")
@time_limit(60)
class BehindNginx(TestCase):
    def serve(self, url, backend, count=3):
        self.port = free_port()
        path = write(self.path("nginx.conf"), NGINX_CONFIGURATION % {
            "dir": self.dir, "port": self.port, "backend": backend, "user": "user root;" if os.geteuid() == 0 else ""})
        self.it = self.daemon(
            fcgi("f", url, FCGI_RESPONDER, numprocs=count, process_name="f%(process_num)d", autorestart="true")
            + section("program:nginx", command="%s -c %s" % (NGINX, path), startsecs=0, priority=1000))
        wait_for(lambda: self.try_get() is not None, what="an answer through nginx")

    def get(self, query=""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", "/?" + query)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def try_get(self):
        try:
            status, text = self.get()
        except OSError:
            return None
        return int(text.split()[0]) if status == 200 else None

    def pids(self):
        return {info["pid"] for info in self.it.supervisor.getAllProcessInfo() if info["group"] == "f"}

    def answers(self, pool, count, query):
        """The pids that answered; every request must succeed."""
        results = list(pool.map(lambda number: self.get("%s&n=%d" % (query, number)), range(count)))
        for number, (status, text) in enumerate(results):
            self.assertEqual((200, "%s&n=%d" % (query, number)), (status, text.split()[1] if status == 200 else text))
        return {int(text.split()[0]) for _, text in results}

    def several_answer_and_one_may_die(self, url, backend):
        self.serve(url, backend)
        with concurrent.futures.ThreadPoolExecutor(9) as pool:
            wait_for(lambda: self.answers(pool, 9, "hold=30") == self.pids(), what="all processes to answer")
            victim = self.it.info("f:f1")["pid"]
            os.kill(victim, signal.SIGKILL)
            wait_for(lambda: self.it.info("f:f1")["pid"] not in (0, victim))
            wait_for(lambda: self.answers(pool, 9, "hold=30") == self.pids(), what="the new process to answer")
        self.assertEqual(2, read(self.it.log).count("Creating socket"))  # the check, and the one in use
        self.assertEqual(1, read(self.it.log).count("Closing socket"))

    def test_tcp(self):
        port = free_port()
        self.several_answer_and_one_may_die("tcp://127.0.0.1:%d" % port, "127.0.0.1:%d" % port)

    def test_all_interfaces(self):
        port = free_port()
        self.several_answer_and_one_may_die("tcp://*:%d" % port, "127.0.0.1:%d" % port)

    @needs_ipv6
    def test_ipv6(self):
        port = free_port()
        self.several_answer_and_one_may_die("tcp://[::1]:%d" % port, "[::1]:%d" % port)

    def test_unix(self):
        path = self.path("f.sock")
        self.several_answer_and_one_may_die("unix://" + path, "unix:" + path)

    def test_restart_of_one_after_the_other_loses_no_request(self):
        path = self.path("f.sock")
        self.serve("unix://" + path, "unix:" + path, count=2)
        before = self.pids()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            ends = [False]

            def ask():
                answers = []
                while not ends[0]:
                    answers.append(self.get("hold=2"))
                return answers

            asking = [pool.submit(ask) for _ in range(6)]
            try:
                for name in ("f:f0", "f:f1"):
                    answer = self.it.ctl("restart", name)
                    self.assertEqual((0, "%s: stopped\n%s: started\n" % (name, name)), (answer.code, answer.out))
            finally:
                ends[0] = True
            answers = [answer for future in asking for answer in future.result()]
        self.assertEqual({200}, {status for status, _ in answers})
        self.assertFalse(before & self.pids())
        self.assertTrue(before & {int(text.split()[0]) for _, text in answers})


class Failures(TestCase):
    def refused(self, text, url, **options):
        answer = self.refuse(fcgi("f", url, actor("hang"), **options))
        self.assertEqual(2, answer.code)
        self.assertIn("[fcgi-program:f]", answer.err)
        self.assertIn(text, answer.err)

    def listener(self, kind, address):
        sock = socket.socket(kind)
        sock.bind(address)
        sock.listen()
        self.addCleanup(sock.close)
        return sock

    def test_at_the_start_a_port_in_use(self):
        port = self.listener(socket.AF_INET, ("127.0.0.1", 0)).getsockname()[1]
        self.refused("cannot create socket tcp://127.0.0.1:%d: Address already in use" % port,
                     "tcp://127.0.0.1:%d" % port)

    def test_at_the_start_a_live_unix_socket(self):
        path = self.path("live")
        self.listener(socket.AF_UNIX, path)
        self.refused("cannot create socket unix://%s: another program is listening there" % path, "unix://" + path)

    def test_at_the_start_a_path_that_is_no_socket(self):
        path = write(self.path("file"), "precious")
        self.refused("what is there is no socket", "unix://" + path)
        self.assertEqual("precious", read(path))

    def test_at_the_start_a_missing_directory(self):
        self.refused("cannot create socket unix://%s: No such file or directory" % self.path("none", "s"),
                     "unix://" + self.path("none", "s"))

    def test_at_the_start_an_unknown_owner(self):
        self.refused("nobody-of-that-name", "unix://" + self.path("s"), socket_owner="nobody-of-that-name")

    def test_at_the_start_a_host_that_is_not_ours(self):
        self.refused("Cannot assign requested address", "tcp://192.0.2.1:%d" % free_port())

    @needs_root
    def test_at_the_start_an_owner_that_we_may_not_give(self):
        os.chmod(self.dir, 0o777)
        answer = self.refuse(fcgi("f", "unix://" + self.path("s"), actor("hang"), socket_owner="root"),
                             supervisord={"user": "nobody"})
        self.assertEqual(2, answer.code)
        self.assertIn("cannot create socket unix://%s: Operation not permitted" % self.path("s"), answer.err)
        self.assertFalse(os.path.exists(self.path("s")))

    @needs_root
    def test_at_the_start_a_directory_that_is_closed_to_us(self):
        os.chmod(self.dir, 0o777)
        os.chmod(self.subdirectory("closed"), 0o700)
        answer = self.refuse(fcgi("f", "unix://" + self.path("closed", "s"), actor("hang")),
                             supervisord={"user": "nobody"})
        self.assertEqual(2, answer.code)
        self.assertIn("Permission denied", answer.err)

    def test_a_group_that_cannot_have_its_socket_is_not_added(self):
        daemon = self.daemon()
        path = self.path("live")
        self.listener(socket.AF_UNIX, path)
        daemon.configure(fcgi("f", "unix://" + path, actor("hang")))
        daemon.supervisor.reloadConfig()
        text = "FAILED: f: cannot create socket unix://%s: another program is listening there" % path
        self.assertFault(Fault.FAILED, text, daemon.supervisor.addProcessGroup, "f")
        self.assertEqual([], daemon.supervisor.getAllProcessInfo())
        for action in (("add", "f"), ("update",)):
            answer = daemon.ctl(*action)
            self.assertEqual((1, "error: %s\n" % text), (answer.code, answer.out))

    def test_a_socket_lost_to_another_between_two_starts_is_a_spawn_error(self):
        path = self.path("s")
        daemon = self.daemon(fcgi("f", "unix://" + path, actor("hang"), autostart="false", startretries=0))
        live = self.listener(socket.AF_UNIX, path)
        self.assertFault(Fault.SPAWN_ERROR, "SPAWN_ERROR: f", daemon.supervisor.startProcess, "f")
        self.assertIn("another program is listening there", daemon.info("f")["description"])
        live.close()
        self.assertTrue(daemon.supervisor.startProcess("f"))

    def test_a_socket_lost_to_another_ends_a_restart_of_the_daemon(self):
        path = self.path("s")
        daemon = self.daemon(fcgi("f", "unix://" + path, actor("hang"), autostart="false"))
        self.listener(socket.AF_UNIX, path)
        daemon.send_signal(signal.SIGHUP)
        self.assertEqual(2, daemon.wait())
        self.assertIn("[fcgi-program:f]: cannot create socket unix://%s: another program" % path, read(daemon.output))

    def test_a_killed_daemon_leaves_a_socket_that_the_next_replaces(self):
        path = self.path("s")
        daemon = self.daemon(fcgi("f", "unix://" + path, actor("hang")))
        pid = daemon.wait_state("f", "RUNNING")["pid"]
        daemon.kill()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not os.path.exists("/proc/%d/cwd" % pid))
        self.assertTrue(os.path.exists(path))
        daemon.start()
        daemon.wait_state("f", "RUNNING")

    def test_the_file_goes_when_the_last_process_does(self):
        path = self.path("s")
        daemon = self.daemon(fcgi("f", "unix://" + path, actor("hang")))
        daemon.wait_state("f", "RUNNING")
        self.assertTrue(os.path.exists(path))
        daemon.supervisor.stopProcess("f")
        self.assertFalse(os.path.exists(path))

    def test_children_of_others_do_not_get_the_socket(self):
        daemon = self.daemon(fcgi("f", "unix://" + self.path("s"), actor("hang"), priority=1)
                             + section("program:other", command=ACTOR + " hang", startsecs=0))
        pid = daemon.wait_state("other", "RUNNING")["pid"]
        daemon.wait_state("f", "RUNNING")
        links = {os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)}
        self.assertFalse([link for link in links if link.startswith("socket:")])
