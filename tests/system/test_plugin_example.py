"""examples/plugins: built with one command, and doing what its comments say."""

import os
import shlex

from harness import Fault, TestCase, actor, program, read, run, section, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCE = os.path.join(ROOT, "examples", "plugins", "greeter.c")


class Greeter(TestCase):
    def setUp(self):
        super().setUp()
        self.build()

    def build(self):
        """With the command in its comment, outside of the tree."""
        command = next(line[2:] for line in read(SOURCE).splitlines() if line.startswith(" *     cc "))
        directory = self.subdirectory("plugins")
        answer = run(*shlex.split(command.replace("greeter.c", SOURCE)), "-I", os.path.join(ROOT, "include"),
                     "-Wall", "-Wextra", "-Werror", directory=directory)
        self.assertEqual((0, "", ""), tuple(answer))

    def sections(self, **options):
        return section("rpcinterface:greeter", **{"supervisor.rpcinterface_factory": "greeter"}, **options)

    def greeter(self, config="", **options):
        return self.daemon(self.sections(**options) + config, supervisord={"plugin_path": self.path("plugins")})

    def test_methods(self):
        daemon = self.greeter(greeting="Good morning")
        greeter, system = daemon.rpc.greeter, daemon.rpc.system
        self.assertEqual("Good morning, world!", greeter.hello())
        self.assertEqual("Good morning, you!", greeter.hello("you"))
        self.assertFault(Fault.BAD_NAME, "BAD_NAME: nobody has an empty name", greeter.hello, "")
        self.assertEqual(["greeter.countStarts", "greeter.hello"],
                         [name for name in system.listMethods() if name.startswith("greeter.")])
        self.assertEqual("Greets somebody.", system.methodHelp("greeter.hello"))
        self.assertEqual(["string", "string"], system.methodSignature("greeter.hello"))

    def test_counts_and_reports(self):
        daemon = self.greeter(program("a", actor("hang"), autostart="false"), report_every="1")
        self.assertEqual(0, daemon.rpc.greeter.countStarts())
        for _ in range(2):
            daemon.supervisor.startProcess("a")
            daemon.supervisor.stopProcess("a")
        self.assertEqual(2, daemon.rpc.greeter.countStarts())
        self.assertIn("DEBG greeter: a:a is being started", daemon.log_messages())
        daemon.wait_log("INFO greeter: ")
        wait_for(lambda: sum(int(message.split()[2]) for message in daemon.log_messages()
                             if message.endswith(" processes started")) == 2)

    def test_upgrade_keeps_the_count(self):
        daemon = self.greeter(program("a", actor("hang")))
        daemon.wait_state("a", "RUNNING")
        daemon.upgrade()
        self.assertEqual(1, daemon.rpc.greeter.countStarts())

    def test_options_that_make_no_sense(self):
        for options, cause in (({"report_every": "often"}, "report_every=often"), ({"report_every": "-1"}, "report_every=-1"),
                               ({"greetings": "Hi"}, "greetings")):
            answer = self.refuse(self.sections(**options), supervisord={"plugin_path": self.path("plugins")})
            self.assertEqual(2, answer.code)
            self.assertIn("rpcinterface:greeter", answer.err)
            self.assertIn(cause, answer.err)
