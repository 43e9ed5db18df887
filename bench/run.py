#!/usr/bin/env python3
"""Measures supervisord and supervisorctl beside the original and the limits of the machine. See bench/README.md."""

import argparse
import contextlib
import dataclasses
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
import http.client

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import daemon  # noqa: E402
import events  # noqa: E402
import growth  # noqa: E402
import others  # noqa: E402
import report  # noqa: E402
import workloads  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
SESSIONS = workloads.SESSIONS + events.SESSIONS + growth.SESSIONS


@dataclasses.dataclass(frozen=True)
class Effort:
    seconds: float       # of load per figure
    idle_seconds: float  # of watching an idle daemon
    stream_bytes: int    # through one pipe; figures are scaled to 1 GiB
    lines: int           # per writing child
    samples: dict        # respawns per round; the original needs about a second for each
    events_timed: int    # events whose way is timed
    events: dict         # how many are sent as fast as they go, a multiple of events.CALLS


FULL = Effort(2.0, 5.0, 1024 * workloads.MIB, 20000, {'original': 12, 'ours': 200}, 1000,
              {'original': 20000, 'ours': 200000})
QUICK = Effort(1.0, 3.0, 256 * workloads.MIB, 10000, {'original': 5, 'ours': 100}, 300,
               {'original': 5000, 'ours': 50000})


@dataclasses.dataclass(frozen=True)
class Paths:
    name: str
    supervisord: str
    supervisorctl: str
    programs: pathlib.Path
    scratch: str

    def program(self, name):
        return str(self.programs / name)

    def child(self, arguments):
        return f'{self.program("child")} {arguments}'


def default_scratch():
    """Memory rather than a disk whose write-back disturbs the next session, where there is enough of it."""
    with contextlib.suppress(OSError):
        if shutil.disk_usage('/dev/shm').free >= 4 * 1024 * workloads.MIB:
            return '/dev/shm'
    return tempfile.gettempdir()


def parse_options():
    names = [session[0] for session in SESSIONS]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--ours-supervisord', metavar='PATH')
    parser.add_argument('--ours-supervisorctl', metavar='PATH')
    parser.add_argument('--original-supervisord', metavar='PATH', default='/usr/bin/supervisord')
    parser.add_argument('--original-supervisorctl', metavar='PATH', default='/usr/bin/supervisorctl')
    parser.add_argument('--programs', metavar='DIR', type=pathlib.Path, default=ROOT / 'build-bench' / 'bench',
                        help='where child, http_load and limits are built (default: %(default)s)')
    parser.add_argument('--scratch', metavar='DIR', default=default_scratch(),
                        help='where the daemons keep their logs and sockets (default: %(default)s)')
    parser.add_argument('--rounds', metavar='N', type=int, default=3, help='default: %(default)s')
    parser.add_argument('--only', metavar='NAME', action='append', choices=names, help='one of: ' + ', '.join(names))
    parser.add_argument('--quick', action='store_true', help='one short round')
    parser.add_argument('--skip-original', action='store_true')
    parser.add_argument('--skip-others', action='store_true', help='without runit, s6 and daemontools')
    parser.add_argument('--output', metavar='FILE', type=pathlib.Path,
                        help='default: docs/performance.md, only after a whole run')
    return parser.parse_args()


def systems_of(options, scratch):
    """{name: Paths} of what will be measured."""
    programs = options.programs.resolve()
    candidates = {'original': (options.original_supervisord, options.original_supervisorctl),
                  'ours': (options.ours_supervisord, options.ours_supervisorctl)}
    if options.skip_original:
        del candidates['original']
    systems = {'limit': Paths('limit', '', '', programs, scratch)}
    for name, commands in candidates.items():
        missing = [command or f'no --{name}-* option' for command in commands
                   if not (command and os.access(command, os.X_OK))]
        if missing:
            print(f'{name} is left out: {", ".join(missing)}', file=sys.stderr)
        else:
            systems[name] = Paths(name, *(str(pathlib.Path(command).resolve()) for command in commands),
                                  programs, scratch)
    return systems


def measure(session, paths, effort, results):
    name, run = session
    begin, recorded = time.monotonic(), []

    def record(metric, value):
        recorded.append(f'{metric}={report.number(value)}')
        results.setdefault((metric, paths.name), []).append(value)

    problem = ''
    try:
        run(paths, record, effort)
    except (daemon.Failure, OSError, ValueError, subprocess.TimeoutExpired,
            xmlrpc.client.Error, http.client.HTTPException) as error:
        problem = f' FAILED: {error}'
    finally:
        daemon.kill_descendants()
    print(f'{name:15} {paths.name:9} {time.monotonic() - begin:6.1f} s  {" ".join(recorded)}{problem}', flush=True)
    return f'{name}, {paths.name}:{problem}' if problem else None


def run_rounds(options, systems, effort, results):
    """The systems take turns within each session, the order changing from round to round. Returns the problems."""
    problems = []
    for number in range(options.rounds):
        for name, session, limit, most_original in SESSIONS:
            if options.only and name not in options.only:
                continue
            order = [('original', session), ('ours', session), ('limit', limit)]
            for system, run in order[number % 3:] + order[:number % 3]:
                skipped = system == 'original' and number >= most_original
                if run and system in systems and not skipped:
                    problems.append(measure((name, run), systems[system], effort, results))
            if number == 0:
                problems += measure_others(name, options, systems, effort, results)
    return [problem for problem in problems if problem]


def measure_others(name, options, systems, effort, results):
    """What supervises one child a process, where it knows the workload."""
    run = dict(others.SESSIONS).get(name)
    if run is None or options.skip_others:
        return []
    scratch = systems['limit'].scratch
    return [measure((name, run), Paths(system, '', '', options.programs.resolve(), scratch), effort, results)
            for system in others.installed()]


def notes_of(options, effort, problems, took):
    capped = [f'{name} {most}' for name, _, _, most in SESSIONS if most < options.rounds]
    return [
        f'Rounds: {options.rounds}, interleaved; the original only: ' + ', '.join(capped) if capped
        else f'Rounds: {options.rounds}, interleaved',
        f'Respawn latencies: {effort.samples["ours"]} samples a round, the original {effort.samples["original"]}',
        'runit, s6 and daemontools: one round, without loggers, but for the row about a log; what they cost is the sum over all '
        'their processes, one for each child',
        f'Scratch directories in {options.scratch}; the whole run took {took:.0f} s',
        *(f'Not measured: {problem}' for problem in problems),
    ]


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    options = parse_options()
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    daemon.raise_limits()
    effort = QUICK if options.quick else FULL
    options.rounds = 1 if options.quick else options.rounds
    results, begin = {}, time.monotonic()
    scratch = tempfile.mkdtemp(prefix='supervisor-bench-', dir=options.scratch)
    try:
        systems = systems_of(options, scratch)
        problems = run_rounds(options, systems, effort, results)
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C must not cut the cleaning short
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        daemon.kill_descendants()
        shutil.rmtree(scratch, ignore_errors=True)
    tables = report.tables(results)
    notes = notes_of(options, effort, problems, time.monotonic() - begin)
    print('', report.machine(), *notes, '', report.plain(tables), sep='\n')
    whole = not (options.only or options.quick) and len(systems) == 3
    output = options.output or (ROOT / 'docs' / 'performance.md' if whole else None)
    if output:
        output.write_text(report.document(tables, notes), encoding='utf-8')
        print(f'\nwritten to {output}')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
