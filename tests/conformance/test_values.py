"""The values of each option: which are refused, and those at the edge of what is taken (manual 1.4)."""

import os

from harness import TestCase, actor, differs, free_port, needs_root, pool, program, section

# The first option of a kind is given all bad values of it, its kin one each: every start takes the original its time.
NUMBERS, NUMBER = ("", "x", "1.5", "0x10"), ("x",)
BOOLEANS, BOOLEAN = ("", "maybe", "2", "t"), ("maybe",)
SIZES, SIZE = ("", "x", "1.5MB", "MB", "1TB", "1K", "1B"), ("1TB",)
MODES, MODE = ("", "x", "8"), ("8",)
ACCOUNTS, ACCOUNT = ("", "no-such-user-x", "-1", "root:root"), ("no-such-user-x",)
VARIABLES, VARIABLE = ("A", "A=", "=1", 'A="1', "A=1,,B=2", 'A="1" B="2"', "A B=1", 'A="%"'), ("A",)
PORTS = ("", "x", "x:y", "99999", "-1", "0", "127.0.0.1:", "127.0.0.1:0", ":0", "*:0")

NUMBERS_OF_A_PROGRAM = {
    "startsecs": NUMBERS, "priority": NUMBER, "startretries": NUMBER, "stopwaitsecs": NUMBER,
    "numprocs": NUMBER + ("2",), "numprocs_start": NUMBER, "stdout_logfile_backups": NUMBER,
    "stderr_logfile_backups": NUMBER,
}
BOOLEANS_OF_A_PROGRAM = {
    "autostart": BOOLEANS, "stopasgroup": BOOLEAN, "killasgroup": BOOLEAN, "redirect_stderr": BOOLEAN,
    "stdout_events_enabled": BOOLEAN, "stderr_events_enabled": BOOLEAN, "stdout_syslog": BOOLEAN,
    "stderr_syslog": BOOLEAN,
}
SIZES_OF_A_PROGRAM = {
    "stdout_logfile_maxbytes": SIZES, "stderr_logfile_maxbytes": SIZE, "stdout_capture_maxbytes": SIZE,
    "stderr_capture_maxbytes": SIZE,
}
OTHERS_OF_A_PROGRAM = {
    "autorestart": ("", "maybe", "2"),
    "exitcodes": ("x", "256", "-1", "0,,2", "0;2", "1 2", ","),
    "stopsignal": ("", "NOPE", "-1", "65", "SIG"),
    "umask": MODES, "user": ACCOUNTS, "environment": VARIABLES,
    "process_name": ("a b", "a/b", "a:b", "%(nope)s", "%(program_name)", "%"),
    "directory": ("%(nope)s",), "command": ("%(nope)s",), "serverurl": ("%(nope)s",),
    "stdout_logfile": ("/nowhere/x",), "stderr_logfile": ("/nowhere/x",),
}
DAEMON = {
    "logfile": ("/nowhere/x",), "pidfile": ("/nowhere/x",), "childlogdir": ("", "/nowhere", "relative"),
    "directory": ("", "/nowhere", "/etc/passwd"), "logfile_maxbytes": SIZE, "logfile_backups": NUMBER,
    "loglevel": ("", "loud", "10"), "umask": MODE, "user": ACCOUNT, "environment": VARIABLE, "nodaemon": BOOLEAN,
    "silent": BOOLEAN, "nocleanup": BOOLEAN, "strip_ansi": BOOLEAN, "minfds": NUMBER, "minprocs": NUMBER,
    "identifier": ("%(nope)s",),
}
LISTENER = {"buffer_size": NUMBER + ("0", "-1"), "result_handler": ("", "nope", "a:b"),
            "redirect_stderr": ("maybe", "true")}
