"""HubSpot's official Python client, its own validation on, reads everything, writes, and checks signatures."""

import http.server
import json
import sys
import threading

from hubspot import HubSpot
from hubspot.crm.associations.v4 import (
    AssociationSpec,
    BatchInputPublicAssociationMultiPost,
    BatchInputPublicFetchAssociationsBatchRequest as AssociationBatch,
    PublicAssociationMultiPost,
    PublicFetchAssociationsBatchRequest as AssociationInput,
    PublicObjectId,
)
from hubspot.crm.contacts import (
    BatchInputSimplePublicObjectBatchInputUpsert,
    SimplePublicObjectBatchInputUpsert,
)
from hubspot.crm.objects import notes
from hubspot.utils.signature import Signature

from portal import KEY, TYPES, Portal

base = sys.argv[1]
portal = Portal("Python client", base)
check = portal.check
client = HubSpot(access_token=KEY, host=base, client_side_validation=True)
# The client's form models demand the fields of every field type at once, so forms go unvalidated.
lenient = HubSpot(access_token=KEY, host=base)


def of(name):
    """The API of a type and the module of its models."""
    if name in ("contacts", "companies", "deals"):
        return getattr(client.crm, name), __import__(f"hubspot.crm.{name}", fromlist=["models"])
    return getattr(client.crm.objects, name), __import__(f"hubspot.crm.objects.{name}", fromlist=["models"])


def pages(call, **arguments):
    after, found = None, []
    while True:
        page = call(after=after, **arguments)
        found += page.results
        if not page.paging:
            return found
        after = page.paging.next.after


def read_type(name):
    api, models = of(name)
    modified = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
    truth = portal.truth_ids(name)
    found = pages(api.basic_api.get_page, limit=100, associations=["contacts", "companies", "deals"])
    check(f"{name} listed", {record.id for record in found}, truth)
    found = pages(api.basic_api.get_page, limit=50, properties_with_history=["hubspot_owner_id", modified])
    check(f"{name} with history", {record.id for record in found}, truth)

    def search(after, **filters):
        request = models.PublicObjectSearchRequest(
            limit=200, after=after or "0", sorts=[modified], properties=[modified], filter_groups=[
                models.FilterGroup(filters=[models.Filter(property_name=modified, operator="GTE", value="1577836800000")])
            ]
        )
        return api.search_api.do_search(request)

    check(f"{name} searched", {record.id for record in pages(search)}, truth)
    inputs = [models.SimplePublicObjectId(id=record.id) for record in found[:100]]
    batch = models.BatchReadInputSimplePublicObjectId(
        properties=[modified], properties_with_history=["hubspot_owner_id"], inputs=inputs
    )
    check(f"{name} by batch", len(api.batch_api.read(batch).results), len(inputs))
    check(f"{name} by id", api.basic_api.get_by_id(found[0].id).id, found[0].id)
    check(f"{name} archived", api.basic_api.get_page(archived=True).results, [])


def read_associations():
    v4, contacts = client.crm.associations.v4, sorted(portal.truth_ids("contacts"))
    truth = {kind: json.loads(portal.ask(f"/__sim/truth/record?type=contacts&id={contacts[0]}")).get(kind) for kind in ("companies", "deals")}
    batch = AssociationBatch(inputs=[AssociationInput(id=contact) for contact in contacts])
    for kind, wanted in truth.items():
        rows = v4.batch_api.get_page("contacts", kind, batch).results
        many = {str(to.to_object_id) for row in rows if row._from.id == contacts[0] for to in row.to}
        single = {str(to.to_object_id) for to in v4.basic_api.get_page("contacts", contacts[0], kind, limit=500).results}
        check(f"{kind} of a contact", (many, single), (set(wanted), set(wanted)))
    labels = v4.schema.definitions_api.get_all("contacts", "companies").results
    check("association labels", sorted(label.type_id for label in labels), [1, 91, 279])


