"""An unlucky machine: no descriptors, no processes, no room, logs that go away; others are served meanwhile."""

import os
import resource
import signal
import socket
import stat
import subprocess
import sys
import xmlrpc.client

from harness import (Fault, TestCase, actor, alone, children_of, needs_root, process_state, program,
                     read, time_limit, wait_for, write)


def limit(kind, number):
    """A command prefix that starts the daemon with a resource limit."""
    return [sys.executable, "-c", "import os, resource, sys; resource.setrlimit(%d, (%d, %d)); "
            "os.execv(sys.argv[1], sys.argv[1:])" % (kind, number, number)]


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


class Faults(TestCase):
    def tearDown(self):
        for daemon in self.daemons:
            if daemon.is_running():
                self.assertEqual("RUNNING", daemon.new_rpc().supervisor.getState()["statename"])
        super().tearDown()

    def tmpfs(self, size):
        """A small file system of its own."""
        path = self.subdirectory("small")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d" % size, "none", path], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("cannot mount a tmpfs")
        self.addCleanup(subprocess.run, ["umount", "-l", path], check=False)
        return path


class Descriptors(Faults):
    """The daemon may have 60 descriptors: some 12 are its own, two to four a child's."""

    def starved(self, count=40, **options):
        return self.prepare("".join(program("p%02d" % number, actor("hang"), autostart="false", startretries=0,
                                            stdout_logfile="NONE", stderr_logfile="NONE")
                                    for number in range(count)),
                            prefix=limit(resource.RLIMIT_NOFILE, 60), supervisord={"minfds": 60}, **options).start()

    def fill(self, daemon):
        """Starts processes until there are no descriptors left. Names of those that run, and of one that does not."""
        running = []
        for number in range(40):
            name = "p%02d" % number
            try:
                daemon.supervisor.startProcess(name)
            except xmlrpc.client.Fault as fault:
                self.assertEqual((Fault.SPAWN_ERROR, "SPAWN_ERROR: " + name), (fault.faultCode, fault.faultString))
                return running, name
            running.append(name)
        raise AssertionError("all have started")

    def test_spawn(self):
        daemon = self.starved()
        running, refused = self.fill(daemon)
        info = daemon.info(refused)
        self.assertEqual(("FATAL", "too many open files to spawn '%s'" % refused),
                         (info["statename"], info["spawnerr"]))
        daemon.supervisor.stopProcess(running[0])
        self.assertTrue(daemon.supervisor.startProcess(refused))

    def test_clients_wait_and_are_served_later(self):
        daemon = self.starved()
        self.fill(daemon)
        self.assertEqual("RUNNING", daemon.state("p00"))  # on a connection that is there
        socks = []
        for _ in range(20):
            sock = socket.socket(socket.AF_UNIX)
            sock.settimeout(20)
            sock.connect(daemon.socket)
            sock.sendall(b"GET /none HTTP/1.1\r\nHost: x\r\n\r\n")
            socks.append(sock)
        daemon.wait_log("cannot accept a connection")
        self.assertEqual("RUNNING", daemon.state("p00"))
        for number in range(8):
            daemon.supervisor.stopProcess("p%02d" % number)
        for sock in socks:
            self.assertIn(b"404", sock.recv(1000))
            sock.close()

    def test_reread_and_reopen(self):
        daemon = self.starved()
        self.fill(daemon)
        hogs = [socket.socket(socket.AF_UNIX) for _ in range(10)]
        for hog in hogs:  # the last few descriptors
            hog.connect(daemon.socket)
        wait_for(lambda: descriptors(daemon.pid) == 60, what="no descriptor left")
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            daemon.supervisor.reloadConfig()
        self.assertEqual(Fault.CANT_REREAD, caught.exception.faultCode)
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log("cannot reopen the activity log")
        for hog in hogs:
            hog.close()
        wait_for(lambda: descriptors(daemon.pid) < 60, what="a descriptor again")
        self.assertEqual([[[], [], []]], daemon.supervisor.reloadConfig())
        daemon.send_signal(signal.SIGUSR2)
        wait_for(lambda: read(daemon.log).count("supervisord logreopen") == 2)


