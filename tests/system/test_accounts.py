"""Accounts: the one that may look and not touch, and passwords as hashes of crypt(3)."""

import base64
import time
import xmlrpc.client

from harness import Fault, TestCase, UnixTransport, actor, program, read, wait_for

ACCOUNTS = {"username": "me", "password": "secret", "readonly_username": "guest", "readonly_password": "look"}
# What changes nothing: all others are refused, those that are yet to be written too.
READING = {"system.listMethods", "system.methodHelp", "system.methodSignature", "system.multicall",
           "supervisor.getAPIVersion", "supervisor.getAllConfigInfo", "supervisor.getAllProcessInfo",
           "supervisor.getIdentification", "supervisor.getPID", "supervisor.getProcessInfo", "supervisor.getState",
           "supervisor.getSupervisorVersion", "supervisor.getVersion", "supervisor.readLog", "supervisor.readMainLog",
           "supervisor.readProcessLog", "supervisor.readProcessStderrLog", "supervisor.readProcessStdoutLog",
           "supervisor.tailProcessLog", "supervisor.tailProcessStderrLog", "supervisor.tailProcessStdoutLog"}

# "secret" and "look" as crypt(3) has them; the first again in a form that takes long to verify.
HASHES = {
    "SHA-512": ("$6$saltofours$EVIPk5lSLX9trZPiZJ5YpqjgW0W4fumMhm7IAoOElTnbIg8nQLD81ab9/u4iSP/Y2Y"
                "6xRNX35G82CZ5/SLNhT0",
                "$6$saltofours$WtVzIpr6TnWUHnY.hXAVHeAzNDbRyrlcfGtKzCmSCuHjFKKvCrymIJa5i6SSPzbgEM"
                "V/W6Zk/3vZhFpBAcE430"),
    "SHA-256": ("$5$saltofours$iJiC.zWiz7S39b8jW1aZvc3DWIy3lPo51h9YGpXwqj5",
                "$5$saltofours$H3ytzTL5y0XlLXVZlhconSwXr5GsVmDaGd/l1Mfww.2"),
    "bcrypt": ("$2b$06$saltofourssaltofourssOaNW.fwZtbVtyf3Jl59luQ5u2MjhyYn2",
               "$2b$06$saltofourssaltofourssOWNcycCfHw/ebrogNaFfswTDvcRTy/.y"),
    "yescrypt": ("$y$j8T$F5Jx5fExrKuPp53xLKQ..1$JfpA1POwLu8kefWtXU5W4b3ZzzNtm0liijCVUeMYNU/",
                 "$y$j8T$F5Jx5fExrKuPp53xLKQ..1$O7v0Sz5.fBhFbPfm7.ebt6n0IlBGR3dPcUPsCJ42weB"),
}
DEAR = ("$6$rounds=300000$salt$GCIplhQJu6LGw/7worrSFLQSI4zu4LnO.O9vpf"
        "cwfnIkY5FPhXnG81vRyZGG3LJy/Q7Sig/QD98mK/Nd71FkF.")


def authorization(user, password):
    return {"Authorization": "Basic " + base64.b64encode(("%s:%s" % (user, password)).encode()).decode()}


def client(daemon, user, password):
    transport = UnixTransport(daemon.socket, 30)
    transport._extra_headers = list(authorization(user, password).items())
    return xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=transport)


