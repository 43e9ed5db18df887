"""Logs that go to the system log (manual 1.4.2, 1.4.6).

The daemon runs in a mount namespace of its own, in which /dev/log leads to a socket of the test.
"""

import re
import select
import socket

from harness import TestCase, actor, differs, needs_root, program, read, run, wait_for, write

# A /dev with what a daemon needs, and the given socket as /dev/log; then the command.
OWN_DEV = """
sock=$1 old=$2; shift 2
mount --make-rprivate / && mount --rbind /dev "$old" && mount -t tmpfs -o mode=755 tmpfs /dev || exit 99
for node in null zero full random urandom tty; do : > /dev/$node && mount --bind "$old/$node" /dev/$node; done
ln -s /proc/self/fd /dev/fd && ln -s fd/0 /dev/stdin && ln -s fd/1 /dev/stdout && ln -s fd/2 /dev/stderr
ln -s "$sock" /dev/log
exec "$@"
"""


class SystemLog(TestCase):
    def setUp(self):
        super().setUp()
        if run("unshare", "-m", "true").code != 0:
            self.skipTest("no mount namespaces here")
        self.receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.receiver.close)
        self.receiver.bind(self.path("log"))
        self.lines = []

    def daemon(self, config="", **options):
        script = write(self.path("own-dev.sh"), OWN_DEV)
        return super().daemon(config, prefix=["unshare", "-m", "sh", script, self.path("log"),
                                              self.subdirectory("dev")], **options)

    def received(self):
        """All messages so far, without a newline at the end, which a system log takes away."""
        while select.select([self.receiver], [], [], 0)[0]:
            self.lines.append(self.receiver.recv(65536).decode().rstrip("\n"))
        return self.lines

    def wait_message(self, pattern):
        wait_for(lambda: any(re.search(pattern, line) for line in self.received()), what=pattern)

    def messages_of(self, name):
        """What came from a process, heads taken off: facility user, priority info, the time, the program."""
        head = r"<14>[A-Z][a-z][a-z] [ 123]\d \d\d:\d\d:\d\d supervisord: %s " % name
        return [re.sub("^" + head, "", line) for line in self.received() if re.match(head, line)]


@needs_root
class OfProcesses(SystemLog):
    def test_gets_each_line_behind_the_name(self):
        self.daemon(program("a", actor("print=one", "print=two  words", "hang"), stdout_syslog="true"))
        self.wait_message("two")
        self.assertEqual(["one", "two  words"], self.messages_of("a"))

    def test_gets_it_besides_the_file(self):
        daemon = self.daemon(program("a", actor("print=one", "hang"), stdout_syslog="true"))
        self.wait_message("a one$")
        self.assertEqual("one\n", daemon.stdout("a"))

    def test_gets_stderr(self):
        daemon = self.daemon(program("a", actor("error=one", "print=two", "hang"), stderr_syslog="true"))
        self.wait_message("a one$")
        daemon.wait_stdout("a", "two\n")
        self.assertEqual(["one"], self.messages_of("a"))

    def test_in_place_of_a_file(self):
        daemon = self.daemon(program("a", actor("print=one", "error=two", "hang"), stdout_logfile="syslog",
                                     stderr_logfile="syslog"))
        self.wait_message("a two$")
        self.wait_message("a one$")
        self.assertEqual("", daemon.info("a")["stdout_logfile"])

    def test_gets_the_last_words(self):
        self.daemon(program("a", actor("raw=last words", "exit=0"), stdout_syslog="true"))
        self.wait_message("a last words$")

    def test_gets_empty_lines(self):
        self.daemon(program("a", actor("print=", "print=end", "hang"), stdout_syslog="true"))
        self.wait_message("a end$")
        self.assertEqual(["", "end"], self.messages_of("a"))

    def test_gets_no_messages_of_capture_mode(self):
        text = "one<!--XSUPERVISOR:BEGIN-->two<!--XSUPERVISOR:END-->" + 40 * "." + "\n"
        self.daemon(program("a", actor("print=" + text.rstrip("\n"), "hang"), stdout_syslog="true",
                            stdout_capture_maxbytes="1KB"))
        self.wait_message(r"\.$")
        self.assertEqual("one" + 40 * ".", "".join(self.messages_of("a")))

    @differs("the original sends the pieces of a line as they come")
    def test_gets_lines_whole(self):
        self.daemon(program("a", actor("raw=one", "sleep=0.2", "print=two", "hang"), stdout_syslog="true"))
        self.wait_message("two$")
        self.assertEqual(["onetwo"], self.messages_of("a"))

    @differs("`stdout_prefix` and `stderr_prefix`")
    def test_gets_no_prefix(self):
        daemon = self.daemon(program("a", actor("print=one", "hang"), stdout_syslog="true",
                                     stdout_prefix="[%(program_name)s]"))
        self.wait_message("a one$")
        self.assertEqual(["one"], self.messages_of("a"))
        self.assertEqual("[a] one\n", daemon.stdout("a"))

    @differs("a system log that does not listen holds up nothing")
    def test_that_does_not_listen_holds_up_nothing(self):
        daemon = self.daemon(program("a", actor("lines=20000,100", "mark=%s,done" % self.path("mark"), "hang"),
                                     stdout_syslog="true", stdout_logfile=self.path("a.log")))
        wait_for(lambda: read(self.path("mark")) == "done\n")
        self.assertEqual("RUNNING", daemon.state("a"))
        wait_for(lambda: len(read(self.path("a.log"))) == 2000000)
        self.assertLess(len(self.received()), 20000)


@needs_root
class OfTheDaemon(SystemLog):
    def test_gets_the_activity_log(self):
        daemon = self.daemon(program("a", actor("hang")), supervisord={"logfile": "syslog", "loglevel": "info"})
        self.wait_message(r"<14>.{15} supervisord: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO spawned: 'a' with pid \d+$")
        daemon.stop()
        self.wait_message("WARN stopped: a")
