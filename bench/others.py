"""runit, s6 and daemontools under those workloads that they know too. They have a process for each child."""

import contextlib
import dataclasses
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time

from daemon import descendants, kill_descendants, wait_for
from workloads import MIB, STAMP, read_stamps, stamps_file, wait_stamp, wait_stamps, written_bytes

BUFFER = 128 * 1024  # bytes; some loggers hold their last block until more comes
SETTLED = 1.2  # s; each of them makes a child that ended within its first second wait for the next


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    scan: str    # what is started; {dir} is the directory of the services
    stop: tuple  # commands that stop everything
    logger: str  # the script of a service's logger: files of 10 MB in ./main
    package: str


KINDS = (
    Kind('runit', '/usr/bin/runsvdir {dir}', (), '#!/bin/sh\nexec svlogd ./main\n', 'runit'),
    Kind('s6', '/usr/bin/s6-svscan -c 2000 {dir}', ('/usr/bin/s6-svscanctl -t {dir}',),
         '#!/bin/sh\nexec s6-log -b n200 s10000000 ./main\n', 's6'),
    Kind('daemontools', '/usr/bin/svscan {dir}', ('/bin/sh -c "svc -dx {dir}/*"',),
         '#!/bin/sh\nexec multilog s10000000 n200 ./main\n', 'daemontools'),
)


def kind_of(paths):
    return next(kind for kind in KINDS if kind.name == paths.name)


def installed():
    """The names of those that can be measured."""
    return [kind.name for kind in KINDS if os.access(kind.scan.split()[0], os.X_OK)]


class Tree:
    """A directory of services and what supervises it. `services` is {name: words of the child's command}."""

    def __init__(self, paths, services, logged=False):
        self.kind = kind_of(paths)
        self.paths = paths
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix='tree-', dir=paths.scratch))
        self.process = None
        self.started_at = 0
        for name, words in services.items():
            self.add(name, words, logged)

    def add(self, name, words, logged):
        """The child is executed without a shell, which would cost as much as all the rest."""
        service = self.directory / name
        service.mkdir()
        (service / 'arguments').write_text('\n'.join(words) + '\n')
        (service / 'run').symlink_to(self.paths.program('child'))
        if not logged:
            return
        (service / 'log' / 'main').mkdir(parents=True)
        (service / 'log' / 'main' / 'config').write_text('s10000000\nn200\n')  # svlogd's
        (service / 'log' / 'run').write_text(self.kind.logger)
        (service / 'log' / 'run').chmod(0o755)

    def __enter__(self):
        self.started_at = time.monotonic_ns()
        with open(os.devnull, 'wb') as null:
            self.process = subprocess.Popen(self.kind.scan.format(dir=self.directory).split(), stdout=null,
                                            stderr=null, stdin=null, start_new_session=True, cwd=self.directory)
        return self

    def __exit__(self, *_):
        kill_descendants()
        shutil.rmtree(self.directory, ignore_errors=True)

    def supervisors(self):
        """The pids of all that supervises and logs: everything but the children."""
        found = []
        for pid in descendants():
            with contextlib.suppress(OSError):
                if not os.readlink(f'/proc/{pid}/exe').endswith('/child'):
                    found.append(pid)
        return found

    def memory_kb(self):
        total = 0
        for pid in self.supervisors():
            with contextlib.suppress(OSError):
                text = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text()
                total += int(re.search(r'^Pss:\s+(\d+) kB', text, re.MULTILINE).group(1))
        return total

    def cost(self):
        """(context switches, CPU seconds) of all that supervises."""
        switches, cpu = 0, 0.0
        for pid in self.supervisors():
            with contextlib.suppress(OSError):
                status = pathlib.Path(f'/proc/{pid}/status').read_text()
                switches += sum(map(int, re.findall(r'ctxt_switches:\s+(\d+)', status)))
                cpu += int(pathlib.Path(f'/proc/{pid}/schedstat').read_text().split()[0]) / 1e9
        return switches, cpu

    def stop(self):
        if not self.kind.stop:
            self.process.send_signal(signal.SIGHUP)  # runsvdir passes TERM on and ends
        if self.kind.name == 'daemontools':
            self.process.kill()  # svscan would start them again
            self.process.wait()
        for command in self.kind.stop:
            subprocess.run(['/bin/sh', '-c', command.format(dir=self.directory)], check=True, timeout=60)


def all_gone():
    """Orphans of a supervisor that ended first are this process's to bury."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return not descendants()


def thousand(paths, record, effort):
    stamps = stamps_file(paths.scratch)
    with Tree(paths, {f'p{i:04d}': ['stamp', str(stamps)] for i in range(1000)}) as tree:
        last = wait_stamps(stamps, 1000)
        record('boot', (last - tree.started_at) / 1e9)
        time.sleep(SETTLED)
        record('memory_child', tree.memory_kb() / 1000)
        switches, cpu = tree.cost()
        time.sleep(effort.idle_seconds)
        after = tree.cost()
        record('wakeups', (after[0] - switches) / effort.idle_seconds)
        record('idle_cpu', (after[1] - cpu) * 1000 / effort.idle_seconds)
        begin = time.monotonic_ns()
        tree.stop()
        wait_for(all_gone, 60, 'the end of all')
        record('shutdown', (time.monotonic_ns() - begin) / 1e6)


def respawn(name, idle_count):
    def session(paths, record, effort):
        stamps = stamps_file(paths.scratch)
        services = {f'p{i:04d}': ['idle'] for i in range(idle_count)} | {'victim': ['stamp', str(stamps)]}
        took = []
        with Tree(paths, services):
            pid, _ = wait_stamp(stamps, 0)
            for index in range(1, effort.samples['original'] + 1):
                time.sleep(SETTLED + random.uniform(0, 0.05))
                killed_at = time.monotonic_ns()
                os.kill(pid, signal.SIGKILL)
                pid, started_at = wait_stamp(stamps, index)
                took.append((started_at - killed_at) / 1e6)
        record(f'respawn_{name}_p50', sorted(took)[(len(took) - 1) // 2])
    return session


def churn(paths, record, effort):
    """They wait a second before each new start, so this is fifty at most: meant, and no sign of being slow."""
    stamps = stamps_file(paths.scratch)
    with Tree(paths, {f'p{i:04d}': ['stamp-exit', str(stamps)] for i in range(50)}):
        wait_stamps(stamps, 50)
        count, begin = len(read_stamps(stamps)), time.monotonic()
        time.sleep(max(effort.seconds, 3))
        record('churn', (stamps.stat().st_size / STAMP.size - count) / (time.monotonic() - begin))


def stream(paths, record, effort):
    total = effort.stream_bytes
    with Tree(paths, {'writer': ['bytes', str(total)]}, logged=True) as tree:
        main = tree.directory / 'writer' / 'log' / 'main'
        begin = time.monotonic()
        wait_for(lambda: written_bytes(main) >= total - BUFFER, 120, 'the whole stream', pause=0.002)
        scale = 1024 * MIB / total
        record('stream_rotated_seconds', (time.monotonic() - begin) * scale)
        record('stream_rotated_cpu', tree.cost()[1] * scale)


SESSIONS = (
    ('thousand', thousand),
    ('respawn-alone', respawn('alone', 0)),
    ('respawn-500', respawn('500_idle', 500)),
    ('churn', churn),
    ('stream-rotated', stream),
)