class ReadOnly(TestCase):
    def setUp(self):
        super().setUp()
        self.it = self.daemon(program("a", actor("print=up", "hang")), unix=ACCOUNTS)
        self.me = client(self.it, "me", "secret")
        self.guest = client(self.it, "guest", "look")

    def test_looks(self):
        self.assertEqual("RUNNING", self.guest.supervisor.getState()["statename"])
        wait_for(lambda: self.guest.supervisor.readProcessStdoutLog("a", 0, 0) == "up\n")
        self.assertEqual(1, len(self.guest.supervisor.getAllProcessInfo()))

    def test_does_not_touch(self):
        text = "READ_ONLY: this account may not call supervisor.stopProcess"
        pid = self.guest.supervisor.getProcessInfo("a")["pid"]
        self.assertFault(Fault.READ_ONLY, text, self.guest.supervisor.stopProcess, "a")
        self.assertEqual({"faultCode": Fault.READ_ONLY, "faultString": text},
                         self.guest.system.multicall([{"methodName": "supervisor.stopProcess", "params": ["a"]}])[0])
        self.assertEqual(pid, self.me.supervisor.getProcessInfo("a")["pid"])
        self.assertTrue(self.me.supervisor.stopProcess("a"))

    def test_every_method_that_changes_something_is_refused(self):
        names = self.guest.system.listMethods()
        self.assertEqual(READING, READING.intersection(names))
        for name in names:
            with self.subTest(name):
                try:
                    getattr(self.guest, name)()
                except xmlrpc.client.Fault as fault:
                    self.assertEqual(name in READING, fault.faultCode != Fault.READ_ONLY, fault)
                else:
                    self.assertIn(name, READING)
        self.assertEqual("RUNNING", self.me.supervisor.getProcessInfo("a")["statename"])

    def test_follows_logs(self):
        wait_for(lambda: self.guest.supervisor.readProcessStdoutLog("a", 0, 0) == "up\n")
        connection = self.it.http()
        connection.request("GET", "/logtail/a", headers=authorization("guest", "look"))
        answer = connection.getresponse()
        self.assertEqual(200, answer.status)
        self.assertEqual(b"up\n", answer.read1(100))
        connection.close()

    def test_wrong_passwords_are_refused(self):
        for user, password in (("guest", "secret"), ("me", "look"), ("guest", ""), ("", "look")):
            with self.subTest(user):
                with self.assertRaises(xmlrpc.client.ProtocolError) as caught:
                    client(self.it, user, password).supervisor.getState()
                self.assertEqual(401, caught.exception.errcode)

    def test_supervisorctl(self):
        answer = self.it.ctl("-u", "guest", "-p", "look", "status")
        self.assertEqual(0, answer.code, answer.out)
        self.assertIn("RUNNING", answer.out)
        for action in ("stop a", "restart a", "clear a", "signal HUP a", "reread", "shutdown", "reload"):
            with self.subTest(action):
                answer = self.it.ctl("-u", "guest", "-p", "look", *action.split())
                self.assertIn("READ_ONLY", answer.out + answer.err)
                self.assertNotEqual(0, answer.code)

    def test_nothing_secret_is_logged(self):
        self.it.ctl("-u", "guest", "-p", "look", "status")
        for secret in ("secret", "look"):
            self.assertNotIn(secret, read(self.it.log))


class Mistakes(TestCase):
    def test_read_only_account_alone_is_refused(self):
        answer = self.refuse(unix={"readonly_username": "guest", "readonly_password": "look"})
        self.assertEqual(2, answer.code)
        self.assertIn("readonly_username without username", answer.err)

    def test_half_an_account_is_refused(self):
        answer = self.refuse(unix=dict(ACCOUNTS, readonly_password=None))
        self.assertIn("readonly_username and readonly_password must be given together", answer.err)


class Hashes(TestCase):
    """`me` has the password "secret", `guest` has "look", both hashed."""

    def status(self, daemon, user, password):
        """Of a client that comes again when it is told to."""

        def ask():
            connection = daemon.http()
            connection.request("GET", "/nothing", headers=authorization(user, password))
            answer = connection.getresponse()
            answer.read()
            connection.close()
            if answer.status == 429:
                self.assertEqual("1", answer.headers["Retry-After"])
                return None
            return answer.status

        return wait_for(ask, 30)

    def test_every_kind(self):
        for kind, (secret, look) in HASHES.items():
            with self.subTest(kind):
                daemon = self.prepare(unix=dict(ACCOUNTS, password=secret, readonly_password=look),
                                      directory=self.subdirectory(kind))
                with daemon:
                    self.assertEqual(404, self.status(daemon, "me", "secret"))
                    self.assertEqual(404, self.status(daemon, "guest", "look"))
                    self.assertEqual(401, self.status(daemon, "me", "look"))
                    self.assertEqual(401, self.status(daemon, "me", secret))

    def test_many_calls_cost_one_hash(self):
        daemon = self.daemon(unix={"username": "me", "password": DEAR})
        me = client(daemon, "me", "secret")
        begin = time.monotonic()
        me.supervisor.getState()
        first = time.monotonic() - begin
        begin = time.monotonic()
        for _ in range(100):
            me.supervisor.getState()
        self.assertLess(time.monotonic() - begin, 50 * first)

    def test_wrong_passwords_do_not_stall_the_daemon(self):
        daemon = self.daemon(unix={"username": "me", "password": DEAR})
        me = client(daemon, "me", "secret")
        me.supervisor.getState()
        statuses = []
        for guess in range(200):
            connection = daemon.http()
            connection.request("GET", "/nothing", headers=authorization("me", "guess%d" % guess))
            statuses.append(connection.getresponse().status)
            connection.close()
            self.assertEqual("RUNNING", me.supervisor.getState()["statename"])
        self.assertEqual({401, 429}, set(statuses))
        self.assertLess(statuses.count(401), 100)
