"""Changes of the configuration while the daemon runs: what counts as one, and how they are applied."""

import http.client
import os
import re
import signal
import xmlrpc.client

from harness import (PROGRAMS, Fault, TestCase, actor, differs, free_port, lines_of, program, read, section, wait_for)

LISTENER = os.path.join(PROGRAMS, "listener")


def options_as_text(options):
    return "".join("%s=%s\n" % item for item in options.items())


class WhatIsAChange(TestCase):
    """Each option, on a group that is not running."""

    OF_ALL = {"command": "/bin/true", "process_name": "other", "priority": "5", "autostart": "true",
              "autorestart": "true", "startsecs": "5", "startretries": "5", "exitcodes": "5", "stopsignal": "INT",
              "stopwaitsecs": "5", "stopasgroup": "true", "killasgroup": "true", "user": "root",
              "stdout_syslog": "true", "stdout_logfile": "NONE", "stdout_logfile_maxbytes": "5MB",
              "stdout_logfile_backups": "5", "stderr_syslog": "true", "stderr_logfile": "NONE",
              "stderr_logfile_maxbytes": "5MB", "stderr_logfile_backups": "5", "stderr_capture_maxbytes": "5MB",
              "stderr_events_enabled": "true", "environment": "A=1", "directory": "/tmp", "umask": "077",
              "serverurl": "http://h:1", "numprocs": "2\nprocess_name=%(process_num)d"}

    def changes(self, header, base, change):
        """What reread says when a section gets these options, and when they are taken away again."""
        before = section(header, **base)
        after = section(header, **{key: value for key, value in base.items() if key not in change})
        self.it.configure(before)
        there = self.it.supervisor.reloadConfig()
        self.it.configure(after + options_as_text(change))
        return there, self.it.supervisor.reloadConfig()

    def check(self, header, base, changes):
        base = dict({"command": "/bin/cat", "autostart": "false"}, **base)
        self.it = self.daemon(section(header, **base))
        name = header.partition(":")[2]
        for option, value in changes.items():
            with self.subTest(option):
                self.assertEqual(([[[], [], []]], [[[], [name], []]]), self.changes(header, base, {option: value}))

    def test_of_a_program(self):
        self.check("program:a", {}, dict(self.OF_ALL, redirect_stderr="true", stdout_capture_maxbytes="5MB",
                                         stdout_events_enabled="true"))

    def test_of_an_event_listener(self):
        self.check("eventlistener:l", {"events": "TICK_3600"}, dict(self.OF_ALL, events="TICK_60", buffer_size="50"))

    def test_of_an_fcgi_program(self):
        self.check("fcgi-program:f", {"socket": "unix://" + self.path("s")},
                   dict(self.OF_ALL, socket="unix://" + self.path("other"), redirect_stderr="true"))

    def test_of_a_group(self):
        two = program("a", actor("hang"), autostart="false") + program("b", actor("hang"), autostart="false")
        it = self.daemon(two + section("group:g", programs="a,b"))
        for options in ({"programs": "b,a"}, {"programs": "a,b", "priority": "5"}):
            with self.subTest(options):
                it.configure(two + section("group:g", **options))
                self.assertEqual([[[], ["g"], []]], it.supervisor.reloadConfig())

    def same(self, first, second):
        it = self.daemon(first)
        it.configure(second)
        self.assertEqual([[[], [], []]], it.supervisor.reloadConfig())

    def test_other_words_for_the_same_are_none(self):
        self.same(program("a", actor("hang"), stopsignal="TERM", user=str(os.geteuid()), environment="A='1',B='2'",
                          stdout_logfile_maxbytes="1KB", autostart="true"),
                  program("a", actor("hang"), stopsignal="15", environment='B="2",A="1"',
                          stdout_logfile_maxbytes="1024", autostart="yes", user=str(os.geteuid())))

    @differs("The order of an event listener's `events` is no change", not_run="it is a change in every fourth start")
    def test_event_types_in_another_order_are_none(self):
        self.same(section("eventlistener:l", command="/bin/cat", events="TICK_5,TICK_60", autostart="false"),
                  section("eventlistener:l", command="/bin/cat", events="TICK_60,TICK_5", autostart="false"))

    def test_other_sections_are_none(self):
        self.same(program("a", actor("hang")),
                  program("a", actor("hang")) + section("inet_http_server", port="127.0.0.1:%d" % free_port()))

    def test_a_member_of_a_group(self):
        group = program("b", actor("hang")) + section("group:g", programs="a,b")
        it = self.daemon(program("a", actor("hang")) + group)
        it.configure(program("a", actor("hang"), startsecs=7) + group)
        self.assertEqual([[[], ["g"], []]], it.supervisor.reloadConfig())

    def test_another_kind_of_section_of_the_same_name(self):
        it = self.daemon(program("a", actor("hang"), autostart="false"))
        for text in (section("eventlistener:a", command=actor("hang"), events="TICK_5", startsecs=0,
                             autorestart="false", autostart="false"),
                     program("b", actor("hang"), autostart="false") + section("group:a", programs="b")):
            it.configure(text)
            self.assertEqual([[[], ["a"], []]], it.supervisor.reloadConfig())

    def test_groups_are_named_by_priority_then_name(self):
        it = self.daemon()
        it.configure(program("c", actor("hang")) + program("a", actor("hang"))
                     + program("b", actor("hang"), priority=1))
        self.assertEqual([[["b", "a", "c"], [], []]], it.supervisor.reloadConfig())


