"""What is seen of the daemon from outside: the events of its processes, and the bytes of their logs."""

import collections
import os
import re
import threading
import time

LETTERS = {"STOPPED": "T", "STARTING": "S", "RUNNING": "R", "BACKOFF": "B", "STOPPING": "P", "EXITED": "E",
           "FATAL": "F", "UNKNOWN": "U"}
# Every way from one state to the next; the letters are those above.
LEGAL = {"TS", "ES", "FS", "BS", "BF", "BT", "SR", "SB", "SP", "RE", "RP", "PT", "ET"}


class Events:
    """The states that each process has entered, as a listener's record tells.

    A chain is a text of a letter for each state entered and not yet claimed by the model. Events may come twice when
    the listener ends before it has answered, so what has been seen is kept for a while.
    """

    def __init__(self, path):
        self.path = path
        self.changed = threading.Condition()
        self.chains = collections.defaultdict(str)
        self.last = {}
        self.replaced = set()  # names of processes in whose place new ones may come, which begin STOPPED; until claimed
        self.count = 0
        self.errors = []
        self.marks = set()
        self._seen = collections.OrderedDict()
        self._offset = 0

    def poll(self):
        """Takes what the listener has written since."""
        try:
            with open(self.path, encoding="utf-8", newline="") as file:
                file.seek(self._offset)
                text = file.read()
        except FileNotFoundError:
            return
        lines = text.split("\n")
        whole = (len(lines) - 1) // 2 * 2
        self._offset += sum(len(line.encode()) + 1 for line in lines[:whole])
        if not whole:
            return
        with self.changed:
            for header, payload in zip(lines[0:whole:2], lines[1:whole:2]):
                self._take(header, payload)
            self.changed.notify_all()

    def _take(self, header, payload):
        fields = dict(word.split(":", 1) for word in header.split(" "))
        key = fields["serial"], payload
        if fields["eventname"] == "REMOTE_COMMUNICATION":
            self.marks.add(payload)
        if not fields["eventname"].startswith("PROCESS_STATE_") or key in self._seen:
            return
        self._seen[key] = None
        if len(self._seen) > 20000:
            self._seen.popitem(last=False)
        about = dict(word.split(":", 1) for word in payload.split(" "))
        name = "%s:%s" % (about["groupname"], about["processname"])
        letter = LETTERS[fields["eventname"][len("PROCESS_STATE_"):]]
        origin = LETTERS[about["from_state"]]
        if origin + letter not in LEGAL:
            self.errors.append("%s went from %s to %s" % (name, about["from_state"], fields["eventname"]))
        if self.last.get(name, origin) != origin and (name not in self.replaced or origin != "T"):
            self.errors.append("%s left %s and was in %s" % (name, about["from_state"], self.last[name]))
        self.last[name] = letter
        self.chains[name] += letter
        self.count += 1

    def claim(self, name, pattern, timeout):
        """Waits until the chain of a process is what the model says, and takes it away. Else gives the chain."""
        with self.changed:
            if self.changed.wait_for(lambda: re.fullmatch(pattern, self.chains[name]), timeout):
                if self.chains[name]:
                    self.replaced.discard(name)
                self.chains[name] = ""
                return None
            return self.chains[name]

    def catch_up(self, supervisor, limit):
        """Waits until everything has been seen that has happened by now."""
        mark = "mark %d" % time.monotonic_ns()
        supervisor.sendRemoteCommEvent("soak", mark)
        with self.changed:
            if not self.changed.wait_for(lambda: "type:soak\\n" + mark in self.marks, limit):
                raise AssertionError("an event has not come within %g s" % limit)
            self.marks.discard("type:soak\\n" + mark)

    def allow_replacement(self, *names):
        """New processes of these names are about to come, whatever states the old ones are in."""
        with self.changed:
            self.replaced.update(names)

    def unclaimed(self):
        with self.changed:
            return {name: chain for name, chain in self.chains.items() if chain}


class Follower:
    """Reads a log that is rotated and never cleared, and holds its numbered lines to be all there and in order.

    A line is "NUMBER PID xxx". A new process may repeat the last number of the one before, which was killed between
    writing and counting.
    """

    BACKUPS = 20

    def __init__(self, path):
        self.path = path
        self.file = None
        self.rest = b""
        self.number = 0
        self.pid = None
        self.bytes = 0
        self.error = None

    def read(self):
        """Everything there is by now. Rotation is noticed by the inode at the path."""
        while self.error is None:
            if self.file is None and not self._open_first():
                return
            self._take(self.file.read())
            try:
                if os.stat(self.path).st_ino == os.fstat(self.file.fileno()).st_ino:
                    return
            except FileNotFoundError:
                return  # between two renames of a rotation
            self._take(self.file.read())  # what was written between the read and the rotation
            if not self._open_next():
                return

    def _names(self):
        """The log and its backups, the oldest last."""
        return [self.path] + ["%s.%d" % (self.path, number) for number in range(1, self.BACKUPS + 1)]

    def _open_first(self):
        for name in reversed(self._names()):
            try:
                self.file = open(name, "rb")
                return True
            except FileNotFoundError:
                continue
        return False

    def _open_next(self):
        """The file after the one that was read: one place younger in the row of backups."""
        names = self._names()
        inodes = []
        for name in names:
            try:
                inodes.append(os.stat(name).st_ino)
            except FileNotFoundError:
                inodes.append(None)
        ours = os.fstat(self.file.fileno()).st_ino
        if ours not in inodes:
            if None not in inodes:
                self.error = "%s: rotated away before it was read" % self.path
            return False
        place = inodes.index(ours)
        if place == 0:
            return True
        try:
            following = open(names[place - 1], "rb")
        except FileNotFoundError:
            return False
        if os.fstat(following.fileno()).st_ino != inodes[place - 1]:
            following.close()  # rotated meanwhile: look again
            return True
        self.file.close()
        self.file = following
        return True

    def _take(self, piece):
        self.bytes += len(piece)
        lines = (self.rest + piece).split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            problem = self._check(line)
            if problem and self.error is None:
                self.error = "%s: %s" % (self.path, problem)

    def _check(self, line):
        found = re.fullmatch(rb"(\d{10}) (\d{7}) (x*)", line)
        if not found:
            return "a torn line %r after number %d" % (line, self.number)
        number, pid = int(found[1]), int(found[2])
        repeats = number == self.number and pid != self.pid
        if number != self.number + 1 and not repeats:
            return "number %d of process %d after number %d of %s" % (number, pid, self.number, self.pid)
        if len(found[3]) != (number - 1) % 40:
            return "the line of number %d has another length" % number
        self.number, self.pid = number, pid
        return None
