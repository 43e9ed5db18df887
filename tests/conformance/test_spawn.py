"""What a child finds when it starts (manual 1.4.6, 1.5.3)."""

import json
import os
import pwd

from harness import REPORT, TestCase, actor, needs_root, program, read, wait_for, write


class Child(TestCase):
    def report(self, name="a", daemon_options=None, arguments=(), **options):
        """Starts the reporting program and gives what it reports."""
        out = self.path("report.json")
        command = [REPORT, out, "exit", *arguments]
        self.it = self.daemon(program(name, *command, **options), **(daemon_options or {}))
        text = wait_for(lambda: (lambda text: text if text.endswith("}\n") else None)(read(out)), what="the report")
        return json.loads(text)


class Environment(Child):
    def test_supervisor_variables(self):
        environment = self.report()["environment"]
        self.assertEqual(("1", "a", "a", "unix://" + self.it.socket),
                         tuple(environment.get("SUPERVISOR_" + name)
                               for name in ("ENABLED", "PROCESS_NAME", "GROUP_NAME", "SERVER_URL")))

    def test_serverurl_can_be_set(self):
        environment = self.report(serverurl="http://elsewhere:1")["environment"]
        self.assertEqual("http://elsewhere:1", environment["SUPERVISOR_SERVER_URL"])

    def test_unix_server_wins_over_the_inet_one(self):
        environment = self.report(daemon_options={"inet": True})["environment"]
        self.assertEqual("unix://" + self.it.socket, environment["SUPERVISOR_SERVER_URL"])

    def test_variables_of_the_daemon_are_inherited(self):
        environment = self.report(daemon_options={"environment": {"INHERITED": "yes"}})["environment"]
        self.assertEqual("yes", environment["INHERITED"])

    def test_variables_of_program_win_over_those_of_supervisord(self):
        options = {"supervisord": {"environment": 'A="daemon",C="daemon"'}}
        environment = self.report(environment='A="program",B=plain', daemon_options=options)["environment"]
        self.assertEqual(("program", "plain", "daemon"), tuple(environment[name] for name in "ABC"))

    def test_supervisor_variables_can_be_overridden(self):
        environment = self.report(environment='SUPERVISOR_GROUP_NAME="mine"')["environment"]
        self.assertEqual("mine", environment["SUPERVISOR_GROUP_NAME"])

    def test_quoted_values_keep_commas_and_blanks(self):
        environment = self.report(environment="""A="x, y",B='it "is" so',C="it's" """)["environment"]
        self.assertEqual(("x, y", 'it "is" so', "it's"), tuple(environment[name] for name in "ABC"))

    def test_names_in_expansions(self):
        environment = self.report(environment='P="%(program_name)s-%(group_name)s-%(process_num)d-%(here)s-100%%"')
        self.assertEqual("a-a-0-%s-100%%" % self.dir, environment["environment"]["P"])

    @needs_root
    def test_user_does_not_change_home_or_logname(self):
        os.chmod(self.dir, 0o777)  # the report is written by the user
        found = self.report(user="nobody", daemon_options={"environment": {"HOME": "/here", "USER": "me"}})
        self.assertEqual(("/here", "me"), (found["environment"]["HOME"], found["environment"]["USER"]))


class Identity(Child):
    @needs_root
    def test_user(self):
        os.chmod(self.dir, 0o777)
        nobody = pwd.getpwnam("nobody")
        found = self.report(user="nobody")
        self.assertEqual([nobody.pw_uid] * 2 + [nobody.pw_gid] * 2,
                         [found[key] for key in ("uid", "euid", "gid", "egid")])
        self.assertEqual(sorted(set(os.getgrouplist("nobody", nobody.pw_gid))), sorted(set(found["groups"])))

    @needs_root
    def test_user_by_number(self):
        os.chmod(self.dir, 0o777)
        nobody = pwd.getpwnam("nobody")
        self.assertEqual(nobody.pw_uid, self.report(user=nobody.pw_uid)["uid"])

    def test_own_process_group_in_the_session_of_the_daemon(self):
        found = self.report()
        self.assertEqual(found["pid"], found["pgid"])
        self.assertEqual(os.getsid(self.it.pid), found["sid"])
        self.assertEqual(self.it.pid, found["ppid"])