class Update(TestCase):
    """supervisorctl update, step by step."""

    def setUp(self):
        super().setUp()
        self.it = self.daemon(program("same", actor("hang")) + program("one", actor("hang"))
                              + program("two", actor("hang"), numprocs=2, process_name="%(process_num)d")
                              + program("gone", actor("hang")) + program("done", actor("exit=0")))
        for name in ("same", "one", "two:0", "two:1", "gone"):
            self.it.wait_state(name, "RUNNING")
        self.it.wait_state("done", "EXITED")
        self.before = self.pids()

    def pids(self):
        return {info["group"] + ":" + info["name"]: info["pid"] for info in self.it.supervisor.getAllProcessInfo()}

    def change(self):
        self.it.configure(program("same", actor("hang")) + program("one", actor("hang", "hang"))
                          + program("two", actor("hang"), numprocs=3, process_name="%(process_num)d")
                          + program("done", actor("exit=0")) + program("new", actor("hang"))
                          + program("idle", actor("hang"), autostart="false"))

    def update(self, *names, status=0):
        answer = self.it.ctl("update", *names)
        self.assertEqual((status, ""), (answer.code, answer.err), answer)
        return answer.out.splitlines()

    EVERYTHING = ["gone: stopped", "gone: removed process group", "one: stopped", "one: updated process group",
                  "two: stopped", "two: updated process group", "idle: added process group", "new: added process group"]

    def everything_is_applied(self):
        for name in ("new", "one", "two:0", "two:1", "two:2"):
            self.it.wait_state(name, "RUNNING")
        now = self.pids()
        self.assertEqual({"same:same", "one:one", "two:0", "two:1", "two:2", "done:done", "new:new", "idle:idle"},
                         set(now))
        self.assertEqual(self.before["same:same"], now["same:same"])
        self.assertNotIn(now["one:one"], (0, self.before["one:one"]))
        self.assertEqual(("EXITED", "STOPPED"), (self.it.state("done"), self.it.state("idle")))

    def test_of_everything(self):
        self.change()
        self.assertEqual(self.EVERYTHING, self.update())
        self.everything_is_applied()
        self.assertEqual([], self.update())

    def test_all_is_everything(self):
        self.change()
        self.assertEqual(self.EVERYTHING, self.update("all"))
        self.everything_is_applied()

    def test_all_among_others_is_everything(self):
        self.change()
        self.assertEqual(self.EVERYTHING, self.update("one", "all"))

    def test_of_some(self):
        self.change()
        self.assertEqual(["gone: stopped", "gone: removed process group", "new: added process group"],
                         self.update("new", "gone", "same"))
        now = self.pids()
        self.assertEqual(self.before["one:one"], now["one:one"])
        self.assertNotIn("idle:idle", now)

    def test_of_unknown_ones_among_others(self):
        self.change()
        self.assertEqual(["ERROR: no such group: ghost", "new: added process group"],
                         self.update("ghost", "new", status=1))

    def test_of_a_process_is_unknown(self):
        self.change()
        self.assertEqual(["ERROR: no such group: two:0"], self.update("two:0", status=1))

    def test_of_what_did_not_change(self):
        self.change()
        self.assertEqual([], self.update("same"))
        self.assertEqual(self.before, self.pids())

    def test_what_was_left_out_comes_with_the_next(self):
        self.change()
        self.update("new")
        self.assertEqual([line for line in self.EVERYTHING if "new" not in line], self.update())
        self.everything_is_applied()

    def test_back_and_forth(self):
        old = read(self.it.path)
        self.change()
        self.update()
        with open(self.it.path, "w") as file:
            file.write(old)
        self.assertEqual(["idle: stopped", "idle: removed process group", "new: stopped", "new: removed process group",
                          "one: stopped", "one: updated process group", "two: stopped", "two: updated process group",
                          "gone: added process group"], sorted(self.update(), key=lambda line: (
                              "idle new one two gone".split().index(line.partition(":")[0]), "stopped" not in line)))
        self.assertEqual(set(self.before), set(self.pids()))

    def test_a_stopped_process_of_a_changed_group_is_started(self):
        self.change()
        self.it.supervisor.stopProcess("one")
        self.assertEqual(["one: stopped", "one: updated process group"], self.update("one"))
        self.it.wait_state("one", "RUNNING")

    def test_a_process_that_is_slow_to_stop_is_waited_for(self):
        self.it.configure(program("deaf", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=1))
        self.update()
        self.it.wait_stdout("deaf", "up")
        self.it.configure()
        self.assertEqual(["deaf: stopped", "deaf: removed process group"], self.update())
        self.assertEqual({}, self.pids())

    def test_of_programs_that_move_into_a_group(self):
        self.it.configure(program("same", actor("hang")) + program("one", actor("hang"))
                          + program("gone", actor("hang"))
                          + section("group:g", programs="one,gone"))
        lines = self.update()
        self.assertEqual("g: added process group", lines[-1])
        self.assertEqual({"%s: %s" % (name, what) for name in ("one", "gone", "two", "done")
                          for what in ("stopped", "removed process group")}, set(lines[:-1]))
        self.it.wait_state("g:gone", "RUNNING")
        self.assertEqual({"same:same", "g:one", "g:gone"}, set(self.pids()))

    def test_of_a_listener(self):
        record = self.path("events")
        listener = section("eventlistener:l", command="%s record=%s serve" % (LISTENER, record),
                           events="PROCESS_GROUP_ADDED,PROCESS_GROUP_REMOVED", startsecs=0, buffer_size=100)
        text = read(self.it.path)
        with open(self.it.path, "a") as file:
            file.write(listener)
        self.assertEqual(["l: added process group"], self.update())
        self.it.wait_state("l", "RUNNING")
        self.it.wait_log("l: ACKNOWLEDGED -> READY")
        self.change()
        with open(self.it.path, "a") as file:
            file.write(listener)
        self.update()
        groups = ["l", "gone", "one", "one", "two", "two", "idle", "new"]
        wait_for(lambda: len(lines_of(record)) >= 2 * len(groups), what="the events")
        lines = lines_of(record)
        names = [re.search("eventname:(\\S+)", line).group(1) for line in lines[::2]]
        self.assertEqual(["groupname:" + group for group in groups], [line.replace("\\n", "") for line in lines[1::2]])
        self.assertEqual(["ADDED", "REMOVED", "REMOVED", "ADDED", "REMOVED", "ADDED", "ADDED", "ADDED"],
                         [name.rpartition("_")[2] for name in names])
        with open(self.it.path, "w") as file:
            file.write(text)
        self.assertIn("l: removed process group", self.update())


