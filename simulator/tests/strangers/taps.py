"""Runs a Singer tap against the portal: the executable beside this Python, its requests sent elsewhere."""

import collections
import json
import os
import pathlib
import subprocess
import sys

ELSEWHERE = """
import requests
_send = requests.adapters.HTTPAdapter.send
def send(self, request, **rest):
    request.url = request.url.replace("https://api.hubapi.com", {base!r})
    return _send(self, request, **rest)
requests.adapters.HTTPAdapter.send = send
"""


class Tap:
    def __init__(self, base, work, name):
        self.work = pathlib.Path(work) / name
        self.work.mkdir(parents=True, exist_ok=True)
        (self.work / "sitecustomize.py").write_text(ELSEWHERE.format(base=base))
        self.environment = dict(os.environ, PYTHONPATH=str(self.work))
        self.command = pathlib.Path(sys.executable).with_name("tap-hubspot")

    def file(self, name, content):
        path = self.work / name
        path.write_text(json.dumps(content))
        return str(path)

    def run(self, *arguments):
        done = subprocess.run(
            [self.command, *arguments], env=self.environment, capture_output=True, text=True, timeout=280
        )
        if done.returncode != 0:
            sys.exit(f"{self.command} {' '.join(arguments)} failed:\n{done.stderr[-3000:]}")
        return done.stdout

    def discover(self, config):
        return json.loads(self.run("--config", self.file("config.json", config), "--discover"))

    def sync(self, config, catalog, option):
        """All records by stream."""
        arguments = ["--config", self.file("config.json", config), option, self.file("catalog.json", catalog)]
        records = collections.defaultdict(list)
        for line in self.run(*arguments).splitlines():
            message = json.loads(line)
            if message["type"] == "RECORD":
                records[message["stream"]].append(message["record"])
        return records
