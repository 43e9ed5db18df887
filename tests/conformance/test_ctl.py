"""supervisorctl: what each action prints and its exit status (manual 1.3.3)."""

import os
import signal
import subprocess

from harness import SUPERVISORCTL, TestCase, actor, differs, free_port, program, read, run, supervisorctl, wait_for, write

STATUS_LINE = r"^%s +%s   %s$"


class Ctl(TestCase):
    def expect(self, daemon, code, out, *arguments, **options):
        answer = daemon.ctl(*arguments, **options)
        self.assertEqual((code, out), (answer.code, answer.out), answer)

    def three(self):
        """One that runs, one that never ran, and a group of two."""
        daemon = self.daemon(program("run", actor("print=hello", "error=oops", "hang"))
                             + program("off", actor("hang"), autostart="false")
                             + program("g", actor("hang"), numprocs=2, process_name="g%(process_num)d"))
        daemon.wait_stdout("run", "hello\n")
        wait_for(lambda: daemon.stderr("run") == "oops\n")
        daemon.wait_state("g:g1", "RUNNING")
        return daemon


class Status(Ctl):
    def test_all_running_is_0(self):
        daemon = self.daemon(program("a", actor("hang")))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        answer = daemon.ctl("status")
        self.assertEqual(0, answer.code)
        self.assertRegex(answer.out, r"^a                                RUNNING   pid %d, uptime 0:00:0\d\n$" % pid)

    def test_a_stopped_process_makes_it_3(self):
        daemon = self.three()
        answer = daemon.ctl("status")
        self.assertEqual(3, answer.code)
        self.assertRegex(answer.out, r"^g:g0                             RUNNING   pid \d+, uptime \d:\d\d:\d\d\n"
                                     r"g:g1                             RUNNING   pid \d+, uptime \d:\d\d:\d\d\n"
                                     r"off                              STOPPED   Not started\n"
                                     r"run                              RUNNING   pid \d+, uptime \d:\d\d:\d\d\n$")

    def test_all_is_the_same(self):
        daemon = self.three()
        self.assertEqual(4, len(daemon.ctl("status", "all").out.splitlines()))

    def test_of_names(self):
        daemon = self.three()
        answer = daemon.ctl("status", "run", "g:g1")
        self.assertEqual((0, ["run", "g:g1"]), (answer.code, [line.split()[0] for line in answer.out.splitlines()]))

    def test_of_a_group(self):
        daemon = self.three()
        for name in ("g:*", "g:"):
            answer = daemon.ctl("status", name)
            self.assertEqual((0, ["g:g0", "g:g1"]), (answer.code,
                                                     [line.split()[0] for line in answer.out.splitlines()]), name)

    def test_unknown_name_is_4(self):
        daemon = self.three()
        self.expect(daemon, 4, "x: ERROR (no such process)\n", "status", "x")
        self.expect(daemon, 4, "x: ERROR (no such group)\n", "status", "x:*")
        self.expect(daemon, 4, "g:x: ERROR (no such process)\n", "status", "g:x")

    def test_a_stopped_process_wins_over_an_unknown_name(self):
        self.assertEqual(3, self.three().ctl("status", "x", "off").code)

    def test_long_names_widen_the_column(self):
        name = "n" * 40
        daemon = self.daemon(program(name, actor("hang"), autostart="false"))
        self.expect(daemon, 3, name + "   STOPPED   Not started\n", "status")

    def test_every_state_has_its_description(self):
        daemon = self.daemon(program("fatal", "/nowhere/x", startretries=0) + program("done", actor("exit=0"))
                             + program("back", actor("exit=0"), startsecs=60, startretries=99)
                             + program("start", actor("hang"), startsecs=60))
        daemon.wait_state("fatal", "FATAL")
        daemon.wait_state("done", "EXITED")
        daemon.wait_state("back", "BACKOFF")
        lines = daemon.ctl("status").out
        self.assertRegex(lines, r"(?m)^fatal +FATAL     can't find command '/nowhere/x'$")
        self.assertRegex(lines, r"(?m)^done +EXITED    [A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M$")
        self.assertRegex(lines, r"(?m)^start +STARTING  $")
        self.assertRegex(lines,
                         r"(?m)^back +(BACKOFF   Exited too quickly \(process log may have details\)|STARTING  )$")

    def test_nothing_configured(self):
        self.expect(self.daemon(), 0, "", "status")


