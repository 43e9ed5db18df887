"""The programs of the soak test and what the model knows of them: which states each must pass through, and why."""

import collections
import os

from harness import ACTOR, FCGI_RESPONDER, program, section, write

# start: the states that a start passes through, as a pattern over the letters of watch.py, and the state it ends in.
# crash: the same after a violent death while RUNNING.
Kind = collections.namedtuple("Kind", "command options start state crash crash_state count log")


def kind(command, start="SR", state="RUNNING", crash="ESR", crash_state="RUNNING", count=1, log=None, **options):
    options.setdefault("startsecs", 0)
    options.setdefault("stopwaitsecs", 20)
    return Kind(command, options, start, state, crash, crash_state, count, log)


ROTATED = {"stdout_logfile": "%(dir)s/%(name)s.log", "stdout_logfile_maxbytes": "64KB", "stdout_logfile_backups": 20}

KINDS = {
    # Logs of these are never cleared: every number must be there.
    "steady": kind("count=%(dir)s/%(name)s.n,1,0.02,4", log="stdout", autorestart="true", **ROTATED),
    "flood": kind("count=%(dir)s/%(name)s.n,1,0.25,600", log="stdout", autorestart="unexpected", **ROTATED),
    "errors": kind("count=%(dir)s/%(name)s.n,2,0.05,10", log="stderr", autorestart="true",
                   stderr_logfile="%(dir)s/%(name)s.log", stderr_logfile_maxbytes="64KB", stderr_logfile_backups=20),
    "watched": kind("count=%(dir)s/%(name)s.n,1,0.1,2", log="stdout", autorestart="true", stdout_events_enabled="true",
                    **ROTATED),
    "cleared": kind("count=%(dir)s/%(name)s.n,1,0.05,5", autorestart="true",
                    stdout_logfile="%(dir)s/%(name)s.log", stdout_logfile_maxbytes="1MB"),
    "reader": kind("echo", autorestart="true", stdout_logfile="%(dir)s/%(name)s.log", stdout_logfile_maxbytes=0),
    "deaf": kind("ignore=TERM hang", crash="E", crash_state="EXITED", autorestart="false", stopwaitsecs=1),
    "tree": kind("fork fork ignore=TERM hang end hang end fork hang end hang", autorestart="true",
                 stopasgroup="true", killasgroup="true", stopsignal="KILL"),
    "once": kind("print=once sleep=0.02", start="SRE", state="EXITED", autorestart="false"),
    "unexpected": kind("sleep=0.02", start="SRE", state="EXITED", autorestart="unexpected", exitcodes="0,2"),
    "failing": kind("error=no exit=1", start="SBSBF", state="FATAL", startsecs=1, startretries=1, autostart="false"),
    "slow": kind("hang", startsecs=1, autorestart="unexpected"),
    "flapping": kind("sleep=0.05", start="SR(ESR)*(ES?)?", state="FLAPPING", autorestart="true"),
    "trio": kind("hang", count=3, autorestart="unexpected"),
    "fcgi": kind(None, count=2, autorestart="true"),
}

FLAPPING = ("STARTING", "RUNNING", "EXITED")


class Process:
    """One process and the state that the model has it in. Only the client that owns it touches it."""

    def __init__(self, unit, name):
        self.unit = unit
        self.group = unit.name
        self.name = name
        self.state = "STOPPED"

    @property
    def full_name(self):
        return "%s:%s" % (self.group, self.name)

    @property
    def namespec(self):
        return self.full_name if self.unit.kind.count > 1 else self.name

    def is_up(self):
        return self.state in ("RUNNING", "FLAPPING")


class Unit:
    """A program of some kind with its file of the configuration."""

    def __init__(self, directory, kind_name, name):
        self.kind_name = kind_name
        self.kind = KINDS[kind_name]
        self.directory = directory
        self.name = name
        self.path = os.path.join(directory, "conf.d", name + ".conf")
        self.variation = 0
        self.is_active = True
        names = ["%s_%d" % (name, number) for number in range(self.kind.count)] if self.kind.count > 1 else [name]
        self.processes = [Process(self, one) for one in names]

    def log_path(self):
        return os.path.join(self.directory, self.name + ".log")

    def configure(self):
        """Writes its file, in one step for a daemon that may be reading."""
        values = {"dir": self.directory, "name": self.name}
        options = {key: value % values if isinstance(value, str) else value
                   for key, value in self.kind.options.items()}
        options["environment"] = "VARIATION=%d" % self.variation
        if self.kind.count > 1:
            options.update(numprocs=self.kind.count, process_name="%(program_name)s_%(process_num)d")
        if self.kind_name == "fcgi":
            options["socket"] = "unix://%s/%s.sock" % (self.directory, self.name)
            text = section("fcgi-program:" + self.name, command=FCGI_RESPONDER, **options)
        else:
            text = program(self.name, ACTOR, self.kind.command % values, **options)
        write(self.path + ".new", text)
        os.rename(self.path + ".new", self.path)

    def unconfigure(self):
        os.unlink(self.path)

    def starts_by_itself(self):
        return self.kind.options.get("autostart") != "false"
