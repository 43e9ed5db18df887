"""The dialect of the configuration file, and what is wrong in it (manual 1.4)."""

import os

from harness import TestCase, program, read, section, supervisord, wait_for, write


class Dialect(TestCase):
    def command(self, text):
        """What `command=` becomes in [program:a] of this configuration text."""
        daemon = self.daemon(text)
        return daemon.supervisor.getAllConfigInfo()[0]["command"]

    def one(self, lines):
        return self.command("[program:a]\nautostart=false\n" + lines)

    def test_equals_sign_and_colon(self):
        self.assertEqual("/bin/cat x", self.one("command: /bin/cat x\n"))

    def test_blanks_around_the_equals_sign(self):
        self.assertEqual("/bin/cat", self.one("command   =   /bin/cat   \n"))

    def test_semicolon_after_a_blank_begins_a_comment(self):
        self.assertEqual("/bin/cat a", self.one("command=/bin/cat a ; b\n"))

    def test_number_sign_after_a_blank_begins_a_comment(self):
        self.assertEqual("/bin/cat a", self.one("command=/bin/cat a # b\n"))

    def test_semicolon_without_a_blank_does_not(self):
        self.assertEqual("/bin/cat a;b#c", self.one("command=/bin/cat a;b#c\n"))

    def test_comment_inside_quotes_is_a_comment_too(self):
        self.assertEqual("sh -c \"a", self.one("command=sh -c \"a ; b\"\n"))

    def test_comment_lines(self):
        self.assertEqual("/bin/cat", self.one("; one\n# two\n  ; three\ncommand=/bin/cat\n"))

    def test_continuation_lines_are_joined_with_newlines(self):
        self.assertEqual("/bin/cat\na\nb", self.one("command=/bin/cat\n  a\n\tb\n"))

    def test_comment_lines_between_continuation_lines_vanish(self):
        self.assertEqual("/bin/cat\na\nb", self.one("command=/bin/cat\n  a\n; no\n  ; nor this\n  b\n"))

    def test_keys_ignore_case(self):
        self.assertEqual("/bin/cat", self.one("CoMMand=/bin/cat\n"))

    def test_last_of_repeated_keys_wins(self):
        self.assertEqual("/bin/true", self.one("command=/bin/cat\ncommand=/bin/true\n"))

    def test_repeated_sections_merge(self):
        self.assertEqual("/bin/true x",
                         self.one("command=/bin/cat\n[program:b]\ncommand=/bin/b\n[program:a]\ncommand=/bin/true x\n"))

    def test_crlf(self):
        self.assertEqual("/bin/cat x", self.one("command=/bin/cat x\r\nstartsecs=0\r\n"))

    def test_utf_8(self):
        self.assertEqual("/bin/cat \u20acuro", self.one("command=/bin/cat \u20acuro\n"))

    def test_utf_8_name(self):
        daemon = self.daemon(program("caf\u00e9", "/bin/cat"))
        self.assertEqual("caf\u00e9", daemon.wait_state("caf\u00e9", "RUNNING")["name"])

    def test_unknown_keys_and_sections_are_ignored(self):
        self.assertEqual("/bin/cat", self.one("command=/bin/cat\nnonsense=1\n[nothing]\na=b\n[other:x]\nc=d\n"))

    def test_value_may_hold_equals_signs_and_colons(self):
        self.assertEqual("/bin/cat a=b:c=d", self.one("command=/bin/cat a=b:c=d\n"))

    def test_value_may_hold_brackets(self):
        self.assertEqual("/bin/cat [x]", self.one("command=/bin/cat [x]\n"))


class Expansion(TestCase):
    def command(self, value, environment=None, **options):
        daemon = self.daemon(program("prog", "/bin/cat " + value, autostart="false", **options),
                             environment=environment)
        return [info["command"][len("/bin/cat "):] for info in daemon.supervisor.getAllConfigInfo()]

    def test_names(self):
        self.assertEqual(["prog prog 0 1 %s" % self.dir],
                         self.command("%(program_name)s %(group_name)s %(process_num)d %(numprocs)d %(here)s"))

    def test_host_name(self):
        self.assertEqual([os.uname().nodename], self.command("%(host_node_name)s"))

    def test_environment(self):
        self.assertEqual(["v-v"], self.command("%(ENV_SOME)s-%(ENV_SOME)s", environment={"SOME": "v"}))

    def test_percent(self):
        self.assertEqual(["100%"], self.command("100%%"))

    def test_formats(self):
        self.assertEqual(["7|007|  7|7  |+7|7|7"], self.command(
            "%(process_num)d|%(process_num)03d|%(process_num)3d|%(process_num)-3d|%(process_num)+d|%(process_num)s|"
            "%(process_num)x", numprocs_start=7))

    def test_string_formats(self):
        self.assertEqual(["      prog|prog      |pr"], self.command(
            '"%(program_name)10s|%(program_name)-10s|%(program_name).2s"'.strip('"')))

    def test_numbers_of_several(self):
        self.assertEqual(["0/2", "1/2"], self.command("%(process_num)d/%(numprocs)d", numprocs=2,
                                                      process_name="p%(process_num)d"))

    def test_in_logfile_and_directory(self):
        self.subdirectory("prog0")
        daemon = self.daemon(program("prog", "/bin/pwd", directory="%(here)s/%(program_name)s%(process_num)d",
                                     stdout_logfile="%(here)s/%(program_name)s.%(process_num)02d.log"))
        wait_for(lambda: read(self.path("prog.00.log")) == self.path("prog0") + "\n")
        self.assertEqual(self.path("prog.00.log"), daemon.info("prog")["stdout_logfile"])

    def test_environment_of_supervisord_section(self):
        daemon = self.daemon(program("a", "/bin/cat %(ENV_FROM)s"), supervisord={"environment": 'FROM="section"'})
        self.assertEqual("/bin/cat section", daemon.supervisor.getAllConfigInfo()[0]["command"])

    def test_environment_of_the_program_in_its_command(self):
        daemon = self.daemon(program("a", "/bin/cat %(ENV_MINE)s", environment='MINE="own"'))
        self.assertEqual("/bin/cat own", daemon.supervisor.getAllConfigInfo()[0]["command"])

    def test_in_supervisord_section(self):
        daemon = self.daemon(supervisord={"identifier": "%(ENV_WHO)s@%(here)s"}, environment={"WHO": "me"})
        self.assertEqual("me@" + self.dir, daemon.supervisor.getIdentification())


