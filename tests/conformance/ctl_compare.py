#!/usr/bin/env python3
"""Runs the same command lines with the original's supervisorctl and with ours, and compares what they print and how
they end. Each client has a supervisord of its own with the same configuration, so that both may change things.

    python3 tests/conformance/ctl_compare.py BINDIR [--daemon SUPERVISORD] [--results FILE]

BINDIR holds our supervisorctl. It speaks to the original's daemon unless another is named.
"""
import argparse
import concurrent.futures
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

CONFIGURATION = """
[unix_http_server]
file={dir}/s.sock
[inet_http_server]
port=127.0.0.1:{port}
username=joe
password=secret
[supervisord]
logfile={dir}/supervisord.log
pidfile={dir}/supervisord.pid
childlogdir={dir}
nodaemon=true
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://{dir}/s.sock
prompt=box
[program:cat]
command=/bin/cat
[program:talk]
command=/bin/sh -c "seq -f 'line %%g' 1 400; seq -f 'line %%g' 1 400 >&2; exec /bin/cat"
stdout_logfile={dir}/talk.out
stderr_logfile={dir}/talk.err
[program:quick]
command=/bin/sleep 0.3
autorestart=false
startsecs=0
[program:fail]
command=/bin/sh -c "exit 3"
startretries=0
startsecs=5
[program:nofile]
command=/nonexistent/prog
startretries=0
[program:noexec]
command=/etc/passwd
startretries=0
[program:idle]
command=/bin/sleep 1000
autostart=false
[program:nolog]
command=/bin/sleep 1000
stdout_logfile=NONE
stderr_logfile=NONE
[program:w]
command=/bin/sleep 1000
process_name=%(program_name)s_%(process_num)02d
numprocs=3
[program:slowstart]
command=/bin/sleep 1000
autostart=false
startsecs=2
[program:a]
command=/bin/sleep 1000
[program:b]
command=/bin/sleep 1000
[group:g]
programs=a,b
priority=5
"""

CHANGED = """
[program:a_program_with_quite_a_long_name_that_widens_columns]
command=/bin/sleep 1000
"""

