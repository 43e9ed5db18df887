"""What grows with the number of processes, and how: the same workloads with 100, 1,000 and 5,000 of them."""

import time
import xmlrpc.client

from daemon import Daemon, wait_for
from workloads import (LONGEST_PAUSE, body_file, call_ms, load_alone, numbered, respawn_latencies, stamps_file,
                       status_ms)

SIZES = (100, 1000, 5000)


def upgrade_ms(daemon):
    """From the call until the program that has taken over answers."""
    begin = time.monotonic_ns()
    daemon.rpc().supervisor.upgrade()

    def answers():
        try:
            return daemon.rpc().supervisor.getState()['statecode'] == 1
        except (OSError, xmlrpc.client.Error):
            return False

    wait_for(answers, 60, 'an answer after the upgrade', pause=0.0005)
    return (time.monotonic_ns() - begin) / 1e6


def growth(size):
    def session(paths, record, effort):
        stamps = stamps_file(paths.scratch)
        # stderr goes with stdout: three descriptors a program, within the usual hard limit of 20,000
        programs = numbered(size - 1, paths.child('idle'), redirect_stderr='true')
        programs.append(('victim', paths.child(f'stamp {stamps}'),
                         {'autorestart': 'true', 'startretries': 1000000, 'redirect_stderr': 'true'}))
        with Daemon(paths, programs, descriptors_per_program=3) as daemon:
            measure_growth(daemon, size, stamps, record, effort)
    return session


def measure_growth(daemon, size, stamps, record, effort):
    paths, ours = daemon.paths, daemon.paths.name == 'ours'

    def put(metric, value):
        record(f'growth_{metric}_{size}', value)

    def call(method):
        answer = load_alone(daemon.process, paths, daemon.port, body_file(paths, (method,)), seconds=effort.seconds)
        return call_ms(answer)

    put('boot', daemon.wait_running(300) * 1000)
    put('memory', daemon.memory_mb())
    put('status', status_ms(daemon, 3))
    put('get_all', call('supervisor.getAllProcessInfo'))
    if size == 5000:
        record('get_all_5000', call('supervisor.getAllProcessInfo'))
    put('get_one', call('supervisor.getPID'))
    put('reload', call('supervisor.reloadConfig'))
    took = respawn_latencies(stamps, 50 if ours else 3, LONGEST_PAUSE[paths.name])
    put('respawn', took[(len(took) - 1) // 2])
    if ours:
        put('upgrade', upgrade_ms(daemon))
    begin = time.monotonic_ns()
    daemon.rpc().supervisor.shutdown()
    daemon.wait_exit(120)
    put('shutdown', (time.monotonic_ns() - begin) / 1e6)


# the original needs minutes for 5,000
SESSIONS = tuple((f'growth-{size}', growth(size), None, 0 if size == 5000 else 1) for size in SIZES)
