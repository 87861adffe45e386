"""HubSpot's official Python client, with its own validation on, reads everything and writes a note."""

import json
import sys
import urllib.request

from hubspot import HubSpot
from hubspot.crm.associations.v4 import (
    BatchInputPublicFetchAssociationsBatchRequest as AssociationBatch,
    PublicFetchAssociationsBatchRequest as AssociationInput,
)
from hubspot.crm.objects import notes

base = sys.argv[1]
key = "pat-na1-51300000-0000-4000-8000-000000000001"
client = HubSpot(access_token=key, host=base, client_side_validation=True)
# The client's form models demand the fields of every field type at once, so forms go unvalidated.
lenient = HubSpot(access_token=key, host=base)
truth = json.load(urllib.request.urlopen(base + "/__sim/truth"))["types"]


def check(what, got, wanted):
    print(f"official client: {what}: {got}")
    assert got == wanted, f"{what}: {got} instead of {wanted}"


for name in ["contacts", "companies", "deals"]:
    everything = getattr(client.crm, name).get_all(properties=["email", "name", "phone"], associations=["companies", "contacts"])
    check(name, len(everything), truth[name]["count"])

for name in ["emails", "notes", "calls", "meetings", "tasks"]:
    api = getattr(client.crm.objects, name)
    models = __import__(f"hubspot.crm.objects.{name}", fromlist=["models"])
    found, after = [], None
    while True:
        page = api.basic_api.get_page(limit=100, after=after, associations=["contacts"])
        found += page.results
        if not page.paging:
            break
        after = page.paging.next.after
    check(name, len(found), truth[name]["count"])
    search = models.PublicObjectSearchRequest(limit=200, sorts=["hs_lastmodifieddate"], properties=[], after="0", filter_groups=[])
    check(f"{name} searched", api.search_api.do_search(search).total, truth[name]["count"])
    inputs = [models.SimplePublicObjectId(id=record.id) for record in found[:50]]
    batch = models.BatchReadInputSimplePublicObjectId(properties=["hs_timestamp"], properties_with_history=[], inputs=inputs)
    check(f"{name} by batch", len(api.batch_api.read(batch).results), 50)

contact = client.crm.contacts.basic_api.get_page(limit=1).results[0].id
inputs = [AssociationInput(id=record.id) for record in client.crm.contacts.basic_api.get_page(limit=50).results]
client.crm.associations.v4.batch_api.get_page("contacts", "companies", AssociationBatch(inputs=inputs))
client.crm.associations.v4.basic_api.get_page("contacts", contact, "emails")
check("owners", len(client.crm.owners.get_all()), 9)
check("pipelines", len(client.crm.pipelines.pipelines_api.get_all("deals").results), 2)
check("forms", len(lenient.marketing.forms.forms_api.get_page(form_types=["hubspot", "captured", "flow"]).results), 4)
link = {"to": {"id": contact}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 202}]}
created = client.crm.objects.notes.basic_api.create(
    notes.SimplePublicObjectInputForCreate(properties={"hs_timestamp": "2026-11-23T09:00:00Z", "hs_note_body": "hello"}, associations=[link])
)
check("note read back", client.crm.objects.notes.basic_api.get_by_id(created.id).id, created.id)