class Include(TestCase):
    def test_files_are_read_in_order_of_name(self):
        self.subdirectory("conf.d")
        write(self.path("conf.d/b.conf"), program("x", "/bin/cat b"))
        write(self.path("conf.d/a.conf"), program("x", "/bin/cat a") + program("y", "/bin/cat y"))
        daemon = self.daemon(section("include", files="conf.d/*.conf"))
        self.assertEqual(["/bin/cat b", "/bin/cat y"],
                         [info["command"] for info in daemon.supervisor.getAllConfigInfo()])
        self.assertIn('INFO Included extra file "%s" during parsing' % self.path("conf.d/a.conf"),
                      daemon.log_messages())

    def test_several_patterns(self):
        write(self.path("one.ini"), program("one", "/bin/cat"))
        write(self.path("two.inc"), program("two", "/bin/cat"))
        daemon = self.daemon(section("include", files="*.ini %(here)s/*.inc"))
        self.assertEqual(["one", "two"], [info["name"] for info in daemon.supervisor.getAllProcessInfo()])

    def test_here_is_the_directory_of_the_included_file(self):
        self.subdirectory("sub")
        write(self.path("sub/x.conf"), program("x", "/bin/cat %(here)s"))
        daemon = self.daemon(section("include", files="sub/*.conf"))
        self.assertEqual("/bin/cat " + self.path("sub"), daemon.supervisor.getAllConfigInfo()[0]["command"])

    def test_does_not_nest(self):
        write(self.path("inner.conf"), program("inner", "/bin/cat"))
        write(self.path("outer.inc"), program("outer", "/bin/cat") + section("include", files="inner.conf"))
        daemon = self.daemon(section("include", files="outer.inc"))
        self.assertEqual(["outer"], [info["name"] for info in daemon.supervisor.getAllProcessInfo()])

    def test_pattern_that_matches_nothing(self):
        self.daemon(section("include", files="nothing/*.conf"))

    def test_included_program_overrides(self):
        write(self.path("x.inc"), section("program:a", command="/bin/cat second"))
        daemon = self.daemon(program("a", "/bin/cat first") + section("include", files="x.inc"))
        self.assertEqual("/bin/cat second", daemon.supervisor.getAllConfigInfo()[0]["command"])


class Values(TestCase):
    def info(self, **options):
        return self.daemon(program("a", "/bin/cat", autostart="false", **options)).supervisor.getAllConfigInfo()[0]

    def test_byte_sizes(self):
        for text, size in (("1", 1), ("1KB", 1024), ("2MB", 2 << 20), ("1GB", 1 << 30), ("3kb", 3072), ("0", 0)):
            with self.subTest(text):
                daemon = self.daemon(program("a", "/bin/cat", autostart="false", stdout_logfile_maxbytes=text),
                                     directory=self.subdirectory(text))
                self.assertEqual(size, daemon.supervisor.getAllConfigInfo()[0]["stdout_logfile_maxbytes"])

    def test_booleans(self):
        for text, value in (("true", True), ("YES", True), ("on", True), ("1", True), ("False", False), ("no", False),
                            ("off", False), ("0", False)):
            with self.subTest(text):
                daemon = self.daemon(program("a", "/bin/cat", autostart="false", redirect_stderr=text),
                                     directory=self.subdirectory(text))
                self.assertEqual(value, daemon.supervisor.getAllConfigInfo()[0]["redirect_stderr"])

    def test_exitcodes(self):
        self.assertEqual([0, 2, 255], self.info(exitcodes="0, 2,255")["exitcodes"])

    def test_signal_names(self):
        self.assertEqual(10, self.info(stopsignal="sigusr1")["stopsignal"])

    def test_uid_of_a_user(self):
        self.assertEqual("0", str(self.info(user="root")["uid"]))

    def test_group_priority(self):
        daemon = self.daemon(program("a", "/bin/cat") + section("group:g", programs="a", priority="5"))
        self.assertEqual(5, daemon.supervisor.getAllConfigInfo()[0]["group_prio"])


