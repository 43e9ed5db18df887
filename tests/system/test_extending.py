"""The examples in C of docs/extending.md, as they stand there; those in Python are in test_python_plugins.py."""

import glob
import os
import re
import textwrap
import xmlrpc.client

from harness import BUILD, TestCase, actor, is_instrumented, program, read, run, wait_for, write

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Extending(TestCase):
    def block(self, language, words):
        """The one code block of that language with these words in it."""
        text = read(os.path.join(ROOT, "docs", "extending.md"))
        blocks = re.findall(r"^( *)```%s\n(.*?)^ *```$" % language, text, re.M | re.S)
        found, = [textwrap.dedent(block) for _, block in blocks if words in block]
        return found

    def build(self, source, words, libraries=()):
        """By the document's own command, with the headers of the sources. What it makes is in self.dir."""
        write(self.path(source), self.block("c", words))
        command = self.block("sh", "-shared" if not libraries else "supervisor-listener").replace("counter", source[:-2])
        command = re.sub(r"\$\(pkg-config[^)]*\)", "", command).split()
        sanitizers = ["-fsanitize=address,undefined"] if is_instrumented() and libraries else []
        answer = run(*command, "-Werror", "-I", os.path.join(ROOT, "include"), *libraries, *sanitizers,
                     directory=self.dir)
        self.assertEqual(0, answer.code, answer.err)

    def test_a_plugin(self):
        self.build("counter.c", "get_starts")
        text = self.block("ini", "[rpcinterface:counter]")
        daemon = self.daemon(text + program("a", actor("hang")), inet=True, supervisord={"plugin_path": self.dir})
        daemon.wait_state("a", "RUNNING")
        client = self.block("python", "rpc.counter.getStarts").replace("9001", str(daemon.port))
        answer = run("python3", "-c", client)
        self.assertEqual("1\nHow many starts there were.\n", answer.out, answer.err)
        self.assertIn("INFO a:a is start number 1", daemon.log_messages())
        self.assertIn("counter.getStarts", xmlrpc.client.ServerProxy(
            "http://127.0.0.1:%d/RPC2" % daemon.port).system.listMethods())

    def test_an_action(self):
        self.build("pids.c", "print_pids")
        text = self.block("ini", "[ctlplugin:pids]")
        daemon = self.daemon(text + program("a", actor("hang")), ctl={"plugin_path": self.dir})
        pid = daemon.wait_state("a", "RUNNING")["pid"]
        self.assertEqual("a %d\n" % pid, daemon.ctl("pids").out)
        self.assertEqual("pids\t\tPrint the names and pids of all processes\n", daemon.ctl("help", "pids").out)
        answer = daemon.ctl("pids", "x")
        self.assertEqual((2, "Error: pids takes no arguments\npids\t\tPrint the names and pids of all processes\n"),
                         (answer.code, answer.out))

    def test_a_listener(self):
        library, = glob.glob(os.path.join(BUILD, "src", "eventlistener", "libsupervisor-listener.a"))
        self.build("fatal.c", "PROCESS_STATE_FATAL", [library])
        text = self.block("ini", "[eventlistener:fatal]").replace("/srv/listeners", self.dir)
        daemon = self.daemon(text + program("broken", "/nowhere/x", startretries=0))
        wait_for(lambda: "fatal: broken could not be started\n" in daemon.stderr("fatal"), what="a line of the listener")

    def test_the_common_configuration_is_one(self):
        text = self.block("ini", "[unix_http_server]").replace("/run", self.dir).replace("/srv/plugins", self.dir)
        path = write(self.path("all.conf"), text)
        daemon = self.prepare("")
        self.assertEqual(0, run(daemon.binary, "--check", "-c", path).code)
