"""Loggers with the daemon's levels. Within an extension, `supervisord.options.logger` is the daemon's own log."""

import os
import sys
import syslog
import threading
import time
import traceback


class LevelsByName:
    CRIT = 50
    ERRO = 40
    WARN = 30
    INFO = 20
    DEBG = 10
    TRAC = 5
    BLAT = 3


class LevelsByDescription:
    critical = LevelsByName.CRIT
    error = LevelsByName.ERRO
    warn = LevelsByName.WARN
    info = LevelsByName.INFO
    debug = LevelsByName.DEBG
    trace = LevelsByName.TRAC
    blather = LevelsByName.BLAT


LOG_LEVELS_BY_NUM = {level: name for name, level in vars(LevelsByName).items() if name.isupper()}


def getLevelNumByDescription(description):
    """The number of a level such as "info", or None."""
    return vars(LevelsByDescription).get(description) if description.isalpha() else None


class LogRecord:
    """A message with the values that it names."""

    def __init__(self, level, msg, **kw):
        self.level = level
        self.msg = msg
        self.kw = kw
        self.created = time.time()

    def message(self):
        return self.msg % self.kw if self.kw else self.msg

    def asdict(self):
        local = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.created))
        return {"message": self.message(), "levelname": LOG_LEVELS_BY_NUM.get(self.level, str(self.level)),
                "asctime": "%s,%03d" % (local, self.created % 1 * 1000)}


class Handler:
    """Where lines go. `fmt` may have %(message)s, %(levelname)s and %(asctime)s."""

    fmt = "%(message)s"
    level = LevelsByName.INFO

    def __init__(self, stream=None):
        self.stream = stream

    def setFormat(self, fmt):
        self.fmt = fmt

    def setLevel(self, level):
        self.level = level

    def emit(self, record):
        try:
            self.write(self.fmt % record.asdict())
        except Exception:  # a log that cannot be written stops nobody
            self.handleError(record)

    def write(self, text):
        binary = not hasattr(self.stream, "encoding") and not hasattr(self.stream, "getvalue")
        self.stream.write(text.encode("utf-8", "replace") if binary else text)
        self.flush()

    def handleError(self, record):
        traceback.print_exc(file=sys.stderr)

    def flush(self):
        if self.stream is not None:
            self.stream.flush()

    def close(self):
        if self.stream is not None and self.stream not in (sys.stdout, sys.stderr):
            self.stream.close()


class StreamHandler(Handler):
    def remove(self):
        pass

    def reopen(self):
        pass


class FileHandler(Handler):
    def __init__(self, filename, mode="ab"):
        super().__init__(open(filename, mode))
        self.baseFilename = filename
        self.mode = mode

    def reopen(self):
        self.close()
        self.stream = open(self.baseFilename, self.mode)

    def remove(self):
        self.close()
        if os.path.exists(self.baseFilename):
            os.remove(self.baseFilename)


class RotatingFileHandler(FileHandler):
    """Once the file has maxBytes (0: never) it becomes FILE.1, that FILE.2 and so on; backupCount of them are kept."""

    def __init__(self, filename, mode="ab", maxBytes=512 * 1024 * 1024, backupCount=10):
        super().__init__(filename, mode)
        self.maxBytes = maxBytes
        self.backupCount = backupCount

    def emit(self, record):
        super().emit(record)
        if self.maxBytes > 0 and self.stream.tell() >= self.maxBytes:
            self.doRollover()

    def doRollover(self):
        self.close()
        for number in range(self.backupCount, 0, -1):
            older = "%s.%d" % (self.baseFilename, number)
            newer = "%s.%d" % (self.baseFilename, number - 1) if number > 1 else self.baseFilename
            if os.path.exists(newer):
                os.replace(newer, older)
        self.stream = open(self.baseFilename, "wb")


class SyslogHandler(Handler):
    def emit(self, record):
        for line in (self.fmt % record.asdict()).splitlines():
            syslog.syslog(line)

    def reopen(self):
        pass


class Logger:
    """Hands on what its level and the handler's let through."""

    def __init__(self, level=None, handlers=None):
        self.level = LevelsByName.INFO if level is None else level
        self.handlers = [] if handlers is None else handlers
        self._lock = threading.Lock()

    def addHandler(self, hdlr):
        self.handlers.append(hdlr)

    def close(self):
        for handler in self.handlers:
            handler.close()

    def log(self, level, msg, **kw):
        if level < self.level:
            return
        record = LogRecord(level, msg, **kw)
        with self._lock:
            for handler in self.handlers:
                if level >= handler.level:
                    handler.emit(record)

    def blather(self, msg, **kw):
        self.log(LevelsByName.BLAT, msg, **kw)

    def trace(self, msg, **kw):
        self.log(LevelsByName.TRAC, msg, **kw)

    def debug(self, msg, **kw):
        self.log(LevelsByName.DEBG, msg, **kw)

    def info(self, msg, **kw):
        self.log(LevelsByName.INFO, msg, **kw)

    def warn(self, msg, **kw):
        self.log(LevelsByName.WARN, msg, **kw)

    def error(self, msg, **kw):
        self.log(LevelsByName.ERRO, msg, **kw)

    def critical(self, msg, **kw):
        self.log(LevelsByName.CRIT, msg, **kw)


def getLogger(level=None):
    """A logger without handlers; the functions below add one."""
    return Logger(level)


def _add(logger, handler, fmt):
    handler.setFormat(fmt)
    handler.setLevel(logger.level)
    logger.addHandler(handler)


def handle_stdout(logger, fmt):
    _add(logger, StreamHandler(sys.stdout), fmt)


def handle_syslog(logger, fmt):
    _add(logger, SyslogHandler(), fmt)


def handle_file(logger, filename, fmt, rotating=False, maxbytes=0, backups=0):
    if filename == "stdout":
        handle_stdout(logger, fmt)
    elif rotating:
        _add(logger, RotatingFileHandler(filename, "ab", maxbytes, backups), fmt)
    else:
        _add(logger, FileHandler(filename, "ab"), fmt)
