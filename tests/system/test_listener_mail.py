"""The listeners that send mail: crashmail by a program, crashmailbatch, fatalmailbatch and crashsms over SMTP."""

import email
import os
import re
import subprocess

from harness import TestCase, actor, lines_of, program, read, wait_for, write
from listening import ByHand, Sendmail, SmtpServer, eventlistener, listener

EXIT = "processname:%s groupname:%s from_state:RUNNING expected:%d pid:7"


class Crashmail(TestCase):
    def setUp(self):
        super().setUp()
        self.sendmail = Sendmail(self)

    def by_hand(self, *arguments, sendmail=None, environment=None):
        return ByHand(self, listener("crashmail"), "-s", sendmail or self.sendmail.path, "-m", "me@example.com",
                      *arguments, environment=environment)

    def crash(self, it, name="a", group="g", expected=0):
        it.send("PROCESS_STATE_EXITED", EXIT % (name, group, expected))

    def test_a_mail_for_an_unexpected_exit(self):
        self.daemon(eventlistener("mail", listener("crashmail"), "-a", "-o", "here", "-m", "me@example.com",
                                  "-s", self.sendmail.path + " -t -i", events="PROCESS_STATE_EXITED") +
                    program("good", actor("exit=0")) + program("bad", actor("exit=1")))
        mail = email.message_from_string(self.sendmail.wait_box("unexpectedly"))
        self.assertEqual("me@example.com", mail["To"])
        self.assertRegex(mail["Subject"], r"^\[here\] bad crashed at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$")
        self.assertRegex(mail["Message-ID"], r"^<[^<>@\s]+@[^<>@\s]+>$")
        self.assertRegex(mail["Date"], r"^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}$")
        self.assertRegex(mail.get_payload(),
                         r"^Process bad:bad exited unexpectedly \(pid \d+, was (STARTING|RUNNING)\)\n$")
        self.assertEqual(["-t -i"], lines_of(self.sendmail.path + ".arguments"))

    def test_only_of_those_that_are_named(self):
        it = self.by_hand("-p", "a", "-p", "g:b", "-p", "h:*")
        for name, group in (("a", "x"), ("b", "x"), ("b", "g"), ("c", "g"), ("c", "h")):
            self.crash(it, name, group)
        self.assertEqual(["x:a", "g:b", "h:c"], re.findall(r"^Process (\S+)", self.sendmail.box(), re.M))

    def test_expected_exits_and_other_events_go_by(self):
        it = self.by_hand("-a")
        self.crash(it, expected=1)
        it.send("PROCESS_STATE_FATAL", "processname:a groupname:a from_state:BACKOFF")
        it.send("PROCESS_STATE_EXITED", "rubbish")
        it.tick()
        self.assertEqual(("", ""), (self.sendmail.box(), it.said()))

    def test_no_header_can_be_added_by_a_name(self):
        it = self.by_hand("-a", "-o", "x\r\nBcc: you@example.com")
        self.crash(it, "a\rb\x01\u00e4")
        mail = email.message_from_string(self.sendmail.wait_box("unexpectedly"))
        self.assertIsNone(mail["Bcc"])
        self.assertTrue(mail["Subject"].startswith("[x  Bcc: you@example.com] a b ?? crashed at "), mail["Subject"])

    def test_the_command_is_not_given_to_a_shell(self):
        target = self.path("target")
        it = self.by_hand("-a", sendmail="%s '%s' \"a b\" c\\ d $HOME; touch %s" % (self.sendmail.path, "x y", target))
        self.crash(it)
        self.sendmail.wait_box("unexpectedly")
        self.assertEqual(["x y a b c d $HOME; touch " + target], lines_of(self.sendmail.path + ".arguments"))
        self.assertFalse(os.path.exists(target))

    def test_a_program_that_fails(self):
        it = self.by_hand("-a", sendmail=Sendmail(self, "exit 75").path)
        self.crash(it)
        self.assertIn("crashmail: cannot send mail to me@example.com: %s: exit status 75\n" % self.sendmail.path,
                      it.said())

    def test_a_program_that_is_not_there(self):
        it = self.by_hand("-a", sendmail=self.path("nothing"))
        self.crash(it)
        self.assertIn("crashmail: cannot send mail to me@example.com: %s: No such file or directory\n" %
                      self.path("nothing"), it.said())

    def test_a_program_that_does_not_read_and_talks(self):
        it = self.by_hand("-a", sendmail=Sendmail(self, "echo talk; exit 0").path)
        self.crash(it)
        self.crash(it)
        self.assertEqual(2, it.said().count("talk\n"))
        self.assertEqual(0, it.end())

    def test_without_an_address_nobody_is_told(self):
        it = ByHand(self, listener("crashmail"), "-a", "-s", self.sendmail.path)
        self.crash(it)
        self.assertEqual("crashmail: Process g:a exited unexpectedly (pid 7, was RUNNING)\n", it.said())
        self.assertEqual("", self.sendmail.box())


