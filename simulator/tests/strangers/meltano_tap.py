"""The Singer tap built on the Meltano SDK reads the portal, by list and by search, to exactly the truth.

The tap's address is a constant, so a module Python loads at its start points it at the portal.
"""

import collections
import json
import os
import pathlib
import subprocess
import sys
import urllib.request

base, work = sys.argv[1], pathlib.Path(sys.argv[2])
tap = pathlib.Path(sys.executable).with_name("tap-hubspot")
key = "pat-na1-51300000-0000-4000-8000-000000000001"
streams = {"contacts", "companies", "deals", "emails", "notes", "calls", "meetings", "tasks"}

(work / "sitecustomize.py").write_text(
    "import requests\n"
    "_send = requests.adapters.HTTPAdapter.send\n"
    "def send(self, request, **rest):\n"
    f"    request.url = request.url.replace('https://api.hubapi.com', '{base}')\n"
    "    return _send(self, request, **rest)\n"
    "requests.adapters.HTTPAdapter.send = send\n"
)
environment = dict(os.environ, PYTHONPATH=str(work))


def run(*arguments):
    done = subprocess.run([tap, *arguments], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def read(mode, config):
    file = work / "config.json"
    file.write_text(json.dumps(config))
    catalog = json.loads(run("--config", str(file), "--discover"))
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
    chosen = work / "catalog.json"
    chosen.write_text(json.dumps(catalog))
    ids = collections.defaultdict(set)
    for line in run("--config", str(file), "--catalog", str(chosen)).splitlines():
        message = json.loads(line)
        if message["type"] == "RECORD":
            ids[message["stream"]].add(str(message["record"]["id"]))
    for stream in sorted(streams):
        truth = set(urllib.request.urlopen(f"{base}/__sim/truth/ids?type={stream}").read().decode().split())
        print(f"meltano tap by {mode}: {stream}: {len(ids[stream])}")
        assert ids[stream] == truth, f"{stream}: {len(ids[stream])} instead of {len(truth)}"


read("list", {"access_token": key})
read("search", {"access_token": key, "start_date": "2020-01-01T00:00:00Z"})
