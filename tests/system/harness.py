"""What the black-box tests stand on: a daemon with its own directory, its client, and waiting for conditions.

A test never sleeps a fixed time: it waits for what it wants to see, with a limit. Every test runs in a process of
its own (tests/run.py), which adopts all orphans below it; so what is left over at the end is seen for certain.
"""

import collections
import ctypes
import functools
import glob
import http.client
import inspect
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import xmlrpc.client

SUPERVISORD = os.environ.get("SUPERVISORD", "")
SUPERVISORCTL = os.environ.get("SUPERVISORCTL", "")
PROGRAMS = os.environ.get("SUPERVISOR_TEST_PROGRAMS", "")
BUILD = os.environ.get("SUPERVISOR_TEST_BUILD", "")
PLUGINS = os.environ.get("SUPERVISOR_TEST_PLUGINS", "")
WRAPPER = shlex.split(os.environ.get("SUPERVISOR_TEST_WRAPPER", ""))
# Under a tool that slows the daemon down every limit grows by this factor.
PATIENCE = float(os.environ.get("SUPERVISOR_TEST_PATIENCE", "1"))

ACTOR = os.path.join(PROGRAMS, "actor")
REPORT = os.path.join(PROGRAMS, "report")
LISTENER = os.path.join(PROGRAMS, "listener")
FCGI_RESPONDER = os.path.join(PROGRAMS, "fcgi_responder")

# Where the plugin is that runs extensions in Python, in the build of the daemon under test.
PYTHON_PLUGIN = os.environ.get("SUPERVISOR_TEST_PYTHON_PLUGIN", "")

Outcome = collections.namedtuple("Outcome", "code out err")


class Fault:
    """Codes of the faults that the interface answers with."""

    UNKNOWN_METHOD = 1
    INCORRECT_PARAMETERS = 2
    BAD_ARGUMENTS = 3
    SIGNATURE_UNSUPPORTED = 4
    SHUTDOWN_STATE = 6
    BAD_NAME = 10
    BAD_SIGNAL = 11
    NO_FILE = 20
    NOT_EXECUTABLE = 21
    FAILED = 30
    ABNORMAL_TERMINATION = 40
    SPAWN_ERROR = 50
    ALREADY_STARTED = 60
    NOT_RUNNING = 70
    SUCCESS = 80
    ALREADY_ADDED = 90
    STILL_RUNNING = 91
    CANT_REREAD = 92
    READ_ONLY = 403  # ours alone


# --- marks -----------------------------------------------------------------------------------------------------------


def mark(name, value):
    """A decorator for a test method or class that leaves a note for the runner."""

    def note(what):
        setattr(what, name, value)
        return what

    return note


def differs(entry, not_run=None):
    """The original behaves otherwise, on purpose of ours. `entry` are words of docs/differences.md, of one entry.

    The test counts on ours alone; `make conformance` runs it against the original too, and sees it fail there. Not
    one that would hang the original, hurt the machine or pass by chance, which `not_run` then explains.
    """

    def note(what):
        what.differs = entry
        what.not_run = not_run
        return what

    return note


def time_limit(seconds):
    """Gives a test more time than the runner's usual limit."""
    return mark("time_limit", seconds)


def alone(what):
    """A test that loads the machine: no other test runs beside it."""
    return mark("alone", True)(what)


def not_wrapped(why):
    """Skipped under valgrind and the like, which then stands between the daemon and what the test is about."""
    return unittest.skipIf(WRAPPER, why)


@functools.lru_cache(maxsize=None)
def is_instrumented():
    """Whether the daemon runs under a tool that changes how much memory it takes."""
    with open(SUPERVISORD, "rb") as file:
        return bool(WRAPPER) or b"__asan_init" in file.read()


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
            return True
    except OSError:
        return False


needs_ipv6 = unittest.skipUnless(has_ipv6(), "needs IPv6")
needs_root = unittest.skipUnless(os.geteuid() == 0, "needs root")


