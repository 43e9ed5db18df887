"""[fcgi-program:x]: a socket that the processes of a section share, on descriptor 0 of each."""

import http.client
import json
import os
import pwd
import re
import signal
import socket
import stat
import xmlrpc.client

from harness import (REPORT, Fault, TestCase, actor, differs, free_port, needs_ipv6, needs_root, read, run, section,
                     wait_for)


def fcgi(name, url, command, **options):
    options.setdefault("startsecs", 0)
    return section("fcgi-program:" + name, command=command, socket=url, **options)


class SharedSocket(TestCase):
    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.tcp = "tcp://127.0.0.1:%d" % self.port
        self.socket = self.path("shared.sock")
        self.unix = "unix://" + self.socket

    def connects(self):
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    def socket_lines(self, daemon):
        return [line for line in daemon.log_messages() if re.search("(Creat|Clos)ing socket", line)]

    def inode(self, daemon, name):
        link = "/proc/%d/fd/0" % daemon.wait_state(name, "RUNNING")["pid"]
        wait_for(lambda: os.readlink(link).startswith("socket:"))  # the original's child is a copy of it at first
        return os.readlink(link)

    def found_by_child(self, url, **options):
        daemon = self.daemon(fcgi("f", url, "%s %s hang" % (REPORT, self.path("report")), **options))
        wait_for(lambda: read(self.path("report")).endswith("\n"))
        daemon.wait_state("f", "RUNNING")
        return json.loads(read(self.path("report")))

    def attributes(self, **options):
        self.daemon(fcgi("f", self.unix, actor("hang"), **options)).wait_state("f", "RUNNING")
        status = os.stat(self.socket)
        return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid

    # What the child gets

    def test_tcp_is_descriptor_0(self):
        found = self.found_by_child(self.tcp)
        self.assertEqual({"0": "socket", "1": "pipe", "2": "pipe"}, found["descriptors"])
        self.assertEqual("127.0.0.1:%d" % self.port, found["listens_on"])

    def test_a_name_means_its_ipv4_address(self):
        self.assertEqual("127.0.0.1:%d" % self.port,
                         self.found_by_child("tcp://localhost:%d" % self.port)["listens_on"])

    def test_unix_is_descriptor_0(self):
        self.assertEqual(self.socket, self.found_by_child(self.unix)["listens_on"])

    def test_names_in_the_url_are_expanded(self):
        self.assertEqual(self.path("f.s"), self.found_by_child("unix://%(here)s/%(program_name)s.s")["listens_on"])

    def test_with_stderr_redirected(self):
        found = self.found_by_child(self.tcp, redirect_stderr="true")
        self.assertEqual("127.0.0.1:%d" % self.port, found["listens_on"])

    @needs_ipv6
    @differs("`socket=tcp://*:9000` and `tcp://[::1]:9000` work")
    def test_all_interfaces(self):
        self.assertEqual(":::%d" % self.port, self.found_by_child("tcp://*:%d" % self.port)["listens_on"])
        self.assertTrue(self.connects())

    @needs_ipv6
    @differs("`socket=tcp://*:9000` and `tcp://[::1]:9000` work")
    def test_ipv6(self):
        self.assertEqual("::1:%d" % self.port, self.found_by_child("tcp://[::1]:%d" % self.port)["listens_on"])

    def test_processes_share_one(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("hang"), numprocs=3, process_name="f%(process_num)d"))
        self.assertEqual(1, len({self.inode(daemon, "f:f%d" % number) for number in range(3)}))

    def test_backlog(self):
        for backlog in (None, 7):
            with self.subTest(backlog=backlog):
                options = {"socket_backlog": backlog} if backlog else {}
                daemon = self.daemon(fcgi("f", self.tcp, actor("hang"), **options))
                daemon.wait_state("f", "RUNNING")
                line = run("ss", "-Hltn", "sport = :%d" % self.port).out.split()
                self.assertEqual(backlog or socket.SOMAXCONN, int(line[2]))
                daemon.stop()

    def test_its_stdin_is_not_for_writing(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("hang")))
        daemon.wait_state("f", "RUNNING")
        self.assertFault(Fault.NO_FILE, "NO_FILE: f", daemon.supervisor.sendProcessStdin, "f", "text")

    # Mode and owner

    def test_mode_is_0700(self):
        self.assertEqual(0o700, self.attributes()[0])

    def test_mode_as_given_whatever_the_umask(self):
        old = os.umask(0o077)
        try:
            self.assertEqual(0o666, self.attributes(socket_mode="0666")[0])
        finally:
            os.umask(old)

    def test_owner_is_ours(self):
        self.assertEqual((os.geteuid(), os.getegid()), self.attributes()[1:])

    @needs_root
    def test_owner_is_the_user_of_the_section(self):
        nobody = pwd.getpwnam("nobody")
        self.assertEqual((nobody.pw_uid, nobody.pw_gid), self.attributes(user="nobody")[1:])

    @needs_root
    def test_owner_as_given_has_no_group_of_its_own(self):
        self.assertEqual((pwd.getpwnam("games").pw_uid, 0), self.attributes(socket_owner="games")[1:])

    @needs_root
    def test_owner_and_group_as_given(self):
        games = pwd.getpwnam("games")
        self.assertEqual((1, games.pw_gid), self.attributes(socket_owner="daemon:games", user="nobody")[1:])

    # Its life

    def test_is_tried_once_then_there_for_the_first_child(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("hang"), autostart="false"))
        self.assertEqual(["INFO Creating socket " + self.tcp, "INFO Closing socket " + self.tcp],
                         self.socket_lines(daemon))
        self.assertFalse(self.connects())
        daemon.supervisor.startProcess("f")
        lines = [line for line in daemon.log_messages() if "socket tcp" in line or "spawned" in line]
        self.assertEqual(["Creating", "Closing", "Creating", "spawned:"], [line.split()[1] for line in lines])
        self.assertTrue(self.connects())

    def test_closes_with_the_last_child_and_opens_again(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("hang"), numprocs=2, process_name="f%(process_num)d"))
        for name in ("f:f0", "f:f1"):
            daemon.wait_state(name, "RUNNING")
        daemon.supervisor.stopProcess("f:f0")
        self.assertTrue(self.connects())
        daemon.supervisor.stopProcess("f:f1")
        self.assertFalse(self.connects())
        self.assertEqual("INFO Closing socket " + self.tcp, self.socket_lines(daemon)[-1])
        daemon.supervisor.startProcessGroup("f")
        self.assertTrue(self.connects())
        self.assertEqual(["INFO Creating socket " + self.tcp, "INFO Closing socket " + self.tcp] * 2
                         + ["INFO Creating socket " + self.tcp], self.socket_lines(daemon))

    def test_outlives_one_of_several(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("hang"), numprocs=2, process_name="f%(process_num)d",
                                  autorestart="true"))
        pid = daemon.wait_state("f:f0", "RUNNING")["pid"]
        before = self.inode(daemon, "f:f1")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: daemon.info("f:f0")["pid"] not in (0, pid))
        self.assertEqual(before, self.inode(daemon, "f:f0"))
        self.assertEqual(3, len(self.socket_lines(daemon)))

    def test_closes_when_the_only_child_dies(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("hang"), autorestart="false"))
        os.kill(daemon.wait_state("f", "RUNNING")["pid"], signal.SIGKILL)
        daemon.wait_state("f", "EXITED")
        wait_for(lambda: len(self.socket_lines(daemon)) == 4)
        self.assertFalse(self.connects())

    def test_closes_at_the_end_of_the_daemon(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("hang")))
        daemon.wait_state("f", "RUNNING")
        daemon.stop()
        self.assertEqual("INFO Closing socket " + self.tcp, self.socket_lines(daemon)[-1])

    def test_a_stale_file_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(self.socket)
        self.assertEqual(0o700, self.attributes()[0])

    def test_restart_of_the_daemon(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("print=up", "hang")))
        daemon.wait_stdout("f", "up")
        pid = daemon.info("f")["pid"]
        daemon.send_signal(signal.SIGHUP)

        def runs_again():
            try:
                return daemon.new_rpc().supervisor.getProcessInfo("f")["pid"] not in (0, pid)
            except (OSError, http.client.HTTPException, xmlrpc.client.Error):
                return False  # it is between two lives
        wait_for(runs_again)
        self.assertTrue(self.connects())

    # Changes

    def reread(self, first, second):
        daemon = self.daemon(fcgi("f", first[0], actor("hang"), **first[1]))
        daemon.configure(fcgi("f", second[0], actor("hang"), **second[1]))
        return daemon.supervisor.reloadConfig()[0][1]

    def test_another_address_is_a_change(self):
        self.assertEqual(["f"], self.reread((self.tcp, {}), ("tcp://127.0.0.1:%d" % free_port(), {})))

    def test_another_path_is_a_change(self):
        self.assertEqual(["f"], self.reread((self.unix, {}), (self.unix + "2", {})))

    def test_another_kind_is_a_change(self):
        self.assertEqual(["f"], self.reread((self.unix, {}), (self.tcp, {})))

    def test_the_same_is_none(self):
        self.assertEqual([], self.reread((self.unix, {"socket_mode": "0700"}), (self.unix, {"socket_mode": "0700"})))

    @differs("A changed `socket_mode`, `socket_owner` or `socket_backlog` counts as a change")
    def test_another_mode_owner_or_backlog_is_a_change(self):
        for options in ({"socket_mode": "0777"}, {"socket_backlog": 5}, {"socket_owner": str(os.geteuid())}):
            with self.subTest(options):
                self.assertEqual(["f"], self.reread((self.unix, {}), (self.unix, options)))
                self.daemons[-1].stop()

    def test_becoming_a_plain_program_is_a_change(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("hang")))
        daemon.configure(section("program:f", command=actor("hang"), startsecs=0))
        self.assertEqual(["f"], daemon.supervisor.reloadConfig()[0][1])

    def test_update_takes_over_the_address(self):
        daemon = self.daemon(fcgi("f", self.tcp, actor("hang"), numprocs=2, process_name="f%(process_num)d"))
        for name in ("f:f0", "f:f1"):
            daemon.wait_state(name, "RUNNING")
        daemon.configure(fcgi("f", self.tcp, actor("hang")))
        self.assertEqual("f: stopped\nf: updated process group\n", daemon.ctl("update").out)
        daemon.wait_state("f", "RUNNING")
        self.assertTrue(self.connects())
        daemon.configure()
        self.assertEqual("f: stopped\nf: removed process group\n", daemon.ctl("update").out)
        self.assertFalse(self.connects())

    # What is wrong

    def test_bad_sections_are_refused(self):
        for options in ({}, {"socket": ""}, {"socket": "udp://h:1"}, {"socket": "unix://relative"},
                        {"socket": "tcp://h"}, {"socket": "tcp://h:x"}, {"socket": self.tcp, "socket_mode": "0700"},
                        {"socket": self.tcp, "socket_owner": "root"}, {"socket": self.unix, "socket_mode": "worldly"},
                        {"socket": self.unix, "socket_owner": "nobody-of-that-name"},
                        {"socket": self.unix, "socket_backlog": "many"},
                        {"socket": self.unix, "socket_owner": "root:no-such-group"}):
            with self.subTest(options):
                answer = self.refuse(section("fcgi-program:f", command="/bin/cat", **options))
                self.assertEqual(2, answer.code)
                self.assertRegex(answer.err, "^Error: ")
                self.assertFalse(os.path.exists(self.socket))