class Batch(TestCase):
    NAME = "crashmailbatch"

    def by_hand(self, *arguments, environment=None):
        return ByHand(self, listener(self.NAME), "--toEmail=me@example.com, You <you@example.com>",
                      "--fromEmail", "daemon@example.com", *arguments, environment=environment)

    def to(self, server, *arguments, **options):
        return self.by_hand("--smtpHost=" + server.host, *arguments, **options)

    def crash(self, it, name="a", expected=0):
        it.send("PROCESS_STATE_EXITED", EXIT % (name, name, expected))


class Crashmailbatch(Batch):
    def test_several_exits_are_one_mail(self):
        server = SmtpServer(self)
        it = self.to(server)
        for name in ("a", "b", ".", "expected"):
            self.crash(it, name, int(name == "expected"))
        self.assertEqual([], server.mails)
        it.tick()
        it.tick()
        (encrypted, user, sender, recipients, message), = server.mails
        self.assertEqual((False, None, "<daemon@example.com>", ["<me@example.com>", "<you@example.com>"]),
                         (encrypted, user, sender, recipients))
        mail = email.message_from_string(message)
        self.assertEqual(("me@example.com, You <you@example.com>", "daemon@example.com", "Crash alert from supervisord"),
                         (mail["To"], mail["From"], mail["Subject"]))
        lines = mail.get_payload().splitlines()
        self.assertEqual(["a:a", "b:b", ".:."], [line.split("Process ")[1].split(" ")[0] for line in lines])
        self.assertEqual(0, it.end())

    def test_under_supervisord(self):
        server = SmtpServer(self)
        self.daemon(eventlistener(self.NAME, listener(self.NAME), "-t", "me@example.com", "-f", "you@example.com",
                                  "-s", "It crashed", "-H", server.host, "-i", "0.01", "-e", "TICK_5",
                                  events="PROCESS_STATE,TICK_5") + program("bad", actor("exit=1")))
        wait_for(lambda: server.mails, 15)
        self.assertIn("Subject: It crashed\n", server.mails[0][4])
        self.assertIn("Process bad:bad exited unexpectedly", server.mails[0][4])

    def test_the_interval_is_counted_in_ticks(self):
        for arguments, ticks in ((("-i", "3"), 3), (("-i", "0.25", "-e", "TICK_5"), 3), (("-i", "1", "-e", "TICK_5"), 12),
                                 (("-i", "61", "-e", "TICK_3600"), 2), (("-i", "0"), 1)):
            with self.subTest(arguments):
                server = SmtpServer(self)
                it = self.to(server, *arguments)
                self.crash(it)
                name = arguments[3] if len(arguments) > 2 else "TICK_60"
                for _ in range(ticks - 1):
                    it.tick("TICK_60" if name == "TICK_5" else "TICK_5")  # is not what time is measured by
                    it.tick(name)
                self.assertEqual([], server.mails)
                it.tick(name)
                self.assertEqual(1, len(server.mails))

    def test_what_could_not_be_sent_is_sent_later(self):
        server = SmtpServer(self)
        server.refuse = "550 not here"
        it = self.to(server)
        self.crash(it, "a")
        it.tick()
        self.assertIn("cannot send mail to me@example.com, You <you@example.com>, trying again later: %s: " %
                      server.host, it.said())
        server.refuse = None
        self.crash(it, "b")
        it.tick()
        self.assertEqual(2, server.mails[0][4].count("exited unexpectedly"))

    def test_a_server_that_is_not_there(self):
        server = SmtpServer(self)
        server.close()
        it = self.to(server)
        self.crash(it)
        it.tick()
        self.assertIn("trying again later: %s: Failed to connect" % server.host, it.said())

    def test_what_is_kept_is_bounded(self):
        server = SmtpServer(self)
        server.refuse = "450 later"
        it = self.to(server)
        for _ in range(1003):
            self.crash(it)
        it.tick()
        server.refuse = None
        it.tick()
        lines = server.mails[0][4].rstrip("\n").splitlines()
        self.assertEqual((1000, "and 3 more"), (len([line for line in lines if "Process" in line]), lines[-1]))

    def test_a_login(self):
        server = SmtpServer(self, login=("me", "secret"))
        for arguments, environment in ((("-u", "me", "-p", "secret"), None),
                                       (("--userName=me",), {"SMTP_PASSWORD": "secret"})):
            it = self.to(server, *arguments, environment=environment)
            self.crash(it)
            it.tick()
        self.assertEqual([("me", "secret")] * 2, [mail[1] for mail in server.mails])

    def test_a_wrong_password(self):
        server = SmtpServer(self, login=("me", "secret"))
        it = self.to(server, "-u", "me", "-p", "wrong")
        self.crash(it)
        it.tick()
        self.assertIn("trying again later: %s: " % server.host, it.said())
        self.assertEqual([], server.mails)


