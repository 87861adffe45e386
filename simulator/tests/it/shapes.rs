//! Replies have the shapes of HubSpot's interface facts: every required field, every field of its
//! type, no field nobody knows. The facts lie beside the repository and are not part of it; where
//! they are absent this is skipped.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::client::Portal;

/// Fields real replies leave empty although their type does not say so.
const EMPTY_AT_TIMES: [&str; 5] = ["label", "userId", "propertyName", "objectTypeId", "subCategory"];
/// Readings of the specification this portal does not offer: nobody it serves asks for them.
const NOT_OFFERED: [&str; 4] = ["/audit", "/api-usage/", "/definitions/configurations", "/snapshots/"];

struct Facts {
    operations: Vec<Value>,
    schemas: Value,
}

impl Facts {
    fn read() -> Option<Self> {
        let folder: PathBuf =
            [env!("CARGO_MANIFEST_DIR"), "..", "..", "shared", "hubspot-openapi"].iter().collect();
        let file = |name: &str| -> Option<Value> {
            serde_json::from_str(&std::fs::read_to_string(folder.join(name)).ok()?).ok()
        };
        let operations = file("operations.json")?["operations"].as_array()?.clone();
        Some(Self { operations, schemas: file("schemas.json")?["schemas"].clone() })
    }

    /// What is wrong with a value that should be of a schema: of one of its variants at least.
    fn check(&self, value: &Value, name: &str, at: &str) -> Vec<String> {
        let Some(variants) = self.schemas[name].as_array() else {
            return vec![format!("{at}: no schema {name}")];
        };
        let faults = variants.iter().map(|variant| self.check_variant(value, variant, at));
        faults.min_by_key(Vec::len).unwrap_or_default()
    }

    fn check_variant(&self, value: &Value, variant: &Value, at: &str) -> Vec<String> {
        if let Some(one_of) = variant["oneOf"].as_array() {
            let faults = one_of.iter().filter_map(Value::as_str).map(|name| self.check(value, name, at));
            return faults.min_by_key(Vec::len).unwrap_or_default();
        }
        let Some(object) = value.as_object() else { return vec![format!("{at}: no object")] };
        let required = variant["required"].as_array().cloned().unwrap_or_default();
        let mut faults: Vec<String> = required
            .iter()
            .filter_map(Value::as_str)
            .filter(|field| !object.contains_key(*field))
            .map(|field| format!("{at}: {field} is missing"))
            .collect();
        for (field, value) in object {
            let at = format!("{at}.{field}");
            match &variant["fields"][field] {
                Value::Null => faults.push(format!("{at}: nobody knows this field")),
                _ if value.is_null() && EMPTY_AT_TIMES.contains(&field.as_str()) => {}
                kind => faults.extend(self.check_kind(value, kind, &at)),
            }
        }
        faults
    }

    fn check_kind(&self, value: &Value, kind: &Value, at: &str) -> Vec<String> {
        let Some(kind) = kind.as_str() else {
            let listed = kind["enum"].as_array().is_none_or(|all| all.contains(value));
            return if listed { Vec::new() } else { vec![format!("{at}: {value} is not among {kind}")] };
        };
        if let Some(inner) = kind.strip_prefix("map<").and_then(|k| k.strip_suffix('>')) {
            let Some(map) = value.as_object() else { return vec![format!("{at}: no map")] };
            // Unset properties are null, whatever the type says.
            let set = map.iter().filter(|(_, value)| !value.is_null());
            return set
                .flat_map(|(key, v)| self.check_kind(v, &json!(inner), &format!("{at}.{key}")))
                .collect();
        }
        if let Some(inner) = kind.strip_prefix('[').and_then(|k| k.strip_suffix(']')) {
            let Some(list) = value.as_array() else { return vec![format!("{at}: no list")] };
            return list.iter().flat_map(|v| self.check_kind(v, &json!(inner), &format!("{at}[]"))).collect();
        }
        // A string in the specification, a number in its examples and in recorded replies.
        let right = match kind {
            "string" if at.ends_with(".toObjectId") => value.is_u64() || value.is_string(),
            "string:date-time" => value.as_str().is_some_and(|t| t.len() >= 20 && t.ends_with('Z')),
            k if k.starts_with("string") => value.is_string(),
            k if k.starts_with("integer") => value.is_i64() || value.is_u64(),
            k if k.starts_with("number") => value.is_number(),
            "boolean" => value.is_boolean(),
            "object" | "any" => true,
            schema => return self.check(value, schema, at),
        };
        if right { Vec::new() } else { vec![format!("{at}: {value} is no {kind}")] }
    }
}

