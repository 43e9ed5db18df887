"""Ansible's module for supervisorctl, with our programs and with the original's: the same tasks, the same results."""

import json
import os

from harness import SUPERVISORCTL, SUPERVISORD, TestCase, actor, program, run, section, time_limit

MODULE = "community.general.supervisorctl"
NOTHING, CHANGED, FAILED = "nothing to do", "changed", "failed"

# (name, state, further arguments, what Ansible says of it)
TASKS = [
    ("one", "started", {}, NOTHING),
    ("one", "stopped", {}, CHANGED),
    ("one", "stopped", {}, NOTHING),
    ("one", "signalled", {"signal": "HUP"}, NOTHING),  # only what runs gets it
    ("one", "started", {}, CHANGED),
    ("one", "signalled", {"signal": "HUP"}, CHANGED),
    ("one", "signalled", {"signal": "NOPE"}, FAILED),
    ("one", "restarted", {}, CHANGED),
    ("broken", "started", {}, FAILED),
    ("nosuch", "started", {}, FAILED),
    ("nosuch", "restarted", {}, FAILED),
    ("nosuch", "absent", {}, NOTHING),
    ("nosuch", "present", {}, FAILED),
    ("g:", "stopped", {}, CHANGED),
    ("g:", "stopped", {}, NOTHING),
    ("g:", "started", {}, CHANGED),
    ("g:b", "restarted", {}, CHANGED),
    ("one", "absent", {}, FAILED),  # it runs
    "change",
    ("late", "present", {}, CHANGED),
    ("late", "present", {}, NOTHING),
    ("late", "started", {}, CHANGED),
    ("late", "stopped", {}, CHANGED),
    ("late", "absent", {}, CHANGED),
    ("late", "absent", {}, NOTHING),
    ("one", "restarted", {}, CHANGED),  # an update before it takes `broken` away
    ("broken", "absent", {}, NOTHING),
    ("all", "stopped", {}, CHANGED),
    ("all", "stopped", {}, NOTHING),
    ("all", "started", {}, CHANGED),
    ("one", "stopped", {"_ansible_check_mode": True}, CHANGED),
    ("one", "started", {}, NOTHING),  # it was only checked
    ("one", "stopped", {"server_url": "{url}", "username": "joe", "password": "wrong"}, FAILED),
    ("one", "stopped", {"server_url": "{url}", "username": "joe", "password": "secret"}, CHANGED),
]


def configuration(changed):
    return (program("one", actor("say_on=HUP", "hang")) + program("a", actor("hang")) + program("b", actor("hang")) +
            section("group:g", programs="a,b") +
            (program("late", actor("hang"), autostart="false") if changed else
             program("broken", "/nonexistent/program", autostart="false")))


def outcome(result):
    if result.get("failed"):
        return FAILED
    return CHANGED if result["changed"] else NOTHING


@time_limit(700)
class Ansible(TestCase):
    def playbook(self, daemon, supervisorctl):
        tasks = []
        for task in TASKS:
            if task == "change":
                tasks.append({"ansible.builtin.command": {"argv": ["cp", daemon.path + ".changed", daemon.path]}})
                continue
            name, state, further, _ = task
            arguments = {"name": name, "state": state, "supervisorctl_path": supervisorctl, "config": daemon.path}
            arguments.update((key, value.replace("{url}", "http://127.0.0.1:%d" % daemon.port))
                             for key, value in further.items() if not key.startswith("_"))
            tasks.append({MODULE: arguments, "ignore_errors": True,
                          "check_mode": further.get("_ansible_check_mode", False)})
        return [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}]

    def results(self, name, supervisord, supervisorctl):
        """What Ansible says of each task."""
        daemon = self.prepare(configuration(changed=True), self.subdirectory(name), binary=supervisord,
                              inet={"username": "joe", "password": "secret"})
        os.rename(daemon.path, daemon.path + ".changed")
        daemon.configure(configuration(changed=False))
        daemon.start()
        for program_name in ("one", "g:a", "g:b"):
            daemon.wait_state(program_name, "RUNNING")
        playbook = self.path(name + ".json")
        with open(playbook, "w", encoding="utf-8") as file:
            json.dump(self.playbook(daemon, supervisorctl), file)
        answer = run("/usr/bin/ansible-playbook", "-i", "localhost,", playbook, timeout=600, directory=self.dir,
                     environment={"ANSIBLE_STDOUT_CALLBACK": "json", "HOME": self.dir, "ANSIBLE_NOCOLOR": "1",
                                  "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3", "LC_ALL": "C.UTF-8"})
        self.assertTrue(answer.out.startswith("{"), answer.out + answer.err)
        played = json.loads(answer.out)["plays"][0]["tasks"]
        results = [task["hosts"]["localhost"] for task in played]
        self.assertEqual(len(TASKS), len(results), answer.err)
        return [(task, outcome(result), result.get("msg", "")) for task, result in zip(TASKS, results)
                if task != "change"]

    def check(self, *side):
        for task, outcome_of_task, message in self.results(*side):
            with self.subTest(task):
                self.assertEqual(task[3], outcome_of_task, message)

    def test_ours(self):
        self.check("ours", SUPERVISORD, SUPERVISORCTL)

    def test_original(self):
        """That what the tasks expect is true of the original."""
        self.check("original", "/usr/bin/supervisord", "/usr/bin/supervisorctl")
