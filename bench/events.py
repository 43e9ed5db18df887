"""Events: how long one is on its way, how many get through, and what followers of the web pages cost."""

import contextlib
import http.client
import pathlib
import socket
import struct
import time

from daemon import Daemon, Failure, wait_for
from workloads import body_file, load, numbered, one_cpu, run_json

ARRIVAL = struct.Struct('<qqq')  # serial, when it arrived, when it was sent or 0 (nanoseconds)
DIGITS = '0' * 20                # http_load puts the time there
CALLS = 500                      # events of one multicall
PAUSE_US = 3000                  # between events whose way is timed


def notes_files(directory, width, room):
    """Files in which listeners note what they get, with room for so many events each."""
    files = [pathlib.Path(directory) / f'notes-{number}' for number in range(width)]
    for path in files:
        with path.open('wb') as notes:
            notes.truncate(room * ARRIVAL.size)
    return files


def noted(files):
    """What has arrived so far."""
    for path in files:
        for arrival in ARRIVAL.iter_unpack(path.read_bytes()):
            if arrival[1] == 0:
                break
            yield arrival


def count_noted(path, room):
    """How many events one listener has noted. Its file fills from the beginning: a search by halves."""
    low, high = 0, room
    with path.open('rb') as notes:
        while low < high:
            middle = (low + high) // 2
            notes.seek(middle * ARRIVAL.size)
            low, high = (middle + 1, high) if ARRIVAL.unpack(notes.read(ARRIVAL.size))[1] else (low, middle)
    return low


def wait_noted(files, room, count, seconds, what):
    wait_for(lambda: sum(count_noted(path, room) for path in files) >= count, seconds, what)


def listeners(paths, directory, width, **options):
    """The pool, as a program of a daemon under measurement."""
    command = f'{paths.program("listener")} {directory}/notes-%(process_num)d'
    return ('eventlistener:pool', command, {'numprocs': width, 'process_name': '%(program_name)s%(process_num)d',
                                            'stderr_logfile': 'NONE'} | options)