/// Ids to put into the holes of paths.
struct Ids {
    contacts: Vec<String>,
    companies: Vec<String>,
    transcript: String,
    form: String,
}

impl Ids {
    fn of(portal: &mut Portal) -> Self {
        let forms = portal.got("/marketing/v3/forms");
        let calls = portal.posted(
            "/crm/v3/objects/calls/search",
            &json!({"limit": 50, "properties": ["hs_call_transcription_id"],
                "filters": [{"propertyName": "hs_call_has_transcript", "operator": "EQ", "value": "true"}]}),
        );
        let transcripts: Vec<String> = calls["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["properties"]["hs_call_transcription_id"].as_str().unwrap().to_owned())
            .collect();
        let served =
            |id: &&String| portal.get(&format!("/crm/v3/extensions/calling/transcripts/{id}")).status == 200;
        Self {
            transcript: transcripts.iter().find(served).unwrap().clone(),
            contacts: portal.truth_ids("contacts"),
            companies: portal.truth_ids("companies"),
            form: forms["results"][0]["id"].as_str().unwrap().to_owned(),
        }
    }

    fn fill(&self, portal: &mut Portal, api: &str, path: &str) -> String {
        let own = |portal: &mut Portal| {
            let known = ["contacts", "companies", "deals", "emails", "notes", "calls", "meetings", "tasks"];
            if known.contains(&api) { portal.truth_ids(api)[0].clone() } else { self.contacts[0].clone() }
        };
        let mut filled = String::new();
        for part in path.split('/').skip(1) {
            let value = match part {
                "{objectType}" | "{fromObjectType}" => "contacts".to_owned(),
                "{toObjectType}" => "companies".to_owned(),
                "{objectId}" | "{fromObjectId}" => self.contacts[0].clone(),
                "{toObjectId}" => self.companies[1].clone(),
                "{transcriptId}" => self.transcript.clone(),
                "{formId}" => self.form.clone(),
                "{propertyName}" => "hs_object_id".to_owned(),
                "{groupName}" => "simulated".to_owned(),
                "{pipelineId}" => "default".to_owned(),
                "{stageId}" => "closedwon".to_owned(),
                "{appId}" => "4100200".to_owned(),
                "{ownerId}" => portal.got("/crm/v3/owners")["results"][0]["id"].as_str().unwrap().to_owned(),
                id if id.starts_with('{') => own(portal),
                plain => plain.to_owned(),
            };
            filled.push('/');
            filled.push_str(&value);
        }
        if path.contains("/pipelines/") { filled.replace("/contacts", "/deals") } else { filled }
    }
}

/// A body that makes a writing or searching call succeed; `None` for calls that are not tried.
fn body(api: &str, path: &str, ids: &Ids, portal: &mut Portal) -> Option<Value> {
    let own = |portal: &mut Portal| {
        portal.truth_ids(api).into_iter().take(3).map(|id| json!({"id": id})).collect::<Vec<_>>()
    };
    let kinds = ["contacts", "companies", "deals", "emails", "notes", "calls", "meetings", "tasks"];
    let properties = match api {
        "deals" => json!({"dealname": "x", "dealstage": "closedwon"}),
        "contacts" | "companies" => json!({"city": "Ulm"}),
        _ => json!({"hs_timestamp": "1795424400000"}),
    };
    let label = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 279}]);
    let pair = json!({"from": {"id": ids.contacts[0]}, "to": {"id": ids.companies[1]}, "types": label});
    let of_objects = kinds.contains(&api) && !path.contains("/associations/");
    Some(match path.rsplit_once('/')?.1 {
        "search" => json!({"limit": 5}),
        "read" if of_objects => {
            json!({"inputs": own(portal), "propertiesWithHistory": ["hubspot_owner_id"], "properties": []})
        }
        "create" if of_objects => json!({"inputs": [{"properties": properties}, {"properties": properties}]}),
        "update" if of_objects => {
            let inputs: Vec<Value> =
                own(portal).into_iter().map(|id| json!({"id": id["id"], "properties": properties})).collect();
            json!({"inputs": inputs})
        }
        "read" if path.contains("/properties/") => {
            json!({"inputs": [{"name": "hs_object_id"}], "archived": false})
        }
        "read" if api == "associations" => json!({"inputs": [{"id": ids.contacts[0]}]}),
        "create" if api == "associations" => json!({"inputs": [pair]}),
        "default" if api == "associations" => json!({"inputs": [pair]}),
        name if of_objects && name == api => json!({"properties": properties}),
        "subscriptions" => json!({"eventType": "contact.creation", "active": true}),
        _ => return None,
    })
}