class Start(Ctl):
    def test_one(self):
        self.expect(self.three(), 0, "off: started\n", "start", "off")

    def test_several(self):
        daemon = self.daemon(program("a", actor("hang"), autostart="false") + program("b", actor("hang"),
                                                                                      autostart="false"))
        self.expect(daemon, 0, "b: started\na: started\n", "start", "b", "a")

    def test_running_one_is_no_failure(self):
        self.expect(self.three(), 0, "run: ERROR (already started)\n", "start", "run")

    def test_group(self):
        daemon = self.three()
        daemon.ctl("stop", "g:*")
        answer = daemon.ctl("start", "g:*")
        self.assertEqual((0, ["g:g0: started", "g:g1: started"]), (answer.code, sorted(answer.out.splitlines())))

    def test_all(self):
        self.expect(self.three(), 0, "off: started\n", "start", "all")

    def test_unknown_process(self):
        self.expect(self.three(), 1, "x: ERROR (no such process)\n", "start", "x")

    def test_unknown_group(self):
        self.expect(self.three(), 2, "x: ERROR (no such group)\n", "start", "x:*")

    def test_spawn_errors(self):
        text = write(self.path("text"), "")
        daemon = self.daemon(program("gone", "/nowhere/x", autostart="false") + program("text", text, autostart="false")
                             + program("quick", actor("exit=0"), autostart="false", startsecs=60, startretries=0))
        self.expect(daemon, 1, "gone: ERROR (no such file)\n", "start", "gone")
        self.expect(daemon, 1, "text: ERROR (file is not executable)\n", "start", "text")
        self.expect(daemon, 7, "quick: ERROR (spawn error)\n", "start", "quick")

    def test_without_a_name(self):
        answer = self.three().ctl("start")
        self.assertEqual(2, answer.code)
        self.assertIn("Error: start requires a process name\n", answer.out)
        self.assertIn("start <name>", answer.out)


class Stop(Ctl):
    def test_one(self):
        self.expect(self.three(), 0, "run: stopped\n", "stop", "run")

    def test_several(self):
        self.expect(self.three(), 0, "g:g1: stopped\nrun: stopped\n", "stop", "g:g1", "run")

    def test_stopped_one_is_no_failure(self):
        self.expect(self.three(), 0, "off: ERROR (not running)\n", "stop", "off")

    def test_group(self):
        answer = self.three().ctl("stop", "g:*")
        self.assertEqual((0, ["g:g0: stopped", "g:g1: stopped"]), (answer.code, sorted(answer.out.splitlines())))

    def test_all(self):
        answer = self.three().ctl("stop", "all")
        self.assertEqual((0, ["g:g0: stopped", "g:g1: stopped", "run: stopped"]),
                         (answer.code, sorted(answer.out.splitlines())))

    def test_unknown_process(self):
        self.expect(self.three(), 1, "x: ERROR (no such process)\n", "stop", "x")

    def test_unknown_group(self):
        self.expect(self.three(), 1, "x: ERROR (no such group)\n", "stop", "x:*")

    def test_without_a_name(self):
        answer = self.three().ctl("stop")
        self.assertEqual(1, answer.code)
        self.assertIn("Error: stop requires a process name\n", answer.out)


class Restart(Ctl):
    def test_one(self):
        self.expect(self.three(), 0, "run: stopped\nrun: started\n", "restart", "run")

    def test_several_are_stopped_first(self):
        self.expect(self.three(), 0, "run: stopped\ng:g0: stopped\nrun: started\ng:g0: started\n", "restart", "run",
                    "g:g0")

    def test_stopped_one_is_started(self):
        self.expect(self.three(), 0, "off: ERROR (not running)\noff: started\n", "restart", "off")

    def test_unknown_process(self):
        self.expect(self.three(), 1, "x: ERROR (no such process)\nx: ERROR (no such process)\n", "restart", "x")

    def test_without_a_name(self):
        answer = self.three().ctl("restart")
        self.assertEqual(1, answer.code)
        self.assertIn("Error: restart requires a process name\n", answer.out)


