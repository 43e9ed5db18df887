"""The table of figures: what is measured in which unit, what is wanted, and how it is written down."""

import dataclasses
import datetime
import os
import platform
import re
import statistics

LOWER, HIGHER = 'lower', 'higher'


class Row:
    """One line of the table. `want` is a bound of our figure; with `relative_to` it is so many times the figure in that
    column, with `plus` it comes on top of the figure in that column."""

    def __init__(self, metric, title, unit, better, want=None, relative_to=None, plus=None):
        self.metric = metric
        self.title = title
        self.unit = unit
        self.better = better
        self.want = want
        self.relative_to = relative_to
        self.plus = plus

    def target(self):
        if self.want is None:
            return '-'
        sign = '<=' if self.better == LOWER else '>='
        return f'{sign} {self.want:,g}' + (
            f' x {self.relative_to}' if self.relative_to else f' + {self.plus}' if self.plus else '')

    def met(self, figures):
        ours = figures.get('ours')
        factor = figures.get(self.relative_to) if self.relative_to else 1
        more = figures.get(self.plus) if self.plus else 0
        if None in (self.want, ours, factor, more):
            return '-'
        bound = self.want * factor + more
        return 'yes' if (ours <= bound if self.better == LOWER else ours >= bound) else 'NO'


RESPAWN = (('alone', 'alone'), ('500_idle', 'with 500 idle'), ('16_mb', 'with 16 MB/s of logs'))

ROWS = (
    Row('memory_0', 'memory (PSS), no child', 'MB', LOWER, 4),
    Row('memory_1000', 'memory (PSS), 1,000 idle children', 'MB', LOWER, 6),
    Row('wakeups', 'context switches per second, 1,000 idle children', '/s', LOWER, 0),
    Row('idle_cpu', 'CPU per second, 1,000 idle children', 'ms', LOWER, 0),
    Row('boot', 'boot of 1,000 programs until all RUNNING', 's', LOWER, 1.5, 'limit'),
    Row('first_answer', 'first answer after exec, during that boot', 'ms', LOWER, 50),
    *(Row(f'respawn_{key}_{part}', f'respawn latency {part}, {title}', 'ms', LOWER, bound)
      for key, title in RESPAWN for part, bound in (('p50', 1), ('p99', 10))),
    Row('churn', 'respawns, 50 programs that exit at once', '/s', HIGHER, 2500),
    Row('churn_get_state', 'getState p99 meanwhile', 'ms', LOWER),
    Row('get_state_1', 'getState, keep-alive, 1 connection', '/s', HIGHER, 30000),
    Row('get_state_16', 'getState, keep-alive, 16 connections', '/s', HIGHER, 60000),
    Row('get_state_contended', 'getState p99 while another client loops getAllProcessInfo (1,000)', 'ms', LOWER, 5),
    Row('get_all_100', 'getAllProcessInfo, 100 processes', 'ms', LOWER, 0.3),
    Row('get_all_1000', 'getAllProcessInfo, 1,000 processes', 'ms', LOWER, 3),
    Row('get_all_5000', 'getAllProcessInfo, 5,000 processes', 'ms', LOWER, 15),
    Row('multicall', 'multicall of 50 getProcessInfo', '/s', HIGHER, 3000),
    Row('stream_seconds', '1 GiB from one child to a log, time', 's', LOWER, 1, 'original'),
    Row('stream_cpu', '1 GiB from one child to a log, CPU of the daemon', 's', LOWER, 0.75),
    Row('stream_rotated_seconds', 'the same with 10 MB rotation, time', 's', LOWER, 1, 'original'),
    Row('stream_rotated_cpu', 'the same with 10 MB rotation, CPU of the daemon', 's', LOWER, 0.75),
    Row('lines_lost', '100 children writing lines, lines lost', '', LOWER, 0),
    Row('lines_torn', '100 children writing lines, rotated files that end inside a line', '', LOWER, 0),
    Row('lines_seconds', '100 children writing lines, time', 's', LOWER),
    Row('lines_cpu', '100 children writing lines, CPU of the daemon', 's', LOWER, 0.6, 'original'),
    Row('status_1', 'supervisorctl status, 1 process', 'ms', LOWER, 10),
    Row('status_1000', 'supervisorctl status, 1,000 processes', 'ms', LOWER, 40),
    Row('shutdown', 'shutdown of 1,000 willing children', 'ms', LOWER, 200),
    Row('log_event_p50', 'PROCESS_LOG event, write to delivery, p50', 'ms', LOWER, 0.08),
    Row('log_event_p99', 'PROCESS_LOG event, write to delivery, p99', 'ms', LOWER, 0.3),
    Row('remote_event_p50', 'REMOTE_COMMUNICATION, call to delivery, one client, p50', 'ms', LOWER, 0.15),
    Row('remote_event_p99', 'REMOTE_COMMUNICATION, call to delivery, one client, p99', 'ms', LOWER),
    Row('events_1_rate', 'events to a pool of one', '/s', HIGHER, 40000),
    Row('events_1_lost', 'events to a pool of one, lost', '', LOWER, 0),
    Row('events_4_rate', 'events to a pool of four', '/s', HIGHER, 80000),
    Row('events_4_lost', 'events to a pool of four, lost', '', LOWER, 0),
    Row('reload_config', 'reloadConfig, 1,000 unchanged programs', 'ms', LOWER, 30),
    Row('update_100', 'update that adds 100 programs to 1,000, until the last has started', 'ms', LOWER, 150,
        plus='limit'),
    Row('memory_browsers', 'memory (PSS) more with the web page open in 10 browsers', 'MB', LOWER, 1),
)

