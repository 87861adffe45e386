"""The Singer tap built on the Meltano SDK reads the portal, by list and by search, to exactly the truth.

The tap's address is a constant, so a module Python loads at its start points it at the portal. It asks
search for every property there is: with 200 of the account's own its request is longer than the 3,000
characters HubSpot's guide allows, and it ends with that 400. So its portal has none of them.
"""

import sys

import taps
from portal import KEY, TYPES, Portal

base, work = sys.argv[1], sys.argv[2]
portal = Portal("Meltano tap", base)
tap = taps.Tap(base, work, "meltano")


def read(mode, config):
    catalog = tap.discover(config)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = stream["tap_stream_id"] in TYPES
    records = tap.sync(config, catalog, "--catalog")
    for stream in TYPES:
        ids = {str(record["id"]) for record in records[stream]}
        portal.check(f"{stream} by {mode}", ids, portal.truth_ids(stream))


read("list", {"access_token": KEY})
read("search", {"access_token": KEY, "start_date": "2020-01-01T00:00:00Z"})
