"""The web pages in a real browser, on a real daemon: live, without scripts, by keyboard, on a phone, under attack."""

import http.server
import os
import signal
import threading
import urllib.parse

from harness import TestCase, actor, alone, program, time_limit, wait_for
from webdriver import Browser, Key

SCREENSHOTS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))),
                           "test-output", "screenshots")


def row(name):
    return 'tr.process[data-name="%s"]' % name


def button(name, action):
    return '%s button[value="%s"]' % (row(name), action)


class OtherSite(http.server.ThreadingHTTPServer):
    """A web site with one page."""

    def __init__(self, page):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(page.encode())

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class PageTest(TestCase):
    def browser(self, **options):
        browser = Browser(self.dir, **options)
        self.addCleanup(browser.close)
        return browser

    def address(self, daemon, path=""):
        return "http://127.0.0.1:%d/%s" % (daemon.port, path)

    def serve(self, config, **options):
        return self.daemon(config, **dict({"inet": True}, **options))

    def open(self, daemon, path="", **options):
        """A browser with a page that has become live."""
        browser = self.browser(**options)
        browser.open(self.address(daemon, path))
        if options.get("scripts", True):
            browser.wait_text("#connection", "^Live$")
        return browser

    def wait_shown(self, browser, name, state):
        wait_for(lambda: browser.text(row(name) + " .state") == state, what="%s shown as %s" % (name, state))

    def assertNoSidewaysScrolling(self, browser):
        self.assertLessEqual(browser.run("return document.documentElement.scrollWidth"),
                             browser.run("return document.documentElement.clientWidth"))


@alone
class Live(PageTest):
    def test_buttons_act_in_place(self):
        daemon = self.serve(program("a", actor("hang")))
        browser = self.open(daemon)
        browser.run("window.here = true")
        self.wait_shown(browser, "a:a", "RUNNING")
        self.assertFalse(browser.find(button("a:a", "start")).is_shown())

        browser.find(button("a:a", "stop")).click()
        self.wait_shown(browser, "a:a", "STOPPED")
        self.assertEqual("STOPPED", daemon.state("a"))
        browser.wait_text("#states", "^1 stopped$")
        browser.wait_text("#message", "a")
        self.assertFalse(browser.find(button("a:a", "stop")).is_shown())

        browser.find(button("a:a", "start")).click()
        self.wait_shown(browser, "a:a", "RUNNING")
        first = daemon.info("a")["pid"]

        browser.find(button("a:a", "restart")).click()
        pid = wait_for(lambda: (lambda now: now if now not in (0, first) else None)(daemon.info("a")["pid"]))
        browser.wait_text(row("a:a") + " .description", "pid %d, uptime" % pid)
        self.assertTrue(browser.run("return window.here"), "the page has been loaded again")

    def test_a_group_is_stopped_and_started(self):
        daemon = self.serve(program("w", actor("hang"), numprocs=3, process_name="w_%(process_num)d"))
        browser = self.open(daemon)
        for action, state in ("stopgroup", "STOPPED"), ("startgroup", "RUNNING"):
            browser.find('tr.group[data-group="w"] button[value="%s"]' % action).click()
            for name in "w:w_0", "w:w_1", "w:w_2":
                self.wait_shown(browser, name, state)
                self.assertEqual(state, daemon.state(name))

    def test_what_happens_elsewhere_is_shown(self):
        daemon = self.serve(program("a", actor("hang")) + program("b", "/no/such/file"))
        browser = self.open(daemon)
        self.wait_shown(browser, "b:b", "FATAL")
        wait_for(lambda: browser.title.startswith("1 FATAL"), what="the trouble in the title")
        os.kill(daemon.info("a")["pid"], signal.SIGKILL)
        self.wait_shown(browser, "a:a", "EXITED")

    def test_groups_come_and_go(self):
        daemon = self.serve(program("a", actor("hang")))
        browser = self.open(daemon)
        daemon.configure(program("a", actor("hang")) + program("b", actor("hang")))
        daemon.supervisor.reloadConfig()
        daemon.supervisor.addProcessGroup("b")
        self.wait_shown(browser, "b:b", "RUNNING")
        daemon.supervisor.stopProcess("b")
        daemon.supervisor.removeProcessGroup("b")
        wait_for(lambda: not browser.find_all(row("b:b")), what="b to go")

    def test_uptime_and_usage_are_shown(self):
        daemon = self.serve(program("a", actor("hang")))
        browser = self.open(daemon)
        description = row("a:a") + " .description"
        first = browser.wait_text(description, "uptime")
        wait_for(lambda: browser.text(description) != first, what="the uptime to go on")
        browser.wait_text(row("a:a") + " .cpu", r"^\d+\.\d %$")
        browser.wait_text(row("a:a") + " .memory", r"^[\d.]+ [KM]iB$")

    def test_a_daemon_that_was_away_is_found_again(self):
        daemon = self.serve(program("a", actor("hang")))
        browser = self.open(daemon)
        daemon.stop()
        browser.wait_text("#connection", "lost")
        daemon.configure(program("a", actor("hang")) + program("b", actor("hang")))
        daemon.start()
        browser.wait_text("#connection", "^Live$", 20)
        self.wait_shown(browser, "b:b", "RUNNING")

    def test_filter_and_folding(self):
        daemon = self.serve(program("web", actor("hang"), numprocs=3, process_name="web_%(process_num)d") +
                            program("mail", actor("hang"), autostart="false"))
        browser = self.open(daemon)

        def shown():
            return [one.attribute("data-name") for one in browser.find_all("tr.process") if one.is_shown()]

        browser.find("#filter").type("mail")
        self.assertEqual(["mail:mail"], wait_for(lambda: shown() if len(shown()) == 1 else None))
        browser.press(Key.ESCAPE)
        self.assertEqual(4, len(shown()))
        browser.run("const s = document.querySelector('#state-filter'); s.value = 'STOPPED';"
                    "s.dispatchEvent(new Event('input'))")
        self.assertEqual(["mail:mail"], shown())
        browser.reload()
        browser.find('tr.group[data-group="web"] .fold').click()
        self.assertNotIn("web:web_0", shown())
        browser.reload()
        browser.find('tr.group[data-group="web"] .fold[aria-expanded="false"]')
        self.assertNotIn("web:web_0", shown())