HEADINGS = ('workload', 'unit', 'original', 'limit', 'ours', 'better than original', 'ours : limit', 'target', 'met')

# What bounds a figure, for all metrics that begin so; the longest beginning counts.
BOUNDS = {
    'memory': 'libraries: microhttpd, GnuTLS, libxml2 and libevent take 2 MB before the first program; then about 3 KB a '
              'program, half of them the C library\'s rounding and the kernel\'s share of pages',
    'wakeups': 'nothing: no timer is armed for nothing',
    'idle_cpu': 'nothing: no timer is armed for nothing',
    'boot': '`clone` and `exec` of each child, which the kernel does on one CPU while the children\'s first moments take the '
            'other',
    'first_answer': 'the slice of 5 ms in which programs are started before clients have their turn, several times over',
    'respawn': 'the death of the old process and the `exec` of the new one in the kernel. Beyond the limit, which kills and waits '
               'itself, a sleeping daemon has to be woken; then come sixty system calls of 10 to 15 microseconds in all. p99 is the back-off of 10 ms that a child which '
               'ended at once waits',
    'churn': 'the kernel: `exec` and `exit` on both CPUs; the bare loop without logs and pipes stands beside it',
    'get_state': 'system calls: `epoll_wait`, `recv` and `send` for each call in libmicrohttpd; parsing and encoding take a '
                 'quarter',
    'get_all': 'writing 600 bytes of XML a process; the limit sends bytes that are ready',
    'multicall': 'building and writing 50 structs a call',
    'stream': 'copying: once from the pipe, once to the page cache',
    'lines': 'the hundred writers, which share two CPUs with the daemon',
    'status': 'starting the client: the dynamic linker with libcurl takes 5 of 8 ms',
    'shutdown': 'a thousand deaths in the kernel',
    'log_event': 'four switches between processes: writer, daemon, listener',
    'remote_event': 'the call, as for getState, and two switches',
    'events': 'the wake-up of a listener for each event, and two system calls on each side',
    'reload': 'reading, expanding and comparing: 4 microseconds a program',
    'update': 'as boot; starting the client is a tenth of it',
}


def bound_of(metric):
    """What stands in the way of a better figure."""
    found = [beginning for beginning in BOUNDS if metric.startswith(beginning)]
    return BOUNDS[max(found, key=len)] if found else '-'


# Beside what has a process for each child: metric, title, unit, which is better.
OTHERS = ('runit', 's6', 'daemontools')
BESIDE_OTHERS = (
    ('memory_child', 'memory (PSS) of all that supervises 1,000 idle children, per child', 'KB', LOWER),
    ('wakeups', 'context switches per second, 1,000 idle children', '/s', LOWER),
    ('idle_cpu', 'CPU per second, 1,000 idle children', 'ms', LOWER),
    ('boot', 'boot of 1,000 children', 's', LOWER),
    ('respawn_alone_p50', 'respawn latency p50, alone', 'ms', LOWER),
    ('respawn_500_idle_p50', 'respawn latency p50, with 500 idle', 'ms', LOWER),
    ('churn', 'respawns, 50 programs that exit at once (runit, s6 and daemontools wait a second each)', '/s', HIGHER),
    ('stream_rotated_seconds', '1 GiB from one child to a log that rotates every 10 MB, time', 's', LOWER),
    ('stream_rotated_cpu', 'the same, CPU of what writes the log', 's', LOWER),
    ('shutdown', 'shutdown of 1,000 willing children', 'ms', LOWER),
)

GROWTH_SIZES = (100, 1000, 5000)
GROWTH = (
    ('boot', 'boot until all RUNNING', 'ms'),
    ('memory', 'memory (PSS)', 'MB'),
    ('status', 'supervisorctl status', 'ms'),
    ('get_all', 'getAllProcessInfo', 'ms'),
    ('get_one', 'getPID, one connection', 'ms'),
    ('reload', 'reloadConfig, nothing changed', 'ms'),
    ('respawn', 'respawn latency p50', 'ms'),
    ('upgrade', 'upgrade, from the call to the next answer', 'ms'),
    ('shutdown', 'shutdown', 'ms'),
)


