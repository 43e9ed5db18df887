"""curl, as scripts use it: calls with a body written by hand, log streams, pages."""

import os
import signal
import subprocess

from harness import TestCase, actor, program, read, run, wait_for

ACCOUNT = ["-u", "joe:se:cret"]


def body(method, *texts):
    values = "".join("<param><value><string>%s</string></value></param>" % text for text in texts)
    return "<?xml version='1.0'?><methodCall><methodName>%s</methodName><params>%s</params></methodCall>" % (method,
                                                                                                            values)


class Curl:
    """The tests, for one of the two kinds of servers."""

    def setUp(self):
        super().setUp()
        self.server = self.start(program("a", actor("print=one", "print=two & three", "echo", "hang")))
        self.server.wait_state("a", "RUNNING")
        self.server.wait_stdout("a", "three")

    def curl(self, *arguments):
        return run("curl", "-sS", "--max-time", "20", *self.options, *arguments)

    def call(self, method, *texts):
        answer = self.curl("-f", "-H", "Content-Type: text/xml", "-d", body(method, *texts), self.url + "/RPC2")
        self.assertEqual((0, ""), (answer.code, answer.err))
        return answer.out

    def test_calls(self):
        self.assertIn("<string>RUNNING</string>", self.call("supervisor.getState"))
        self.assertIn("<name>faultString</name>", self.call("supervisor.stopProcess", "nosuch"))
        self.assertIn("<boolean>1</boolean>", self.call("supervisor.stopProcess", "a"))
        self.assertEqual("STOPPED", self.server.state("a"))
        self.assertIn("<string>one\ntwo &amp; three\n</string>",
                      self.call("supervisor.readProcessStdoutLog", "a", "0", "0"))

    def test_a_call_from_a_file_and_in_chunks(self):
        path = self.path("call.xml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(body("supervisor.getIdentification"))
        for options in ((), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue"), ("--http1.0",)):
            with self.subTest(options):
                answer = self.curl("-f", *options, "-H", "Content-Type: text/xml", "--data-binary", "@" + path,
                                   self.url + "/RPC2")
                self.assertEqual((0, ""), (answer.code, answer.err))
                self.assertIn("<string>supervisor</string>", answer.out)

    def test_a_log_is_followed(self):
        with open(self.path("followed"), "wb") as output:
            curl = subprocess.Popen(["curl", "-sSN", *self.options, self.url + "/logtail/a/stdout"], stdout=output)
        try:
            wait_for(lambda: read(self.path("followed")) == "one\ntwo & three\n")
            self.server.supervisor.sendProcessStdin("a", "grüße\n")
            wait_for(lambda: read(self.path("followed")) == "one\ntwo & three\ngrüße\n")
        finally:
            curl.send_signal(signal.SIGTERM)
            curl.wait()
        self.assertEqual("RUNNING", self.server.state("a"))

    def test_the_activity_log_is_followed(self):
        answer = self.curl("-N", "--max-time", "1", self.url + "/mainlogtail")
        self.assertEqual(28, answer.code)  # it would have gone on
        self.assertIn("entered RUNNING state", answer.out)

    def test_pages(self):
        answer = self.curl("-f", "-i", self.url + "/")
        self.assertRegex(answer.out, r"^HTTP/1\.1 200 OK\n")
        self.assertIn("</html>", answer.out)
        answer = self.curl("-f", self.url + "/tail.html?processname=a")
        self.assertIn("two &amp; three", answer.out)
        answer = self.curl("-L", "-o", os.devnull, "-w", "%{http_code}", "-d", "action=stop&processname=a",
                           self.url + "/index.html")
        self.assertEqual("200", answer.out)
        self.assertEqual("STOPPED", self.server.wait_state("a", "STOPPED")["statename"])

    def test_refusals(self):
        for path, status in (("/nosuch", "404"), ("/logtail/nosuch", "404"), ("/RPC2", "405")):
            with self.subTest(path):
                answer = self.curl("-o", os.devnull, "-w", "%{http_code}", self.url + path)
                self.assertEqual((0, status), (answer.code, answer.out))


class Tcp(Curl, TestCase):
    def start(self, config):
        daemon = self.daemon(config, inet={"username": "joe", "password": "se:cret"})
        self.url = "http://127.0.0.1:%d" % daemon.port
        self.options = ACCOUNT
        return daemon

    def test_wrong_passwords(self):
        for account in ([], ["-u", "joe:wrong"], ["-u", "joe:"], ["--anyauth", "-u", "joe:wrong"]):
            with self.subTest(account):
                answer = run("curl", "-sS", *account, "-o", os.devnull, "-w", "%{http_code}", self.url)
                self.assertEqual((0, "401"), (answer.code, answer.out))
        answer = run("curl", "-sS", "--anyauth", *ACCOUNT, "-o", os.devnull, "-w", "%{http_code}", self.url)
        self.assertEqual((0, "200"), (answer.code, answer.out))  # curl has asked how first


class Unix(Curl, TestCase):
    def start(self, config):
        daemon = self.daemon(config)
        self.url = "http://localhost"
        self.options = ["--unix-socket", daemon.socket]
        return daemon
