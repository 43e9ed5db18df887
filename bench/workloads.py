"""The workloads. Each function runs one session and records its figures with record(metric, value)."""

import contextlib
import json
import os
import pathlib
import random
import signal
import struct
import subprocess
import time
import xmlrpc.client

from daemon import Daemon, Failure, wait_for

STAMP = struct.Struct('<qq')
LINE_LENGTH = 100
MIB = 1024 * 1024
LONGEST_PAUSE = {'original': 1.0, 'ours': 0.05}  # s; the original looks once a second: kill at no fixed phase of that


def numbered(count, command, **options):
    return [(f'p{i:04d}', command, options) for i in range(count)]


def body_file(paths, *calls):
    """The body of one call, or of a system.multicall of several; each call is (method, parameter...)."""
    if len(calls) == 1:
        text = xmlrpc.client.dumps(calls[0][1:], calls[0][0])
    else:
        text = xmlrpc.client.dumps(([{'methodName': c[0], 'params': list(c[1:])} for c in calls],), 'system.multicall')
    path = pathlib.Path(paths.scratch) / f'{calls[0][0]}-{len(calls)}.xml'
    path.write_text(text)
    return path


def load_command(paths, address, body, connections=1, seconds=2.0, calls=0, pause_us=0):
    return [paths.program('http_load'), str(address), str(body), str(connections), str(seconds), str(calls),
            str(pause_us)]


def run_json(command, timeout=300):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False)
    if result.returncode != 0:
        raise Failure(f'{os.path.basename(command[0])}: {result.stderr.decode(errors="replace").strip()}')
    return json.loads(result.stdout)


def load(*arguments, **options):
    answer = run_json(load_command(*arguments, **options))
    if answer['errors']:
        raise Failure(f'{answer["errors"]} of {answer["calls"]} calls failed')
    return answer


@contextlib.contextmanager
def one_cpu(server=None):
    """Keeps a server, if it is there already, and everything that is started meanwhile on one CPU.

    Over one connection the two take turns, so nothing is lost; else it is the scheduler's luck whether each turn
    costs a wake-up of a sleeping CPU, and figures jump by a factor of ten from run to run.
    """
    before = os.sched_getaffinity(0)
    pids = [0, *(map(int, os.listdir(f'/proc/{server.pid}/task')) if server else ())]
    for pid in pids:
        os.sched_setaffinity(pid, {min(before)})
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(pid, before)


def load_alone(server, *arguments, **options):
    """A load over one connection, on one CPU with the server."""
    with one_cpu(server):
        return load(*arguments, **options)


def call_ms(answer):
    return answer['p50'] / 1000


@contextlib.contextmanager
def background(command):
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def wall_ms(command, output):
    """How long a command takes, started without the overhead of the subprocess module."""
    begin = time.monotonic_ns()
    pid = os.posix_spawn(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)])
    status = os.waitpid(pid, 0)[1]
    took = (time.monotonic_ns() - begin) / 1e6
    if os.waitstatus_to_exitcode(status) != 0:
        raise Failure(f'{command[0]} {command[-1]}: {pathlib.Path(output).read_text(errors="replace")[-200:]}')
    return took


