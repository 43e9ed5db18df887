"""The web pages by plain HTTP: addresses, the links with ?action=, what they do and what they say."""

import http.client
import urllib.parse

from harness import TestCase, actor, differs, program, read, section, wait_for


class Pages(TestCase):
    def serve(self, config=None, **options):
        self.it = self.daemon(program("a", actor("print=hello", "hang")) if config is None else config, inet=True,
                              **options)
        return self.it

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.it.port, timeout=30)
        self.addCleanup(connection.close)
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode(errors="replace")

    def get(self, path):
        return self.request("GET", path)[2]

    def message(self, **query):
        """What the answer to an action says, which is in the address that it leads to."""
        status, headers, _ = self.request("GET", "/index.html?" + urllib.parse.urlencode(query))
        self.assertEqual(301, status)
        address = urllib.parse.urlsplit(headers["Location"])
        self.assertTrue(address.query.startswith("message="), address)
        return urllib.parse.parse_qs(address.query)["message"][0]

    def state(self, name="a"):
        return self.it.info(name)["statename"]


class Addresses(Pages):
    def test_the_table_is_at_the_root_and_at_index_html(self):
        self.serve()
        self.it.wait_state("a", "RUNNING")
        for path in ("/", "/index.html"):
            status, headers, page = self.request("GET", path)
            self.assertEqual((200, "text/html;charset=utf-8"), (status, headers["Content-Type"]))
            self.assertIn("tail.html?processname=a", page)
            self.assertIn("pid %d, uptime" % self.it.info("a")["pid"], page)

    def test_a_process_of_a_group_is_linked_by_both_names(self):
        self.serve(program("a", actor("hang"), process_name="x%(process_num)d", numprocs=2))
        page = self.get("/")
        for name in ("a%3Ax0", "a%3Ax1"):
            self.assertIn("tail.html?processname=" + name, page)

    def test_a_message_is_shown_as_text(self):
        self.serve()
        page = self.get("/?message=" + urllib.parse.quote("<b>well & good"))
        self.assertNotIn("<b>well", page)
        self.assertIn("&lt;b", page)

    def test_ok_html(self):
        self.serve()
        self.assertEqual(200, self.request("GET", "/ok.html")[0])

    @differs("HEAD is answered as GET without the page")
    def test_head(self):
        self.serve()
        status, headers, body = self.request("HEAD", "/")
        self.assertEqual((200, ""), (status, body))
        self.assertGreater(int(headers["Content-Length"]), 0)


class Tail(Pages):
    def test_the_end_of_the_log(self):
        self.serve(program("a", actor("print=first", "print=<last & least>", "hang")))
        wait_for(lambda: "least" in self.get("/tail.html?processname=a"))
        page = self.get("/tail.html?processname=a")
        self.assertIn("first\n", page)
        self.assertIn("&lt;last &amp; least", page)
        self.assertNotIn("<last", page)

    def test_1024_bytes_unless_told_otherwise(self):
        self.serve(program("a", actor("print=begin" + "x" * 2000 + "end", "hang")))
        wait_for(lambda: "xend" in self.get("/tail.html?processname=a"))
        self.assertNotIn("begin", self.get("/tail.html?processname=a"))
        self.assertNotIn("begin", self.get("/tail.html?processname=a&limit=2"))
        self.assertIn("begin", self.get("/tail.html?processname=a&limit=4096"))

    def test_unknown_process(self):
        self.serve()
        status, _, page = self.request("GET", "/tail.html?processname=nope")
        self.assertEqual(200, status)
        self.assertIn("ERROR: unexpected rpc fault [10] BAD_NAME: nope", page)

    def test_without_a_process(self):
        self.serve()
        self.assertIn("No process name found", self.get("/tail.html"))

    @differs("`tail.html` shows the log of stderr")
    def test_stderr_and_the_activity_log(self):
        self.serve(program("a", actor("error=trouble", "hang")))
        wait_for(lambda: "trouble" in self.get("/tail.html?processname=a&log=stderr"))
        self.assertNotIn("trouble", self.get("/tail.html?processname=a&log=stdout"))
        self.assertIn("supervisord started with pid", self.get("/tail.html?log=main"))
        self.assertEqual(404, self.request("GET", "/tail.html?log=other")[0])