class Tolerated(TestCase):
    def test_group_without_programs_is_empty(self):
        daemon = self.daemon("[group:g]\nprograms=\n")
        self.assertEqual([], daemon.supervisor.getAllProcessInfo())


class Errors(TestCase):
    """Each ends the start with status 2 and a line on stderr that names the culprit."""

    def refused(self, *words, config="", **options):
        answer = self.refuse(config, **options)
        self.assertEqual(2, answer.code, answer)
        self.assertRegex(answer.err, r"(?m)^Error: ")
        self.assertRegex(answer.err, r"(?m)^For help, use .*supervisord -h$")
        for word in words:
            self.assertIn(word, answer.err)
        self.assertFalse(os.path.exists(self.path("supervisord.pid")))

    def bad_program(self, *words, **options):
        self.refused(*words, config=program("a", "/bin/cat", **options))

    def test_number(self):
        self.bad_program("many", startsecs="many")

    def test_retries(self):
        self.bad_program("some", "program:a", startretries="some")

    def test_signal(self):
        self.bad_program("NOPE", stopsignal="NOPE")

    def test_boolean(self):
        self.bad_program("perhaps", redirect_stderr="perhaps")

    def test_autorestart(self):
        self.bad_program("perhaps", autorestart="perhaps")

    def test_size(self):
        self.bad_program("program:a", stdout_logfile_maxbytes="1TB")

    def test_exitcodes(self):
        self.bad_program("300", exitcodes="300")

    def test_user(self):
        self.bad_program("no-such-user-x", user="no-such-user-x")

    def test_umask(self):
        self.bad_program("999", umask="999")

    def test_environment(self):
        self.bad_program("no value at all", environment="no value at all")

    def test_unknown_expansion(self):
        self.bad_program("nonsense", directory="%(nonsense)s")

    def test_bad_format(self):
        self.bad_program("process_num", directory="%(process_num)")

    def test_missing_command(self):
        self.refused("program:a", config="[program:a]\nstartsecs=1\n")

    def test_numprocs_without_process_num(self):
        self.bad_program("process_num", numprocs=2, process_name="same")

    def test_name_with_a_colon(self):
        self.refused("a:b", config=program("x", "/bin/cat", process_name="a:b"))

    def test_name_with_a_blank(self):
        self.refused("a b", config=program("a b", "/bin/cat"))

    def test_killasgroup_without_stopasgroup(self):
        self.bad_program("killasgroup", "stopasgroup", stopasgroup="true", killasgroup="false")

    def test_logfile_in_a_missing_directory(self):
        self.bad_program("/nowhere/dir", stdout_logfile="/nowhere/dir/x.log")

    def test_group_of_an_unknown_program(self):
        self.refused("ghost", config=section("group:g", programs="ghost"))

    def test_loglevel(self):
        self.refused("loud", supervisord={"loglevel": "loud"})

    def test_missing_childlogdir(self):
        self.refused("/nowhere/dir", supervisord={"childlogdir": "/nowhere/dir"})

    def test_missing_directory(self):
        self.refused("/nowhere/dir", supervisord={"directory": "/nowhere/dir"})

    def test_logfile_of_the_daemon_in_a_missing_directory(self):
        self.refused("/nowhere/dir", supervisord={"logfile": "/nowhere/dir/x.log"})

    def test_user_of_the_daemon(self):
        self.refused("no-such-user-x", supervisord={"user": "no-such-user-x"})

    def test_port(self):
        self.refused("nonsense", config=section("inet_http_server", port="nonsense"))

    def test_socket_mode(self):
        self.refused("999", unix={"chmod": "999"})

    def test_socket_owner(self):
        self.refused("no-such-user-x", unix={"chown": "no-such-user-x"})

    def test_user_without_password(self):
        self.refused("password", unix={"username": "me"})

    def test_line_outside_of_a_section(self):
        daemon = self.prepare()
        write(daemon.path, "a=b\n[supervisord]\n")
        answer = supervisord("-c", daemon.path)
        self.assertEqual(2, answer.code)
        self.assertIn("Error: ", answer.err)

    def test_no_supervisord_section(self):
        answer = supervisord("-c", write(self.path("empty.conf"), program("a", "/bin/cat")))
        self.assertEqual(2, answer.code)
        self.assertIn("supervisord", answer.err)

    def test_missing_file(self):
        answer = supervisord("-c", "/nowhere/supervisord.conf")
        self.assertEqual(2, answer.code)
        self.assertIn("Error: could not find config file /nowhere/supervisord.conf\n", answer.err)

    def test_missing_port(self):
        self.refused("inet_http_server", config="[inet_http_server]\nusername=a\npassword=b\n")

    def test_unreadable_rpcinterface(self):
        self.refused("rpcinterface:x", config=section("rpcinterface:x", whatever="1"))