class Broken(TestCase):
    """A file that cannot be read changes nothing."""

    def setUp(self):
        super().setUp()
        self.good = program("a", actor("hang"), startretries=7)
        self.it = self.daemon(self.good)
        self.pid = self.it.wait_state("a", "RUNNING")["pid"]

    def test_for_every_reason(self):
        for text in (program("a", actor("hang"), startsecs="many"), section("program:a"), "[group:g]\nprograms=ghost\n",
                     "nonsense\n", section("eventlistener:l", command="x"), section("eventlistener:l", command="x",
                                                                                     events="NO_SUCH_EVENT"),
                     section("fcgi-program:f", command="x"), program("a", "%(nonsense)s"),
                     program("new", actor("hang")) + program("a", actor("hang"), stopsignal="NOPE"),
                     program("a", actor("hang"), numprocs=2)):
            with self.subTest(text):
                self.it.configure(text)
                with self.assertRaises(xmlrpc.client.Fault) as caught:
                    self.it.supervisor.reloadConfig()
                self.assertEqual(Fault.CANT_REREAD, caught.exception.faultCode)
                self.assertRegex(caught.exception.faultString, "^CANT_REREAD: ")
                self.assertFault(Fault.BAD_NAME, "BAD_NAME: new", self.it.supervisor.addProcessGroup, "new")
                self.assertEqual([(self.pid, "RUNNING")], [(info["pid"], info["statename"])
                                                           for info in self.it.supervisor.getAllProcessInfo()])
                self.assertEqual([7], [info["startretries"] for info in self.it.supervisor.getAllConfigInfo()])
        self.it.configure(self.good)
        self.assertEqual([[[], [], []]], self.it.supervisor.reloadConfig())

    def test_a_missing_file(self):
        os.rename(self.it.path, self.it.path + ".away")
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            self.it.supervisor.reloadConfig()
        self.assertEqual(Fault.CANT_REREAD, caught.exception.faultCode)
        os.rename(self.it.path + ".away", self.it.path)

    def test_as_the_client_tells_it(self):
        self.it.configure(program("a", actor("hang"), startsecs="many"))
        for action in ("reread", "update"):
            answer = self.it.ctl(action)
            self.assertEqual((1, ""), (answer.code, answer.err))
            self.assertRegex(answer.out, "(?i)^error: .*CANT_REREAD: .*many")
        answer = self.it.ctl("add", "new")
        self.assertEqual((1, "ERROR: no such process/group: new\n"), (answer.code, answer.out))
        self.assertEqual(self.pid, self.it.info("a")["pid"])


