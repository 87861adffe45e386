"""Writes an OpenAPI description of the portal's routes, in our own words, for a fuzzer to drive it by.

Ids and names are those of the portal that is running, so that the fuzzer gets behind the 404s. The
filters name no date: a search that compares a date with the epoch is a 500 at HubSpot, and here.
"""

import json
import sys

from portal import TYPES, Portal

base = sys.argv[1]
portal = Portal("description", base)
VERSION = "2026-09"
ANY = {"type": "string"}
INSTANT = {"type": "string", "format": "date-time"}
FLAG = {"type": "boolean"}
COUNT = {"type": "integer"}


def record(required, **fields):
    return {"type": "object", "required": required.split(), "properties": fields}


def listed(items, required="results", **more):
    return record(required, results={"type": "array", "items": items}, paging=named("Paging"), **more)


def named(name):
    return {"$ref": f"#/components/schemas/{name}"}


SCHEMAS = {
    "Paging": record("", next=record("after", after=ANY, link=ANY)),
    "Error": record("message correlationId", message=ANY, correlationId={"type": "string", "format": "uuid"}, category=ANY),
    "Object": record(
        "id properties createdAt updatedAt archived", id=ANY, createdAt=INSTANT, updatedAt=INSTANT, archived=FLAG,
        archivedAt=INSTANT, url=ANY, properties={"type": "object", "additionalProperties": {"type": "string", "nullable": True}},
        associations={"type": "object", "additionalProperties": listed(record("id type", id=ANY, type=ANY))},
    ),
    "Objects": listed(named("Object")),
    "Found": listed(named("Object"), "total results", total=COUNT),
    "Batch": record(
        "status results startedAt completedAt", status={"type": "string", "enum": ["COMPLETE"]}, startedAt=INSTANT,
        completedAt=INSTANT, results={"type": "array", "items": {"type": "object"}}, numErrors=COUNT,
        errors={"type": "array", "items": record("status category message context errors links", message=ANY)},
    ),
    "Targets": listed(record(
        "toObjectId associationTypes", toObjectId=COUNT, associationTypes={
            "type": "array", "items": record("category typeId label", category=ANY, typeId=COUNT, label={**ANY, "nullable": True})
        },
    )),
    "Things": listed({"type": "object"}),
    "Thing": {"type": "object"},
    "Token": record("access_token expires_in token_type", access_token=ANY, expires_in=COUNT, token_type=ANY),
}
FILTER = record(
    "propertyName operator", propertyName={"type": "string", "enum": ["hs_object_id", "hubspot_owner_id", "hs_object_source"]},
    operator={"type": "string", "enum": ["EQ", "NEQ", "LT", "LTE", "GT", "GTE", "BETWEEN", "IN", "NOT_IN", "HAS_PROPERTY",
                                         "NOT_HAS_PROPERTY", "CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"]},
    value=ANY, highValue=ANY, values={"type": "array", "items": ANY},
)
SEARCH = record(
    "", limit={"type": "integer", "minimum": 0, "maximum": 200}, after={"type": "string", "pattern": "^[0-9]{1,5}$"},
    query=ANY, properties={"type": "array", "items": ANY}, sorts={"type": "array", "maxItems": 1, "items": {
        "type": "string", "enum": ["hs_object_id", "-hs_object_id", "hubspot_owner_id"]}},
    filterGroups={"type": "array", "maxItems": 5, "items": record("filters", filters={"type": "array", "maxItems": 3, "items": FILTER})},
)
paths = {}


def query(**parameters):
    return [{"name": name, "in": "query", "schema": schema} for name, schema in parameters.items()]


def route(method, path, answers, parameters=(), body=None, form=None):
    """Adds an operation; parts of the path in braces must be among the parameters."""
    operation = {"parameters": list(parameters), "responses": {
        str(status): {"description": "", **({"content": {"application/json": {"schema": named(schema)}}} if schema else {})}
        for status, schema in answers.items()
    }}
    for status in (400, 401, 403, 404, 409, 415):
        content = {"application/json": {"schema": named("Error")}}
        operation["responses"].setdefault(str(status), {"description": "", "content": content})
    if body or form:
        kind = "application/json" if body else "application/x-www-form-urlencoded"
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": body or form}}}
    paths.setdefault(path, {})[method] = operation