def number(value):
    if value is None:
        return '-'
    if value == 0 or abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.3g}'


def ratio(above, below):
    return f'{above / below:,.3g} x' if above is not None and below else '-'


@dataclasses.dataclass(frozen=True)
class Table:
    title: str
    text: str
    headings: tuple
    words: int  # so many columns are words, the others figures
    lines: list


def medians(results, metric, systems):
    return {system: statistics.median(results[metric, system]) for system in systems if (metric, system) in results}


def main_table(results):
    """results is {(metric, system): [value]}."""
    lines = []
    for row in ROWS:
        figures = medians(results, row.metric, ('original', 'limit', 'ours'))
        if not figures:
            continue
        original, limit, ours = (figures.get(system) for system in ('original', 'limit', 'ours'))
        better = ratio(original, ours) if row.better == LOWER else ratio(ours, original)
        lines.append((row.title, row.unit, number(original), number(limit), number(ours), better,
                      ratio(ours, limit), row.target(), row.met(figures)))
    return Table('Beside the original', 'Medians over the rounds. "limit" is the least work that yields the same result, '
                 'done by a small C program in the\nsame run on the same machine. "ours : limit" compares the two figures '
                 'in the row\'s unit.', HEADINGS, 2, lines)


def others_table(results):
    lines = []
    for metric, title, unit, better in BESIDE_OTHERS:
        figures = medians(results, metric, ('ours', *OTHERS))
        rivals = [figures[system] for system in OTHERS if system in figures]
        if not rivals:
            continue
        best = min(rivals) if better == LOWER else max(rivals)
        ours = figures.get('ours')
        lines.append((title, unit, number(ours), *(number(figures.get(system)) for system in OTHERS),
                      ratio(best, ours) if better == LOWER else ratio(ours, best)))
    return Table('Beside runit, s6 and daemontools', 'The last column compares ours with the best of the others; above 1 '
                 'ours is ahead.', ('workload', 'unit', 'ours', *OTHERS, 'better than the best'), 2, lines)


def growth_table(results):
    """Linear growth from 100 to 5,000 is a factor of fifty."""
    lines = []
    for metric, title, unit in GROWTH:
        for system in ('original', 'ours'):
            values = [medians(results, f'growth_{metric}_{size}', (system,)).get(system) for size in GROWTH_SIZES]
            if values[0] is None:
                continue
            known = [(size, value) for size, value in zip(GROWTH_SIZES, values) if value is not None]
            (first_size, first), (last_size, last) = known[0], known[-1]
            lines.append((title, system, unit, *map(number, values), ratio(last, first),
                          f'{last_size / first_size:.0f} x'))
    return Table('Growth', 'Three descriptors a program; the original needs minutes for 5,000.',
                 ('workload', 'of', 'unit', *(f'{size:,}' for size in GROWTH_SIZES), 'grows', 'linear would be'), 3, lines)


def bounds_table(results):
    lines = [(row.title, bound_of(row.metric)) for row in ROWS if (row.metric, 'ours') in results]
    return Table('What bounds each figure', 'Found with perf and callgrind, and by taking things away.',
                 ('workload', 'bounded by'), 2, lines)


def tables(results):
    made = (main_table(results), others_table(results), growth_table(results), bounds_table(results))
    return [table for table in made if table.lines]


def plain_one(table):
    widths = [max(len(line[i]) for line in (table.headings, *table.lines)) for i in range(len(table.headings))]
    rows = '\n'.join('  '.join(cell.ljust(width) if i < table.words else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in (table.headings, *table.lines))
    return f'{table.title}\n\n{rows}\n'


def plain(made):
    return '\n'.join(map(plain_one, made[:-1]))  # what bounds them is for the document


def markdown(table):
    aligned = ('| ' + ' | '.join(table.headings) + ' |',
               '|' + ' --- |' * table.words + ' ---: |' * (len(table.headings) - table.words))
    rows = '\n'.join((*aligned, *('| ' + ' | '.join(line) + ' |' for line in table.lines)))
    return f'## {table.title}\n\n{table.text}\n\n{rows}\n'


def machine():
    with open('/proc/cpuinfo', encoding='utf-8') as info:
        model = re.search(r'^model name\s*:\s*(.*)$', info.read(), re.MULTILINE)
    name = model.group(1) if model else platform.machine()
    return f'{name}, {os.cpu_count()} cores, {platform.system()} {platform.release()}'


def document(made, notes):
    today = datetime.datetime.now(datetime.timezone.utc)
    return f'''# Performance

Written by `make bench` (see `bench/README.md` for what each line measures); do not edit.

- Date: {today:%Y-%m-%d %H:%M} UTC
- Machine: {machine()}
''' + ''.join(f'- {note}\n' for note in notes) + '\n' + '\n'.join(map(markdown, made))