# A line of the list is an argument list as typed; {dir} and {port} are filled in. Marks before it:
#   help   prose differs: only the first line, the number of lines and the exit status count
#   sort   lines come in no fixed order
#   settled  after all programs are where they will stay
#   until:X<Y  Y is the standard input, which stays open; Ctrl-C when X has been printed
#   glimpse:X  the same, and only the first line counts
#   in:X   X is the standard input (before the last bar)
#   changed  supervisord's configuration file says something else meanwhile
CASES = r"""
status
status cat
status cat talk
status w
status w:*
status w:w_00 nosuch
status nosuch
status nosuch:x
status nosuch:*
status cat idle
status nosuch idle
status g:
status :
status all
status cat cat
status all nosuch
status g:a:b
status cat:cat
avail
help | avail x
help | start
start cat
start nosuch
start nosuch:*
start nosuch:x
start g:nosuch
start g:*
sort | start all
start idle slowstart
help | stop
stop idle
stop idle
stop nosuch
stop nosuch:*
sort | stop g:*
stop g:*
sort | start g:*
start nofile
start noexec
start fail
start quick
start cat nosuch idle
stop cat nosuch idle
help | restart
restart cat
restart cat idle
restart nosuch
restart nosuch:*
sort | restart g:*
sort | restart all
sort | stop all
status
status cat
sort | start all
start w
start w:*
start nofile nosuch
start fail nosuch
start nosuch fail
restart fail
restart nofile
start :
stop :
help | signal
help | signal HUP
signal CONT cat
signal NOPE cat
signal HUP nosuch
signal HUP nosuch:*
signal CONT w:*
signal CONT g:* nosuch idle
sort | signal CONT all
signal CONT quick
signal 18 cat
signal 9999 cat
sort | signal NOPE all
signal NOPE w:*
signal NOPE cat nosuch
pid
pid cat
pid all
pid cat idle
pid quick
pid nosuch
pid nosuch cat
pid w
tail talk
until:line 400 | tail -f talk
until:line 400 | tail -f talk stderr
tail talk -f
tail -50 talk
tail talk stderr
tail -50 talk stderr
tail -50 talk stdout
tail -0 talk
tail -9999999 talk
help | tail
tail -f
tail -50
tail talk bogus
tail talk stdout x
tail talk x stdout
tail -x talk
tail - talk
tail nosuch
tail nolog
tail nosuch stderr
tail idle
tail w:*
tail all
tail -f talk bogus
tail -f nosuch
tail talk -50
tail -f -f talk
help | tail a b c d
help | clear
clear talk
tail talk
clear nosuch
sort | clear all
clear talk nosuch
clear nolog
settled | start idle
stop idle
maintail -40
help | maintail -100 x
help | maintail -f x
glimpse:INFO | maintail -f
maintail x
maintail -x
version
help | version x
open
open x
open unix:///nosuch.sock
open http://127.0.0.1:1
open http://127.0.0.1:{port}
open unix://{dir}/s.sock
exit
quit
exit x
bogus
help bogus
help EOF
help status x
help | help help
help | help status
help | help start
help | help tail
help | help update
help | help maintail
help | help
help | ?
help | ? status
EOF
#x
!ls
status;
'status cat'
status 'cat quick'
''
reread
help | reread x
update
update nosuch
update all
update cat
add
add nosuch
add cat
add cat nosuch
remove
remove cat
remove nosuch
remove cat nosuch
changed | reread
changed | avail
changed | add a_program_with_quite_a_long_name_that_widens_columns
changed | add a_program_with_quite_a_long_name_that_widens_columns
changed | remove a_program_with_quite_a_long_name_that_widens_columns
changed | stop a_program_with_quite_a_long_name_that_widens_columns
changed | remove a_program_with_quite_a_long_name_that_widens_columns
changed | update nosuch
changed | update nosuch noexec
changed | update quick
changed | remove cat quick nosuch
changed | update all
settled | status
changed | status cat
reread
update
settled | status
help | fg
fg nosuch
fg a b
fg w:*
fg all
until:hello<hello\n | fg cat
fg quick
fg fail
help | reload x
help | shutdown x
-s unix://{dir}/none.sock status
-s unix://{dir}/none.sock start cat
-s unix://{dir}/none.sock start
-s unix://{dir}/none.sock stop all
-s unix://{dir}/none.sock restart cat
-s unix://{dir}/none.sock signal HUP cat
-s unix://{dir}/none.sock pid
-s unix://{dir}/none.sock clear cat
-s unix://{dir}/none.sock tail -f cat
-s unix://{dir}/none.sock maintail
-s unix://{dir}/none.sock version
-s unix://{dir}/none.sock fg cat
-s unix://{dir}/none.sock avail
-s unix://{dir}/none.sock open x
-s unix://{dir}/none.sock exit
-s unix://{dir}/none.sock reread
-s unix://{dir}/none.sock update
-s unix://{dir}/none.sock add
-s unix://{dir}/none.sock add x
-s unix://{dir}/none.sock remove x
-s unix://{dir}/none.sock reload
-s unix://{dir}/none.sock shutdown
-s unix://{dir}/none.sock bogus
help | -s unix://{dir}/none.sock help status
-s http://127.0.0.1:1 status
-s http://127.0.0.1:1 start cat
-s http://127.0.0.1:1 maintail -f
-s http://127.0.0.1:1 reread
-s http://127.0.0.1:1 shutdown
-s http://127.0.0.1:{port} status
-s http://127.0.0.1:{port} start
-s http://127.0.0.1:{port} maintail -f
-s http://127.0.0.1:{port} -u joe -p wrong status
-s http://127.0.0.1:{port} -u joe status
-s http://127.0.0.1:{port} -u joe -p secret status cat
-s http://127.0.0.1:{port} --username=joe --password secret version
-s http://127.0.0.1:{port}/ -u joe -p secret tail -20 talk
-s http://nonexistent.invalid:1 status
-s ftp://x status
-s unix:/x status
-s https://127.0.0.1:{port} status
-s http://localhost:99999 status
-s bogus status
-s '' status
-s unix://{dir}/s.sock -s unix://{dir}/s.sock status
-c {dir}/x status
-c
-s
--configuration
--user
-x
--bad
--bad=x
--h
--help=x
--serverurl=x status
--interactive=1 status
-v
help | -h
help | --help
help | -hx
-- status cat
status -- cat
status cat -x
--serverurl unix://{dir}/s.sock status cat
in: | -i
in:pid cat\n |
in:\n\npid cat |
in:bogus\nexit\npid cat\n |
in:help bogus\n  pid   cat  \nEOF\npid\n |
in:start nosuch\nopen unix:///nosuch.sock\npid cat\nopen\n |
in:shutdown\nn\nreload\n\npid quick\n |
in:pid "cat"\nstatus cat;x\n!ls\n?bogus\n |
in:pid\nstatus\n | -s unix://{dir}/none.sock
in:quit\n | -i
help | shutdown x y
reload
settled | pid nosuch
shutdown
""".strip("\n").split("\n")


