"""What the manual says in passing, and no other file looks at."""

import glob
import json
import os
import re
import stat
import xmlrpc.client

from harness import (REPORT, Fault, TestCase, actor, differs, events_of, free_port, needs_root, pool, program, read, run, section,
                     supervisorctl, wait_for, write)


def wait_variable(daemon, variable):
    """Waits until process a has it; before its exec, the original's child has the daemon's environment."""
    environ = "/proc/%d/environ" % daemon.wait_state("a", "RUNNING")["pid"]
    wait_for(lambda: variable in read(environ).split("\0"))


class Names(TestCase):
    def refused(self, config):
        answer = self.refuse(config)
        self.assertEqual(2, answer.code)
        self.assertIn("Error: ", answer.err)

    @differs("Sections without a name (`[program:]`) are refused")
    def test_sections_without_a_name_are_refused(self):
        for header in ("program:", "group:", "eventlistener:", "fcgi-program:"):
            with self.subTest(header):
                self.refused(section(header, command="/bin/cat", programs="", events="TICK_5", socket="tcp://:1"))

    def test_include_without_files_is_refused(self):
        self.refused("[include]\n")

    def test_group_name_is_that_of_the_group(self):
        daemon = self.daemon(program("a", "/bin/cat %(group_name)s-%(program_name)s", autostart="false")
                             + section("group:g", programs="a"))
        self.assertEqual("/bin/cat g-a", daemon.supervisor.getAllConfigInfo()[0]["command"])

    def test_environment_in_every_section(self):
        port = free_port()
        os.makedirs(self.path("inc"))
        write(self.path("inc/x1.conf"), program("included", "/bin/cat"))
        values = {"PORT": str(port), "MODE": "0770", "LEVEL": "warn", "N": "2", "PRIO": "7", "NAME": "x", "BOOL": "false",
                  "SIGNAL": "INT", "SIZE": "3KB", "INC": "inc", "EVENTS": "TICK_5"}
        config = (section("inet_http_server", port="127.0.0.1:%(ENV_PORT)s", username="%(ENV_NAME)s",
                          password="%(ENV_NAME)s")
                  + section("include", files="%(ENV_INC)s/x[0-9].conf")
                  + program("p", "/bin/cat", numprocs="%(ENV_N)s", process_name="%(ENV_NAME)s%(process_num)d",
                            priority="%(ENV_PRIO)s", autostart="%(ENV_BOOL)s", stopsignal="%(ENV_SIGNAL)s",
                            startsecs="%(ENV_N)s", stdout_logfile_maxbytes="%(ENV_SIZE)s", exitcodes="%(ENV_N)s")
                  + section("group:g", programs="%(ENV_P)s", priority="%(ENV_PRIO)s")
                  + section("eventlistener:l", command="/bin/cat", events="%(ENV_EVENTS)s", autostart="false",
                            buffer_size="%(ENV_N)s"))
        values["P"] = "p"
        daemon = self.daemon(config, environment=values, unix={"chmod": "%(ENV_MODE)s"},
                             supervisord={"loglevel": "%(ENV_LEVEL)s", "identifier": "%(ENV_NAME)s"})
        info = {(each["group"], each["name"]): each for each in daemon.supervisor.getAllConfigInfo()}
        self.assertEqual({("g", "x0"), ("g", "x1"), ("l", "l"), ("included", "included")}, set(info))
        one = info["g", "x0"]
        self.assertEqual((7, 7, False, 2, 2, 3072, [2]),
                         tuple(one[key] for key in ("process_prio", "group_prio", "autostart", "stopsignal", "startsecs",
                                                    "stdout_logfile_maxbytes", "exitcodes")))
        self.assertEqual(0o770, stat.S_IMODE(os.stat(daemon.socket).st_mode))
        url = "http://x:x@127.0.0.1:%d/RPC2" % port
        self.assertEqual("x", xmlrpc.client.ServerProxy(url).supervisor.getIdentification())
        ctl = write(self.path("ctl.conf"), section("supervisorctl", serverurl="http://127.0.0.1:%(ENV_PORT)s",
                                                   username="%(ENV_NAME)s", password="%(ENV_NAME)s",
                                                   prompt="%(ENV_NAME)s"))
        answer = supervisorctl("-c", ctl, input="pid\n", environment=values)
        self.assertIn("x> %d\n" % daemon.pid, answer.out)

    def test_here_in_paths(self):
        for name in ("logs", "where"):
            self.subdirectory(name)
        daemon = self.daemon(program("a", actor("hang"), directory="%(here)s/where", stderr_logfile="%(here)s/a.err"),
                             unix={"file": "%(here)s/s.sock"},
                             supervisord={"logfile": "%(here)s/logs/x.log", "pidfile": "%(here)s/logs/x.pid",
                                          "childlogdir": "%(here)s/logs", "environment": 'HERE="%(here)s"'})
        self.assertEqual("%d\n" % daemon.pid, read(self.path("logs/x.pid")))
        self.assertIn("supervisord started", read(self.path("logs/x.log")))
        info = daemon.info("a")
        self.assertTrue(info["stdout_logfile"].startswith(self.path("logs") + "/a-stdout---"))
        self.assertEqual(self.path("a.err"), info["stderr_logfile"])
        wait_variable(daemon, "HERE=" + self.dir)