class Signal(Ctl):
    def test_one(self):
        daemon = self.daemon(program("a", actor("say_on=HUP", "print=up", "hang")))
        daemon.wait_stdout("a", "up")
        self.expect(daemon, 0, "a: signalled\n", "signal", "HUP", "a")
        daemon.wait_stdout("a", "got HUP\n")

    def test_group_and_all(self):
        daemon = self.three()
        answer = daemon.ctl("signal", "CONT", "g:*")
        self.assertEqual((0, ["g:g0: signalled", "g:g1: signalled"]), (answer.code, sorted(answer.out.splitlines())))
        self.assertEqual(3, len(daemon.ctl("signal", "CONT", "all").out.splitlines()))

    def test_stopped_process(self):
        self.expect(self.three(), 7, "off: ERROR (not running)\n", "signal", "HUP", "off")

    def test_bad_signal(self):
        self.expect(self.three(), 1, "run: ERROR (bad signal name)\n", "signal", "NOPE", "run")

    def test_unknown_process(self):
        self.expect(self.three(), 1, "x: ERROR (no such process)\n", "signal", "HUP", "x")

    def test_too_few_arguments(self):
        answer = self.three().ctl("signal", "HUP")
        self.assertEqual(1, answer.code)
        self.assertIn("Error: signal requires a signal name and a process name\n", answer.out)


class Usage(Ctl):
    """Actions that are called wrongly say so and show how it is done."""

    def test_arguments_that_are_not_wanted(self):
        daemon = self.daemon()
        for action in ("reload", "reread", "shutdown", "version"):
            with self.subTest(action):
                answer = daemon.ctl(action, "x")
                self.assertEqual(1, answer.code)
                self.assertRegex(answer.out, r"^Error: %s accepts no arguments\n%s\s" % (action, action))

    def test_actions_that_do_nothing_without_a_name(self):
        daemon = self.daemon()
        for action in ("add", "remove"):
            self.expect(daemon, 0, "", action)

    def test_fg_without_a_name(self):
        answer = self.daemon().ctl("fg")
        self.assertEqual(1, answer.code)
        self.assertIn("ERROR: no process name supplied\n", answer.out)

    def test_open_of_something_else(self):
        self.expect(self.daemon(), 1, "ERROR: url must be http:// or unix://\n", "open", "x")

    def test_bad_argument_of_tail(self):
        daemon = self.three()
        self.assertEqual("Error: bad argument -x\n", daemon.ctl("tail", "-x", "run").out)
        self.assertEqual("Error: bad argument x\n", daemon.ctl("maintail", "x").out)

    def test_group_is_no_process_for_status(self):
        self.expect(self.three(), 4, "g: ERROR (no such process)\n", "status", "g")

    @differs("`-i` with an action opens a shell after it")
    def test_interactive_option_opens_a_shell_after_the_action(self):
        daemon = self.daemon()
        answer = daemon.ctl("-i", "pid", input="identification\npid\n")
        self.assertEqual(0, answer.code)
        self.assertTrue(answer.out.startswith("%d\nsupervisor> " % daemon.pid), answer.out)
        self.assertEqual(2, answer.out.count("%d\n" % daemon.pid))

    def test_second_shutdown(self):
        daemon = self.daemon(program("a", actor("ignore=TERM", "print=up", "hang"), stopwaitsecs=3))
        daemon.wait_stdout("a", "up")
        self.expect(daemon, 0, "Shut down\n", "shutdown")
        self.expect(daemon, 0, "ERROR: already shutting down\n", "shutdown")
        self.assertEqual(0, daemon.wait())

    def test_restart_of_an_unknown_group(self):
        self.expect(self.three(), 2, "x: ERROR (no such group)\n" * 2, "restart", "x:*")

    def test_pids_of_known_and_unknown_processes(self):
        daemon = self.three()
        self.expect(daemon, 1, "%d\nNo such process x\n" % daemon.info("run")["pid"], "pid", "run", "x")


