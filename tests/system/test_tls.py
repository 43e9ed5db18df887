"""TLS for [inet_http_server], and supervisorctl that speaks it."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import time
import xmlrpc.client

from harness import PATIENCE, SUPERVISORCTL, TestCase, actor, program, read, supervisorctl, wait_for, write

GET_STATE = xmlrpc.client.dumps((), "supervisor.getState").encode()
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Tls(TestCase):
    """`ca` has signed `server` (for 127.0.0.1) and `client`; `other` vouches for nobody."""

    def setUp(self):
        super().setUp()
        for name in ("ca", "other"):
            self.openssl("req", "-x509", *KEY, "-keyout", self.key(name), "-out", self.pem(name), "-days", "2",
                         "-subj", "/CN=" + name)
        self.sign("server", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        self.sign("client", "extendedKeyUsage=clientAuth")

    def openssl(self, *arguments):
        subprocess.run(("openssl",) + arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True)

    def pem(self, name):
        return self.path(name + ".pem")

    def key(self, name):
        return self.path(name + ".key")

    def sign(self, name, extension, ca="ca"):
        self.openssl("req", "-x509", "-CA", self.pem(ca), "-CAkey", self.key(ca), *KEY, "-keyout", self.key(name),
                     "-out", self.pem(name), "-days", "2", "-subj", "/CN=" + name, "-addext", extension, "-addext",
                     "basicConstraints=critical,CA:false")

    def server(self, **more):
        return dict({"tls_certificate": self.pem("server"), "tls_key": self.key("server")}, **more)

    def context(self, client=None, version=None):
        context = ssl.create_default_context(cafile=self.pem("ca"))
        if client:
            context.load_cert_chain(self.pem(client), self.key(client))
        if version:
            context.minimum_version = context.maximum_version = version
        return context

    def connection(self, daemon, **options):
        return http.client.HTTPSConnection("127.0.0.1", daemon.port, timeout=20, context=self.context(**options))

    def call(self, daemon, body=GET_STATE, **options):
        connection = self.connection(daemon, **options)
        try:
            connection.request("POST", "/RPC2", body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def https(self, daemon, *arguments, **ctl):
        """supervisorctl over https, with these options in its section."""
        options = dict({"serverurl": "https://127.0.0.1:%d" % daemon.port}, **ctl)
        path = write(self.path("ctl.conf"),
                     "[supervisorctl]\n" + "".join("%s=%s\n" % item for item in options.items()))
        return supervisorctl("-c", path, *arguments, directory=self.dir)


class Serving(Tls):
    def test_calls(self):
        daemon = self.daemon(inet=self.server())
        connection = self.connection(daemon)
        for _ in range(3):
            connection.request("POST", "/RPC2", GET_STATE)
            answer = connection.getresponse()
            self.assertEqual(200, answer.status)
            self.assertIn(b"RUNNING", answer.read())
        connection.close()

    def test_large_calls_and_answers(self):
        daemon = self.daemon(inet=self.server())
        calls = [{"methodName": "system.methodHelp", "params": ["supervisor.getState"]}] * 20000
        body = xmlrpc.client.dumps((calls,), "system.multicall").encode()
        status, text = self.call(daemon, body)
        self.assertEqual(200, status)
        self.assertEqual(20000, len(xmlrpc.client.loads(text)[0][0]))

    def test_calls_that_wait(self):
        daemon = self.daemon(program("slow", actor("hang"), startsecs=1, autostart="false"), inet=self.server())
        body = xmlrpc.client.dumps(("slow",), "supervisor.startProcess").encode()
        self.assertIn(b"<boolean>1</boolean>", self.call(daemon, body)[1])
        self.assertEqual("RUNNING", daemon.state("slow"))

    def test_a_client_that_leaves_while_it_waits(self):
        daemon = self.daemon(program("slow", actor("hang"), startsecs=3600, autostart="false"), inet=self.server())
        connection = self.connection(daemon)
        connection.request("POST", "/RPC2", xmlrpc.client.dumps(("slow",), "supervisor.startProcess").encode())
        daemon.wait_state("slow", "STARTING")
        descriptors = len(os.listdir("/proc/%d/fd" % daemon.pid))
        connection.close()
        wait_for(lambda: len(os.listdir("/proc/%d/fd" % daemon.pid)) < descriptors)

    def test_old_versions_are_refused(self):
        daemon = self.daemon(inet=self.server())
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(200, self.call(daemon, version=version)[0])
        try:
            with self.assertRaises((ssl.SSLError, OSError)):
                self.call(daemon, version=ssl.TLSVersion.TLSv1_1)
        except ValueError:
            self.skipTest("no TLS 1.1 here")

    def test_plain_http_is_closed_and_harms_nobody(self):
        daemon = self.daemon(inet=self.server())
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 1000, b"\x16\x03\x01\xff\xff" + b"x" * 70000):
            with socket.create_connection(("127.0.0.1", daemon.port), 20) as sock:
                answer = b""
                try:
                    sock.sendall(data)
                    while piece := sock.recv(65536):
                        answer += piece
                except ConnectionError:
                    pass
                self.assertNotIn(b"HTTP/", answer)
        self.assertEqual(200, self.call(daemon)[0])

    def test_a_silent_handshake_has_little_time(self):
        daemon = self.daemon(inet=self.server(request_timeout="1"))
        before = cpu_seconds(daemon.pid)
        with socket.create_connection(("127.0.0.1", daemon.port), 20) as sock:
            sock.sendall(b"\x16\x03\x01")
            self.assertEqual(b"", sock.recv(100))
        self.assertLess(cpu_seconds(daemon.pid) - before, 0.3 * PATIENCE)

    def test_waiting_for_the_rest_of_a_record_costs_nothing(self):
        """The client stops in the middle of each thing that it has to send: of its handshake, then of its request."""
        daemon = self.daemon(inet=self.server())
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = self.context(version=version).wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
            before = cpu_seconds(daemon.pid)
            with socket.create_connection(("127.0.0.1", daemon.port), 20) as sock:

                def send_in_halves():
                    data = outgoing.read()
                    sock.sendall(data[:len(data) // 2])
                    for _ in range(6):  # time passes for the daemon as for us
                        daemon.supervisor.getState()
                        time.sleep(0.05)
                    sock.sendall(data[len(data) // 2:])

                def go_on(step):
                    while True:
                        try:
                            return step()
                        except ssl.SSLWantReadError:
                            if outgoing.pending:
                                send_in_halves()
                            incoming.write(sock.recv(65536))

                go_on(tls.do_handshake)
                tls.write(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" %
                          (len(GET_STATE), GET_STATE))
                send_in_halves()
                self.assertIn(b" 200 ", go_on(lambda: tls.read(65536)))
            self.assertLess(cpu_seconds(daemon.pid) - before, 0.25 * PATIENCE)

    def test_log_streams(self):
        daemon = self.daemon(program("a", actor("say_on=HUP", "print=up", "hang")), inet=self.server())
        daemon.wait_stdout("a", "up\n")
        connection = self.connection(daemon)
        connection.request("GET", "/logtail/a")
        answer = connection.getresponse()
        seen = answer.read1(100)
        self.assertEqual(b"up\n", seen)
        for count in range(1, 4):
            daemon.supervisor.signalProcess("a", "HUP")
            while seen.count(b"got HUP\n") < count:
                seen += answer.read1(100)
        descriptors = len(os.listdir("/proc/%d/fd" % daemon.pid))
        answer.close()
        connection.close()
        wait_for(lambda: len(os.listdir("/proc/%d/fd" % daemon.pid)) < descriptors)

    def test_a_slow_reader_costs_nothing(self):
        daemon = self.daemon(program("a", actor("print=up", "echo")), inet=self.server())
        daemon.wait_stdout("a", "up\n")
        connection = self.connection(daemon)
        connection.request("GET", "/logtail/a")
        answer = connection.getresponse()
        self.assertEqual(b"up\n", answer.read1(100))
        chunk = ("x" * 1023 + "\n") * 1000
        for number in range(20):
            daemon.supervisor.sendProcessStdin("a", chunk)
        daemon.supervisor.sendProcessStdin("a", "the last\n")
        daemon.wait_stdout("a", "the last\n", timeout=60)
        before = cpu_seconds(daemon.pid)
        for _ in range(10):  # while nobody reads, time passes for the daemon as for us
            daemon.supervisor.getState()
            time.sleep(0.05)
        self.assertLess(cpu_seconds(daemon.pid) - before, 0.2 * PATIENCE)
        seen = b""
        while not seen.endswith(b"the last\n"):
            seen = seen[-20:] + answer.read1(1 << 20)
        connection.close()

    def test_children_are_told_https(self):
        daemon = self.prepare(program("a", "/bin/sh", "-c", "'echo $SUPERVISOR_SERVER_URL'"), inet=self.server(),
                              unix=False, supervisord={"childlogdir": self.dir})
        daemon.launch()
        daemon.pid = daemon.process.pid
        url = "https://127.0.0.1:%d\n" % daemon.port
        wait_for(lambda: any(url == read(self.path(name)) for name in os.listdir(self.dir) if "stdout" in name))

    def test_a_new_certificate_with_a_restart(self):
        daemon = self.daemon(inet=self.server())
        self.sign("server", "subjectAltName=IP:127.0.0.1", ca="other")
        self.assertEqual(200, self.call(daemon)[0])
        daemon.send_signal(signal.SIGHUP)

        def is_changed():
            try:
                return self.call(daemon)[0] != 200
            except ssl.SSLCertVerificationError:
                return True
            except OSError:
                return False

        wait_for(is_changed)

    def test_password(self):
        daemon = self.daemon(inet=self.server(username="me", password="secret"))
        self.assertEqual(401, self.call(daemon)[0])
        self.assertEqual(0, self.https(daemon, "avail", tls_ca=self.pem("ca"), username="me",
                                       password="secret").code)


class ClientCertificates(Tls):
    def setUp(self):
        super().setUp()
        self.sign("stranger", "extendedKeyUsage=clientAuth", ca="other")
        self.it = self.daemon(inet=self.server(tls_client_ca=self.pem("ca")))

    def test_good_one(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(200, self.call(self.it, client="client", version=version)[0])

    def test_none_or_a_wrong_one(self):
        for client in (None, "stranger", "server"):
            for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
                with self.subTest(client=client, version=version):
                    if client == "server":  # it is for servers alone only when it says so
                        self.sign("server", "extendedKeyUsage=serverAuth")
                    with self.assertRaises((OSError, http.client.HTTPException)):
                        self.call(self.it, client=client, version=version)
        self.assertEqual(200, self.call(self.it, client="client")[0])

    def test_supervisorctl(self):
        good = self.https(self.it, "pid", tls_ca=self.pem("ca"), tls_certificate=self.pem("client"),
                          tls_key=self.key("client"))
        self.assertEqual("%d\n" % self.it.pid, good.out)
        bad = self.https(self.it, "pid", tls_ca=self.pem("ca"))
        self.assertNotEqual(0, bad.code)

    def test_no_critical_line(self):
        self.assertNotIn("Server 'inet_http_server' running without any HTTP authentication", read(self.it.log))


class Supervisorctl(Tls):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(program("a", actor("say_on=HUP", "print=up", "hang")), inet=self.server())

    def test_trusted(self):
        answer = self.https(self.it, "status", tls_ca=self.pem("ca"))
        self.assertEqual(0, answer.code, answer.out)
        self.assertIn("RUNNING", answer.out)

    def test_not_trusted(self):
        for options in ({}, {"tls_ca": self.pem("other")}):
            answer = self.https(self.it, "status", **options)
            self.assertIn("the certificate of the server is not trusted; tls_ca in [supervisorctl] says which one is",
                          answer.out)
            self.assertNotEqual(0, answer.code)

    def test_another_host(self):
        self.sign("server", "subjectAltName=DNS:elsewhere")
        daemon = self.prepare(inet=self.server(), directory=self.subdirectory("second"))
        with daemon:
            answer = self.https(daemon, "status", tls_ca=self.pem("ca"))
            self.assertIn("is not trusted", answer.out)

    def test_files_that_cannot_be_used(self):
        for option in ("tls_ca", "tls_certificate", "tls_key"):
            answer = self.https(self.it, "status", **{option: self.path("nothing.pem")})
            self.assertEqual("error: %s: cannot read %s: No such file or directory\n" %
                             (option, self.path("nothing.pem")), answer.out)
            self.assertNotEqual(0, answer.code)
        nonsense = write(self.path("nonsense.pem"), "nonsense")
        answer = self.https(self.it, "status", tls_ca=nonsense)
        self.assertIn("is not trusted", answer.out)
        self.assertIn(nonsense, answer.out)

    def test_plain_server(self):
        daemon = self.prepare(inet=True, directory=self.subdirectory("second"))
        with daemon:
            answer = self.https(daemon, "status", tls_ca=self.pem("ca"))
            self.assertIn("no TLS with the server", answer.out)

    def test_tail(self):
        self.it.wait_stdout("a", "up\n")
        self.assertEqual("up\n\n", self.https(self.it, "tail", "a", tls_ca=self.pem("ca")).out)

    def test_tail_f(self):
        self.it.wait_stdout("a", "up\n")
        path = write(self.path("ctl.conf"), "[supervisorctl]\nserverurl=https://127.0.0.1:%d\ntls_ca=%s\n" %
                     (self.it.port, self.pem("ca")))
        with subprocess.Popen([SUPERVISORCTL, "-c", path, "tail", "-f", "a"],
                              stdout=subprocess.PIPE) as tail:
            seen = b""
            while b"up\n" not in seen:
                seen += os.read(tail.stdout.fileno(), 4096)
            self.it.supervisor.signalProcess("a", "HUP")
            while b"got HUP\n" not in seen:
                seen += os.read(tail.stdout.fileno(), 4096)
            tail.send_signal(signal.SIGINT)
            tail.wait(20)


class Files(Tls):
    def refused(self, **options):
        answer = self.refuse(inet=self.server(**options))
        self.assertEqual(2, answer.code)
        return answer.err

    def test_missing(self):
        nothing = self.path("nothing.pem")
        for option in ("tls_certificate", "tls_key", "tls_client_ca"):
            self.assertIn("%s: cannot read %s: No such file or directory" % (option, nothing),
                          self.refused(**{option: nothing}))

    def test_not_what_they_should_be(self):
        nonsense = write(self.path("nonsense.pem"), "nonsense")
        for option in ("tls_certificate", "tls_key", "tls_client_ca"):
            self.assertIn("%s: %s: " % (option, nonsense), self.refused(**{option: nonsense}))
        self.assertIn("tls_key: " + self.pem("server"), self.refused(tls_key=self.pem("server")))
        self.assertIn("tls_certificate: /dev/null: ", self.refused(tls_certificate="/dev/null"))
        self.assertIn("tls_key: cannot read %s: Is a directory" % self.dir, self.refused(tls_key=self.dir))

    def test_a_key_of_another(self):
        self.assertIn("tls_key: %s is not the key of %s" % (self.key("other"), self.pem("server")),
                      self.refused(tls_key=self.key("other")))

    def test_one_without_the_other(self):
        self.assertIn("tls_certificate and tls_key must be given together", self.refused(tls_key=None))
        self.assertIn("tls_client_ca without tls_certificate",
                      self.refused(tls_key=None, tls_certificate=None, tls_client_ca=self.pem("ca")))

    def test_warnings(self):
        self.openssl("x509", "-in", self.pem("server"), "-signkey", self.key("server"), "-days", "-1", "-out",
                     self.pem("old"))
        os.chmod(self.key("server"), 0o644)
        daemon = self.daemon(inet=self.server(tls_certificate=self.pem("old")))
        self.assertIn("WARN tls_certificate: %s has expired; clients will refuse it" % self.pem("old"),
                      read(daemon.log))
        self.assertIn("WARN tls_key: everybody may read or change %s" % self.key("server"), read(daemon.log))

    def test_no_warnings(self):
        daemon = self.daemon(inet=self.server())
        self.assertNotIn("tls_", read(daemon.log))
