"""memmon: processes that take too much memory are started anew."""

import email
import os
import subprocess

from harness import ACTOR, TestCase, actor, program, run, section, wait_for
from listening import ByHand, Sendmail, eventlistener, listener

BIG = actor("grow=40", "print=up", "hang")
SMALL = actor("print=up", "hang")
PARENT = actor("fork", "grow=40", "print=up", "hang", "end", "hang")


class Memmon(TestCase):
    def setUp(self):
        super().setUp()
        self.sendmail = Sendmail(self)

    def running(self, **commands):
        """A daemon with these programs, up and as big as they will be."""
        self.it = self.daemon("".join(program(name, command, stopsignal="KILL", stopasgroup="true")
                                      for name, command in commands.items()))
        for name in commands:
            self.it.wait_stdout(name, "up")
        self.before = {name: self.it.info(name)["pid"] for name in commands}

    def restarted(self, *arguments, ticks=1):
        """Those that memmon has restarted."""
        self.memmon = ByHand(self, listener("memmon"), *arguments, daemon=self.it)
        for _ in range(ticks):
            self.memmon.tick()
        return {name for name, pid in self.before.items() if self.it.info(name)["pid"] != pid}

    def test_under_supervisord(self):
        daemon = self.daemon(
            program("big", BIG) + program("small", SMALL) +
            eventlistener("memmon", listener("memmon"), "-a", "20MB", "-m", "me@example.com", "-n", "here",
                          "-s", self.sendmail.path, events="TICK_5"))
        pids = [daemon.info(name)["pid"] for name in ("big", "small")]
        mail = email.message_from_string(wait_for(self.sendmail.box, 20))
        self.assertEqual("memmon [here]: process big:big restarted", mail["Subject"])
        self.assertRegex(mail.get_payload(), r"RSS of big:big is \d+ bytes, more than 20971520\nIt was restarted\.\n"
                                             r"It had been up for \d seconds\.\n")
        self.assertNotEqual(pids[0], daemon.info("big")["pid"])
        self.assertEqual(pids[1], daemon.info("small")["pid"])
        self.assertIn("RSS of small:small is ", daemon.stderr("memmon"))

    def test_a_program_by_its_names(self):
        self.running(big=BIG, other=BIG)
        self.assertEqual({"big"}, self.restarted("-p", "big=20MB"))
        self.before["big"] = self.it.info("big")["pid"]
        self.it.wait_stdout("big", "up\nup\n")
        self.assertEqual({"big"}, self.restarted("-p", "big:big=20480KB"))
        self.assertEqual(set(), {"other"} & self.restarted("-p", "other=1GB", "-p", "nobody=1"))

    def test_a_group(self):
        self.it = self.daemon(program("a", BIG) + program("b", BIG) + section("group:g", programs="a"))
        for name in ("g:a", "b"):
            self.it.wait_stdout(name, "up")
        self.before = {name: self.it.info(name)["pid"] for name in ("g:a", "b")}
        self.assertEqual({"g:a"}, self.restarted("-g", "g=20MB"))

    def test_the_smallest_limit_holds(self):
        self.running(big=BIG)
        self.assertEqual({"big"}, self.restarted("-a", "1GB", "-p", "big=20MB", "-g", "big=2GB"))

    def test_children_count_when_told_so(self):
        self.running(parent=PARENT)
        self.assertEqual(set(), self.restarted("-a", "20MB"))
        self.assertEqual({"parent"}, self.restarted("-c", "-a", "20MB"))
        self.assertIn("cumulative RSS of parent:parent is ", self.memmon.said())

    def test_shared_memory_is_shared_out(self):
        """Two processes with the same 40 MB: each has 40 MB of RSS and 20 MB of PSS."""
        self.running(shared=actor("grow=40", "fork", "hang", "end", "print=up", "hang"))
        self.assertEqual(set(), self.restarted("-a", "30MB", "--pss"))
        self.assertEqual(set(), self.restarted("-a", "50MB", "--pss", "-c"))
        self.assertIn("cumulative PSS of shared:shared is ", self.memmon.said())
        self.assertEqual({"shared"}, self.restarted("-a", "30MB"))

    def test_no_mail_about_what_has_been_up_for_long(self):
        self.running(big=BIG)
        mail = ("-m", "me@example.com", "-s", self.sendmail.path)
        wait_for(lambda: self.it.info("big")["now"] - self.it.info("big")["start"] >= 1)
        self.assertEqual({"big"}, self.restarted("-a", "20MB", "-u", "0", *mail))
        self.assertEqual("", self.sendmail.box())
        self.it.wait_stdout("big", "up\nup\n")
        self.restarted("-a", "20MB", "-u", "1h", *mail)
        self.assertIn("Subject: memmon: process big:big restarted\n", self.sendmail.box())

    def test_what_is_down_takes_nothing(self):
        self.running(big=BIG)
        self.it.supervisor.stopProcess("big")
        self.restarted("-a", "1")
        self.assertEqual("", self.memmon.said())
        self.assertEqual("STOPPED", self.it.state("big"))

    def test_what_is_being_stopped_is_left_alone(self):
        self.it = self.daemon(program("big", actor("ignore=TERM", "grow=40", "print=up", "hang"), stopwaitsecs=600))
        self.it.wait_stdout("big", "up")
        self.before = {"big": self.it.info("big")["pid"]}
        self.it.supervisor.stopProcess("big", False)
        self.assertEqual(set(), self.restarted("-a", "1"))
        self.assertEqual("", self.memmon.said())
        self.it.supervisor.signalProcess("big", "KILL")

    def test_it_does_not_restart_itself(self):
        daemon = self.daemon(eventlistener("memmon", listener("memmon"), "-a", "1", events="TICK_5") +
                             program("a", SMALL))
        before = daemon.info("memmon")["pid"]
        daemon.wait_stdout("a", "up\nup\n", 20)
        self.assertEqual(before, daemon.info("memmon")["pid"])

    def test_a_process_that_does_not_come_back(self):
        program_file = self.path("program")
        os.symlink(ACTOR, program_file)
        self.running(big=BIG.replace(ACTOR, program_file))
        os.unlink(program_file)
        self.restarted("-a", "20MB", "-m", "me@example.com", "-s", self.sendmail.path)
        self.assertIn("It could not be restarted: supervisor.startProcess: NO_FILE", self.memmon.said())
        self.assertIn("Subject: memmon: process big:big could not be restarted\n", self.sendmail.box())

    def test_other_events_go_by(self):
        self.running(big=BIG)
        memmon = ByHand(self, listener("memmon"), "-a", "1", daemon=self.it)
        memmon.send("PROCESS_STATE_RUNNING", "processname:big groupname:big from_state:STARTING pid:1")
        self.assertEqual("", memmon.said())

    def test_a_supervisord_that_does_not_answer(self):
        self.running(big=BIG)
        memmon = ByHand(self, listener("memmon"), "-a", "1", daemon=self.it)
        self.it.stop()
        memmon.tick()
        self.assertIn("memmon: supervisor.getAllProcessInfo: unix://%s: No such file or directory\n" % self.it.socket,
                      memmon.said())
        self.assertEqual(0, memmon.end())

    def test_calls_over_tls(self):
        certificate, key = self.path("cert.pem"), self.path("key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=x", "-addext",
                        "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
        daemon = self.daemon(inet={"tls_certificate": certificate, "tls_key": key})
        url = {"SUPERVISOR_SERVER_URL": "https://127.0.0.1:%d" % daemon.port}
        memmon = ByHand(self, listener("memmon"), "-a", "1", environment=dict(url, SUPERVISOR_TLS_CA=certificate))
        memmon.tick()
        self.assertEqual("", memmon.said())
        memmon = ByHand(self, listener("memmon"), "-a", "1", environment=url)
        memmon.tick()
        self.assertIn("is not trusted; SUPERVISOR_TLS_CA in the environment says which one is", memmon.said())
        answer = run(listener("memmon"), "-a", "1", environment=dict(url, SUPERVISOR_TLS_CA="/no/file"))
        self.assertEqual((2, ""), (answer.code, answer.out))
        self.assertIn("memmon: SUPERVISOR_TLS_CA: cannot read /no/file: No such file or directory\n", answer.err)

    def test_a_wrong_password(self):
        daemon = self.daemon(inet={"username": "me", "password": "right"})
        variables = {"SUPERVISOR_SERVER_URL": "http://127.0.0.1:%d" % daemon.port, "SUPERVISOR_USERNAME": "me"}
        for password, outcome in (("wrong", "the user name or the password is wrong"), ("right", "")):
            with self.subTest(password):
                memmon = ByHand(self, listener("memmon"), "-a", "1",
                                environment=dict(variables, SUPERVISOR_PASSWORD=password))
                before = memmon.said()
                memmon.tick()
                self.assertIn(outcome, memmon.said()[len(before):])
                self.assertEqual(not outcome, memmon.said() == before)