class Pid(Ctl):
    def test_of_the_daemon(self):
        daemon = self.three()
        self.expect(daemon, 0, "%d\n" % daemon.pid, "pid")

    def test_of_a_process(self):
        daemon = self.three()
        self.expect(daemon, 0, "%d\n" % daemon.info("run")["pid"], "pid", "run")

    def test_of_all(self):
        daemon = self.three()
        self.expect(daemon, 0, "".join("%d\n" % info["pid"] for info in daemon.supervisor.getAllProcessInfo()),
                    "pid", "all")

    def test_of_a_stopped_process(self):
        self.expect(self.three(), 7, "0\n", "pid", "off")

    def test_of_an_unknown_process(self):
        self.expect(self.three(), 1, "No such process x\n", "pid", "x")


class Tail(Ctl):
    def test_stdout(self):
        self.expect(self.three(), 0, "hello\n\n", "tail", "run")

    def test_streams(self):
        daemon = self.three()
        self.expect(daemon, 0, "hello\n\n", "tail", "run", "stdout")
        self.expect(daemon, 0, "oops\n\n", "tail", "run", "stderr")

    def test_bytes(self):
        self.expect(self.three(), 0, "lo\n\n", "tail", "-3", "run")

    def test_1600_bytes_by_default(self):
        daemon = self.daemon(program("a", actor("lines=100,50", "hang")))
        wait_for(lambda: len(daemon.stdout("a")) == 5000)
        self.expect(daemon, 0, daemon.stdout("a")[-1600:] + "\n", "tail", "a")

    def test_unknown_process(self):
        self.expect(self.three(), 1, "x: ERROR (no such process name)\n", "tail", "x")

    def test_bad_stream(self):
        answer = self.three().ctl("tail", "run", "stdin")
        self.assertEqual((1, "Error: bad channel 'stdin'\n"), (answer.code, answer.out))

    def test_without_a_name(self):
        answer = self.three().ctl("tail")
        self.assertEqual(1, answer.code)
        self.assertIn("Error: too few arguments\n", answer.out)

    def test_main_log(self):
        daemon = self.three()
        answer = daemon.ctl("maintail")
        self.assertEqual(0, answer.code)
        self.assertEqual(read(daemon.log)[-1600:] + "\n", answer.out)

    def test_follows(self):
        daemon = self.daemon(program("a", actor("say_on=HUP", "print=hello", "hang")))
        daemon.wait_stdout("a", "hello\n")
        out = self.path("tail.out")
        with open(out, "w") as file:
            client = subprocess.Popen([SUPERVISORCTL, "-c", daemon.path, "tail", "-f", "a"], stdout=file)
        try:
            wait_for(lambda: "hello\n" in read(out))
            self.assertTrue(read(out).startswith("==> Press Ctrl-C to exit <==\n"))
            daemon.supervisor.signalProcess("a", "HUP")
            wait_for(lambda: "got HUP\n" in read(out))
        finally:
            client.send_signal(signal.SIGINT)
            client.wait(10)


class Clear(Ctl):
    def test_one(self):
        daemon = self.three()
        self.expect(daemon, 0, "run: cleared\n", "clear", "run")
        self.assertEqual("", daemon.stdout("run"))

    def test_several_and_all(self):
        daemon = self.three()
        self.expect(daemon, 0, "run: cleared\noff: cleared\n", "clear", "run", "off")
        self.assertEqual(4, daemon.ctl("clear", "all").out.count(": cleared\n"))

    def test_unknown_process(self):
        self.expect(self.three(), 1, "x: ERROR (no such process)\n", "clear", "x")

    def test_without_a_name(self):
        answer = self.three().ctl("clear")
        self.assertEqual(1, answer.code)
        self.assertIn("Error: clear requires a process name\n", answer.out)