class Processes(Faults):
    @needs_root
    def test_no_more_processes(self):
        os.chmod(self.dir, 0o777)
        daemon = self.daemon("".join(program("p%d" % number, actor("hang"), autostart="false", startretries=0)
                                     for number in range(6)),
                             prefix=limit(resource.RLIMIT_NPROC, 4), supervisord={"minprocs": 1, "user": "games"})
        states = []
        for number in range(6):
            try:
                states.append(daemon.supervisor.startProcess("p%d" % number))
            except xmlrpc.client.Fault as fault:
                states.append(fault.faultCode)
        self.assertIn(Fault.SPAWN_ERROR, states)
        refused = "p%d" % states.index(Fault.SPAWN_ERROR)
        self.assertEqual("Too many processes in process table to spawn '%s'" % refused,
                         daemon.info(refused)["spawnerr"])
        daemon.supervisor.stopProcess("p0")
        self.assertTrue(daemon.supervisor.startProcess(refused))

    @alone
    @time_limit(120)
    def test_many_children_die_at_once(self):
        daemon = self.daemon(program("p", actor("hang"), numprocs=300, process_name="p%(process_num)03d",
                                     stdout_logfile="NONE", stderr_logfile="NONE"), supervisord={"minfds": 4096})
        wait_for(lambda: len(children_of(daemon.pid)) == 300, 60)
        for pid in children_of(daemon.pid):
            os.kill(pid, signal.SIGKILL)
        self.assertEqual("RUNNING", daemon.supervisor.getState()["statename"])
        wait_for(lambda: all(info["statename"] == "EXITED" for info in daemon.supervisor.getAllProcessInfo()), 30)
        self.assertEqual([], children_of(daemon.pid))

    def test_stopped_child_is_stopped(self):
        daemon = self.daemon(program("a", actor("print=up", "hang"), stopwaitsecs=1))
        daemon.wait_stdout("a", "up")
        pid = daemon.info("a")["pid"]
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: process_state(pid) == "T")
        self.assertTrue(daemon.supervisor.stopProcess("a"))
        self.assertIn("WARN killing 'a'", "\n".join(daemon.log_messages()))

    def test_signals_after_the_end_go_to_nobody(self):
        daemon = self.daemon(program("a", actor("hang"), stopasgroup="true"))
        pid = daemon.info("a")["pid"]
        os.kill(pid, signal.SIGKILL)
        daemon.wait_state("a", "EXITED")
        for call in (lambda: daemon.supervisor.signalProcess("a", "KILL"), lambda: daemon.supervisor.stopProcess("a")):
            self.assertFault(Fault.NOT_RUNNING, "NOT_RUNNING: a", call)

    def test_restarts_one_after_the_other(self):
        daemon = self.daemon(program("a", actor("hang")))
        for _ in range(50):
            daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: "received SIGHUP" in read(daemon.log))
        wait_for(daemon.answers, 20)
        self.assertEqual("RUNNING", daemon.wait_state("a", "RUNNING")["statename"])


