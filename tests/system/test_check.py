"""supervisord --check: what it says about a configuration, without starting anything."""

import os

from harness import TestCase, actor, program, read, section, supervisord, write


class Check(TestCase):
    def check(self, config="", **options):
        daemon = self.prepare(config, **options)
        answer = supervisord("--check", "-c", daemon.path, directory=self.dir)
        for path in (daemon.log, daemon.pidfile, daemon.socket):
            self.assertFalse(os.path.exists(path), path)
        return answer

    def test_good_file_is_0_and_starts_nothing(self):
        mark = self.path("mark")
        answer = self.check(program("a", actor("mark=%s,x" % mark)))
        self.assertEqual(0, answer.code, answer)
        self.assertFalse(os.path.exists(mark))

    def test_misspelt_key_is_1_and_named_with_the_nearest_one(self):
        answer = self.check(program("a", "/bin/cat", autostrat="true"))
        self.assertEqual(1, answer.code, answer)
        self.assertIn("autostrat", answer.out + answer.err)
        self.assertIn("autostart", answer.out + answer.err)

    def test_misspelt_section_is_named_with_the_nearest_one(self):
        answer = self.check(section("programm:a", command="/bin/cat"))
        self.assertEqual(1, answer.code, answer)
        self.assertIn("programm:a", answer.out + answer.err)
        self.assertIn("program", answer.out + answer.err)

    def test_bad_value_is_2_and_names_file_section_key_and_value(self):
        answer = self.check(program("a", "/bin/cat", startretries="many"))
        self.assertEqual(2, answer.code, answer)
        for word in (self.path("supervisord.conf"), "program:a", "startretries", "many"):
            self.assertIn(word, answer.err)

    def test_running_daemon_does_not_matter(self):
        daemon = self.daemon(program("a", actor("hang")))
        answer = supervisord("--check", "-c", daemon.path, directory=self.dir)
        self.assertEqual(0, answer.code, answer)
        self.assertEqual(daemon.pid, daemon.supervisor.getPID())


class Messages(TestCase):
    """Every error is one line that names file, section, key and value."""

    def error(self, config="", **options):
        answer = self.refuse(config, **options)
        self.assertEqual(2, answer.code, answer)
        lines = [line for line in answer.err.splitlines() if line.startswith("Error: ")]
        self.assertEqual(1, len(lines), answer.err)
        return lines[0]

    def test_bad_values_of_programs(self):
        for key, value in {"startsecs": "many", "startretries": "-x", "stopsignal": "NOPE",
                           "redirect_stderr": "perhaps",
                           "autorestart": "perhaps", "stdout_logfile_maxbytes": "1TB", "exitcodes": "300",
                           "user": "no-such-user-x", "umask": "999", "environment": "no value", "priority": "first",
                           "numprocs": "two", "stopwaitsecs": "soon", "autostart": "sometimes",
                           "directory": "%(nonsense)s", "command": "%(ENV_NOT_THERE)s",
                           "stdout_logfile": "/nowhere/dir/x.log"}.items():
            with self.subTest(key):
                options = {"startsecs": 0, "command": "/bin/cat", key: value}
                where = self.path(key)
                os.mkdir(where)
                line = self.error(section("program:prog", **options), directory=where)
                for word in (where, "program:prog", key):
                    self.assertIn(word, line)

    def test_byte_order_mark_is_skipped(self):
        daemon = self.prepare(program("a", actor("hang")))
        write(daemon.path, "\ufeff" + read(daemon.path))
        daemon.start()
        daemon.wait_state("a", "RUNNING")

    def test_fcgi_program_in_a_group_is_refused(self):
        line = self.error(section("fcgi-program:f", command="/bin/cat", socket="unix://%s" % self.path("f.sock"))
                          + section("group:g", programs="f"))
        self.assertIn("f", line)