class Configuration(Ctl):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(program("same", actor("hang")) + program("change", actor("hang"))
                              + program("gone", actor("hang")))
        for name in ("same", "change", "gone"):
            self.it.wait_state(name, "RUNNING")

    def change(self):
        self.it.configure(program("same", actor("hang")) + program("change", actor("hang", "hang"))
                          + program("new", actor("hang")))

    def test_reread(self):
        self.expect(self.it, 0, "No config updates to processes\n", "reread")
        self.change()
        self.expect(self.it, 0, "change: changed\ngone: disappeared\nnew: available\n", "reread")

    def test_reread_goes_by_names(self):
        self.it.configure("".join(program(name, actor("hang")) for name in ("same", "change", "gone", "a-b", "a")))
        self.expect(self.it, 0, "a: available\na-b: available\n", "reread")

    def test_reread_of_a_broken_file(self):
        self.it.configure(program("same", actor("hang"), startsecs="many"))
        answer = self.it.ctl("reread")
        self.assertEqual(1, answer.code)
        self.assertRegex(answer.out, "^ERROR: CANT_REREAD: .*many")

    def test_update(self):
        self.change()
        pid = self.it.info("same")["pid"]
        answer = self.it.ctl("update")
        self.assertEqual((0, ["gone: stopped", "gone: removed process group", "change: stopped",
                              "change: updated process group", "new: added process group"]),
                         (answer.code, answer.out.splitlines()))
        self.assertEqual(pid, self.it.info("same")["pid"])
        self.it.wait_state("new", "RUNNING")

    def test_update_of_nothing(self):
        self.expect(self.it, 0, "", "update")

    def test_update_of_one_group(self):
        self.change()
        self.expect(self.it, 0, "new: added process group\n", "update", "new")

    def test_update_of_an_unknown_group(self):
        answer = self.it.ctl("update", "ghost")
        self.assertEqual("ERROR: no such group: ghost\n", answer.out)

    def test_add_and_remove(self):
        self.change()
        self.it.ctl("reread")
        self.expect(self.it, 0, "new: added process group\n", "add", "new")
        self.expect(self.it, 0, "ERROR: process group already active\n", "add", "same")
        self.expect(self.it, 1, "ERROR: no such process/group: ghost\n", "add", "ghost")
        self.expect(self.it, 1, "ERROR: process/group still running: same\n", "remove", "same")
        self.expect(self.it, 1, "ERROR: no such process/group: ghost\n", "remove", "ghost")
        self.it.supervisor.stopProcess("gone")
        self.expect(self.it, 0, "gone: removed process group\n", "remove", "gone")

    def test_avail(self):
        self.change()
        self.it.ctl("reread")
        answer = self.it.ctl("avail")
        self.assertEqual(0, answer.code)
        self.assertEqual([["change", "in", "use", "auto", "999:999"], ["new", "avail", "auto", "999:999"],
                          ["same", "in", "use", "auto", "999:999"]], [line.split() for line in answer.out.splitlines()])
        self.assertIn("new                              avail     auto      999:999\n", answer.out)


class WholeDaemon(Ctl):
    def test_shutdown(self):
        daemon = self.three()
        self.expect(daemon, 0, "Shut down\n", "shutdown")
        self.assertEqual(0, daemon.wait())

    def test_reload(self):
        daemon = self.daemon(program("a", actor("hang")))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        self.expect(daemon, 0, "Restarted supervisord\n", "reload")
        wait_for(lambda: daemon.answers() and daemon.new_rpc().supervisor.getProcessInfo("a")["pid"] not in (0, pid)
                 if os.path.exists(daemon.socket) else False)

    def test_version(self):
        daemon = self.daemon()
        self.expect(daemon, 0, daemon.supervisor.getSupervisorVersion() + "\n", "version")