class Tls(Batch):
    def setUp(self):
        super().setUp()
        self.certificate = (self.path("cert.pem"), self.path("key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.certificate[1], "-out", self.certificate[0], "-days", "2", "-subj", "/CN=x",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)

    def sent(self, server, *arguments):
        it = self.to(server, *arguments)
        self.crash(it)
        it.tick()
        return it.said()

    def test_mail_goes_encrypted(self):
        server = SmtpServer(self, self.certificate, login=("me", "secret"))
        self.sent(server, "--tls", "--ca", self.certificate[0], "-u", "me", "-p", "secret")
        self.assertEqual([(True, ("me", "secret"))], [mail[:2] for mail in server.mails])

    def test_a_certificate_that_is_not_trusted(self):
        server = SmtpServer(self, self.certificate)
        self.assertIn("certificate", self.sent(server, "--tls"))
        self.assertEqual([], server.mails)

    def test_a_server_without_tls_gets_nothing(self):
        server = SmtpServer(self)
        self.assertIn("trying again later", self.sent(server, "--tls"))
        self.assertEqual([], server.mails)


class Fatalmailbatch(Batch):
    NAME = "fatalmailbatch"

    def test_processes_that_could_not_be_started(self):
        server = SmtpServer(self)
        it = self.to(server)
        self.crash(it)
        it.send("PROCESS_STATE_FATAL", "processname:b groupname:g from_state:BACKOFF")
        it.tick()
        message = server.mails[0][4]
        self.assertIn("Subject: Fatal start alert from supervisord\n", message)
        self.assertIn("Process g:b could not be started; it is FATAL now", message)
        self.assertNotIn("unexpectedly", message)


class Crashsms(Batch):
    NAME = "crashsms"

    def test_few_words(self):
        server = SmtpServer(self)
        it = self.to(server)
        self.crash(it)
        it.tick()
        mail = email.message_from_string(server.mails[0][4])
        self.assertEqual("", mail["Subject"])
        self.assertRegex(mail.get_payload(), r"^a:a crashed \d\d:\d\d\n?$")