def status_ms(daemon, times):
    command = [daemon.paths.supervisorctl, '-c', str(daemon.configuration), 'status']
    took = sorted(wall_ms(command, str(daemon.directory / 'status')) for _ in range(times))
    lines = (daemon.directory / 'status').read_text().count(' RUNNING ')
    if lines != len(daemon.programs):
        raise Failure(f'status shows {lines} running programs of {len(daemon.programs)}')
    return took[len(took) // 2]


# -- sessions ---------------------------------------------------------------------------------------------------


def no_program(paths, record, _effort):
    with Daemon(paths, []) as daemon:
        daemon.wait_running()
        time.sleep(0.5)
        record('memory_0', daemon.memory_mb())


def get_state(server, port, body, paths, record, effort):
    record('get_state_1', load_alone(server, paths, port, body, seconds=effort.seconds)['rate'])
    record('get_state_16', load(paths, port, body, connections=16, seconds=effort.seconds)['rate'])


def one_program(paths, record, effort):
    body = body_file(paths, ('supervisor.getState',))
    with Daemon(paths, numbered(1, paths.child('idle'))) as daemon:
        daemon.wait_running()
        record('status_1', status_ms(daemon, 5))
        get_state(daemon.process, daemon.port, body, paths, record, effort)


def one_program_limit(paths, record, effort):
    answer = {'statecode': 1, 'statename': 'RUNNING'}
    served = pathlib.Path(paths.scratch) / 'state.xml'
    served.write_text(xmlrpc.client.dumps((answer,), methodresponse=True))
    with background([paths.program('limits'), 'serve', str(served)]) as server:
        port = json.loads(server.stdout.readline())['port']
        body = body_file(paths, ('supervisor.getState',))
        get_state(server, port, body, paths, record, effort)
    full = dict.fromkeys(('start', 'stop', 'now', 'state', 'exitstatus', 'pid'), 1234567890)
    full |= dict.fromkeys(('name', 'group', 'statename', 'spawnerr', 'logfile', 'stdout_logfile',
                           'stderr_logfile', 'description'), 'p0000 of some length')
    for count in (100, 1000, 5000):
        serve_list(paths, record, [full] * count, count)


def serve_list(paths, record, answer, count):
    served = pathlib.Path(paths.scratch) / 'list.xml'
    served.write_text(xmlrpc.client.dumps((answer,), methodresponse=True))
    with background([paths.program('limits'), 'serve', str(served)]) as server:
        port = json.loads(server.stdout.readline())['port']
        record(f'get_all_{count}', call_ms(load_alone(server, paths, port, body_file(paths, ('x',)), seconds=0.5)))


def get_all(daemon, record, seconds):
    body = body_file(daemon.paths, ('supervisor.getAllProcessInfo',))
    answer = load_alone(daemon.process, daemon.paths, daemon.port, body, seconds=seconds)
    record(f'get_all_{len(daemon.programs)}', call_ms(answer))


def hundred_programs(paths, record, effort):
    calls = [('supervisor.getProcessInfo', f'p{i:04d}') for i in range(50)]
    with Daemon(paths, numbered(100, paths.child('idle'))) as daemon:
        daemon.wait_running()
        get_all(daemon, record, effort.seconds)
        answer = load_alone(daemon.process, paths, daemon.port, body_file(paths, *calls), seconds=effort.seconds)
        record('multicall', answer['rate'])


def boot(daemon, record):
    """From exec to all RUNNING, with one call waiting for the first answer meanwhile."""
    body = body_file(daemon.paths, ('supervisor.getState',))
    command = [daemon.paths.program('http_load'), str(daemon.port), str(body), 'first']
    with background(command) as first:
        record('boot', daemon.wait_running())
        answered = json.loads(first.stdout.readline())['at']
        record('first_answer', (answered - daemon.started_at) / 1e6)


def idle(daemon, record, seconds):
    time.sleep(1)
    switches, cpu = daemon.switches(), daemon.cpu_seconds()
    time.sleep(seconds)
    record('wakeups', (daemon.switches() - switches) / seconds)
    record('idle_cpu', (daemon.cpu_seconds() - cpu) * 1000 / seconds)


def shutdown(daemon, record):
    begin = time.monotonic_ns()
    daemon.rpc().supervisor.shutdown()
    daemon.wait_exit(60)
    record('shutdown', (time.monotonic_ns() - begin) / 1e6)


def thousand_programs(paths, record, effort):
    all_info = body_file(paths, ('supervisor.getAllProcessInfo',))
    with Daemon(paths, numbered(1000, paths.child('idle'))) as daemon:
        boot(daemon, record)
        idle(daemon, record, effort.idle_seconds)
        record('memory_1000', daemon.memory_mb())
        record('memory_child', daemon.memory_mb() * 1024 / 1000)
        get_all(daemon, record, effort.seconds)
        with background(load_command(paths, daemon.port, all_info, seconds=600)):
            time.sleep(0.2)
            answer = load(paths, daemon.port, body_file(paths, ('supervisor.getState',)), seconds=effort.seconds)
            record('get_state_contended', answer['p99'] / 1000)
        record('status_1000', status_ms(daemon, 3))
        shutdown(daemon, record)


def thousand_programs_limit(paths, record, _effort):
    record('boot', run_json([paths.program('limits'), 'spawn', '1000', paths.program('child'), 'idle'])['seconds'])


def wait_stamps(path, count):
    """When the last of so many children began to run (nanoseconds)."""
    wait_for(lambda: path.stat().st_size >= count * STAMP.size, 60, f'{count} starts')
    return max(nanoseconds for _, nanoseconds in read_stamps(path))


def reload(paths, record, effort):
    """A thousand programs are read again unchanged, then a hundred more are added."""
    path = stamps_file(paths.scratch)
    more = [(f'more{i:03d}', paths.child(f'stamp {path}'), {}) for i in range(100)]
    with Daemon(paths, numbered(1000, paths.child('idle')), descriptors_per_program=6) as daemon:
        daemon.wait_running()
        answer = load_alone(daemon.process, paths, daemon.port, body_file(paths, ('supervisor.reloadConfig',)),
                            seconds=effort.seconds)
        record('reload_config', call_ms(answer))
        daemon.programs += more
        daemon.write_configuration()
        begin = time.monotonic_ns()
        wall_ms([paths.supervisorctl, '-c', str(daemon.configuration), 'update'], str(daemon.directory / 'update'))
        record('update_100', (wait_stamps(path, len(more)) - begin) / 1e6)


def reload_limit(paths, record, _effort):
    answer = run_json([paths.program('limits'), 'spawn', '100', paths.program('child'), 'idle'])
    record('update_100', answer['seconds'] * 1000)


def stamps_file(directory):
    path = pathlib.Path(directory) / 'stamps'
    path.write_bytes(b'')
    return path


def read_stamps(path):
    content = path.read_bytes()
    return [STAMP.unpack_from(content, at) for at in range(0, len(content) - STAMP.size + 1, STAMP.size)]


def wait_stamp(path, index):
    """(pid, nanoseconds) of the stamp with this number."""
    wait_for(lambda: path.stat().st_size >= (index + 1) * STAMP.size, 30, 'the respawn', pause=0.0005)
    with path.open('rb') as stamps:
        stamps.seek(index * STAMP.size)
        return STAMP.unpack(stamps.read(STAMP.size))


def respawn_latencies(path, samples, longest_pause):
    """Milliseconds from the KILL of a child to the first instruction of the one that replaces it."""
    pid, _ = wait_stamp(path, 0)
    took = []
    for index in range(1, samples + 1):
        time.sleep(random.uniform(0.005, longest_pause))
        killed_at = time.monotonic_ns()
        os.kill(pid, signal.SIGKILL)
        pid, started_at = wait_stamp(path, index)
        took.append((started_at - killed_at) / 1e6)
    return sorted(took)


def respawn(name, others):
    def session(paths, record, effort):
        path = stamps_file(paths.scratch)
        programs = [('victim', paths.child(f'stamp {path}'), {'autorestart': 'true', 'startretries': 1000000})]
        with Daemon(paths, programs + others(paths)) as daemon:
            daemon.wait_running()
            took = respawn_latencies(path, effort.samples[paths.name], LONGEST_PAUSE[paths.name])
        record(f'respawn_{name}_p50', took[(len(took) - 1) // 2])
        record(f'respawn_{name}_p99', took[int((len(took) - 1) * 0.99)])
    return session


def log_writers(paths):
    """Sixteen programs that together write 16 MB/s into rotated logs."""
    return numbered(16, paths.child('rate 1000000'), stdout_logfile_maxbytes='10MB', stdout_logfile_backups=1)


def respawn_limit(paths, record, effort):
    path = stamps_file(paths.scratch)
    answer = run_json([paths.program('limits'), 'respawn', str(effort.samples['ours']), str(path),
                       paths.program('child'), 'stamp', str(path)])
    for name in ('alone', '500_idle', '16_mb'):
        record(f'respawn_{name}_p50', answer['p50'] / 1000)
        record(f'respawn_{name}_p99', answer['p99'] / 1000)


def churn(paths, record, effort):
    """Fifty programs that exit at once, restarted for ever; then the same with a client that asks meanwhile."""
    path = stamps_file(paths.scratch)
    programs = numbered(50, paths.child(f'stamp-exit {path}'), autorestart='true', startretries=1000000)
    with Daemon(paths, programs) as daemon:
        wait_for(lambda: path.stat().st_size >= 50 * STAMP.size, 60, 'fifty starts')
        count, begin = path.stat().st_size, time.monotonic()
        time.sleep(max(effort.seconds, 3))  # some daemons look once a second only
        record('churn', (path.stat().st_size - count) / STAMP.size / (time.monotonic() - begin))
        wait_for(daemon.answers, 60, 'an answer')
        answer = load(paths, daemon.port, body_file(paths, ('supervisor.getState',)), seconds=effort.seconds)
        record('churn_get_state', answer['p99'] / 1000)


def churn_limit(paths, record, effort):
    path = stamps_file(paths.scratch)
    answer = run_json([paths.program('limits'), 'churn', '50', str(effort.seconds),
                       paths.program('child'), 'stamp-exit', str(path)])
    record('churn', answer['rate'])


def written_bytes(directory, pattern='*'):
    """Size of all such files. A rotation between two looks may show fewer bytes, never more."""
    total = 0
    for path in pathlib.Path(directory).glob(pattern):
        with contextlib.suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def written(directory, name):
    """Size of a log with all its backups."""
    return written_bytes(directory, f'{name}.log*')


def logging_options(directory, name, **options):
    return {'stdout_logfile': f'{directory}/{name}.log', 'autostart': 'false'} | options


def stream(name, **options):
    def session(paths, record, effort):
        total = effort.stream_bytes
        directory = pathlib.Path(paths.scratch) / 'stream'
        directory.mkdir(exist_ok=True)
        programs = [('writer', paths.child(f'bytes {total}'), logging_options(directory, 'writer', **options))]
        try:
            with Daemon(paths, programs) as daemon:
                wait_for(daemon.answers, 30, 'the first answer')
                cpu, begin = daemon.cpu_seconds(), time.monotonic()
                daemon.rpc().supervisor.startProcess('writer')
                wait_for(lambda: written(directory, 'writer') >= total, 120, 'the whole stream', pause=0.002)
                scale = 1024 * MIB / total
                record(f'{name}_seconds', (time.monotonic() - begin) * scale)
                wait_for(lambda: daemon.cpu_seconds() > cpu, 5, 'the CPU count')
                record(f'{name}_cpu', (daemon.cpu_seconds() - cpu) * scale)
        finally:
            clear(directory)
    return session


def clear(directory):
    for path in directory.iterdir():
        path.unlink()


def stream_limit(paths, record, effort):
    path, total = pathlib.Path(paths.scratch) / 'copy', effort.stream_bytes
    answer = run_json([paths.program('limits'), 'copy', str(path), str(total),
                       paths.program('child'), 'bytes', str(total)])
    path.unlink()
    for name in ('stream', 'stream_rotated'):
        record(f'{name}_seconds', answer['seconds'] * 1024 * MIB / total)
        record(f'{name}_cpu', answer['cpu'] * 1024 * MIB / total)


def expected_line(name, number):
    return f'{name} {number:09d} '.ljust(LINE_LENGTH - 1, '.').encode() + b'\n'


def check_log(directory, name, count):
    """(lost, torn): lines that are nowhere, and files of the rotation that do not end with a whole line."""
    backups = sorted(directory.glob(f'{name}.log.*'), key=lambda path: -int(path.suffix[1:]))
    parts = [path.read_bytes() for path in [*backups, directory / f'{name}.log']]
    torn = sum(1 for part in parts if part and not part.endswith(b'\n'))
    whole = b''.join(parts)
    if whole == b''.join(expected_line(name, number) for number in range(count)):
        return 0, torn
    there = set(whole.splitlines(keepends=True))
    return sum(1 for number in range(count) if expected_line(name, number) not in there), torn


def lines(paths, record, effort):
    """A hundred programs, each writing its numbered lines with one write per line, rotated every MB."""
    count, directory = effort.lines, pathlib.Path(paths.scratch) / 'lines'
    directory.mkdir(exist_ok=True)
    names = [f'w{i:03d}' for i in range(100)]
    total = count * LINE_LENGTH
    programs = [(name, paths.child(f'lines {name} {count}'), logging_options(
        directory, name, stdout_logfile_maxbytes='1MB', stdout_logfile_backups=total // 1000000 + 2))
        for name in names]
    try:
        with Daemon(paths, programs) as daemon:
            wait_for(daemon.answers, 30, 'the first answer')
            cpu, begin = daemon.cpu_seconds(), time.monotonic()
            daemon.rpc().system.multicall([{'methodName': 'supervisor.startProcess', 'params': [name, False]}
                                           for name in names])
            with contextlib.suppress(Failure):  # what is lost by then is counted below
                wait_for(lambda: sum(written(directory, name) for name in names) >= total * 100, 60, 'all lines', 0.02)
            record('lines_seconds', time.monotonic() - begin)
            record('lines_cpu', daemon.cpu_seconds() - cpu)
        found = [check_log(directory, name, count) for name in names]
        record('lines_lost', sum(lost for lost, _ in found))
        record('lines_torn', sum(torn for _, torn in found))
    finally:
        clear(directory)


# name, session for a daemon, session for the limit of the machine or None, most rounds for the original
SESSIONS = (
    ('empty', no_program, None, 3),
    ('one', one_program, one_program_limit, 3),
    ('hundred', hundred_programs, None, 3),
    ('thousand', thousand_programs, thousand_programs_limit, 2),
    ('reload', reload, reload_limit, 1),
    ('respawn-alone', respawn('alone', lambda paths: []), respawn_limit, 2),
    ('respawn-500', respawn('500_idle', lambda paths: numbered(500, paths.child('idle'))), None, 1),
    ('respawn-logs', respawn('16_mb', log_writers), None, 2),
    ('churn', churn, churn_limit, 2),
    ('stream', stream('stream', stdout_logfile_maxbytes=0), stream_limit, 3),
    ('stream-rotated', stream('stream_rotated', stdout_logfile_maxbytes='10MB', stdout_logfile_backups=200), None, 3),
    ('lines', lines, None, 2),
)