EVENTS = ("", "NOPE", "TICK_5,NOPE", "TICK_5,", "TICK_5 TICK_60", "TICK_5,,TICK_60")
SOCKET = {
    "socket": ("", "x", "tcp://", "tcp://h", "tcp://h:x", "unix://", "unix://x", "udp://h:1"),
    "socket_owner": ("", "no-such-user-x"), "socket_mode": MODE, "socket_backlog": NUMBER + ("0", "-1"),
}
UNIX_SERVER = {
    "file": ("/nowhere/x",), "chmod": MODE, "username": ("me",), "password": ("me",),
    "chown": ("", "no-such-user-x", "nobody:", "nobody:no-such-group-x", ":nogroup", "a.b"),
}
INTERFACE = {"supervisor.rpcinterface_factory": ("", "nope", "os:nope")}


class Refused(TestCase):
    """A bad value ends the start with status 2, before anything is running."""

    def start(self, header, options):
        sections = {"program:a": {"command": "/bin/cat"}}
        sections.setdefault(header, {}).update(options)
        own = {"supervisord": "supervisord", "unix_http_server": "unix"}.get(header)
        if own is not None:
            del sections[header]
        return self.refuse("".join(section(name, **rows) for name, rows in sections.items()),
                           **({own: options} if own else {}))

    def refused(self, header, table, **others):
        for key, values in table.items():
            for value in values:
                with self.subTest(key=key, value=value):
                    answer = self.start(header, dict(others, **{key: value}))
                    self.assertEqual(2, answer.code, answer)
                    self.assertRegex(answer.err, r"(?m)^Error: .*\n(.*\n)*For help, use \S+ -h$")
                    self.assertFalse(os.path.exists(self.path("supervisord.pid")))

    def test_numbers_of_a_program(self):
        self.refused("program:a", NUMBERS_OF_A_PROGRAM)

    def test_booleans_of_a_program(self):
        self.refused("program:a", BOOLEANS_OF_A_PROGRAM)

    def test_sizes_of_a_program(self):
        self.refused("program:a", SIZES_OF_A_PROGRAM)

    def test_other_values_of_a_program(self):
        self.refused("program:a", OTHERS_OF_A_PROGRAM)

    def test_values_of_the_daemon(self):
        self.refused("supervisord", DAEMON)

    def test_values_of_an_event_listener(self):
        self.refused("eventlistener:x", LISTENER, command="/bin/cat", events="TICK_5")
        self.refused("eventlistener:x", {"events": EVENTS}, command="/bin/cat")

    def test_values_of_a_shared_socket(self):
        self.refused("fcgi-program:x", SOCKET, command="/bin/cat", socket="unix://" + self.path("f.s"))

    def test_values_of_a_unix_server(self):
        self.refused("unix_http_server", UNIX_SERVER)

    def test_values_of_an_inet_server(self):
        self.refused("inet_http_server", {"port": PORTS})
        self.refused("inet_http_server", {"username": ("me",), "password": ("me",)}, port=str(free_port()))

    def test_values_of_a_group(self):
        self.refused("group:x", {"programs": ("nope", "a,,", "a b", ",")})
        self.refused("group:x", {"priority": NUMBER}, programs="a")

    def test_values_of_an_interface(self):
        self.refused("rpcinterface:x", INTERFACE)

    @differs("A bad value is reported with file, line, section, key and value")
    def test_message_names_the_place(self):
        for table in (NUMBERS_OF_A_PROGRAM, BOOLEANS_OF_A_PROGRAM, SIZES_OF_A_PROGRAM, OTHERS_OF_A_PROGRAM):
            for key, values in table.items():
                for value in values:
                    if (key, value) != ("numprocs", "2"):  # it lacks a process_name
                        self.assertIn("[program:a] %s=%s: " % (key, value), self.start("program:a", {key: value}).err)

    @differs("Numbers that do not fit into 32 bits")
    def test_what_the_original_takes_all_the_same(self):
        far = "99999999999999999999"
        for key, value in (("priority", far), ("startsecs", far), ("stopsignal", "0"), ("umask", "-1"),
                           ("umask", "77777777777"), ("process_name", "")):
            with self.subTest(key=key, value=value):
                self.assertEqual(2, self.start("program:a", {key: value}).code)
        self.assertEqual(2, self.start("group:x", {"programs": "a,a"}).code)