def in_path(**names):
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string", "enum": values}} for name, values in names.items()]


def ids_of(kind):
    return sorted(portal.truth_ids(kind))[:5] + ["1"]


# What a new record must have, with a value that will do.
NEEDED = {kind: {"hs_timestamp": ["1795424400000"]} for kind in TYPES[3:]}
NEEDED["deals"] = {"dealname": ["x"], "dealstage": ["qualifiedtobuy"], "pipeline": ["default"]}


def properties_of(kind, new=False):
    known = [p for p in json.loads(portal.ask(f"/crm/v3/properties/{kind}"))["results"] if not p["modificationMetadata"]["readOnlyValue"]]
    fields = {}
    for each in known:
        schema = {"enum": [option["value"] for option in each["options"]]} if each["options"] else {}
        if each["type"] == "number":
            schema = {"pattern": "^[0-9]{1,6}$"}
        if each["type"] == "datetime":
            schema = {"enum": ["1795424400000", "2026-11-23"]}
        if each["name"] in ("email", "hubspot_owner_id"):
            schema = {"enum": ["fuzz@firm.example", ""] if each["name"] == "email" else [""]}
        fields[each["name"]] = {"type": "string", **schema}
    needed = NEEDED.get(kind, {}) if new else {}
    fields.update({name: {"type": "string", "enum": values} for name, values in needed.items()})
    return {"type": "object", "required": list(needed), "properties": fields, "additionalProperties": False}


def objects(kind):
    root, one = f"/crm/objects/{VERSION}/{kind}", in_path(id=ids_of(kind))
    write, new = record("properties", properties=properties_of(kind)), record("properties", properties=properties_of(kind, new=True))
    reading = query(properties=ANY, propertiesWithHistory=ANY, associations={"type": "string", "enum": TYPES}, archived=FLAG)
    page = query(limit={"type": "integer", "minimum": 1, "maximum": 50}, after={"type": "string", "pattern": "^[0-9]{1,12}$"})
    route("get", root, {200: "Objects"}, reading + page)
    route("post", root, {201: "Object"}, body=new)
    route("get", root + "/{id}", {200: "Object"}, one + reading)
    route("patch", root + "/{id}", {200: "Object"}, one, body=write)
    route("delete", root + "/{id}", {204: None}, one)
    route("post", root + "/search", {200: "Found"}, body=SEARCH)
    id_input = record("id", id={"type": "string", "enum": ids_of(kind)})
    many = lambda item: record("inputs", inputs={"type": "array", "maxItems": 5, "items": item})
    route("post", root + "/batch/read", {200: "Batch", 207: "Batch"}, body=many(id_input))
    route("post", root + "/batch/archive", {204: None}, body=many(id_input))
    route("post", root + "/batch/create", {201: "Batch", 207: "Batch"}, body=many(new))
    update = record("id properties", id=id_input["properties"]["id"], properties=properties_of(kind))
    route("post", root + "/batch/update", {200: "Batch", 207: "Batch"}, body=many(update))
    route("post", root + "/batch/upsert", {200: "Batch", 207: "Batch"}, body=many(update))


