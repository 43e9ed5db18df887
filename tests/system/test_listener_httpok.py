"""httpok: processes are started anew when a web page is not as it should be."""

import email
import http.server
import socket
import socketserver
import ssl
import subprocess
import threading

from harness import TestCase, actor, lines_of, program, wait_for, write
from listening import ByHand, Sendmail, eventlistener, listener

UP = actor("print=up", "hang")


class Server(socketserver.ThreadingMixIn):
    """Answers every request with `status` and `body`, or not at all while it hangs; keeps what was asked."""

    daemon_threads = True
    block_on_close = False
    status, body = 200, b"all is well"

    def begin(self, case):
        self.requests = []
        self.hangs = threading.Event()
        self.released = threading.Event()
        case.addCleanup(self.close)
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def close(self):
        self.released.set()
        self.shutdown()
        self.server_close()
        self.thread.join()


class TcpServer(Server, http.server.HTTPServer):
    pass


class UnixServer(Server, socketserver.UnixStreamServer):
    pass


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers)))
        if self.server.hangs.is_set():
            self.server.released.wait()
            return
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *arguments):
        pass


class Httpok(TestCase):
    def setUp(self):
        super().setUp()
        self.sendmail = Sendmail(self)
        self.server = TcpServer(("127.0.0.1", 0), Handler).begin(self)
        self.url = "http://127.0.0.1:%d/page?x=y" % self.server.server_address[1]

    def start(self):
        self.it = self.daemon(program("a", UP) + program("b", UP) + program("down", UP, autostart="false"))
        for name in ("a", "b"):
            self.it.wait_state(name, "RUNNING")
        self.before = {name: self.it.info(name)["pid"] for name in ("a", "b", "down")}

    def by_hand(self, *arguments):
        return ByHand(self, listener("httpok"), *arguments, daemon=self.it)

    def restarted(self, *arguments):
        """Those that httpok restarts at one tick."""
        self.httpok = self.by_hand(*arguments)
        self.httpok.tick()
        found = {name for name, pid in self.before.items() if self.it.info(name)["pid"] != pid}
        self.before = {name: self.it.info(name)["pid"] for name in self.before}
        return found

    def test_under_supervisord(self):
        self.server.status = 500
        daemon = self.daemon(program("a", UP) + program("b", UP) +
                             eventlistener("httpok", listener("httpok"), "-p", "a", "-m", "me@example.com", "-n", "here",
                                           "-s", self.sendmail.path, self.url, events="TICK_5"))
        before = {name: daemon.info(name)["pid"] for name in ("a", "b")}
        mail = email.message_from_string(wait_for(self.sendmail.box, 20))
        self.assertEqual("httpok [here]: %s: the answer has the status 500" % self.url, mail["Subject"])
        self.assertTrue(mail.get_payload().endswith(
            ": %s: the answer has the status 500\n\na:a was restarted.\n" % self.url), mail.get_payload())
        self.assertNotEqual(before["a"], daemon.info("a")["pid"])
        self.assertEqual(before["b"], daemon.info("b")["pid"])

    def test_a_page_that_is_well(self):
        self.start()
        self.assertEqual(set(), self.restarted("-a", "-b", "is well", self.url))
        (path, headers), = self.server.requests
        self.assertEqual(("/page?x=y", "httpok"), (path, headers["User-Agent"]))
        self.assertEqual("", self.httpok.said())

    def test_statuses(self):
        self.start()
        self.server.status = 404
        self.assertEqual({"a", "b"}, self.restarted("-a", self.url))
        for codes in (("-c", "404"), ("-c", "200,404"), ("-c", "200", "-c", "404")):
            self.assertEqual(set(), self.restarted("-a", *codes, self.url))

    def test_a_redirection_is_no_answer(self):
        self.start()
        self.server.status = 302
        self.assertEqual({"a"}, self.restarted("-p", "a:a", self.url))

    def test_a_body_that_lacks_a_text(self):
        self.start()
        self.assertEqual({"b"}, self.restarted("-p", "b", "-p", "down", "-b", "a\nbout", self.url))
        self.assertIn('httpok: %s: the answer does not have "a?bout" in it\nhttpok: b:b was restarted.\n' % self.url,
                      self.httpok.said())

    def test_a_server_that_hangs(self):
        self.start()
        self.server.hangs.set()
        self.assertEqual({"a"}, self.restarted("-p", "a", "-t", "1", self.url))
        self.assertIn("no answer: Operation timed out", self.httpok.said())

    def test_a_server_that_is_not_there(self):
        self.start()
        self.server.close()
        self.assertEqual({"a"}, self.restarted("-p", "a", self.url))
        self.assertIn("no answer: Failed to connect", self.httpok.said())

    def test_a_server_that_is_there_later(self):
        self.start()
        with socket.socket() as held:  # a port of our own that nobody listens on
            held.bind(("127.0.0.1", 0))
            httpok = self.by_hand("-a", "-t", "25", "http://127.0.0.1:%d/" % held.getsockname()[1])
            httpok.expect(b"READY\n")
            httpok.write(b"eventname:TICK_60 len:6\nwhen:1")
            httpok.wait_said("; asking again in 10 seconds\n")
            held.listen()
            held.settimeout(30)
            connection, _ = held.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            httpok.expect(b"RESULT 2\nOK")
        self.assertEqual(1, httpok.said().count("\n"))

    def test_a_server_that_talks_rubbish(self):
        self.start()
        with socket.create_server(("127.0.0.1", 0)) as sock:
            def serve():
                connection, _ = sock.accept()
                with connection:
                    connection.recv(4096)
                    connection.sendall(b"\x16\x03rubbish\r\n\r\n")

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            self.assertEqual({"a"}, self.restarted("-p", "a", "http://127.0.0.1:%d/" % sock.getsockname()[1]))
            thread.join()

    def test_eager_or_not(self):
        self.start()
        self.server.status = 500
        mail = ("-m", "me@example.com", "-s", self.sendmail.path)
        self.assertEqual(set(), self.restarted("-E", "-p", "down", *mail, self.url))
        self.assertEqual(([], ""), (self.server.requests, self.sendmail.box()))
        self.assertEqual(set(), self.restarted("-e", "-p", "down", *mail, self.url))
        self.assertIn("Nothing was restarted: no such process is RUNNING.\n", self.sendmail.box())
        self.assertEqual({"a"}, self.restarted("-E", "-p", "a", self.url))

    def test_mail_alone(self):
        self.start()
        self.server.status = 500
        self.assertEqual(set(), self.restarted("-m", "me@example.com", "-s", self.sendmail.path, self.url))
        self.assertIn("Subject: httpok: %s: the answer has the status 500\n" % self.url, self.sendmail.box())

    def test_a_core_file_first(self):
        self.start()
        self.server.status = 500
        gcore = write(self.path("gcore"), '#!/bin/sh\necho "$@" >>%s\necho wrote a core\nexit ${4:-0}\n' %
                      self.path("gcored"), 0o755)
        pid = self.before["a"]
        self.assertEqual({"a"}, self.restarted("-p", "a", "-g", gcore + " -o 'x y'", "-d", self.dir, "-m", "me@example.com",
                                               "-s", self.sendmail.path, self.url))
        self.assertEqual(["-o x y %s/a:a %d" % (self.dir, pid)], lines_of(self.path("gcored")))
        self.assertIn("Core file of a:a (pid %d): %s/a:a\nwrote a core\n" % (pid, self.dir), self.sendmail.box())

    def test_no_core_file(self):
        self.start()
        self.server.status = 500
        self.assertEqual({"a"}, self.restarted("-p", "a", "-g", "/no/gcore", "-d", self.dir, self.url))
        self.assertIn("httpok: There may be none: /no/gcore: No such file or directory\n", self.httpok.said())

    def test_a_unix_socket_and_a_header(self):
        self.start()
        server = UnixServer(self.path("web.sock"), Handler).begin(self)
        server.status = 204
        server.body = b""
        self.assertEqual(set(), self.restarted("-a", "-c", "204", "--unix-socket", self.path("web.sock"), "--header",
                                               "Host: example.com", "--header=X-Probe: 1", "http://any/path"))
        self.assertEqual(("/path", "example.com", "1"), (server.requests[0][0], server.requests[0][1]["Host"],
                                                         server.requests[0][1]["X-Probe"]))

    def test_tls(self):
        self.start()
        certificate, key = self.path("cert.pem"), self.path("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=x", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server = TcpServer(("127.0.0.1", 0), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        server.begin(self)
        url = "https://127.0.0.1:%d/" % server.server_address[1]
        self.assertEqual(set(), self.restarted("-a", "--ca", certificate, url))
        self.assertEqual({"a"}, self.restarted("-p", "a", url))
        self.assertIn("certificate", self.httpok.said())

    def test_a_supervisord_that_refuses(self):
        self.start()
        self.server.status = 500
        httpok = self.by_hand("-a", "-m", "me@example.com", "-s", self.sendmail.path, self.url)
        self.it.stop()
        httpok.tick()
        self.assertIn("httpok: the answer has the status 500; supervisor.getAllProcessInfo: unix://", httpok.said())
        self.assertEqual(0, httpok.end())

    def test_other_events_go_by(self):
        self.start()
        httpok = self.by_hand("-a", self.url)
        httpok.send("PROCESS_STATE_RUNNING", "processname:a groupname:a from_state:STARTING pid:1")
        self.assertEqual([], self.server.requests)