class Include(TestCase):
    def test_patterns(self):
        self.subdirectory("d")
        for name in ("one.conf", "config123.conf", "config1.conf", "r1.inc", "r9.inc", "exact"):
            write(self.path("d", name), program(name.partition(".")[0], "/bin/cat", autostart="false"))
        daemon = self.daemon(section("include", files=self.path("d/exact") + " " + self.path("d/one.*")
                                     + " d/config???.conf d/r[0-3].inc ~/nothing"))
        self.assertEqual(["config123", "exact", "one", "r1"],
                         [info["name"] for info in daemon.supervisor.getAllProcessInfo()])

    def test_client_ignores_it(self):
        write(self.path("x.inc"), section("supervisorctl", serverurl="unix:///nowhere/s.sock", prompt="inc"))
        daemon = self.daemon(section("include", files="x.inc"))
        self.assertIn("supervisor> %d\n" % daemon.pid, daemon.ctl(input="pid\n").out)


class Daemon(TestCase):
    def test_runs_without_a_server(self):
        daemon = self.prepare(program("a", actor("mark=%s,up" % self.path("mark"), "hang")), unix=False)
        daemon.launch()
        wait_for(lambda: read(self.path("mark")) == "up\n")
        daemon.pid = daemon.process.pid
        self.assertEqual(0, daemon.stop())

    def test_without_the_rpc_interface_nobody_controls_it(self):
        daemon = self.prepare(program("a", actor("mark=%s,up" % self.path("mark"), "hang")), rpcinterface=False)
        daemon.launch()
        daemon.pid = daemon.process.pid
        wait_for(lambda: os.path.exists(daemon.socket) and read(self.path("mark")) == "up\n")
        self.assertEqual(["system.listMethods", "system.methodHelp", "system.methodSignature", "system.multicall"],
                         daemon.rpc.system.listMethods())
        self.assertFault(Fault.UNKNOWN_METHOD, "UNKNOWN_METHOD", daemon.supervisor.getState)
        answer = daemon.ctl("status")
        self.assertEqual(4, answer.code)
        self.assertIn("[rpcinterface:supervisor] section", answer.out)
        self.assertEqual(0, daemon.stop())

    def test_debug_level_has_the_output_of_processes(self):
        daemon = self.daemon(program("a", actor("print=words", "error=more words", "hang")))
        daemon.wait_log("DEBG 'a' stdout output:\nwords\n")
        daemon.wait_log("DEBG 'a' stderr output:\nmore words\n")

    def test_log_without_a_limit_and_without_backups(self):
        daemon = self.daemon(program("a", actor("exit=0")), supervisord={"logfile_maxbytes": "1KB",
                                                                         "logfile_backups": "0"})
        for _ in range(30):
            daemon.wait_state("a", "EXITED")
            daemon.supervisor.startProcess("a", False)
        self.assertEqual([daemon.log], glob.glob(daemon.log + "*"))
        self.assertLess(os.path.getsize(daemon.log), 2000)

    def test_log_with_maxbytes_0_is_never_rotated(self):
        daemon = self.daemon(program("a", actor("exit=0")), supervisord={"logfile_maxbytes": "0"})
        for _ in range(10):
            daemon.wait_state("a", "EXITED")
            daemon.supervisor.startProcess("a", False)
        self.assertEqual([daemon.log], glob.glob(daemon.log + "*"))
        self.assertIn("supervisord started", read(daemon.log))

    def test_automatic_logs_and_their_backups_go_with_a_restart(self):
        daemon = self.daemon(program("a", actor("lines=300,10", "hang"), stdout_logfile_maxbytes="1KB"))
        path = daemon.info("a")["stdout_logfile"]
        wait_for(lambda: os.path.exists(path + ".1"))
        daemon.stop()
        self.assertTrue(os.path.exists(path))
        daemon.configure()
        daemon.start()
        self.assertEqual([], glob.glob(path + "*"))

    @needs_root
    def test_user_cannot_be_switched_by_others(self):
        os.chmod(self.dir, 0o777)
        daemon = self.prepare(supervisord={"user": "daemon"})
        answer = run("setpriv", "--reuid=65534", "--clear-groups", *daemon.command(), directory=self.dir)
        self.assertEqual(2, answer.code, answer)
        self.assertIn("Error: Can't drop privilege as nonroot user", answer.err)