def associations(source, target):
    root = f"/crm/associations/{VERSION}/{source}/{target}"
    source_id, target_id = record("id", id={"type": "string", "enum": ids_of(source)}), record("id", id={"type": "string", "enum": ids_of(target)})
    kinds = {"type": "array", "minItems": 1, "items": record("associationCategory associationTypeId", associationCategory=ANY, associationTypeId={"type": "integer", "enum": [1, 279, 91] if source == "contacts" else [202]})}
    many = lambda item: record("inputs", inputs={"type": "array", "maxItems": 5, "items": item})
    pair = record("from to", **{"from": source_id, "to": target_id})
    typed = record("from to types", **{"from": source_id, "to": target_id, "types": kinds})
    route("get", root + "/labels", {200: "Things"})
    route("post", root + "/batch/read", {200: "Batch", 207: "Batch"}, body=many(source_id))
    route("post", root + "/batch/create", {201: "Batch", 207: "Batch"}, body=many(typed))
    route("post", root + "/batch/associate/default", {200: "Batch", 207: "Batch"}, body=many(pair))
    route("post", root + "/batch/labels/archive", {204: None}, body=many(typed))
    cut = record("from to", **{"from": source_id, "to": {"type": "array", "items": target_id}})
    route("post", root + "/batch/archive", {204: None}, body=many(cut))
    one = f"/crm/objects/{VERSION}/{source}/{{from}}/associations"
    both = in_path(**{"from": ids_of(source), "to": ids_of(target)})
    route("get", f"{one}/{target}", {200: "Targets"}, both[:1] + query(limit={"type": "integer", "minimum": 1, "maximum": 500}))
    route("put", f"{one}/{target}/{{to}}", {201: "Thing"}, both, body=kinds)
    route("delete", f"{one}/{target}/{{to}}", {204: None}, both)
    route("put", f"{one}/default/{target}/{{to}}", {200: "Batch"}, both)


def about_the_portal():
    kinds = in_path(type=TYPES)
    forms = [form["id"] for form in json.loads(portal.ask("/marketing/v3/forms?formTypes=all"))["results"]]
    route("get", f"/crm/properties/{VERSION}/{{type}}", {200: "Things"}, kinds)
    route("get", f"/crm/properties/{VERSION}/{{type}}/{{name}}", {200: "Thing"}, kinds + in_path(name=["hs_object_id", "x"]))
    route("get", f"/crm/owners/{VERSION}", {200: "Things"}, query(limit={"type": "integer", "minimum": 1, "maximum": 500}, after=ANY, email=ANY, archived=FLAG))
    route("get", f"/crm/pipelines/{VERSION}/{{type}}", {200: "Things"}, kinds)
    route("get", f"/crm/extensions/calling/{VERSION}/transcripts/{{id}}", {200: "Thing"}, in_path(id=["880000000", "880000003", "x"]))
    route("get", "/marketing/v3/forms", {200: "Things"}, query(limit={"type": "integer", "minimum": 1, "maximum": 500}, after=ANY, formTypes={"type": "string", "enum": ["hubspot", "captured", "flow", "all"]}))
    route("get", "/form-integrations/v1/submissions/forms/{guid}", {200: "Things"}, in_path(guid=forms) + query(limit={"type": "integer", "minimum": 1, "maximum": 50}, after=ANY))
    route("get", f"/account-info/{VERSION}/details", {200: "Thing"})
    route("get", "/engagements/v1/engagements/modified/after", {200: "Thing"}, query(after=ANY, limit=COUNT))
    route("get", "/engagements/v1/engagements/paged", {200: "Thing"}, query(offset=COUNT, limit=COUNT))
    route("get", "/companies/v2/companies/paged", {200: "Thing"}, query(offset=COUNT, limit={"type": "integer", "minimum": 1, "maximum": 250}, properties=ANY))
    route("get", "/deals/v1/deal/paged", {200: "Thing"}, query(offset=COUNT, includeAllProperties=FLAG, includeAssociations=FLAG))
    grants = {"type": "string", "enum": ["authorization_code", "refresh_token", "client_credentials"]}
    form = record("grant_type client_id client_secret", grant_type=grants, client_id={"type": "string", "enum": ["sim-client-id"]},
                  client_secret={"type": "string", "enum": ["sim-client-secret", "x"]}, code=ANY, refresh_token=ANY, redirect_uri=ANY, scope=ANY, code_verifier=ANY)
    route("post", f"/oauth/{VERSION}/token", {200: "Token"}, form=form)
    route("post", f"/oauth/{VERSION}/token/introspect", {200: "Thing"}, form=record("token", token=ANY, client_id=ANY, client_secret=ANY))


for kind in TYPES:
    objects(kind)
for pair in (("contacts", "companies"), ("notes", "contacts")):
    associations(*pair)
about_the_portal()
json.dump({"openapi": "3.0.3", "info": {"title": "hubspot-simulator", "version": "1"}, "paths": paths, "components": {"schemas": SCHEMAS}}, sys.stdout)