class Room(Faults):
    @needs_root
    def test_full_disk(self):
        path = os.path.join(self.tmpfs(65536), "a.log")
        daemon = self.daemon(program("a", actor("noise=200000", "mark=%s,passed" % self.path("mark"), "echo"),
                                     stdout_logfile=path, stdout_logfile_maxbytes=0), supervisord={"loglevel": "info"})
        wait_for(lambda: "passed" in read(self.path("mark")), what="the child to go on")
        daemon.wait_log("cannot write log file")
        daemon.supervisor.clearProcessLogs("a")
        daemon.supervisor.sendProcessStdin("a", "again\n")
        daemon.wait_log("can be written again")
        self.assertTrue(read(path).endswith("again\n"))
        self.assertEqual(1, read(daemon.log).count("cannot write log file"))

    @needs_root
    def test_full_disk_for_the_daemons_own_files(self):
        small = self.tmpfs(65536)
        with open(os.path.join(small, "filler"), "wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(b"x" * 4096)
            except OSError:
                pass
        daemon = self.daemon(program("a", actor("hang")),
                             supervisord={"logfile": os.path.join(small, "d.log"),
                                          "pidfile": os.path.join(small, "d.pid")})
        self.assertEqual("RUNNING", daemon.state("a"))
        self.assertFalse(os.path.exists(os.path.join(small, "d.pid")))
        os.unlink(os.path.join(small, "filler"))
        daemon.supervisor.stopProcess("a")
        wait_for(lambda: "stopped: a" in read(os.path.join(small, "d.log")))

    def test_file_size_limit(self):
        daemon = self.daemon(program("a", actor("noise=300000", "mark=%s,passed" % self.path("mark"), "hang"),
                                     stdout_logfile_maxbytes=0), supervisord={"loglevel": "info"},
                             prefix=limit(resource.RLIMIT_FSIZE, 100000))
        wait_for(lambda: "passed" in read(self.path("mark")), what="the child to go on")
        self.assertEqual(100000, os.path.getsize(daemon.info("a")["stdout_logfile"]))
        daemon.wait_log("cannot write log file")

    def test_log_directory_goes_away(self):
        logs = self.subdirectory("logs")
        path = os.path.join(logs, "a.log")
        daemon = self.daemon(program("a", actor("print=up", "echo"), stdout_logfile=path, stdout_logfile_maxbytes=20,
                                     startretries=0))
        daemon.wait_stdout("a", "up")
        os.unlink(path)
        os.rmdir(logs)
        for _ in range(5):
            daemon.supervisor.sendProcessStdin("a", "twelve bytes\n")
        daemon.wait_log("cannot rotate")
        self.assertEqual(1, read(daemon.log).count("cannot rotate"))
        self.assertFault(Fault.NO_FILE, "NO_FILE: " + path, daemon.supervisor.readProcessStdoutLog, "a", 0, 0)
        daemon.send_signal(signal.SIGUSR2)
        daemon.wait_log("cannot reopen the log of a")
        daemon.supervisor.stopProcess("a")
        self.assertFault(Fault.SPAWN_ERROR, "SPAWN_ERROR: a", daemon.supervisor.startProcess, "a")
        self.assertIn("cannot open log file", daemon.info("a")["spawnerr"])
        os.mkdir(logs)
        self.assertTrue(daemon.supervisor.startProcess("a"))
        daemon.wait_stdout("a", "up")


class Configuration(Faults):
    def refused(self, daemon):
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            daemon.supervisor.reloadConfig()
        self.assertEqual(Fault.CANT_REREAD, caught.exception.faultCode)
        return caught.exception.faultString

    def test_broken_or_gone(self):
        daemon = self.daemon(program("a", actor("hang")))
        good = read(daemon.path)
        for text in ("", "[", "[supervisord]\nlogfile_maxbytes=many\n", "\0\0", good + "[program:x]\n"):
            write(daemon.path, text)
            self.assertIn("CANT_REREAD", self.refused(daemon))
        os.unlink(daemon.path)
        self.assertIn(daemon.path, self.refused(daemon))
        write(daemon.path, good)
        self.assertEqual([[[], [], []]], daemon.supervisor.reloadConfig())
        self.assertEqual("RUNNING", daemon.state("a"))

    def test_a_fifo_among_the_included_files_holds_nobody_up(self):
        include = self.subdirectory("conf.d")
        daemon = self.daemon("[include]\nfiles=%s/*.conf\n" % include)
        os.mkfifo(os.path.join(include, "x.conf"))
        self.assertIn("x.conf", self.refused(daemon))


class OthersFiles(Faults):
    """Directories that others can write to are full of traps."""

    @needs_root
    def test_a_device_in_place_of_the_pidfile_stays(self):
        os.mknod(self.path("full"), 0o666 | stat.S_IFCHR, os.makedev(1, 7))
        daemon = self.daemon(supervisord={"pidfile": self.path("full")})
        daemon.wait_log("could not write pidfile")
        daemon.stop()
        self.assertTrue(stat.S_ISCHR(os.stat(self.path("full")).st_mode))

    def test_a_fifo_in_place_of_the_pidfile(self):
        os.mkfifo(self.path("trap"))
        daemon = self.daemon(supervisord={"pidfile": self.path("trap")})
        daemon.wait_log("could not write pidfile")
        self.assertTrue(stat.S_ISFIFO(os.lstat(self.path("trap")).st_mode))

    @needs_root
    def test_a_link_of_others_is_not_written_through(self):
        logs = self.subdirectory("logs")
        victim = write(self.path("victim"), "precious\n")
        link = os.path.join(logs, "a.log")
        os.symlink(victim, link)
        os.lchown(link, 64321, 64321)
        os.chown(logs, 64321, 64321)
        daemon = self.daemon(program("a", actor("print=evil", "hang"), autostart="false", startretries=0,
                                     stdout_logfile=link))
        self.assertFault(Fault.FAILED, "FAILED: %s: Too many levels of symbolic links" % link,
                         daemon.supervisor.readProcessStdoutLog, "a", 0, 0)
        self.assertFault(Fault.SPAWN_ERROR, "SPAWN_ERROR: a", daemon.supervisor.startProcess, "a")
        self.assertIn("cannot open log file", daemon.info("a")["spawnerr"])
        self.assertEqual("precious\n", read(victim))

    def test_own_links_are_followed(self):
        link = self.path("link.log")
        os.symlink(self.path("real.log"), link)
        daemon = self.daemon(program("a", actor("print=up", "hang"), stdout_logfile=link))
        daemon.wait_stdout("a", "up")
        self.assertEqual("up\n", read(self.path("real.log")))
