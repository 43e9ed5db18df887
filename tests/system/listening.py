"""What the tests of our event listeners share: sections that run one, one that is run by hand, and fakes to mail to."""

import base64
import os
import socket
import ssl
import subprocess
import threading

from harness import BUILD, PATIENCE, read, section, wait_for, write


def listener(name):
    return os.path.join(BUILD, "listeners", name)


def eventlistener(name, *words, events="EVENT", **options):
    """An [eventlistener:x] that runs one of our listeners."""
    options.setdefault("startsecs", 0)
    options.setdefault("autorestart", "false")
    command = " ".join("'%s'" % word if " " in word else word for word in words)
    return section("eventlistener:" + name, command=command, events=events, **options)


class ByHand:
    """A listener whose supervisord is the test. `daemon`: whose calls it makes, if any."""

    def __init__(self, case, *command, daemon=None, environment=None):
        variables = dict(os.environ, **(environment or {}))
        reports = "log_path=%s/sanitizer" % case.dir
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS"):
            variables[name] = ":".join(filter(None, [os.environ.get(name), reports]))
        if daemon:
            variables.setdefault("SUPERVISOR_SERVER_URL", "unix://" + daemon.socket)
        self.log = case.path("listener.log")
        self.serial = 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=log, bufsize=0)
        case.addCleanup(self.close)

    def close(self):
        for stream in (self.process.stdin, self.process.stdout):
            stream.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def expect(self, text):
        found = b""
        while len(found) < len(text):
            piece = self.process.stdout.read(len(text) - len(found))
            if not piece:
                raise AssertionError("%r and then the end, for %r; it said: %s" % (found, text, read(self.log)))
            found += piece
        if found != text:
            raise AssertionError("%r for %r" % (found, text))

    def write(self, data):
        self.process.stdin.write(data)

    def send(self, name, payload="", length=None):
        """Sends an event and waits for its result."""
        payload = payload.encode() if isinstance(payload, str) else payload
        self.serial += 1
        self.expect(b"READY\n")
        self.write(b"ver:3.0 server:supervisor serial:%d pool:x poolserial:%d eventname:%s len:%d\n%s" % (
            self.serial, self.serial, name.encode(), len(payload) if length is None else length, payload))
        self.expect(b"RESULT 2\nOK")

    def tick(self, name="TICK_60"):
        self.send(name, "when:1700000000")

    def end(self):
        """Ends the conversation: the listener's exit status."""
        self.process.stdin.close()
        return self.process.wait(20 * PATIENCE)

    def said(self):
        return read(self.log)

    def wait_said(self, text):
        wait_for(lambda: text in self.said(), what="%r in what the listener says" % text)


class Sendmail:
    """A program that takes mail on its stdin and keeps it."""

    def __init__(self, case, script='echo "$@" >>"$0.arguments"; cat >>"$0.box"'):
        self.path = write(case.path("sendmail"), "#!/bin/sh\n%s\n" % script, 0o755)

    def box(self):
        return read(self.path + ".box")

    def wait_box(self, text):
        wait_for(lambda: text in self.box(), what="%r in the mail" % text)
        return self.box()


class SmtpServer:
    """Takes mail over SMTP, with STARTTLS when it has a certificate. `refuse`: a reply to the recipient, not taken."""

    def __init__(self, case, certificate=None, login=None):
        self.certificate = certificate
        self.login = login
        self.refuse = None
        self.mails = []  # (was encrypted, user and password or None, sender, recipients, message)
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.host = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()
        case.addCleanup(self.close)

    def close(self):
        try:
            self.sock.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who accepts
        except OSError:
            pass
        self.sock.close()
        self.accepting.join()

    def _accept(self):
        while True:
            try:
                connection, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            try:
                SmtpSession(self, connection).run()
            except (OSError, EOFError):
                pass


class SmtpSession:
    def __init__(self, server, connection):
        self.server = server
        self.connection = connection
        self.file = connection.makefile("rb")
        self.is_encrypted = False
        self.user = None
        self.sender = None
        self.recipients = []

    def say(self, *lines):
        self.connection.sendall(b"".join(line.encode() + b"\r\n" for line in lines))

    def line(self):
        line = self.file.readline()
        if not line:
            raise EOFError
        return line.decode().rstrip("\r\n")

    def run(self):
        self.say("220 fake")
        while True:
            line = self.line()
            verb = line.split(":")[0].split(" ")[0].upper()
            if verb == "QUIT":
                self.say("221 bye")
                return
            getattr(self, "do_" + verb.lower(), self.do_unknown)(line)

    def do_unknown(self, line):
        self.say("500 " + line)

    def do_ehlo(self, line):
        extensions = ["AUTH PLAIN"] if self.server.login else []
        if self.server.certificate and not self.is_encrypted:
            extensions.append("STARTTLS")
        lines = ["fake"] + extensions
        self.say(*["250%s%s" % ("-" if one is not lines[-1] else " ", one) for one in lines])

    def do_starttls(self, line):
        self.say("220 go")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.server.certificate)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.file = self.connection.makefile("rb")
        self.is_encrypted = True

    def do_auth(self, line):
        words = line.split(" ")
        if len(words) < 3:
            self.say("334 ")
            words.append(self.line())
        self.user = tuple(base64.b64decode(words[2]).decode().split("\0")[1:])
        self.say("235 ok" if self.user == self.server.login else "535 no")

    def do_mail(self, line):
        self.sender = line.partition(":")[2].split(" ")[0]
        self.say("250 ok")

    def do_rcpt(self, line):
        if self.server.refuse:
            self.say(self.server.refuse)
            return
        self.recipients.append(line.partition(":")[2].split(" ")[0])
        self.say("250 ok")

    def do_data(self, line):
        self.say("354 go on")
        lines = []
        while True:
            line = self.line()
            if line == ".":
                break
            lines.append(line[1:] if line.startswith(".") else line)
        self.server.mails.append((self.is_encrypted, self.user, self.sender, self.recipients, "\n".join(lines)))
        self.say("250 ok")