#[test]
fn replies_have_the_shapes_of_the_facts() {
    let Some(facts) = Facts::read() else {
        println!("skipped: ../shared/hubspot-openapi is not there");
        return;
    };
    let mut portal = Portal::of(60);
    let ids = Ids::of(&mut portal);
    let settings = json!({"targetUrl": "http://127.0.0.1:9/hook", "throttling": {"maxConcurrentRequests": 7, "period": "SECONDLY"}});
    portal.call("PUT", "/webhooks/v3/4100200/settings", &settings);
    let (mut tried, mut faults) = (0, Vec::new());
    for operation in &facts.operations {
        let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        let (api, version, method, path) = (text("api"), text("version"), text("method"), text("path"));
        let other_form = version.ends_with("-beta") || path.contains("{objectType}") && version == "2026-09";
        let other_api =
            matches!(api.as_str(), "notetaker-recap" | "oauth") || api == "webhooks" && version != "v3";
        if other_form || other_api || NOT_OFFERED.iter().any(|part| path.contains(part)) {
            continue;
        }
        let Some((status, schema)) = success(operation) else { continue };
        let body = match method.as_str() {
            "GET" => Value::Null,
            "POST" => match body(&api, &path, &ids, &mut portal) {
                Some(body) => body,
                None => continue,
            },
            _ => continue,
        };
        let target = ids.fill(&mut portal, &api, &path);
        if target.contains("subscriptions/") {
            continue;
        }
        let answer = portal.call(&method, &target, &body);
        tried += 1;
        if answer.status != status {
            faults.push(format!(
                "{method} {target}: {} instead of {status}: {}",
                answer.status,
                answer.text()
            ));
            continue;
        }
        faults.extend(facts.check(&answer.json(), &schema, &format!("{method} {target}")));
    }
    faults.sort();
    faults.dedup();
    assert!(faults.is_empty(), "{} of {tried} calls:\n{}", faults.len(), faults.join("\n"));
    assert!(tried > 90, "only {tried} calls");
    println!("{tried} replies checked");
}

/// The status and schema of a successful reply with a body.
fn success(operation: &Value) -> Option<(u16, String)> {
    let responses = operation["responses"].as_object()?;
    responses.iter().find_map(|(status, schema)| {
        let status: u16 = status.parse().ok().filter(|s| (200..207).contains(s))?;
        Some((status, schema.as_str().filter(|s| !s.starts_with('['))?.to_owned()))
    })
}

#[test]
fn tokens_have_the_shapes_of_the_facts() {
    let Some(facts) = Facts::read() else {
        println!("skipped: ../shared/hubspot-openapi is not there");
        return;
    };
    let mut portal = Portal::of(20);
    let app = [("client_id", "sim-client-id"), ("client_secret", "sim-client-secret")];
    let redirect = ("redirect_uri", "https://app.example/callback");
    let consent = portal
        .form("/oauth/authorize/decision", &[app[0], redirect, ("scope", "oauth"), ("decision", "approve")]);
    let code = consent.header("location").unwrap().split("code=").nth(1).unwrap().to_owned();
    let grant = ("grant_type", "authorization_code");
    let token =
        portal.form("/oauth/2026-03/token", &[app[0], app[1], redirect, grant, ("code", &code)]).json();
    let own =
        [app[0], app[1], ("grant_type", "client_credentials"), ("scope", "developer.webhooks_journal.read")];
    let for_itself = portal.form("/oauth/2026-03/token", &own).json();
    let mut faults = facts.check(&token, "AccessTokenResponse", "token");
    faults.extend(facts.check(&for_itself, "ClientCredentialsTokenResponse", "client credentials"));
    for (name, new, old, path) in [
        ("access_token", "PublicAccessTokenInfoResponse", "AccessTokenInfoResponse", "access-tokens"),
        ("refresh_token", "PublicRefreshTokenInfoResponse", "RefreshTokenInfoResponse", "refresh-tokens"),
    ] {
        let text = token[name].as_str().unwrap();
        let told = portal.form("/oauth/2026-03/token/introspect", &[app[0], app[1], ("token", text)]).json();
        faults.extend(facts.check(&told, new, new));
        faults.extend(facts.check(&portal.got(&format!("/oauth/v1/{path}/{text}")), old, old));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