class Surroundings(Child):
    def test_only_standard_descriptors(self):
        self.assertEqual(["0", "1", "2"], sorted(self.report()["descriptors"]))

    def test_signal_mask_is_empty(self):
        self.assertEqual([], self.report()["blocked"])

    def test_directory(self):
        where = self.subdirectory("where")
        self.assertEqual(where, self.report(directory=where)["directory"])

    def test_directory_of_the_daemon_by_default(self):
        self.assertEqual(self.dir, self.report()["directory"])

    def test_umask(self):
        self.assertEqual(0o027, self.report(umask="027")["umask"])

    def test_umask_of_the_daemon_by_default(self):
        self.assertEqual(0o022, self.report()["umask"])

    def test_arguments(self):
        found = self.report(arguments=['"two words"', "'single'", r"back\ slash", 'a"b"c', "$HOME", "*", '""', "~"])
        self.assertEqual(["two words", "single", "back slash", "abc", "$HOME", "*", "", "~"], found["arguments"][3:])

    def test_arguments_over_several_lines(self):
        found = self.report(arguments=["one\n  two\n  three"])
        self.assertEqual(["one", "two", "three"], found["arguments"][3:])

    def test_first_argument_is_the_command_as_configured(self):
        self.assertEqual(REPORT, self.report()["arguments"][0])


class Command(TestCase):
    def script(self, name, text="#!/bin/sh\necho from $0\n"):
        return write(self.path(name), text, 0o755)

    def test_is_searched_in_path(self):
        daemon = self.daemon(program("a", "true"))
        daemon.wait_state("a", "EXITED")
        self.assertEqual(0, daemon.info("a")["exitstatus"])

    def test_is_searched_in_the_path_of_the_program(self):
        self.script("mine")
        daemon = self.daemon(program("a", "mine", environment='PATH="%s:/bin:/usr/bin"' % self.dir))
        daemon.wait_stdout("a", "from %s\n" % self.path("mine"))

    def test_text_without_an_interpreter_is_not_run(self):
        path = self.script("text", "echo never\n")
        daemon = self.daemon(program("a", path, startsecs=60, startretries=0))
        daemon.wait_state("a", "FATAL")
        self.assertNotIn("never", daemon.stdout("a"))

    def test_shell_syntax_means_nothing(self):
        daemon = self.daemon(program("a", actor("print=x"), "print=a|cat", "print=$PATH", "'print=`id`'"))
        daemon.wait_stdout("a", "x\na|cat\n$PATH\n`id`\n")


class Streams(TestCase):
    def test_stdout_and_stderr_are_apart(self):
        daemon = self.daemon(program("a", actor("print=out", "error=err", "hang")))
        daemon.wait_stdout("a", "out\n")
        wait_for(lambda: daemon.stderr("a") == "err\n")
        self.assertEqual("out\n", daemon.stdout("a"))

    def test_redirect_stderr(self):
        daemon = self.daemon(program("a", actor("print=out", "error=err", "print=out2", "hang"),
                                     redirect_stderr="true"))
        daemon.wait_stdout("a", "out\nerr\nout2\n")
        self.assertEqual("", daemon.info("a")["stderr_logfile"])

    def test_stdin_stays_open_and_empty(self):
        daemon = self.daemon(program("cat", "/bin/cat"))
        daemon.wait_state("cat", "RUNNING")
        self.assertEqual(0, daemon.info("cat")["stop"])


class SpawnErrors(TestCase):
    def fatal(self, command, **options):
        daemon = self.daemon(program("a", command, startretries=0, **options))
        return daemon.wait_state("a", "FATAL")["description"]

    def test_missing(self):
        self.assertEqual("can't find command '/nowhere/x'", self.fatal("/nowhere/x"))

    def test_missing_in_path(self):
        self.assertEqual("can't find command 'no-such-thing'", self.fatal("no-such-thing"))

    def test_not_executable(self):
        path = write(self.path("f"), "")
        self.assertEqual("command at '%s' is not executable" % path, self.fatal(path))

    def test_directory(self):
        self.assertEqual("command at '%s' is a directory" % self.dir, self.fatal(self.dir))

    def test_unclosed_quote(self):
        self.assertEqual("can't parse command '/bin/cat \"x': No closing quotation", self.fatal('/bin/cat "x'))

    def test_directory_that_does_not_exist(self):
        text = self.fatal(actor("hang"), directory="/nowhere", startsecs=60)
        self.assertTrue(text)