def percentiles(record, name, arrivals):
    took = sorted((arrived - sent) / 1e6 for _, arrived, sent in arrivals if sent)
    record(f'{name}_p50', took[(len(took) - 1) // 2])
    record(f'{name}_p99', took[int((len(took) - 1) * 0.99)])


def writer(effort):
    return f'sent {effort.events_timed} {PAUSE_US}'


def log_latency(paths, record, effort):
    """A program writes a line now and then; the listener is told of each."""
    count, directory = effort.events_timed, paths.scratch
    files = notes_files(directory, 1, count)
    programs = [listeners(paths, directory, 1, events='PROCESS_LOG', buffer_size=count),
                ('writer', paths.child(writer(effort)),
                 {'autostart': 'false', 'autorestart': 'false', 'stdout_events_enabled': 'true',
                  'stdout_logfile': 'NONE', 'stderr_logfile': 'NONE'})]
    with one_cpu(), Daemon(paths, programs) as daemon:
        wait_for(daemon.answers, 30, 'the first answer')
        daemon.rpc().supervisor.startProcess('writer')
        wait_noted(files, count, count, 60, 'all lines')
    percentiles(record, 'log_event', noted(files))


def log_latency_limit(paths, record, effort):
    files = notes_files(paths.scratch, 1, effort.events_timed)
    with one_cpu():
        run_json([paths.program('event_limits'), 'relay', paths.program('listener'), str(files[0]),
                  paths.program('child'), *writer(effort).split()])
    percentiles(record, 'log_event', noted(files))


def remote_latency(paths, record, effort):
    """A client sends an event now and then; the clock runs from each call to the listener."""
    count, directory = effort.events_timed, paths.scratch
    files = notes_files(directory, 1, count)
    body = body_file(paths, ('supervisor.sendRemoteCommEvent', 'bench', 'sent:' + DIGITS))
    pool = listeners(paths, directory, 1, events='REMOTE_COMMUNICATION', buffer_size=count)
    with one_cpu(), Daemon(paths, [pool]) as daemon:
        daemon.wait_running()
        load(paths, daemon.port, body, seconds=60, calls=count, pause_us=PAUSE_US)
        wait_noted(files, count, count, 30, 'all events')
    percentiles(record, 'remote_event', noted(files))


def cpus(width):
    """A pool of one and its daemon take turns, as those do through whom a single event goes: see one_cpu()."""
    return one_cpu() if width == 1 else contextlib.nullcontext()


def throughput(name, width):
    """Multicalls of events as fast as they are answered, until the last event has reached one of the listeners."""
    def session(paths, record, effort):
        count, directory = effort.events[paths.name], paths.scratch
        files = notes_files(directory, width, count)
        calls = [('supervisor.sendRemoteCommEvent', 'bench', 'sent:' + DIGITS)] * CALLS
        pool = listeners(paths, directory, width, events='REMOTE_COMMUNICATION', buffer_size=count)
        with cpus(width), Daemon(paths, [pool]) as daemon:
            daemon.wait_running()
            load(paths, daemon.port, body_file(paths, *calls), seconds=120, calls=count // CALLS)
            wait_noted(files, count, count, 60, 'all events')
        arrivals = list(noted(files))
        seconds = (max(at for _, at, _ in arrivals) - min(sent for *_, sent in arrivals if sent)) / 1e9
        record(f'{name}_rate', count / seconds)
        record(f'{name}_lost', count - len({serial for serial, *_ in arrivals}))
    return session


def throughput_limit(name, width):
    def session(paths, record, effort):
        count = effort.events['ours']
        files = notes_files(paths.scratch, width, 2 * count)  # they need not get equal shares
        with cpus(width):
            answer = run_json([paths.program('event_limits'), 'rate', str(count), paths.program('listener'),
                               *map(str, files)])
        record(f'{name}_rate', answer['rate'])
    return session


class Browser:
    """What a browser with the page open is to the daemon: the page on one connection, what changes on another."""

    def __init__(self, port):
        self.page = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
        self.page.request('GET', '/')
        self.page.getresponse().read()
        self.live = socket.create_connection(('127.0.0.1', port), timeout=30)
        self.live.sendall(b'GET /live HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n')
        self.told = self.live.recv(65536)
        if not self.told.startswith(b'HTTP/1.1 200 '):
            raise Failure(f'/live: {self.told[:60]}')
        self.live.setblocking(False)

    def listen(self):
        """Reads all that has come; how many times a process was said to be RUNNING until now."""
        with contextlib.suppress(BlockingIOError):
            while (piece := self.live.recv(65536)):
                self.told += piece
        return self.told.count(b'RUNNING')

    def close(self):
        self.page.close()
        self.live.close()


def browsers(paths, record, _effort):
    """Ten browsers follow a hundred processes that are all stopped and started again."""
    with Daemon(paths, numbered(100, paths.child('idle'))) as daemon, contextlib.ExitStack() as open_pages:
        daemon.wait_running()
        time.sleep(0.5)
        before = daemon.memory_mb()
        pages = [open_pages.enter_context(contextlib.closing(Browser(daemon.port))) for _ in range(10)]
        seen = [page.listen() for page in pages]
        daemon.rpc().supervisor.stopAllProcesses()
        daemon.rpc().supervisor.startAllProcesses()
        wait_for(lambda: all(page.listen() >= count + 100 for page, count in zip(pages, seen)), 30,
                 'all processes RUNNING in all browsers', 0.02)
        record('memory_browsers', daemon.memory_mb() - before)


# as in workloads.py
SESSIONS = (
    ('log-event', log_latency, log_latency_limit, 3),
    ('remote-event', remote_latency, None, 3),
    ('events-1', throughput('events_1', 1), throughput_limit('events_1', 1), 3),
    ('events-4', throughput('events_4', 4), throughput_limit('events_4', 4), 3),
    ('browsers', browsers, None, 0),
)