class Taken(TestCase):
    """Values at the edge, and other ways to write them."""

    def info(self, rows, key, **others):
        """What getAllConfigInfo says of programs of which each has one of the values, in that order."""
        daemon = self.daemon("".join(program("p%02d" % number, actor("hang"), **dict(
            {"autostart": "false", "startsecs": "1"}, **dict(others, **{key: value})))
                                     for number, value in enumerate(rows)))
        return daemon.supervisor.getAllConfigInfo()

    def test_numbers(self):
        for key, shown in (("priority", "process_prio"), ("startretries", "startretries"),
                           ("stopwaitsecs", "stopwaitsecs"), ("stdout_logfile_backups", "stdout_logfile_backups")):
            with self.subTest(key):
                found = self.info(["0", "007", " 5 ", "+5", "1_000", "2147483647"], key)
                self.assertEqual([0, 7, 5, 5, 1000, 2147483647], [one[shown] for one in found])
                self.daemons[-1].stop()

    def test_negative_numbers(self):
        for key, shown in (("priority", "process_prio"), ("startsecs", "startsecs"), ("startretries", "startretries")):
            with self.subTest(key):
                self.assertEqual([-1], [one[shown] for one in self.info(["-1"], key)])
                self.daemons[-1].stop()

    def test_no_processes(self):
        daemon = self.daemon(program("a", actor("hang"), numprocs="0") + program("b", actor("hang"), numprocs="-1"))
        self.assertEqual([], daemon.supervisor.getAllProcessInfo())

    def test_first_number_may_be_negative(self):
        daemon = self.daemon(program("a", actor("hang"), numprocs="2", numprocs_start="-1",
                                     process_name="a%(process_num)d"))
        self.assertEqual(["a-1", "a0"], sorted(one["name"] for one in daemon.supervisor.getAllProcessInfo()))

    def test_sizes(self):
        found = self.info(["0", "-1", "1", "5kB", "5 MB"], "stdout_logfile_maxbytes")
        self.assertEqual([0, 1, 5 << 10, 5 << 20], [one["stdout_logfile_maxbytes"] for one in found if one["name"] != "p01"])

    def test_words_for_signals(self):
        found = self.info(["9", "hup", "SIGHUP", "usr1 ", "64"], "stopsignal")
        self.assertEqual([9, 1, 1, 10, 64], [one["stopsignal"] for one in found])

    def test_exitcodes(self):
        found = self.info(["0", "255", "0, 2", "3,1"], "exitcodes")
        self.assertEqual([[0], [255], [0, 2], [3, 1]], [one["exitcodes"] for one in found])

    def test_no_exitcodes(self):
        self.assertEqual([[]], [one["exitcodes"] for one in self.info([""], "exitcodes")])

    def test_words_for_logs(self):
        found = self.info(["NONE", "none", "/dev/null"], "stdout_logfile")
        self.assertEqual(["none", "none", "/dev/null"], [one["stdout_logfile"] for one in found])

    def test_words_for_autorestart(self):
        self.assertEqual(4, len(self.info(["UNEXPECTED", "True", "off", "1"], "autorestart")))

    @needs_root
    def test_users(self):
        self.assertEqual(["0", "0"], [str(one["uid"]) for one in self.info(["root", "0"], "user")])

    def test_of_the_daemon(self):
        daemon = self.daemon(supervisord={
            "identifier": "a b", "logfile_maxbytes": "5kB", "logfile_backups": "0", "loglevel": "TRACE",
            "nocleanup": "YES", "strip_ansi": "On", "silent": "off", "minfds": "0", "minprocs": "-1",
            "umask": "0o22", "environment": ""})
        self.assertEqual("a b", daemon.supervisor.getIdentification())
        self.assertIn("supervisord started", daemon.supervisor.readLog(0, 0))

    def test_of_groups_and_listeners(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false")
                             + section("group:g", programs="a", priority="-1")
                             + pool("x", "serve", events="tick_5", buffer_size="1"))
        daemon.wait_log("x: ACKNOWLEDGED -> READY")
        self.assertEqual([("a", -1), ("x", -1)],
                         [(one["name"], one["group_prio"]) for one in daemon.supervisor.getAllConfigInfo()])
