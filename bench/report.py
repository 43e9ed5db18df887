"""The table of figures: what is measured in which unit, what is wanted, and how it is written down."""

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
    Row('boot_5000', 'boot of 5,000 programs until all RUNNING', 's', LOWER),
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


def number(value):
    if value is None:
        return '-'
    if value == 0 or abs(value) >= 100:
        return f'{value:,.0f}'
    return f'{value:.3g}'


def ratio(above, below):
    return f'{above / below:,.3g} x' if above is not None and below else '-'


def table(results):
    """Rows of text for every metric that was measured; results is {(metric, system): [value]}."""
    lines = []
    for row in ROWS:
        figures = {system: statistics.median(results[row.metric, system])
                   for system in ('original', 'limit', 'ours') if (row.metric, system) in results}
        if not figures:
            continue
        original, limit, ours = (figures.get(system) for system in ('original', 'limit', 'ours'))
        better = ratio(original, ours) if row.better == LOWER else ratio(ours, original)
        lines.append((row.title, row.unit, number(original), number(limit), number(ours), better,
                      ratio(ours, limit), row.target(), row.met(figures)))
    return lines


def plain(lines):
    widths = [max(len(line[i]) for line in (HEADINGS, *lines)) for i in range(len(HEADINGS))]
    return '\n'.join('  '.join(cell.ljust(width) if i < 2 else cell.rjust(width)
                               for i, (cell, width) in enumerate(zip(line, widths))).rstrip()
                     for line in (HEADINGS, *lines))


def markdown(lines):
    aligned = ('| ' + ' | '.join(HEADINGS) + ' |', '| --- | --- |' + ' ---: |' * (len(HEADINGS) - 2))
    return '\n'.join((*aligned, *('| ' + ' | '.join(line) + ' |' for line in lines)))


def machine():
    with open('/proc/cpuinfo', encoding='utf-8') as info:
        model = re.search(r'^model name\s*:\s*(.*)$', info.read(), re.MULTILINE)
    name = model.group(1) if model else platform.machine()
    return f'{name}, {os.cpu_count()} cores, {platform.system()} {platform.release()}'


def document(lines, notes):
    today = datetime.datetime.now(datetime.timezone.utc)
    return f'''# Performance

Written by `make bench` (see `bench/README.md` for what each line measures); do not edit.

- Date: {today:%Y-%m-%d %H:%M} UTC
- Machine: {machine()}
''' + ''.join(f'- {note}\n' for note in notes) + f'''
Medians over the rounds. "limit" is the least work that yields the same result, done by a small C program in the
same run on the same machine. "ours : limit" compares the two figures in the row's unit.

{markdown(lines)}
'''