class AddAndRemove(TestCase):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(program("a", actor("hang")) + program("b", actor("hang"), autostart="false"))
        self.it.wait_state("a", "RUNNING")

    def expect(self, status, out, *arguments):
        answer = self.it.ctl(*arguments)
        self.assertEqual((status, out, ""), answer)

    def test_several_at_a_time(self):
        self.expect(1, "ERROR: process/group still running: a\nb: removed process group\n"
                       "ERROR: no such process/group: ghost\n", "remove", "a", "b", "ghost")
        self.expect(1, "ERROR: no such process/group: ghost\nERROR: process group already active\n"
                       "b: added process group\n", "add", "ghost", "a", "b")
        self.assertEqual("STOPPED", self.it.state("b"))

    def test_what_was_removed_can_be_added_again(self):
        self.expect(0, "b: removed process group\n", "remove", "b")
        self.expect(0, "b: available\n", "reread")
        self.expect(0, "b: added process group\n", "add", "b")
        self.expect(0, "No config updates to processes\n", "reread")

    def test_a_changed_group_stays_as_it_is_until_it_is_added_again(self):
        self.it.configure(program("a", actor("hang"), stopwaitsecs=77))
        self.it.ctl("reread")
        self.expect(0, "ERROR: process group already active\n", "add", "a")
        self.expect(0, "a: changed\nb: disappeared\n", "reread")

    def test_without_a_reread_the_old_file_counts(self):
        self.it.configure(program("c", actor("hang")))
        self.expect(1, "ERROR: no such process/group: c\n", "add", "c")

    def test_nothing(self):
        for action in ("add", "remove"):
            self.expect(0, "", action)

    @differs("A group that is removed, or updated, takes its AUTO logs with it")
    def test_a_removed_group_takes_its_auto_logs_along(self):
        paths = [self.it.info("a")[key] for key in ("stdout_logfile", "stderr_logfile")]
        self.assertEqual([True, True], [os.path.exists(path) for path in paths])
        self.it.supervisor.stopProcess("a")
        self.it.supervisor.removeProcessGroup("a")
        self.assertEqual([False, False], [os.path.exists(path) for path in paths])

    @differs("A group that is removed, or updated, takes its AUTO logs with it")
    def test_rotated_auto_logs_go_too_and_those_of_others_stay(self):
        self.it.configure(program("a", actor("hang")) + program("c", actor("print=0123456789", "sleep=0.1",
                                                                             "print=0123456789", "sleep=0.1",
                                                                             "print=end", "hang"),
                                                                stdout_logfile_maxbytes=10))
        self.it.ctl("update")
        self.it.wait_stdout("c", "end")
        path = self.it.info("c")["stdout_logfile"]
        self.assertTrue(os.path.exists(path + ".1"))
        self.it.configure(program("a", actor("hang")))
        self.it.ctl("update")
        left = [name for name in os.listdir(self.dir) if name.endswith(".log") or ".log." in name]
        self.assertEqual(3, len(left), left)  # the two of "a", and the daemon's

    def test_auto_logs_stay_when_told_so(self):
        it = self.prepare(program("a", actor("hang"), autostart="false"), directory=self.subdirectory("keep"),
                          supervisord={"nocleanup": "true"}).start()
        path = it.info("a")["stdout_logfile"]
        it.supervisor.removeProcessGroup("a")
        self.assertTrue(os.path.exists(path))

    def test_logs_with_a_name_stay(self):
        path = self.path("a.log")
        self.it.configure(program("c", actor("print=here", "hang"), stdout_logfile=path))
        self.it.ctl("update")
        self.it.wait_stdout("c", "here")
        self.it.configure()
        self.it.ctl("update")
        self.assertIn("here", read(path))


class Restart(TestCase):
    def test_takes_the_new_file(self):
        it = self.daemon(program("a", actor("print=up", "hang"))
                         + program("idle", actor("print=up", "hang"), autostart="false"))
        it.supervisor.startProcess("idle")
        for name in ("a", "idle"):
            it.wait_stdout(name, "up")
        it.configure(program("b", actor("hang")) + program("idle", actor("hang"), autostart="false"))
        answer = it.ctl("reload")
        self.assertEqual((0, "Restarted supervisord\n"), (answer.code, answer.out))

        def names_are():
            try:
                return {info["name"]: info["statename"] for info in it.new_rpc().supervisor.getAllProcessInfo()} == {
                    "b": "RUNNING", "idle": "STOPPED"}
            except (OSError, http.client.HTTPException, xmlrpc.client.Error):
                return False
        wait_for(names_are)

    def test_by_signal_with_a_missing_file_ends_it(self):
        it = self.daemon(program("a", actor("print=up", "hang")))
        it.wait_stdout("a", "up")
        os.unlink(it.path)
        it.send_signal(signal.SIGHUP)
        self.assertEqual(2, it.wait())
        for path in (it.socket, it.pidfile):
            if os.path.exists(path):
                os.unlink(path)