class Environment(TestCase):
    def environment(self, **options):
        out = self.path("report.json")
        self.daemon(program("a", REPORT, out, "exit", **options.pop("program", {})), **options)
        return json.loads(wait_for(lambda: (lambda text: text if text.endswith("}\n") else None)(read(out))))["environment"]

    def test_that_of_the_daemon_overrides_what_names_the_process(self):
        found = self.environment(supervisord={"environment": 'SUPERVISOR_GROUP_NAME="all",A="1",B="1"'},
                                 program={"environment": 'B="2"'})
        self.assertEqual(("all", "a", "1", "2"),
                         tuple(found[name] for name in ("SUPERVISOR_GROUP_NAME", "SUPERVISOR_PROCESS_NAME", "A", "B")))

    def test_that_of_the_daemon_counts_as_a_change_of_all_programs(self):
        config = program("a", actor("hang")) + program("b", actor("hang"), environment='A="own"')
        daemon = self.daemon(config, supervisord={"environment": 'A="1"'})
        for name in "ab":
            daemon.wait_state(name, "RUNNING")
        daemon.sections["supervisord"]["environment"] = 'A="2"'
        daemon.configure(config)
        self.assertEqual([[[], ["a"], []]], daemon.supervisor.reloadConfig())
        self.assertEqual("a: stopped\na: updated process group\n", daemon.ctl("update").out)
        wait_variable(daemon, "A=2")

    @differs("the original expands the value several times")
    def test_percent_in_that_of_the_daemon(self):
        self.assertEqual("100%", self.environment(supervisord={"environment": 'LOAD="100%%"'})["LOAD"])

    def test_percent_and_unquoted(self):
        found = self.environment(program={"environment": 'URI="/first%%20name",PLAIN=some_path/x.y-1:2(3)'})
        self.assertEqual(("/first%20name", "some_path/x.y-1:2(3)"), (found["URI"], found["PLAIN"]))


class Client(TestCase):
    def test_all_goes_by_priority(self):
        daemon = self.daemon("".join(program(name, actor("hang"), autostart="false", priority=priority)
                                     for name, priority in (("a", 3), ("b", 1), ("c", 2))))
        order = lambda: re.findall(r"spawned: '(\w)'", read(daemon.log))
        self.assertEqual(0, daemon.ctl("start", "all").code)
        self.assertEqual(["b", "c", "a"], order())
        self.assertEqual(0, daemon.ctl("restart", "all").code)
        self.assertEqual(["b", "c", "a"] * 2, order())

    def test_status_all_is_an_error_when_one_does_not_run(self):
        daemon = self.daemon(program("a", actor("hang")) + program("b", actor("hang"), autostart="false"))
        daemon.wait_state("a", "RUNNING")
        self.assertEqual(3, daemon.ctl("status", "all").code)
        daemon.supervisor.startProcess("b")
        self.assertEqual(0, daemon.ctl("status", "all").code)

    def test_groups(self):
        daemon = self.daemon(program("a", actor("hang")) + program("b", actor("hang"))
                             + section("group:g", programs="a,b"))
        for name in ("g:a", "g:b"):
            daemon.wait_state(name, "RUNNING")
        answer = daemon.ctl("restart", "g:*")
        self.assertEqual(["g:a: started", "g:a: stopped", "g:b: started", "g:b: stopped"],
                         sorted(answer.out.splitlines()))


class Listeners(TestCase):
    def test_capture_mode_on_stderr(self):
        message = "<!--XSUPERVISOR:BEGIN-->hello<!--XSUPERVISOR:END-->"
        self.daemon(pool("teller", "error=" + message, "serve", events="TICK_3600", stderr_capture_maxbytes="1KB")
                    + pool("pool", "record=" + self.path("events"), "serve", events="PROCESS_COMMUNICATION"))
        wait_for(lambda: events_of(self.path("events")))
        event = events_of(self.path("events"))[0]
        self.assertEqual("PROCESS_COMMUNICATION_STDERR", event.name)
        self.assertRegex(event.payload, r"^processname:teller groupname:teller pid:\d+\nhello$")
