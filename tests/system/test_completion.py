"""Completion of the command line in bash, zsh and fish."""

import os
import pty
import select
import shutil
import time
import unittest
import unittest.mock

from harness import PATIENCE, SUPERVISORCTL, SUPERVISORD, TestCase, actor, program, run, section

FOLDER = os.path.join(os.path.dirname(SUPERVISORD), "../../completions")
BASH = os.path.join(FOLDER, "supervisorctl")
ZSH = os.path.join(FOLDER, "_supervisorctl")
FISH = os.path.join(FOLDER, "supervisorctl.fish")


def in_bash(line, function="_supervisorctl"):
    """What bash offers at the end of the line."""
    script = ('source "$1"; COMP_LINE=$2; COMP_POINT=${#2}; COMP_WORDS=($2); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); '
              '"$3" 2>/dev/null; printf "%s\\n" "${COMPREPLY[@]}"')
    return run("bash", "-c", script, "bash", BASH, line, function).out.split()


def in_fish(line):
    script = 'source $argv[1]; fish_add_path -P $argv[2] $argv[3]; complete -C $argv[4]'
    out = run("fish", "--no-config", "-c", script, FISH, os.path.dirname(SUPERVISORCTL), os.path.dirname(SUPERVISORD),
              line).out
    return [row.split("\t")[0] for row in out.splitlines()]


def needs(shell):
    return unittest.skipUnless(shutil.which(shell), "needs " + shell)


class Completion(TestCase):
    def running(self):
        return self.daemon(program("cat", actor("hang")) + program("one", actor("hang")) + program("two", actor("hang"))
                           + section("group:pair", programs="one,two"))

    @needs("zsh")
    @needs("fish")
    def test_each_shell_can_read_its_script(self):
        for words in (["bash", "-n", BASH], ["zsh", "-n", ZSH], ["fish", "--no-execute", FISH]):
            answer = run(*words)
            self.assertEqual((0, "", ""), answer, words)

    def test_bash_actions(self):
        self.assertEqual({"start", "status", "stop"}, set(in_bash(SUPERVISORCTL + " st")))
        self.assertEqual(["status"], in_bash(SUPERVISORCTL + " -c /nowhere stat"))
        self.assertEqual(["shutdown"], in_bash(SUPERVISORCTL + " help sh"))
        self.assertEqual({"INT"}, set(in_bash(SUPERVISORCTL + " signal IN")))

    def test_bash_options(self):
        self.assertEqual(["--serverurl"], in_bash(SUPERVISORCTL + " --se"))
        self.assertEqual(["--check", "--childlogdir"], in_bash(SUPERVISORD + " --ch", "_supervisord"))

    def test_bash_processes(self):
        line = "%s -c %s " % (SUPERVISORCTL, self.running().path)
        self.assertEqual(["cat"], in_bash(line + "start c"))
        self.assertEqual({"all", "cat", "pair:*", "pair:one", "pair:two"}, set(in_bash(line + "stop ")))
        self.assertEqual(["two"], in_bash(line + "stop cat pair:t"))
        self.assertEqual(["cat"], in_bash(line + "signal HUP c"))
        self.assertEqual([], in_bash(line + "version c"))

    def test_bash_configuration_in_the_home_directory(self):
        folder, name = os.path.split(self.running().path)
        self.enterContext(unittest.mock.patch.dict(os.environ, HOME=folder))
        self.assertEqual(["cat"], in_bash("%s -c ~/%s start c" % (SUPERVISORCTL, name)))

    @needs("fish")
    def test_fish_ways_to_name_the_configuration(self):
        path = self.running().path
        folder, name = os.path.split(path)
        self.enterContext(unittest.mock.patch.dict(os.environ, HOME=folder))
        for option in ("-c ~/" + name, "-c" + path, "--configuration=" + path):
            with self.subTest(option):
                self.assertEqual(["cat"], in_fish("supervisorctl %s start c" % option))

    def test_bash_without_a_daemon_is_quiet(self):
        self.assertEqual(["all"], in_bash(SUPERVISORCTL + " -s unix:///nowhere start "))

    @needs("fish")
    def test_fish(self):
        self.assertEqual({"start", "status", "stop"}, set(in_fish("supervisorctl st")))
        self.assertEqual(["--serverurl"], in_fish("supervisorctl --se"))
        line = "supervisorctl -c %s " % self.running().path
        self.assertEqual(["cat"], in_fish(line + "start c"))
        self.assertEqual({"pair:*", "pair:one", "pair:two"}, set(in_fish(line + "stop pair:")))

    @needs("zsh")
    def test_zsh_loads(self):
        script = "autoload -Uz compinit; fpath=($1 $fpath); compinit -D -u; autoload +X _supervisorctl && " \
                 "echo $_comps[supervisorctl] $_comps[supervisord]"
        answer = run("zsh", "-f", "-c", script, "zsh", FOLDER)
        self.assertEqual((0, "_supervisorctl _supervisorctl"), (answer.code, answer.out.strip()), answer.err)

    @needs("zsh")
    def test_zsh_completes_arguments(self):
        path = self.running().path
        line = "supervisorctl -c %s " % path
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update(TERM="dumb", HOME=os.path.dirname(path), PATH=os.path.dirname(SUPERVISORCTL) + ":" + os.environ["PATH"])
            os.execvp("zsh", ["zsh", "-f", "-i"])
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, 9)
        os.write(terminal, b"fpath=(%s $fpath); autoload -Uz compinit; compinit -D -u\n" % FOLDER.encode())
        for typed, expected in (("supervisorctl signal US", "USR"), (line + "start c", "start cat "),
                                ("supervisorctl -c ~/%s start c" % os.path.basename(path), "start cat "),
                                ("supervisorctl --se", "--serverurl ")):
            os.write(terminal, typed.encode() + b"\t")
            seen = ""
            limit = time.monotonic() + 10 * PATIENCE
            while expected not in seen and time.monotonic() < limit:
                if select.select([terminal], [], [], 0.1)[0]:
                    seen += os.read(terminal, 4096).decode(errors="replace")
            self.assertIn(expected, seen)
            os.write(terminal, b"\x15")