@functools.lru_cache(maxsize=None)
def version_text():
    answer = subprocess.run([SUPERVISORD, "--version"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            check=False)
    return answer.stdout.strip()


def is_original():
    return version_text().startswith(("3.", "4."))


# --- waiting ---------------------------------------------------------------------------------------------------------


def wait_for(condition, timeout=10.0, what=None):
    """Calls `condition` until it gives something true, and returns that. An AssertionError when time is up."""
    limit = time.monotonic() + timeout * PATIENCE
    pause = 0.005
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > limit:
            raise AssertionError("waited %g s in vain for %s" % (timeout * PATIENCE,
                                                                 what or inspect.getsource(condition).strip()))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def adopt_orphans():
    """Makes the calling process the parent of every orphan below it."""
    pr_set_child_subreaper = 36
    if ctypes.CDLL(None, use_errno=True).prctl(pr_set_child_subreaper, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def children_of(pid):
    """The pids of the children of a process, zombies included."""
    found = []
    for path in glob.glob("/proc/%d/task/*/children" % pid):
        try:
            with open(path) as file:
                found += [int(word) for word in file.read().split()]
        except OSError:
            pass
    return found


def descendants_of(pid):
    found = []
    for child in children_of(pid):
        found.append(child)
        found += descendants_of(child)
    return found


def process_state(pid):
    """The letter in /proc (R, S, Z ...), or None when there is no such process."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return None


def is_alive(pid):
    return process_state(pid) not in (None, "Z", "X")


def command_line(pid):
    try:
        with open("/proc/%d/cmdline" % pid, "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"


# --- files -----------------------------------------------------------------------------------------------------------


def read(path, default=""):
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return default


def write(path, text, mode=None):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    if mode is not None:
        os.chmod(path, mode)
    return path


def lines_of(path):
    return read(path).splitlines()


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def section(header, **options):
    """[header] and its options as configuration text."""
    return "[%s]\n%s\n" % (header, "".join("%s=%s\n" % item for item in options.items()))


def program(name, *command, **options):
    """A [program:x]. The command's words are joined by blanks; options that tests seldom mean are made quick."""
    options.setdefault("startsecs", 0)
    options.setdefault("autorestart", "false")
    return section("program:" + name, command=" ".join(command), **options)


def actor(*actions):
    """A command line for tests/programs/actor."""
    return " ".join([ACTOR] + ["'%s'" % action if re.search(r"[\s;#]", action) else action for action in actions])


def quoted(words):
    """Words of a command line, quoted where the configuration file needs it."""
    return " ".join("'%s'" % word if re.search(r"[\s;#\\]", word) else word for word in words)


def pool(name, *actions, **options):
    """An [eventlistener:x] whose listeners do what tests/programs/listener is told, in one word each."""
    options.setdefault("startsecs", 0)
    options.setdefault("autorestart", "false")
    return section("eventlistener:" + name, command=quoted((LISTENER,) + actions), **options)


Event = collections.namedtuple("Event", "header payload name serial pool_serial")


def events_of(path):
    """What a listener has recorded: headers as they came, payloads as they came."""
    lines = read(path).split("\n")
    events = []
    for header, payload in zip(lines[0:-1:2], lines[1:-1:2]):
        fields = dict(token.split(":", 1) for token in header.split(" "))
        text = re.sub(r"\\(n|\\|x..)", lambda found: {"n": "\n", "\\": "\\"}.get(found[1]) or
                      chr(int(found[1][1:], 16)), payload)
        events.append(Event(header, text, fields["eventname"], int(fields["serial"]), int(fields["poolserial"])))
    return events


# --- transport -------------------------------------------------------------------------------------------------------


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path, timeout=30):
        super().__init__("localhost", timeout=timeout * PATIENCE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path, timeout):
        super().__init__()
        self.path = path
        self.timeout = timeout

    def make_connection(self, host):
        if self._connection[1] is None:
            _, headers, _ = self.get_host_info(host)
            self._extra_headers = headers or self._extra_headers  # user:password@ in the URL
            self._connection = host, UnixConnection(self.path, self.timeout)
        return self._connection[1]


class Daemon:
    """One supervisord: its directory, its configuration, its life.

    Use as a context manager or by TestCase.daemon(). `config` is what comes after the sections that every daemon
    here has. Keyword arguments: `supervisord`, `unix`, `ctl`: dicts of further options of these sections (a value
    None takes an option away); `inet`: True or a dict for a TCP server on a free port; `arguments`: of the command
    line; `daemonize`: do not stay in the foreground; `environment`: further variables; `binary`: another supervisord.
    """

    def __init__(self, directory, config="", *, supervisord=None, unix=None, ctl=None, inet=None, arguments=(),
                 daemonize=False, environment=None, prefix=(), rpcinterface=True, binary=SUPERVISORD):
        self.binary = binary
        self.directory = directory
        self.path = os.path.join(directory, "supervisord.conf")
        self.socket = os.path.join(directory, "s.sock")
        self.log = os.path.join(directory, "supervisord.log")
        self.pidfile = os.path.join(directory, "supervisord.pid")
        self.output = os.path.join(directory, "output")
        self.arguments = list(arguments)
        self.daemonize = daemonize
        self.environment = environment or {}
        self.prefix = list(prefix)
        self.port = None
        self.pid = None
        self.process = None
        self.killed = False
        self.connections = []
        self.sections = {
            "unix_http_server": dict({"file": self.socket}, **(unix or {})) if unix is not False else None,
            "inet_http_server": self._inet(inet),
            "supervisord": dict({"logfile": self.log, "pidfile": self.pidfile, "childlogdir": directory,
                                 "loglevel": "debug"}, **(supervisord or {})),
            "rpcinterface:supervisor": {"supervisor.rpcinterface_factory":
                                        "supervisor.rpcinterface:make_main_rpcinterface"} if rpcinterface else None,
            "supervisorctl": dict({"serverurl": "unix://" + self.socket}, **(ctl or {})),
        }
        self.configure(config)

    def _inet(self, inet):
        if not inet:
            return None
        self.port = free_port()
        options = {"port": "127.0.0.1:%d" % self.port}
        options.update(inet if isinstance(inet, dict) else {})
        return options

    def configure(self, config=""):
        """Writes the configuration file; a running daemon reads it when asked to."""
        parts = [section(name, **{key: value for key, value in options.items() if value is not None})
                 for name, options in self.sections.items() if options is not None]
        write(self.path, "".join(parts) + config)

    # Life

    def command(self):
        mode = [] if self.daemonize else ["-n"]
        return self.prefix + WRAPPER + [self.binary, "-c", self.path] + mode + self.arguments

    def variables(self):
        variables = dict(os.environ, **self.environment)
        reports = "log_path=%s/sanitizer" % self.directory
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            variables[name] = ":".join(filter(None, [os.environ.get(name), reports]))
        return variables

    def launch(self):
        """Starts the process and does not wait for anything."""
        self.killed = False
        self.pid = None
        with open(self.output, "a") as output:
            self.process = subprocess.Popen(self.command(), cwd=self.directory, env=self.variables(),
                                            stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        return self

    def start(self, timeout=20):
        """Starts it and waits until it answers."""
        self.launch()
        if self.daemonize:
            if self.process.wait(timeout * PATIENCE) != 0:
                raise AssertionError("supervisord did not start: " + read(self.output))
            self.pid = wait_for(self.read_pidfile, timeout, "the pidfile")
        else:
            self.pid = self.process.pid
        wait_for(self.answers, timeout, "an answer of supervisord")
        return self

    def read_pidfile(self):
        text = read(self.pidfile).strip()
        return int(text) if text.isdigit() else None

    def answers(self):
        if not self.daemonize and self.process.poll() is not None:
            raise AssertionError("supervisord ended with status %d: %s" % (self.process.returncode, read(self.output)))
        try:
            return self.new_rpc().supervisor.getState()["statename"] == "RUNNING"
        except (OSError, http.client.HTTPException):
            return False
        except xmlrpc.client.ProtocolError:
            return True  # it wants a password: it answers
        except xmlrpc.client.Fault:
            return False

    def send_signal(self, number):
        os.kill(self.pid, number)

    def wait(self, timeout=20):
        """Waits for its end and gives its exit status, negative for a signal."""
        if not self.daemonize:
            try:
                return self.process.wait(timeout * PATIENCE)
            except subprocess.TimeoutExpired:
                raise AssertionError("supervisord did not end in %g s" % (timeout * PATIENCE)) from None
        status = wait_for(self._reaped, timeout, "the end of supervisord")
        return os.WEXITSTATUS(status[1]) if os.WIFEXITED(status[1]) else -os.WTERMSIG(status[1])

    def _reaped(self):
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        return (pid, status) if pid else None

    def stop(self, number=signal.SIGTERM, timeout=20):
        """Ends it as an operator would and gives its exit status."""
        self.send_signal(number)
        status = self.wait(timeout)
        self.pid = None
        return status

    def restart(self, timeout=20):
        """Has it stop everything and begin anew, in the same process."""
        self._signal_until(signal.SIGHUP, "supervisord started with pid", timeout)
        wait_for(self.answers, timeout, "an answer of supervisord")

    def upgrade(self, timeout=30):
        """Has it become the installed program, with everything going on."""
        self._signal_until(signal.SIGUSR1, "has taken over, with pid", timeout)

    def _signal_until(self, number, text, timeout):
        before = read(self.log).count(text)
        self.send_signal(number)
        wait_for(lambda: read(self.log).count(text) > before, timeout, "%r in the log once more" % text)

    def kill(self):
        """Ends it without a chance to tidy up."""
        self.send_signal(signal.SIGKILL)
        self.wait()
        self.pid = None
        self.killed = True

    def is_running(self):
        return self.pid is not None and is_alive(self.pid)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        self.finish()

    def finish(self):
        """Ends it if it runs, and looks for what it should not have left behind."""
        if self.is_running():
            status = self.stop()
            if status != 0:
                raise AssertionError("supervisord ended with status %d" % status)
        if not self.killed and self.process is not None:
            left = [path for path in (self.socket, self.pidfile) if os.path.lexists(path)]
            if left:
                raise AssertionError("left behind: %s" % ", ".join(left))

    # Talking to it

    def new_rpc(self, timeout=30):
        """A client with a connection of its own, which waits so many seconds for an answer."""
        return xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=UnixTransport(self.socket, timeout))

    @property
    def rpc(self):
        if not self.connections:
            self.connections.append(self.new_rpc())
        return self.connections[0]

    @property
    def supervisor(self):
        return self.rpc.supervisor

    def http(self, timeout=30):
        """A fresh connection for raw HTTP requests."""
        return UnixConnection(self.socket, timeout)

    def raw(self, data, timeout=10):
        """Sends bytes and gives everything that comes back until the other side closes or is silent."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(timeout * PATIENCE)
            sock.connect(self.socket)
            answer = b""
            try:
                sock.sendall(data)
                while True:
                    piece = sock.recv(65536)
                    if not piece:
                        break
                    answer += piece
            except (socket.timeout, ConnectionError):
                pass
            return answer

    def ctl(self, *arguments, input=None, environment=None, timeout=30):
        return supervisorctl("-c", self.path, *arguments, input=input, environment=environment, timeout=timeout,
                             directory=self.directory)

    def info(self, name):
        return self.supervisor.getProcessInfo(name)

    def state(self, name):
        return self.info(name)["statename"]

    def wait_state(self, name, *states, timeout=10):
        return wait_for(lambda: (lambda info: info if info["statename"] in states else None)(self.info(name)),
                        timeout, "%s to become %s (log: %s)" % (name, " or ".join(states), self.log))

    def wait_log(self, text, timeout=10):
        wait_for(lambda: text in read(self.log), timeout, "%r in the log" % text)

    def log_messages(self):
        """The log without times: 'INFO spawned: ...'."""
        return [re.sub(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} ", "", line) for line in lines_of(self.log)]

    def stdout(self, name):
        return read(self.info(name)["stdout_logfile"])

    def stderr(self, name):
        return read(self.info(name)["stderr_logfile"])

    def wait_stdout(self, name, text, timeout=10):
        path = self.info(name)["stdout_logfile"]
        wait_for(lambda: text in read(path), timeout, "%r in %s" % (text, path))
        return read(path)


def run(*command, input=None, environment=None, timeout=30, directory=None):
    answer = subprocess.run(command, input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=directory,
                            env=dict(os.environ, **(environment or {})), timeout=timeout * PATIENCE, check=False,
                            **({} if input is not None else {"stdin": subprocess.DEVNULL}),
                            encoding="utf-8", errors="surrogateescape")
    return Outcome(answer.returncode, answer.stdout, answer.stderr)


def supervisorctl(*arguments, **options):
    return run(SUPERVISORCTL, *arguments, **options)


def supervisord(*arguments, **options):
    return run(SUPERVISORD, *arguments, **options)


class TestCase(unittest.TestCase):
    """A test with a directory of its own, in which nothing may be left running."""

    maxDiff = None

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="sv")
        os.chmod(self.dir, 0o755)
        self.daemons = []
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.addCleanup(self._look_for_leftovers)

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def subdirectory(self, name):
        path = self.path(name)
        os.mkdir(path)
        return path

    def prepare(self, config="", directory=None, **options):
        """A daemon that is configured but not started; what it leaves behind is looked for at the end."""
        daemon = Daemon(directory or self.dir, config, **options)
        self.daemons.append(daemon)
        self.addCleanup(daemon.finish)
        return daemon

    def daemon(self, config="", **options):
        return self.prepare(config, **options).start()

    def refuse(self, config="", **options):
        """A daemon that must not start: its exit status and what it said."""
        daemon = self.prepare(config, **options)
        daemon.daemonize = True
        answer = run(*(daemon.command()), directory=daemon.directory, timeout=15, environment=daemon.variables())
        if answer.code == 0:
            daemon.pid = wait_for(daemon.read_pidfile)
            self.fail("supervisord has started: " + answer.err)
        return answer

    def assertFault(self, code, text, call, *arguments):
        with self.assertRaises(xmlrpc.client.Fault) as caught:
            call(*arguments)
        self.assertEqual((code, text), (caught.exception.faultCode, caught.exception.faultString))

    def _look_for_leftovers(self):
        for path in glob.glob(self.path("**", "sanitizer.*"), recursive=True):
            raise AssertionError("a sanitizer complains:\n" + read(path)[:20000])
        if any(daemon.killed for daemon in self.daemons):
            return

        def left_running():
            return [pid for pid in descendants_of(os.getpid()) if is_alive(pid)]

        try:  # a grandchild that was told to end may take its moment
            wait_for(lambda: not left_running(), 5)
        except AssertionError:
            left = left_running()
            raise AssertionError("left running: %s" % ", ".join("%d (%s)" % (pid, command_line(pid)) for pid in left))
