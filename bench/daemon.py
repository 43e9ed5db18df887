"""A supervisord under test: its configuration, its life, and what the kernel says about it."""

import contextlib
import ctypes
import http.client
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import xmlrpc.client

PR_SET_CHILD_SUBREAPER = 36


class Failure(Exception):
    """A workload could not be measured; the message says why."""


def raise_limits():
    """As many descriptors as the system grants, and orphans of dead daemons become children of this process."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants():
    """Every process below this one, children first."""
    parents = {}
    for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
        with contextlib.suppress(OSError):
            pid, rest = stat.read_text(errors='replace').split(' ', 1)
            parents.setdefault(int(rest.rsplit(')', 1)[1].split()[1]), []).append(int(pid))
    found, todo = [], [os.getpid()]
    while todo:
        todo = [child for pid in todo for child in parents.get(pid, [])]
        found += todo
    return found


def kill_descendants():
    """Ends everything that this run has started, orphans included; programs that exit at once need a few passes."""
    for _ in range(100):
        pids = descendants()
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not pids:
            return
        time.sleep(0.01)


def wait_for(condition, seconds, what, pause=0.005):
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise Failure(f'{what}: not within {seconds:.0f} s')
        time.sleep(pause)


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def make_connection(self, host):
        connection = http.client.HTTPConnection('localhost', timeout=300)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(300)
        connection.sock.connect(str(self.path))
        return connection


class Daemon:
    """One supervisord in a scratch directory of its own, in the foreground, with both servers, without a password.

    `programs` is a list of (name, command, {option: value}); a name with a colon is that of the whole section.
    """

    def __init__(self, paths, programs, descriptors_per_program=5):
        self.paths = paths
        self.programs = programs
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='daemon-', dir=paths.scratch))
        self.socket = self.directory / 'supervisor.sock'
        self.log = self.directory / 'supervisord.log'
        self.configuration = self.directory / 'supervisord.conf'
        self.port = free_port()
        self.process = None
        self.started_at = 0
        self.started_wall = 0.0
        self.log_offset = 0
        self.running = 0
        self.running_at = 0.0
        self.descriptors = max(1024, 256 + descriptors_per_program * len(programs))
        self.write_configuration()

    def write_configuration(self):
        lines = [
            '[unix_http_server]', f'file={self.socket}',
            '[inet_http_server]', f'port=127.0.0.1:{self.port}',
            '[supervisord]', 'nodaemon=true', 'silent=true', 'user=root' if os.geteuid() == 0 else '',
            f'logfile={self.log}', 'logfile_maxbytes=0', f'pidfile={self.directory}/supervisord.pid',
            f'childlogdir={self.directory}', f'minfds={self.descriptors}',
            '[supervisorctl]', f'serverurl=unix://{self.socket}',
            '[rpcinterface:supervisor]',
            'supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface',
        ]
        for name, command, options in self.programs:
            section = name if ':' in name else f'program:{name}'
            lines += [f'[{section}]', f'command={command}', 'startsecs=0']
            lines += [f'{key}={value}' for key, value in options.items()]
        self.configuration.write_text('\n'.join(lines) + '\n')

    def __enter__(self):
        self.started_at = time.monotonic_ns()
        self.started_wall = self.running_at = time.time()
        with open(self.directory / 'stderr', 'wb') as errors:
            self.process = subprocess.Popen([self.paths.supervisord, '-c', str(self.configuration)],
                                            stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                                            cwd=self.directory, start_new_session=True)
        return self

    def __exit__(self, *_):
        kill_descendants()
        shutil.rmtree(self.directory, ignore_errors=True)

    def rpc(self):
        return xmlrpc.client.ServerProxy('http://localhost/RPC2', transport=UnixTransport(self.socket))

    def count_running(self):
        """How many programs have become RUNNING, as the activity log tells: asking would disturb a busy boot."""
        if self.process.poll() is not None:
            text = (self.directory / 'stderr').read_text(errors='replace').strip()
            raise Failure(f'supervisord ended with status {self.process.returncode}: {text[-300:]}')
        with contextlib.suppress(FileNotFoundError), open(self.log, 'rb') as log:
            log.seek(self.log_offset)
            new = log.read()
            new = new[:new.rfind(b'\n') + 1]
            self.log_offset += len(new)
            stamps = re.findall(rb'^(\S+ \S+),(\d+) INFO success: \S+ entered RUNNING', new, re.MULTILINE)
            self.running += len(stamps)
            if stamps:
                second, millisecond = stamps[-1]
                self.running_at = (time.mktime(time.strptime(second.decode(), '%Y-%m-%d %H:%M:%S'))
                                   + int(millisecond) / 1000)
        return self.running

    def wait_running(self, seconds=120):
        """Seconds from the start of the daemon until its last program was RUNNING."""
        wait_for(lambda: self.count_running() >= len(self.programs), seconds, 'all programs RUNNING')
        wait_for(self.answers, seconds, 'the first answer')
        return self.running_at - self.started_wall

    def answers(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.rpc().supervisor.getState()['statecode'] == 1
        return False

    def wait_exit(self, seconds):
        handle = os.pidfd_open(self.process.pid)
        try:
            if not select.select([handle], [], [], seconds)[0]:
                raise Failure(f'supervisord has not ended within {seconds} s')
        finally:
            os.close(handle)
        self.process.wait()

    def memory_mb(self):
        """PSS: private pages plus this process's share of the pages that it shares."""
        text = pathlib.Path(f'/proc/{self.process.pid}/smaps_rollup').read_text()
        return int(re.search(r'^Pss:\s+(\d+) kB', text, re.MULTILINE).group(1)) / 1024

    def switches(self):
        """Context switches of all threads: each wake-up is one."""
        return sum(sum(map(int, re.findall(r'ctxt_switches:\s+(\d+)', status.read_text())))
                   for status in pathlib.Path(f'/proc/{self.process.pid}/task').glob('*/status'))

    def cpu_seconds(self):
        """CPU of all threads, by the scheduler's own nanosecond count."""
        return sum(int(stat.read_text().split()[0])
                   for stat in pathlib.Path(f'/proc/{self.process.pid}/task').glob('*/schedstat')) / 1e9