@alone
class Reach(PageTest):
    def test_by_keyboard_alone(self):
        daemon = self.serve(program("a", actor("hang")) + program("b", actor("hang")))
        browser = self.open(daemon)
        browser.press("/")
        self.assertEqual("filter", browser.focused().attribute("id"))
        browser.focused().type("b:b")

        def on_the_button():
            browser.press(Key.TAB)
            return browser.run("const e = document.activeElement;"
                               "return e.value === 'stop' && e.closest('tr').dataset.name === 'b:b'")

        wait_for(on_the_button, what="the button to be reached by Tab")
        self.assertNotEqual("none", browser.run("return getComputedStyle(document.activeElement).outlineStyle"))
        browser.press(Key.ENTER)
        daemon.wait_state("b", "STOPPED")
        self.assertEqual("RUNNING", daemon.state("a"))

    def test_without_scripts(self):
        daemon = self.serve(program("a", actor("print=said", "hang")))
        daemon.wait_stdout("a", "said")
        browser = self.open(daemon, scripts=False)
        self.assertFalse(browser.find("#filter").is_shown())
        browser.find(button("a:a", "stop")).click()
        daemon.wait_state("a", "STOPPED")
        browser.wait_text("#message", "a")
        browser.find(button("a:a", "start")).click()
        daemon.wait_state("a", "RUNNING")
        browser.wait_text(row("a:a") + " .state", "RUNNING|STARTING")
        browser.find(row("a:a") + " .name a").click()
        browser.wait_text("#log", "said")

    def test_on_a_phone(self):
        daemon = self.serve(program("a-program-with-quite-a-long-name-as-some-have", actor("hang")) +
                            program("b", "/no/such/directory/with/a/long/name/and/no/program"))
        browser = self.open(daemon)
        browser.be_phone()
        browser.reload()
        browser.wait_text("#connection", "^Live$")
        self.assertNoSidewaysScrolling(browser)
        small = browser.run("return [...document.querySelectorAll('button, input, select')].filter(e => "
                            "e.offsetHeight > 0 && e.offsetHeight < 44).map(e => e.outerHTML)")
        self.assertEqual([], small)
        browser.open(self.address(daemon, "tail.html?processname=b"))
        browser.find("#log")
        self.assertNoSidewaysScrolling(browser)

    def test_dark_and_light_can_be_read(self):
        daemon = self.serve(program("a", actor("hang")))
        browser = self.open(daemon)
        for scheme, is_dark in ("light", False), ("dark", True):
            browser.prefer(color_scheme=scheme)
            page, text = browser.run("""
                const light = (color) => color.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
                const style = getComputedStyle(document.body);
                return [light(style.backgroundColor), light(style.color)];""")
            self.assertEqual(is_dark, page < text)
            self.assertGreater(abs(page - text), 400)

    def test_who_may_only_look_has_no_buttons(self):
        daemon = self.serve(program("a", actor("hang")), inet={"username": "u", "password": "p",
                                                               "readonly_username": "r", "readonly_password": "q"})
        browser = self.browser()
        browser.open("http://r:q@127.0.0.1:%d/" % daemon.port)
        self.assertEqual("RUNNING", browser.wait_text(row("a:a") + " .state", "."))
        self.assertEqual([], browser.find_all(".actions button"))
        browser.open("http://u:p@127.0.0.1:%d/" % daemon.port)
        browser.find(button("a:a", "stop")).click()  # from an address with a password, which fetch() does not take
        daemon.wait_state("a", "STOPPED")

    def test_nothing_injected_is_run(self):
        attack = "<img src=x onerror=window.hit=1><script>window.hit=1</script>"
        name = '"onmouseover="hit=1"><b>'
        daemon = self.serve(program("a", actor("print=" + attack, "hang")) +
                            program(name, "/no/<script>window.hit=1</script>"))
        daemon.wait_stdout("a", "onerror")
        browser = self.open(daemon, "?" + urllib.parse.urlencode({"message": attack}))
        self.assertEqual(attack, browser.text("#message"))
        wait_for(lambda: len(browser.find_all("tr.process")) == 2)
        self.assertIn(name + ":" + name, [one.attribute("data-name") for one in browser.find_all("tr.process")])
        self.assertEqual([], browser.find_all("#processes b, #processes script, #processes [onmouseover], img"))
        self.assertFalse(browser.run("return 'hit' in window"))
        browser.open(self.address(daemon, "tail.html?processname=a"))
        browser.wait_text("#log", "<script>window.hit=1</script>")
        self.assertEqual([], browser.find_all("#log img, #log script"))
        self.assertFalse(browser.run("return 'hit' in window"))