class Side:
    """One client, one daemon."""

    def __init__(self, client, daemon):
        self.client = client
        self.directory = tempfile.mkdtemp(prefix="ctl")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.file = os.path.join(self.directory, "c.conf")
        self.text = CONFIGURATION.format(dir=self.directory, port=self.port)
        self.configure(False)
        self.log = open(os.path.join(self.directory, "console"), "w", encoding="utf-8")
        self.daemon = subprocess.Popen([daemon, "-n", "-c", self.file], stdout=self.log, stderr=self.log,
                                       stdin=subprocess.DEVNULL)

    def configure(self, changed):
        text = self.text
        if changed:
            text = text.replace("command=/bin/cat\n", "command=/bin/cat -u\n", 1) + CHANGED
            text = re.sub(r"\[program:noexec\]\n(.+\n)+?(?=\[)", "", text)
        with open(self.file, "w", encoding="utf-8") as out:
            out.write(text)

    def command(self, arguments):
        filled = [argument.replace("{dir}", self.directory).replace("{port}", str(self.port))
                  for argument in arguments]
        return [self.client] + ([] if "-c" in filled else ["-c", self.file]) + filled

    def run(self, arguments, stdin):
        done = subprocess.run(self.command(arguments), input=stdin.encode(), capture_output=True, timeout=60,
                              check=False)
        return self.plain(done.stdout), self.plain(done.stderr), done.returncode

    def run_until(self, arguments, stdin, text):
        """Ctrl-C as soon as `text` has been printed."""
        process = subprocess.Popen(self.command(arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        try:
            process.stdin.write(stdin.encode())
            process.stdin.flush()
            output = b""
            while text.encode() not in output:
                ready, _, _ = select.select([process.stdout], [], [], 30)
                piece = os.read(process.stdout.fileno(), 65536) if ready else b""
                if not piece:
                    raise TimeoutError(f"{arguments}: {text!r} did not come, only {output!r}")
                output += piece
            wait_until_idle(process.pid)
            process.send_signal(signal.SIGINT)
            rest, errors = process.communicate(timeout=60)
        finally:
            process.kill()
        return self.plain(output + rest), self.plain(errors), process.returncode

    def plain(self, output):
        """What is the same on both sides."""
        text = output.decode(errors="replace").replace(self.directory, "DIR").replace(self.client, "PROG")
        text = text.replace(str(self.port), "PORT")
        text = re.sub(r"^((?:box> )*)error: .*", r"\1error:", text, flags=re.M)
        text = re.sub(r"pid \d+, uptime [\d:]+( days?, [\d:]+)?", "pid N, uptime T", text)
        text = re.sub(r"^((?:box> )*)[45]\.\d\.\d$", r"\1VERSION", text, flags=re.M)
        text = re.sub(r"[A-Z][a-z][a-z] \d\d \d\d:\d\d [AP]M", "DATE", text)
        text = re.sub(r"^((?:box> )*)[1-9]\d{2,}$", r"\1PID", text, flags=re.M)
        return re.sub(r"\d{4}-\d\d-\d\d [\d:,]+", "TIME", text)

    def settled(self):
        """Are all programs where they will stay?"""
        output, _, _ = self.run(["status"], "")
        return "RUNNING" in output and not re.search(r"STARTING|BACKOFF|STOPPING", output)

    def end(self):
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(20)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        self.log.close()
        shutil.rmtree(self.directory)


def wait_until(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("gave up waiting: " + what)
        time.sleep(0.1)


def wait_until_idle(pid):
    """An interrupt while the original is still busy with what it has received is an error to it."""
    def used():
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[11:13]

    before = [None]

    def rests():
        now = used()
        same = now == before[0]
        before[0] = now
        return same

    wait_until(rests, "the client to be idle")


def split_words(text):
    """Like a shell, for single quotes alone."""
    return [match.group(1) if match.group(1) is not None else match.group(2)
            for match in re.finditer(r"'([^']*)'|(\S+)", text)]


def parse_case(line):
    """(mark, arguments, stdin, text to wait for)"""
    if line.startswith("in:"):
        stdin, _, rest = line[3:].rpartition("|")
        return "in", split_words(rest), stdin.rstrip(" ").replace("\\n", "\n"), None
    mark, bar, rest = line.partition(" | ")
    if mark.startswith(("until:", "glimpse:")):
        mark, _, text = mark.partition(":")
        text, _, stdin = text.partition("<")
        return mark, split_words(rest), stdin.replace("\\n", "\n"), text
    return (mark, split_words(rest), "", None) if bar else ("", split_words(line), "", None)


def shape(mark, result):
    output, errors, status = result
    if mark == "help":
        return output.split("\n")[0] if output.startswith("E") else "", len(output) > 1, errors, status
    if mark == "glimpse":
        return output.split("\n")[0], errors, status
    if mark == "sort": # the exit status is that of the last failure
        return sorted(output.split("\n")), errors, status != 0
    return output, errors, status


def perform(side, line):
    mark, arguments, stdin, text = parse_case(line)
    side.configure(mark == "changed")
    if mark == "settled":
        wait_until(side.settled, "programs to be up again")
    return side.run(arguments, stdin) if text is None else side.run_until(arguments, stdin, text)


def compare(pairs, cases):
    """Runs the cases with each pair of a client and a daemon: for each case what came of it, in the order of the pairs,
    and whether that was the same as with the first."""
    sides = []
    try:
        for pair in pairs:
            sides.append(Side(*pair))
        for side in sides:
            wait_until(side.settled, "programs to be up")
        with concurrent.futures.ThreadPoolExecutor(len(sides)) as pool:
            for line in cases:
                results = list(pool.map(lambda side, line=line: perform(side, line), sides))
                mark = parse_case(line)[0]
                same = all(shape(mark, result) == shape(mark, results[0]) for result in results[1:])
                yield same, results
    finally:
        for side in sides:
            side.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bindir")
    parser.add_argument("--daemon", help="the daemon of our client (default: the original's)")
    parser.add_argument("--original-daemon", default="/usr/bin/supervisord")
    parser.add_argument("--original", default="/usr/bin/supervisorctl")
    parser.add_argument("--results", help="write what came of each line there, as JSON")
    parser.add_argument("--only", help="run just the cases that contain this text, and show them")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts us in the background may have it ignored
    cases = [(f"{number:03} {line}", line) for number, line in enumerate(CASES, 1)
             if given.only is None or given.only in line]
    pairs = [(given.original, given.original_daemon),
             (os.path.abspath(os.path.join(given.bindir, "supervisorctl")), given.daemon or given.original_daemon)]
    results = []
    for (same, (original, ours)), (name, _) in zip(compare(pairs, [line for _, line in cases]), cases):
        results.append({"name": name, "same": same, "original": original, "ours": ours})
        if given.only is not None or not same:
            print(f"{'same' if same else 'DIFFERS'}: {name}\n  original: {original}\n  ours:     {ours}", flush=True)
    if given.results:
        with open(given.results, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    passed = sum(result["same"] for result in results)
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if passed == len(results) else 1


if __name__ == "__main__":
    sys.exit(main())