def read_portal():
    owners = portal.ask("/crm/v3/owners?limit=500")
    check("owners", len(client.crm.owners.get_all()), len(json.loads(owners)["results"]))
    check("archived owners", len(client.crm.owners.get_all(archived=True)), 3)
    pipelines = client.crm.pipelines.pipelines_api.get_all("deals").results
    check("pipelines", len(pipelines), 2)
    stages = client.crm.pipelines.pipeline_stages_api.get_all("deals", pipelines[0].id).results
    check("stages", len(stages), len(pipelines[0].stages))
    for kind in TYPES:
        properties = client.crm.properties.core_api.get_all(kind).results
        check(f"properties of {kind}", client.crm.properties.core_api.get_by_name(kind, properties[0].name).name, properties[0].name)
    forms = lenient.marketing.forms.forms_api.get_page(form_types=["hubspot", "captured", "flow"]).results
    check("forms", len(forms), 4)
    check("object schemas", client.crm.schemas.core_api.get_all().results, [])


def write():
    api, contact = client.crm.objects.notes, sorted(portal.truth_ids("contacts"))[0]
    link = {"to": {"id": contact}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}
    values = {"hs_timestamp": "2026-11-23T09:00:00Z", "hs_note_body": "hello"}
    created = api.basic_api.create(notes.SimplePublicObjectInputForCreate(properties=values, associations=[link]))
    check("note read back", api.basic_api.get_by_id(created.id).id, created.id)
    inputs = [notes.SimplePublicObjectBatchInputForCreate(properties=values, associations=[]) for _ in range(20)]
    made = api.batch_api.create(notes.BatchInputSimplePublicObjectBatchInputForCreate(inputs=inputs)).results
    check("notes created", len({note.id for note in made}), 20)
    changes = [notes.SimplePublicObjectBatchInput(id=note.id, properties={"hs_note_body": "changed"}) for note in made]
    changed = api.batch_api.update(notes.BatchInputSimplePublicObjectBatchInput(inputs=changes)).results
    check("notes changed", {note.properties["hs_note_body"] for note in changed}, {"changed"})
    api.batch_api.archive(notes.BatchInputSimplePublicObjectId(inputs=[{"id": note.id} for note in made]))
    check("notes archived", portal.truth_ids("notes") & {note.id for note in made}, set())
    spec = [AssociationSpec(association_category="HUBSPOT_DEFINED", association_type_id=202)]
    v4 = client.crm.associations.v4
    v4.basic_api.create("notes", created.id, "contacts", contact, spec)
    v4.basic_api.create_default("notes", created.id, "contacts", contact)
    pair = PublicAssociationMultiPost(_from=PublicObjectId(id=created.id), to=PublicObjectId(id=contact), types=spec)
    v4.batch_api.create("notes", "contacts", BatchInputPublicAssociationMultiPost(inputs=[pair]))
    v4.basic_api.archive("notes", created.id, "contacts", contact)
    check("untied", v4.basic_api.get_page("notes", created.id, "contacts").results, [])
    upsert = SimplePublicObjectBatchInputUpsert(id="py@firm.example", id_property="email", properties={"city": "Ulm"})
    batch = BatchInputSimplePublicObjectBatchInputUpsert(inputs=[upsert])
    new = client.crm.contacts.batch_api.upsert(batch).results[0]
    check("upserted", new.new, True)


def check_signatures():
    """Deliveries reach a listener that asks the client's own Signature class."""
    verdicts = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            url = f"http://127.0.0.1:{self.server.server_port}{self.path}"
            version = self.headers["X-HubSpot-Signature-Version"]
            old = Signature.is_valid(self.headers["X-HubSpot-Signature"], "secret", body, url, "POST", version)
            new = Signature.is_valid(
                self.headers["X-HubSpot-Signature-v3"], "secret", body, url, "POST", "v3",
                self.headers["X-HubSpot-Request-Timestamp"],
            )
            verdicts.append((version, old, new, len(json.loads(body))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    listener = http.server.HTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{listener.server_port}/hook?org=7"
    for versions in (["v1", "v3"], ["v2", "v3"]):
        portal.ask("/__sim/webhooks/target", {"url": url, "client_secret": "secret", "versions": versions})
        portal.ask("/__sim/objects/notes", {"count": 3, "properties": {"hs_note_body": "Grüße 日本"}})
        portal.ask("/__sim/webhooks/flush", {"attempts": 1})
    listener.shutdown()
    check("signatures", {(version, old, new) for version, old, new, _ in verdicts}, {("v1", True, True), ("v2", True, True)})


for name in TYPES:
    read_type(name)
read_associations()
read_portal()
write()
check_signatures()