@alone
class OtherSites(PageTest):
    """What another site makes a browser send, to a daemon whose address is not that of the browser's own machine."""

    NAMES = ["--host-resolver-rules=MAP *.example 127.0.0.1"]

    def visit(self, page):
        """A browser at the page of another site, once it has loaded whatever that embeds."""
        self.it = self.serve(program("a", actor("hang")))
        self.it.wait_state("a", "RUNNING")
        site = OtherSite(page.replace("DAEMON", "http://box.example:%d" % self.it.port))
        self.addCleanup(site.close)
        browser = self.browser(switches=self.NAMES)
        browser.open("http://other.example:%d/" % site.server_port)
        return browser

    def test_links_with_actions_do_nothing(self):
        browser = self.visit('<img src="DAEMON/?action=stop&processname=a">'
                             '<img src="DAEMON/?action=stop&processname=a" referrerpolicy="no-referrer">'
                             '<a id="link" href="DAEMON/?action=stop&processname=a" rel="noreferrer">x</a>')
        browser.find("#link").click()
        browser.wait_text("body", "403")
        self.assertEqual("RUNNING", self.it.state("a"))

    def test_forms_do_nothing(self):
        browser = self.visit('<form method="post" action="DAEMON/?action=stop&processname=a">'
                             '<button id="send">x</button></form>')
        browser.find("#send").click()
        browser.wait_text("body", "403")
        self.assertEqual("RUNNING", self.it.state("a"))

    def test_the_own_page_acts_under_that_name(self):
        for scripts in (True, False):
            with self.subTest(scripts=scripts):
                self.it = self.serve(program("a", actor("hang")), directory=self.subdirectory("scripts%d" % scripts))
                self.it.wait_state("a", "RUNNING")
                browser = self.browser(switches=self.NAMES, scripts=scripts)
                browser.open("http://box.example:%d/" % self.it.port)
                browser.find(button("a:a", "stop")).click()
                browser.wait_text("#message", "Process a stopped")
                self.assertEqual("STOPPED", self.it.state("a"))
                browser.close()


