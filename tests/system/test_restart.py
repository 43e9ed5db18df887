"""Restarts of the daemon, and what of it stays."""

import os
import signal
import xmlrpc.client

from harness import TestCase, actor, is_alive, program, read, wait_for


class Restart(TestCase):
    def serves(self, daemon, names):
        try:
            return [info["name"] for info in daemon.new_rpc().supervisor.getAllProcessInfo()] == names
        except (OSError, xmlrpc.client.Fault):
            return False

    def count_open(self, daemon):
        return len(os.listdir("/proc/%d/fd" % daemon.pid))

    def test_ten_times_in_a_row_without_growth(self):
        daemon = self.daemon(program("a", actor("hang")))
        counts = []
        for number in range(10):
            name = "p%d" % number
            daemon.configure(program(name, actor("hang")))
            daemon.send_signal(signal.SIGHUP)
            wait_for(lambda: self.serves(daemon, [name]), what=name)
            wait_for(lambda: daemon.new_rpc().supervisor.getProcessInfo(name)["statename"] == "RUNNING")
            counts.append(self.count_open(daemon))
        # a client's connection may still have been open, or not, when it was counted
        wait_for(lambda: self.count_open(daemon) <= counts[0], what="no more than at first: %s" % counts)

    def test_log_goes_on_and_pidfile_stays_right(self):
        daemon = self.daemon()
        daemon.configure(program("a", actor("hang")))
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.serves(daemon, ["a"]))
        self.assertEqual("%d\n" % daemon.pid, read(daemon.pidfile))
        self.assertEqual(2, read(daemon.log).count("supervisord started with pid"))

    def test_broken_file_ends_it_and_leaves_nothing(self):
        daemon = self.daemon(program("a", actor("hang")))
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        daemon.configure(program("a", actor("hang"), startsecs="many"))
        daemon.send_signal(signal.SIGHUP)
        self.assertEqual(2, daemon.wait())
        self.assertFalse(is_alive(pid))
        self.assertIn("startsecs", read(daemon.output))

    def test_daemon_mode_survives_a_restart(self):
        daemon = self.daemon(program("a", actor("hang")), daemonize=True)
        daemon.configure(program("b", actor("hang")))
        daemon.send_signal(signal.SIGHUP)
        wait_for(lambda: self.serves(daemon, ["b"]))
        self.assertEqual(daemon.pid, daemon.new_rpc().supervisor.getPID())
        self.assertEqual(0, daemon.stop())