class Actions(Pages):
    def test_refresh(self):
        self.serve()
        self.assertRegex(self.message(action="refresh"),
                         r"^Page refreshed at \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$")

    def test_stop_and_start(self):
        self.serve()
        self.it.wait_state("a", "RUNNING")
        self.assertEqual("Process a stopped", self.message(action="stop", processname="a"))
        self.assertEqual("STOPPED", self.state())
        self.assertEqual("Process a started", self.message(action="start", processname="a"))
        self.assertEqual("RUNNING", self.state())

    def test_the_answer_waits_for_the_end(self):
        self.serve(program("a", actor("hang"), startsecs=2, autostart="false"))
        self.assertEqual("Process a started", self.message(action="start", processname="a"))
        self.assertEqual("RUNNING", self.state())

    def test_restart(self):
        self.serve()
        before = self.it.wait_state("a", "RUNNING")["pid"]
        self.assertEqual("Process a restarted", self.message(action="restart", processname="a"))
        self.assertNotEqual(before, self.it.wait_state("a", "RUNNING")["pid"])

    def test_restart_of_one_that_does_not_run(self):
        self.serve(program("a", actor("hang"), autostart="false"))
        self.assertEqual("Process a restarted", self.message(action="restart", processname="a"))
        self.assertEqual("RUNNING", self.state())

    def test_all(self):
        self.serve(program("a", actor("hang")) + program("b", actor("hang")))
        for name in "ab":
            self.it.wait_state(name, "RUNNING")
        self.assertRegex(self.message(action="stopall"), r"^All stopped at \w{3} ")
        self.assertEqual(["STOPPED"] * 2, [self.state(name) for name in "ab"])
        self.assertRegex(self.message(action="restartall"), r"^All restarted at \w{3} ")
        self.assertEqual(["RUNNING"] * 2, [self.state(name) for name in "ab"])

    def test_clear_log(self):
        self.serve(program("a", actor("print=hello", "hang"), stdout_logfile=self.path("out")))
        wait_for(lambda: read(self.path("out")))
        self.assertEqual("Log for a cleared", self.message(action="clearlog", processname="a"))
        self.assertEqual("", read(self.path("out")))

    def test_what_cannot_be_done(self):
        self.serve(program("a", actor("hang"), autostart="false") + program("none", "/nowhere/x", autostart="false") +
                   program("early", actor("exit=1"), startsecs=5, startretries=0, autostart="false") +
                   program("plain", "/etc/passwd", autostart="false") + program("b", actor("hang")))
        self.it.wait_state("b", "RUNNING")
        said = {
            ("stop", "a"): "unexpected rpc fault [70] NOT_RUNNING: a",
            ("start", "b"): "ERROR: Process b: already started",
            ("start", "none"): "ERROR: Process none: no such file",
            ("start", "plain"): "ERROR: Process plain: file not executable",
            ("start", "early"): "ERROR: Process early: spawn error",
            ("start", "nope"): "No such process named nope",
            ("stop", "nope"): "No such process named nope",
            ("restart", "nope"): "No such process named nope",
            ("clearlog", "nope"): "No such process named nope",
        }
        for (action, name), text in said.items():
            with self.subTest(action=action, name=name):
                self.assertEqual(text, self.message(action=action, processname=name))

    def test_a_form(self):
        self.serve()
        self.it.wait_state("a", "RUNNING")
        self.request("POST", "/index.html", "action=stop&processname=a",
                     {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual("STOPPED", self.state())


class OursAlone(Pages):
    """What the original's pages have not."""

    @differs("An unknown action, or one without the name that it needs, answers 400")
    def test_bad_requests(self):
        self.serve()
        self.it.wait_state("a", "RUNNING")
        for query in ("action=nope&processname=a", "action=stop", "action=stop&processname=", "action=stopgroup"):
            with self.subTest(query):
                self.assertEqual(400, self.request("GET", "/index.html?" + query)[0])
        self.assertEqual("RUNNING", self.state())

    @differs("There are actions for groups")
    def test_groups(self):
        self.serve(program("a", actor("hang"), process_name="x%(process_num)d", numprocs=2) +
                   program("bad", "/nowhere/x", autostart="false", startretries=0) +
                   section("group:g", programs="bad"))
        for name in ("a:x0", "a:x1"):
            self.it.wait_state(name, "RUNNING")
        self.assertEqual("Group a stopped", self.message(action="stopgroup", groupname="a"))
        self.assertEqual(["STOPPED"] * 2, [self.state(name) for name in ("a:x0", "a:x1")])
        self.assertEqual("Group a restarted", self.message(action="restartgroup", groupname="a"))
        self.assertEqual("Group g started (1 failed)", self.message(action="startgroup", groupname="g"))
        self.assertEqual("No such process named nope", self.message(action="startgroup", groupname="nope"))

    @differs("Buttons send POST and are answered with 303.")
    def test_a_form_leads_to_the_page(self):
        self.serve()
        status, headers, _ = self.request("POST", "/index.html?action=refresh", "")
        self.assertEqual(303, status)
        self.assertTrue(headers["Location"].startswith("./?message=Page%20refreshed"), headers["Location"])
        status, headers, _ = self.request("GET", "/?action=refresh", headers={"Host": "evil.example"})
        self.assertEqual(301, status)
        self.assertNotIn("evil", headers["Location"])

    @differs("A client that accepts plain text alone gets the message")
    def test_message_alone(self):
        self.serve()
        self.it.wait_state("a", "RUNNING")
        plain = {"Accept": "text/plain"}
        self.assertEqual((200, "Process a stopped"),
                         self.request("POST", "/?action=stop&processname=a", "", plain)[::2])
        self.assertEqual((409, "unexpected rpc fault [70] NOT_RUNNING: a"),
                         self.request("POST", "/?action=stop&processname=a", "", plain)[::2])

    @differs("The table of processes has filters, and says how many are in which state")
    def test_counts(self):
        self.serve(program("a", actor("hang"), numprocs=3, process_name="a%(process_num)d") +
                   program("b", actor("hang"), autostart="false"))
        for number in range(3):
            self.it.wait_state("a:a%d" % number, "RUNNING")
        self.assertIn(">1 stopped, 3 running</p>", self.get("/"))

    @differs("neither works when a browser says that another site made it send the request (403)")
    def test_other_sites(self):
        self.serve()
        self.it.wait_state("a", "RUNNING")
        other = ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
                 {"Origin": "http://evil.example"}, {"Origin": "null"})
        for headers in other:
            for method in ("GET", "POST"):
                with self.subTest(method=method, headers=headers):
                    status, _, text = self.request(method, "/index.html?action=stop&processname=a",
                                                   "" if method == "POST" else None, headers)
                    self.assertEqual(403, status)
                    self.assertIn("other sites", text)
        self.assertEqual("RUNNING", self.state())
        silent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"}
        for headers in (silent, {"Referer": "http://evil.example/"}):
            with self.subTest(headers=headers):
                self.assertEqual(403, self.request("GET", "/?action=stop&processname=a", None, headers)[0])
        self.assertEqual("RUNNING", self.state())
        own = {"Sec-Fetch-Site": "same-origin", "Origin": "http://127.0.0.1:%d" % self.it.port}
        self.assertEqual(303, self.request("POST", "/index.html?action=stop&processname=a", "", own)[0])
        self.assertEqual(301, self.request("GET", "/?action=start&processname=a", None, {"Sec-Fetch-Site": "none"})[0])
        silent["Referer"] = "http://127.0.0.1:%d/" % self.it.port
        self.assertEqual(301, self.request("GET", "/?action=stop&processname=a", None, silent)[0])

    @differs("HEAD is answered as GET without the page (original: 404), and never acts.")
    def test_HEAD_does_nothing(self):
        self.serve()
        self.it.wait_state("a", "RUNNING")
        self.assertEqual(200, self.request("HEAD", "/?action=stop&processname=a")[0])
        self.assertEqual("RUNNING", self.state())

    @differs("Pages tell browsers what they may do with them")
    def test_headers(self):
        self.serve()
        _, headers, page = self.request("GET", "/")
        self.assertIn("default-src 'none'", headers["Content-Security-Policy"])
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
        self.assertEqual("no-store", headers["Cache-Control"])
        for path in ("/", "/nope", "/?action=refresh", "/static/live.js", "/logtail/a", "/mainlogtail"):
            self.assertEqual("nosniff", self.request("HEAD", path)[1]["X-Content-Type-Options"], path)
        self.assertNotIn("unsafe", headers["Content-Security-Policy"])
        self.assertNotIn("<style", page)
        self.assertNotRegex(page, r"<script(?! src=)")

    @differs("Assets are below `/static/`.")
    def test_assets(self):
        self.serve()
        page = self.get("/")
        for name, kind in (("style.css", "text/css"), ("live.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
            address = page[page.index("static/" + name):].split('"')[0]
            status, headers, body = self.request("GET", "/" + address)
            self.assertEqual(200, status)
            self.assertTrue(headers["Content-Type"].startswith(kind), headers["Content-Type"])
            self.assertIn("immutable", headers["Cache-Control"])
            self.assertTrue(body)
        for path in ("/static/", "/static/nope", "/static/../index.html", "/static/%2e%2e/x"):
            self.assertEqual(404, self.request("GET", path)[0], path)

    @differs("a second account that may look and not touch")
    def test_readonly_account(self):
        self.it = self.daemon(program("a", actor("hang")),
                              inet={"username": "u", "password": "p", "readonly_username": "r",
                                    "readonly_password": "q"})
        self.it.wait_state("a", "RUNNING")
        looks = {"Authorization": "Basic cjpx"}
        status, _, page = self.request("GET", "/", None, looks)
        self.assertEqual(200, status)
        self.assertNotIn("<button", page)
        self.assertEqual(403, self.request("POST", "/?action=stop&processname=a", "", looks)[0])
        self.assertEqual(301, self.request("GET", "/?action=refresh", None, looks)[0])
        self.assertEqual("RUNNING", self.state())
        self.assertEqual(401, self.request("GET", "/")[0])
        self.assertEqual(401, self.request("GET", "/static/live.js")[0])
