"""The older Singer tap reads the portal by the older interfaces and ends with exactly the truth.

Its engagements are one stream, keyed by id alone. HubSpot's ids are unique within a type only, so a
loader that takes the key at its word keeps one of two; what is asserted is what the tap emits. Its
form submissions are those of the forms the old list of forms shows, which knows no captured and no
pop-up ones: a loss of the tap's (the same as airbytehq/airbyte issue 49140), not of the portal's.
"""

import json
import sys

import taps
from portal import KEY, Portal

base, work = sys.argv[1], sys.argv[2]
portal = Portal("older tap", base)
tap = taps.Tap(base, work, "older")
STREAMS = {
    "contacts", "companies", "deals", "engagements", "owners", "forms", "form_submissions", "deal_pipelines",
    "contacts_by_company", "tickets", "workflows", "contact_lists", "campaigns",
}
ENGAGEMENTS = {"EMAIL": "emails", "NOTE": "notes", "CALL": "calls", "MEETING": "meetings", "TASK": "tasks"}


def ids(records, key):
    return {str(record[key]) for record in records}


def read(who, credentials):
    config = {"start_date": "2020-01-01T00:00:00Z", "redirect_uri": "https://app.example/callback", **credentials}
    catalog = tap.discover(config)
    for stream in catalog["streams"]:
        for entry in stream["metadata"]:
            entry["metadata"]["selected"] = stream["tap_stream_id"] in STREAMS
    records = tap.sync(config, catalog, "-p")
    for stream, key in (("contacts", "id"), ("companies", "companyId"), ("deals", "dealId")):
        portal.check(f"{stream} {who}", ids(records[stream], key), portal.truth_ids(stream))
    for name, kind in ENGAGEMENTS.items():
        of_kind = [record for record in records["engagements"] if record["engagement"]["type"] == name]
        portal.check(f"{kind} {who}", ids(of_kind, "engagement_id"), portal.truth_ids(kind))
    listed = json.loads(portal.ask("/forms/v2/forms"))
    portal.check(f"forms {who}", ids(records["forms"], "guid"), {form["guid"] for form in listed})
    wanted = set()
    for form in listed:
        after = ""
        while after is not None:
            page = json.loads(portal.ask(f"/form-integrations/v1/submissions/forms/{form['guid']}?limit=50{after}"))
            wanted |= {submission["conversionId"] for submission in page["results"]}
            after = f"&after={page['paging']['next']['after']}" if "paging" in page else None
    portal.check(f"submissions {who}", ids(records["form_submissions"], "conversionId"), wanted)
    portal.check(f"pipelines {who}", len(records["deal_pipelines"]), 2)
    portal.check(f"owners {who}", len(records["owners"]), 9)
    pairs = {(str(row["company-id"]), str(row["contact-id"])) for row in records["contacts_by_company"]}
    portal.check(f"contacts by company {who}", pairs, ties())


def ties():
    pairs = set()
    for company in portal.truth_ids("companies"):
        record = json.loads(portal.ask(f"/__sim/truth/record?type=companies&id={company}"))
        pairs |= {(company, contact) for contact in record["contacts"]}
    return pairs


def consent():
    """A refresh token, given by the person at the consent page."""
    scopes = "oauth crm.objects.contacts.read crm.objects.companies.read crm.objects.deals.read sales-email-read forms crm.objects.owners.read"
    app = {"client_id": "sim-client-id", "client_secret": "sim-client-secret", "redirect_uri": "https://app.example/callback"}
    code = portal.approve({**app, "scope": scopes})
    answer = portal.form("/oauth/2026-03/token", {**app, "grant_type": "authorization_code", "code": code})
    return {**app, "refresh_token": json.loads(answer)["refresh_token"]}


read("by key", {"api_key": KEY})
read("by consent", consent())