@alone
class Log(PageTest):
    def speaker(self, **options):
        """A program that copies what it is told on its standard input."""
        return self.serve(program("a", "/bin/cat", **options))

    def test_is_followed(self):
        daemon = self.speaker()
        daemon.supervisor.sendProcessStdin("a", "first\n")
        daemon.wait_stdout("a", "first")
        browser = self.open(daemon, "tail.html?processname=a")
        daemon.supervisor.sendProcessStdin("a", "second\nthi")
        browser.wait_text("#log", "second")
        daemon.supervisor.sendProcessStdin("a", "rd\n")
        browser.wait_text("#log", "third")
        self.assertEqual(["first", "second", "third"],
                         browser.run("return [...document.querySelectorAll('#log div')].map(e => e.textContent)"))

    def test_stops_following_when_scrolled_up(self):
        daemon = self.speaker()
        daemon.supervisor.sendProcessStdin("a", "".join("line %d\n" % number for number in range(200)))
        daemon.wait_stdout("a", "line 199")
        browser = self.open(daemon, "tail.html?processname=a&limit=10000")
        at_end = "const l = document.querySelector('#log'); return l.scrollHeight - l.scrollTop - l.clientHeight < 24"
        wait_for(lambda: browser.run(at_end), what="the end to be shown")
        browser.run("document.querySelector('#log').scrollTop = 0")
        wait_for(lambda: not browser.run("return document.querySelector('#follow').checked"))
        daemon.supervisor.sendProcessStdin("a", "last\n")
        browser.wait_text("#log", "last")
        self.assertFalse(browser.run(at_end))
        browser.find("#follow").click()
        self.assertTrue(browser.run(at_end))

    def test_lines_are_filtered(self):
        daemon = self.speaker()
        browser = self.open(daemon, "tail.html?processname=a")
        browser.find("#filter").type("error")
        daemon.supervisor.sendProcessStdin("a", "all is well\nan ERROR here\nwell again\n")
        browser.wait_text("#log", "again")
        self.assertEqual("an ERROR here", browser.find("#log").text)

    def test_survives_rotation(self):
        daemon = self.speaker(stdout_logfile_maxbytes=500, stdout_logfile_backups=1)
        browser = self.open(daemon, "tail.html?processname=a")
        for number in range(30):
            daemon.supervisor.sendProcessStdin("a", "line %02d, long enough to make logs rotate\n" % number)
            browser.wait_text("#log", "line %02d" % number)
        self.assertEqual(30, browser.run("return document.querySelectorAll('#log div').length"))
        self.assertTrue(os.path.exists(daemon.info("a")["stdout_logfile"] + ".1"))

    def test_is_cleared(self):
        daemon = self.speaker()
        daemon.supervisor.sendProcessStdin("a", "before\n")
        daemon.wait_stdout("a", "before")
        browser = self.open(daemon, "tail.html?processname=a")
        browser.wait_text("#log", "before")
        browser.find('button[value^="clear"]').click()
        wait_for(lambda: browser.text("#log") == "", what="an empty view")
        self.assertEqual("", daemon.stdout("a"))
        daemon.supervisor.sendProcessStdin("a", "after\n")
        browser.wait_text("#log", "^after$")


@alone
class Looks(PageTest):
    """Screenshots, to be looked at: test-output/screenshots/."""

    def many(self, number):
        names = ["web", "worker", "mail", "queue", "report"]
        parts = [program(name, actor("print=ready", "hang"), numprocs=number // len(names) - 1,
                         process_name="%s_%%(process_num)02d" % name) for name in names]
        parts += [program("backup", actor("hang"), autostart="false"), program("broken", "/no/such/program"),
                  program("done", actor("exit=0")), program("slow", actor("hang"), startsecs=3600),
                  program("chatter", actor(*["print=line %d of a log that is long enough to be worth reading" % number
                                             for number in range(40)], "hang"))]
        return "".join(parts)

    def shoot(self, browser, name):
        os.makedirs(SCREENSHOTS, exist_ok=True)
        for scheme in "light", "dark":
            browser.prefer(color_scheme=scheme)
            for width, choose in ("desktop", browser.be_desktop), ("phone", browser.be_phone):
                choose()
                browser.screenshot(os.path.join(SCREENSHOTS, "%s-%s-%s.png" % (name, width, scheme)))
                self.assertNoSidewaysScrolling(browser)
            browser.be_desktop()

    @time_limit(90)
    def test_thirty_and_five_hundred_processes(self):
        for number in 30, 500:
            daemon = self.daemon(self.many(number), inet=True, directory=self.subdirectory(str(number)))
            daemon.wait_state("broken", "FATAL", timeout=20)
            browser = self.open(daemon)
            self.assertEqual(number, len(browser.find_all("tr.process")))
            self.shoot(browser, "index-%d" % number)
            browser.open(self.address(daemon, "tail.html?processname=chatter"))
            browser.wait_text("#log", "line 39")
            self.shoot(browser, "tail-%d" % number)
            browser.close()
            daemon.stop()
