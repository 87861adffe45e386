"""What every stranger written in Python needs of the portal it reads: the key, the truth, a verdict."""

import http.client
import json
import sys
import urllib.parse
import urllib.request

KEY = "pat-na1-51300000-0000-4000-8000-000000000001"
TYPES = ["contacts", "companies", "deals", "emails", "notes", "calls", "meetings", "tasks"]


class Portal:
    def __init__(self, who, base):
        self.who, self.base = who, base

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
        request = urllib.request.Request(self.base + path, data=data, headers=headers)
        with urllib.request.urlopen(request) as answer:
            return answer.read().decode()

    def form(self, path, fields):
        body = urllib.parse.urlencode(fields).encode()
        with urllib.request.urlopen(self.base + path, data=body) as answer:
            return answer.read().decode()

    def approve(self, fields):
        """The code a consent leads to; the browser's redirect is read and not followed."""
        host = urllib.parse.urlsplit(self.base).netloc
        connection = http.client.HTTPConnection(host)
        body = urllib.parse.urlencode({**fields, "decision": "approve"})
        connection.request("POST", "/oauth/authorize/decision", body, {"Content-Type": "application/x-www-form-urlencoded"})
        target = urllib.parse.urlsplit(connection.getresponse().getheader("location"))
        return urllib.parse.parse_qs(target.query)["code"][0]

    def truth_ids(self, kind):
        return set(self.ask(f"/__sim/truth/ids?type={kind}").split())

    def check(self, what, got, wanted):
        if got == wanted:
            shown = f"{len(got)} ids" if isinstance(got, set) else got
            print(f"{self.who}: {what}: {shown}")
            return
        if isinstance(got, set):
            got, wanted = f"{len(got)} ids, {len(wanted - got)} missing, {len(got - wanted)} invented", f"{len(wanted)}"
        sys.exit(f"{self.who}: {what}: {got} instead of {wanted}")