class Connection(Ctl):
    def test_no_socket(self):
        daemon = self.prepare()
        self.expect(daemon, 4, "unix://%s no such file\n" % daemon.socket, "status")
        self.assertEqual(7, daemon.ctl("stop", "x").code)

    def test_refused(self):
        url = "http://127.0.0.1:%d" % free_port()
        for action, code in (("status", 4), ("pid", 4), ("start", 4)):
            answer = supervisorctl("-s", url, action, "x")
            self.assertEqual((code, "%s refused connection\n" % url), (answer.code, answer.out), action)

    def test_server_url_option(self):
        daemon = self.daemon(inet=True)
        answer = supervisorctl("-s", "http://127.0.0.1:%d" % daemon.port, "pid", directory=self.dir)
        self.assertEqual((0, "%d\n" % daemon.pid), (answer.code, answer.out))
        answer = supervisorctl("--serverurl=unix://" + daemon.socket, "pid", directory=self.dir)
        self.assertEqual((0, "%d\n" % daemon.pid), (answer.code, answer.out))

    def test_password(self):
        daemon = self.daemon(unix={"username": "me", "password": "secret"})
        url = "unix://" + daemon.socket
        self.assertEqual("%d\n" % daemon.pid, supervisorctl("-s", url, "-u", "me", "-p", "secret", "pid").out)
        answer = supervisorctl("-s", url, "-u", "me", "-p", "wrong", "pid")
        self.assertNotEqual(0, answer.code)
        self.assertIn("Server requires authentication", answer.out)

    def test_password_from_the_file(self):
        daemon = self.daemon(unix={"username": "me", "password": "secret"},
                             ctl={"username": "me", "password": "secret"})
        self.expect(daemon, 0, "%d\n" % daemon.pid, "pid")


class CommandLine(TestCase):
    def test_help(self):
        answer = supervisorctl("--help")
        self.assertEqual(0, answer.code)
        self.assertIn("-s/--serverurl", answer.out)

    def test_unknown_option(self):
        answer = supervisorctl("--nothing")
        self.assertEqual(2, answer.code)
        self.assertIn("Error: option --nothing not recognized\n", answer.err)

    def test_missing_file(self):
        answer = supervisorctl("-c", "/nowhere/x.conf", "status")
        self.assertEqual(2, answer.code)
        self.assertIn("Error: could not find config file /nowhere/x.conf\n", answer.err)


class Shell(Ctl):
    def test_piped_actions(self):
        daemon = self.three()
        answer = daemon.ctl(input="pid\nstop run\nnonsense\n")
        self.assertEqual(0, answer.code)
        self.assertIn("supervisor> %d\n" % daemon.pid, answer.out)
        self.assertIn("supervisor> run: stopped\n", answer.out)
        self.assertIn("supervisor> *** Unknown syntax: nonsense\n", answer.out)

    def test_shows_the_status_first(self):
        daemon = self.three()
        answer = daemon.ctl(input="")
        self.assertEqual(0, answer.code)
        self.assertRegex(answer.out, r"^g:g0 +RUNNING ")

    def test_exit_and_quit(self):
        daemon = self.daemon()
        for word in ("exit", "quit"):
            answer = daemon.ctl(input=word + "\npid\n")
            self.assertNotIn(str(daemon.pid), answer.out)

    def test_open(self):
        daemon = self.daemon(inet=True)
        for url in ("unix://" + daemon.socket, "http://127.0.0.1:%d" % daemon.port):
            answer = supervisorctl("-s", "http://127.0.0.1:1", input="open %s\npid\n" % url)
            self.assertIn("supervisor> %d\n" % daemon.pid, answer.out)

    def test_prompt(self):
        daemon = self.daemon(ctl={"prompt": "mine"})
        self.assertIn("mine> %d\n" % daemon.pid, daemon.ctl(input="pid\n").out)

    def test_help(self):
        daemon = self.daemon()
        answer = daemon.ctl("help")
        self.assertEqual(0, answer.code)
        self.assertIn("default commands (type help <topic>):\n", answer.out)
        for action in "add avail clear exit fg help maintail open pid quit reload remove reread restart shutdown " \
                      "signal start status stop tail update version".split():
            self.assertRegex(answer.out, r"(?m)(^| )%s( |$)" % action)

    def test_help_of_an_action(self):
        daemon = self.daemon()
        for action in ("start", "tail", "status", "update"):
            self.assertIn(action, daemon.ctl("help", action).out)
        self.assertIn("*** No help on nonsense\n", daemon.ctl("help", "nonsense").out)

    def test_unknown_action(self):
        answer = self.daemon().ctl("nonsense")
        self.assertEqual((1, "*** Unknown syntax: nonsense\n"), (answer.code, answer.out))
