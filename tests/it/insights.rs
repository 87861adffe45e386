//! Insights from outside: whose they are, what proves them, what replaces them, when they go.

use serde_json::{Value, json};

use crate::support::{Installation, Portal};

/// Three people without engagements; two of them of different companies.
struct Town {
    portal: Portal,
    here: Installation,
    /// Contact ids, of different companies.
    people: Vec<String>,
}

impl Town {
    fn new() -> Self {
        let portal = Portal::start(&["--contacts", "40", "--engagements-per-contact", "0", "--seed", "11"]);
        let here = Installation::for_portal(&portal);
        here.connect_with_key();
        let mut people: Vec<(String, String)> = Vec::new();
        for id in portal.ids("contacts") {
            let company = &portal.record("contacts", &id)["companies"][0];
            let company = company.as_str().map_or_else(|| company.to_string(), str::to_owned);
            if company != "null" && people.iter().all(|(_, known)| *known != company) {
                people.push((id, company));
            }
        }
        Self { portal, here, people: people.into_iter().map(|(id, _)| id).collect() }
    }

    fn note(&self, contacts: &[&String], at: &str, text: &str) -> String {
        let record = json!({
            "properties": {"hs_note_body": format!("<p>{text}</p>"), "hs_timestamp": at},
            "associations": {"contacts": contacts}
        });
        let made = self.portal.post("/__sim/objects/notes", &record);
        let made: Value = serde_json::from_str(&made).unwrap();
        id_in(&made)
    }

    fn mail(&self, contacts: &[&String], from: &str, at: &str, text: &str) -> String {
        let record = json!({
            "properties": {
                "hs_email_html": format!("<p>{text}</p>"), "hs_timestamp": at, "hs_email_subject": "About us",
                "hs_email_direction": "INCOMING_EMAIL", "hs_email_from_email": from,
            },
            "associations": {"contacts": contacts}
        });
        let made: Value = serde_json::from_str(&self.portal.post("/__sim/objects/emails", &record)).unwrap();
        id_in(&made)
    }

    fn sync(&self) -> Value {
        self.here.run(&["sync", "--json"]).ok().json()
    }

    fn email(&self, person: usize) -> String {
        let sql = format!("select email from end_users where id = '{}'", self.people[person]);
        self.here.texts(&sql).remove(0)
    }

    fn context(&self, person: usize, more: &[&str]) -> Value {
        let email = self.email(person);
        let mut arguments = vec!["context", email.as_str(), "--json"];
        arguments.extend(more);
        self.here.run(&arguments).ok().json()
    }
}

fn id_in(made: &Value) -> String {
    let id = [&made["id"], &made["ids"][0], &made["results"][0]["id"]].into_iter().find(|id| !id.is_null());
    let id = id.unwrap_or_else(|| panic!("no id in {made}"));
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// Slot and value of what holds.
fn facts(context: &Value) -> Vec<(String, String)> {
    let insights = context["insights"].as_array().unwrap();
    let holds = insights.iter().filter(|one| one["superseded_by"].is_null());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut facts: Vec<(String, String)> =
        holds.map(|one| (text(&one["slot"]), text(&one["value"]))).collect();
    facts.sort();
    facts
}

fn fact(slot: &str, value: &str) -> (String, String) {
    (slot.to_owned(), value.to_owned())
}

/// All of the insights table but what this installation is called and when it learned it.
fn dump(here: &Installation) -> Vec<String> {
    let columns = here.texts(
        "select name from pragma_table_info('insights') where name not in ('org', 'recorded_at', 'superseded_at')",
    );
    let joined: Vec<String> = columns.iter().map(|name| format!("quote({name})")).collect();
    here.texts(&format!(
        "select {} from insights order by engagement_kind, engagement, hash",
        joined.join(" || ' ' || ")
    ))
}

const SAMPLE: &str =
    "Please send our invoices monthly. Our account manager is Sarah. The contract renews in March.";

#[test]
fn an_agent_bound_to_a_customer_reads_of_its_company_what_its_own_engagements_prove() {
    let town = Town::new();
    let company = |id: &str| town.portal.record("contacts", id)["companies"][0].clone();
    let contacts = town.portal.ids("contacts");
    let colleague = |id: &String| {
        let same = |other: &&String| *other != id && company(other) == company(id);
        contacts.iter().find(same).map(|other| (id.clone(), other.clone()))
    };
    let (boss, clerk) = town.people.iter().find_map(colleague).expect("two people of one company");
    let (boss, clerk) = (&boss, &clerk);
    let id = town.note(&[boss], "2026-11-20T10:00:00Z", "They pay by bank transfer, net 60 days.");
    town.sync();
    assert_eq!(town.here.number("select count(*) from insights where subject_type = 'companies'"), 1);
    let email =
        |id: &str| town.here.texts(&format!("select email from end_users where id = '{id}'")).remove(0);
    let (email, boss_email) = (&email(clerk), &email(boss));
    let make = |arguments: &[&str]| {
        let made = town.here.run(&[&["agents", "create"], arguments, &["--json"]].concat()).ok().json();
        made["key"].as_str().unwrap().to_owned()
    };
    let bound = make(&["bound", "--customer", email]);
    let boss_bound = make(&["boss", "--customer", boss_email]);
    let free = make(&["free"]);
    let insight = town.here.texts("select 'distilled:hubspot:' || portal || ':' || engagement_kind || '.' || engagement || '.' || hash from insights").remove(0);
    let seen = |key: &str, email: &str| {
        let server = town.here.serve();
        let context = format!("/api/v1/customers/{email}/context");
        let told = server.request("GET", &context, Some(key), None).unwrap().1;
        let told: Value = serde_json::from_str(&told).unwrap();
        let body = json!({"query": "bank transfer", "kinds": ["insight"], "customer": email});
        let found = server.request("POST", "/api/v1/search", Some(key), Some(&body)).unwrap().1;
        let found: Value = serde_json::from_str(&found).unwrap();
        let verify = format!("/api/v1/insights/{insight}/verify");
        let verified = server.request("GET", &verify, Some(key), None).unwrap().0;
        let (read, text) =
            server.request("GET", &format!("/api/v1/insights/{insight}"), Some(key), None).unwrap();
        assert_eq!(read, verified, "{text}");
        assert_eq!(text.contains("bank transfer"), read == 200, "{text}");
        (told["insights"].as_array().unwrap().len(), found["total"].as_u64().unwrap(), verified)
    };
    assert_eq!(seen(&free, email), (1, 1, 200), "who may read everything finds it by every colleague");
    assert_eq!(seen(&boss_bound, boss_email), (1, 1, 200));
    assert_eq!(seen(&bound, email), (0, 0, 404), "a colleague's words");

    // What a colleague says later takes no place from what this customer's own note says.
    let own = town.note(&[clerk], "2026-01-10T10:00:00Z", "Please send our invoices quarterly.");
    town.note(&[boss], "2026-03-10T10:00:00Z", "Please send our invoices monthly.");
    town.sync();
    let server = town.here.serve();
    let context = |key: &str| -> Value {
        let path = format!("/api/v1/customers/{email}/context");
        serde_json::from_str(&server.request("GET", &path, Some(key), None).unwrap().1).unwrap()
    };
    let frequency = |told: &Value| -> Vec<(String, bool)> {
        let all = told["insights"].as_array().unwrap().iter();
        let all = all.filter(|one| one["slot"] == "billing.frequency");
        all.map(|one| (one["value"].as_str().unwrap().to_owned(), one["superseded_by"].is_null())).collect()
    };
    assert_eq!(frequency(&context(&free)), [("monthly".to_owned(), true), ("quarterly".to_owned(), false)]);
    let told = context(&bound);
    assert_eq!(frequency(&told), [("quarterly".to_owned(), true)]);
    assert!(told["insights"].to_string().contains(&own) && !told.to_string().contains("monthly"), "{told}");
    // Read by its id it has the same place.
    let quarterly =
        told["insights"].as_array().unwrap().iter().find(|one| one["slot"] == "billing.frequency");
    let path = format!("/api/v1/insights/{}", quarterly.unwrap()["id"].as_str().unwrap());
    let read = |key: &str| -> Value {
        serde_json::from_str(&server.request("GET", &path, Some(key), None).unwrap().1).unwrap()
    };
    assert_eq!((&read(&bound)["holds"], &read(&bound)["superseded_by"]), (&json!(true), &Value::Null));
    assert_eq!(read(&free)["holds"], false);
    assert!(read(&free)["superseded_by"].is_string() && read(&boss_bound)["type"] == "urn:hublore:not-found");
    assert_eq!(server.stop(), Some(0));

    let tie = json!({"from_type": "notes", "from": id, "to_type": "contacts", "to": clerk});
    town.portal.post("/__sim/associations", &tie);
    town.here.run(&["sync", "full_resync", "--json"]).ok();
    assert_eq!(seen(&bound, email), (2, 1, 200), "it is this customer's note now, beside its own");
    town.here.verify();
}

#[test]
fn dst_2_the_three_sample_facts_are_known_of_that_customer_with_their_words() {
    let town = Town::new();
    let note = town.note(&[&town.people[0]], "2026-01-20T10:00:00Z", SAMPLE);
    let report = town.sync();
    assert_eq!(report["insights"], json!({"added": 3, "superseded": 0}), "{report}");
    let context = town.context(0, &[]);
    let wanted = [
        fact("account_owner.owner", "Sarah"),
        fact("billing.frequency", "monthly"),
        fact("renewal.end", "2026-03"),
    ];
    assert_eq!(facts(&context), wanted);
    for insight in context["insights"].as_array().unwrap() {
        let evidence = &insight["evidence"];
        assert!(evidence["engagement_id"].as_str().unwrap().ends_with(&format!(":note:{note}")), "{insight}");
        let quote = evidence["quote"].as_str().unwrap();
        assert!(SAMPLE.contains(quote) && !quote.is_empty(), "{insight}");
        let (start, end) = (evidence["start"].as_u64().unwrap(), evidence["end"].as_u64().unwrap());
        let passage = town.here.texts(&format!(
            "select p.text from passages p join hubspot_engagements e on e.kind = p.kind and e.id = p.engagement \
             where e.id = '{note}' and p.id = e.passage_ids ->> {}",
            evidence["passage"]
        ));
        let (start, end) = (usize::try_from(start).unwrap(), usize::try_from(end).unwrap());
        assert_eq!(&passage[0][start..end], quote);
        assert_eq!((&insight["asserted_by"], &insight["claim"]), (&json!("note"), &json!(false)));
        assert!(insight["confidence"].as_f64().unwrap() > 0.5 && insight["valid_from"].is_string());
        assert!(insight["distiller"].as_str().unwrap().starts_with("extractive-"));
    }
    assert!(context["text"].as_str().unwrap().contains("insight billing"), "a prompt gets them too");
    assert_eq!(facts(&town.context(1, &[])), [], "nobody else gets them");
    town.here.verify();
}

#[test]
fn dst_1_off_leaves_everything_else_as_it_is() {
    let town = Town::new();
    town.note(&[&town.people[0]], "2026-01-20T10:00:00Z", SAMPLE);
    town.mail(&[&town.people[1]], "x@y.example", "2026-01-21T10:00:00Z", "The contract renews in May.");
    town.sync();
    let Town { portal, mut here, people } = town;
    let rows = |here: &Installation| {
        here.texts(
            "select kind || id || decision || hex(content_hash) || seq from hubspot_engagements order by 1",
        )
    };
    let (before, known) = (rows(&here), dump(&here));
    assert_eq!(known.len(), 4);
    let mut run = |setting: Option<(&str, &str)>| {
        here.settings.retain(|name, _| !name.starts_with("HUBLORE_DISTILLATION"));
        if let Some((name, value)) = setting {
            here.settings.insert(name.to_owned(), value.to_owned());
        }
        let report = here.run(&["sync", "--json"]).ok().json();
        assert_eq!(here.search("invoices monthly").len(), 1, "bodies stay searchable");
        assert_eq!(rows(&here), before, "nothing else changes");
        here.verify();
        (report["distillation"].as_str().unwrap().to_owned(), dump(&here))
    };
    let (said, left) = run(Some(("HUBLORE_DISTILLATION__ENABLED", "false")));
    assert!(said.starts_with("off") && left.is_empty(), "{said} {left:?}");
    let (_, left) = run(Some(("HUBLORE_DISTILLATION__KINDS", "email,call")));
    assert_eq!(left.len(), 1, "notes are not distilled: {left:?}");
    assert_eq!(run(None).1, known, "on again, all of it is back");
    drop((portal, people));
}

#[test]
fn dst_3_a_mail_with_people_of_two_companies_tells_each_only_its_own() {
    let town = Town::new();
    town.sync();
    let name = |person: usize| {
        let sql = format!(
            "select first_name || ' ' || last_name from end_users where id = '{}'",
            town.people[person]
        );
        town.here.texts(&sql).remove(0)
    };
    let both = [&town.people[0], &town.people[1]];
    let said = format!(
        "{} said the contract renews in May. {} asked for monthly invoices instead of quarterly ones.",
        name(0),
        name(1)
    );
    town.note(&both, "2026-01-20T10:00:00Z", &said);
    town.note(&both, "2026-01-21T10:00:00Z", "The contract ends in October.");
    town.sync();
    assert_eq!(facts(&town.context(0, &[])), [fact("renewal.end", "2026-05")]);
    assert_eq!(facts(&town.context(1, &[])), [fact("billing.frequency", "monthly")]);
    assert_eq!(
        town.here.number("select count(*) from insights where value = '2026-10'"),
        0,
        "nobody can tell whose"
    );
    let subjects = town.here.texts("select subject_type || subject from insights order by 1");
    assert_eq!(subjects.len(), 2, "{subjects:?}");

    let agent = |email: &str| {
        let made = town.here.run(&["agents", "create", "bound", "--customer", email, "--json"]).ok().json();
        made["key"].as_str().unwrap().to_owned()
    };
    let keys = [agent(&town.email(0)), agent(&town.email(1))];
    let server = town.here.serve();
    for (key, own, other) in [(&keys[0], "renews", "invoices"), (&keys[1], "invoices", "renews")] {
        let ask = |query: &str| {
            let body = json!({"query": query, "kinds": ["insight"]});
            let (status, text) = server.request("POST", "/api/v1/search", Some(key), Some(&body)).unwrap();
            assert_eq!(status, 200, "{text}");
            serde_json::from_str::<Value>(&text).unwrap()["hits"].as_array().unwrap().len()
        };
        assert_eq!((ask(own), ask(other)), (1, 0), "{own}");
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn f1_a_changed_body_makes_its_insight_stale_at_once() {
    let town = Town::new();
    let note =
        town.note(&[&town.people[0]], "2026-01-20T10:00:00Z", "The contract renews in March. All well.");
    town.sync();
    let id = town.context(0, &[])["insights"][0]["id"].as_str().unwrap().to_owned();
    let key =
        town.here.run(&["agents", "create", "a", "--json"]).ok().json()["key"].as_str().unwrap().to_owned();
    let email = town.email(1);
    let bound = town.here.run(&["agents", "create", "b", "--customer", &email, "--json"]).ok().json();
    let server = town.here.serve();
    let check = |key: &str, id: &str| {
        let path = format!("/api/v1/insights/{id}/verify");
        let (status, text) = server.request("GET", &path, Some(key), None).unwrap();
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let (status, valid) = check(&key, &id);
    assert_eq!((status, &valid["status"]), (200, &json!("valid")), "{valid}");
    assert_eq!(valid["evidence"]["quote"], "The contract renews in March");
    assert_eq!(check(bound["key"].as_str().unwrap(), &id).0, 404, "another customer's agent learns nothing");
    assert_eq!(check(&key, &format!("{id}0")).0, 404);
    assert_eq!(check(&key, "nonsense").0, 400);
    let read = |key: &str, id: &str| {
        server.request("GET", &format!("/api/v1/insights/{id}"), Some(key), None).unwrap()
    };
    let (status, text) = read(&key, &id);
    let one: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((status, &one["id"], &one["holds"]), (200, &json!(id), &json!(true)), "{one}");
    assert_eq!(
        (&one["evidence"]["quote"], &one["customer"]),
        (&json!("The contract renews in March"), &Value::Null)
    );
    assert!(one["company"]["name"].is_string(), "{one}");
    assert_eq!(read(bound["key"].as_str().unwrap(), &id).0, 404, "another customer's agent learns nothing");
    assert_eq!((read(&key, &format!("{id}0")).0, read(&key, "nonsense").0), (404, 400));
    let shown = town.here.run(&["show", &id, "--json"]).ok().json();
    assert_eq!(shown, one, "the command line reads the same");
    assert_eq!(town.here.run(&["show", &id, "--parts"]).code, Some(2));

    let body = json!({"properties": {"hs_note_body": "<p>The contract renews in April. All well.</p>"}});
    town.portal.patch(&format!("/__sim/objects/notes/{note}"), &body);
    town.sync();
    let (status, stale) = check(&key, &id);
    assert_eq!(
        (status, &stale["status"], &stale["reason"]),
        (200, &json!("stale"), &json!("changed")),
        "{stale}"
    );
    assert_eq!(read(&key, &id).0, 404, "what is not said any more is not read");
    let why = town.here.run(&["explain", &id, "--json"]).ok().json();
    assert_eq!((&why["code"], &why["reason"]), (&json!("retired"), &json!("changed")), "{why}");
    assert!(town.here.run(&["show", &id]).stderr.contains("hublore explain"));
    assert_eq!(server.stop(), Some(0));
    assert_eq!(facts(&town.context(0, &[])), [fact("renewal.end", "2026-04")], "the new words are read");
    town.here.verify();
}

#[test]
fn f2_f16_supersession_as_of_and_conflict() {
    let town = Town::new();
    let person = [&town.people[0]];
    // Not in the order in which they happened.
    town.note(&person, "2026-05-10T10:00:00Z", "From now on please send the invoices yearly.");
    town.note(&person, "2026-01-10T10:00:00Z", "Please send our invoices quarterly.");
    town.note(&person, "2026-02-10T10:00:00Z", "As I said, please send our invoices quarterly.");
    town.note(&person, "2026-03-10T10:00:00Z", "Please send our invoices monthly.");
    let report = town.sync();
    assert_eq!(report["insights"], json!({"added": 3, "superseded": 2}), "{report}");
    let now = town.context(0, &[]);
    assert_eq!(facts(&now), [fact("billing.frequency", "yearly")]);
    let chain: Vec<(&str, bool)> = now["insights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["value"].as_str().unwrap(), one["superseded_by"].is_null()))
        .collect();
    assert_eq!(chain, [("yearly", true), ("monthly", false), ("quarterly", false)], "the chain is shown");
    let quarterly = &now["insights"][2];
    assert_eq!((&quarterly["support"], &quarterly["valid_to"]), (&json!(1), &json!("2026-03-10")));
    let (old, new) = (quarterly["id"].as_str().unwrap(), now["insights"][0]["id"].as_str().unwrap());
    let shown = |id: &str| town.here.run(&["show", id]).ok().stdout;
    assert!(
        shown(old).contains("took its place") && shown(old).contains("invoices quarterly"),
        "{}",
        shown(old)
    );
    assert!(shown(new).contains("\nholds") && shown(new).contains("\nabout "), "{}", shown(new));
    let why = |id: &str, more: &[&str]| {
        town.here.run(&[&["explain", id, "--json"], more].concat()).ok().json()["code"].clone()
    };
    assert_eq!((why(old, &[]), why(new, &[])), (json!("superseded"), json!("indexed")));
    assert_eq!(why(new, &["--customer", &town.email(0)]), "indexed");
    assert_eq!(why(new, &["--customer", &town.email(1)]), "no_link");
    let support = town.here.texts("select 'distilled:hubspot:' || portal || ':' || engagement_kind || '.' || engagement || '.' || hash from insights where supports is not null");
    assert_eq!(why(&support[0], &[]), "supports");
    assert_eq!(why(&format!("{new}0"), &[]), "unknown");
    for (day, value) in [("2026-01-15", "quarterly"), ("2026-04-01", "monthly"), ("2026-06-01", "yearly")] {
        let then = town.context(0, &["--as-of", day]);
        let believed: Vec<&str> =
            then["insights"].as_array().unwrap().iter().map(|one| one["value"].as_str().unwrap()).collect();
        assert_eq!(believed, [value], "{day}");
        let one = &then["insights"][0];
        let later = (&one["holds"], &one["superseded_by"], &one["valid_to"]);
        assert_eq!(later, (&json!(true), &Value::Null, &Value::Null), "nobody knew of {one}");
        let text = then["text"].as_str().unwrap();
        assert!(text.starts_with(&format!("[Records as of {day}; ")), "{text}");
        let told = text.lines().filter(|line| line.contains("insight billing")).collect::<Vec<_>>();
        assert!(told.len() == 1 && told[0].contains(value), "{day}: {text}");
    }
    assert_eq!(town.context(0, &["--as-of", "2025-12-31"])["insights"], json!([]));
    assert_eq!(now["conflicts"], json!([]), "one person changes its mind over months");

    let person = [&town.people[1]];
    town.mail(&person, "a@one.example", "2026-03-01T10:00:00Z", "Our contract renews in September.");
    town.mail(&person, "b@one.example", "2026-03-04T10:00:00Z", "Our contract renews in October.");
    town.sync();
    let context = town.context(1, &[]);
    let conflict = &context["conflicts"][0];
    assert_eq!(conflict["slot"], "renewal.end", "{context}");
    let shown: Vec<&Value> = context["insights"].as_array().unwrap().iter().collect();
    for id in conflict["insights"].as_array().unwrap() {
        let one = shown.iter().find(|one| one["id"] == *id).unwrap_or_else(|| panic!("{id} is not shown"));
        assert!(one["evidence"]["quote"].as_str().unwrap().contains("renews in"), "{one}");
    }
    assert_eq!(conflict["insights"].as_array().unwrap().len(), 2);
    assert!(context["text"].as_str().unwrap().contains("conflict about renewal.end"));
}

#[test]
fn deleting_an_engagement_or_a_customer_deletes_what_was_known_from_it() {
    let town = Town::new();
    let old = town.note(&[&town.people[0]], "2026-01-10T10:00:00Z", "Please send our invoices quarterly.");
    let new = town.note(&[&town.people[0]], "2026-03-10T10:00:00Z", "Please send our invoices monthly.");
    town.note(
        &[&town.people[1]],
        "2026-03-10T10:00:00Z",
        "Please call me only in the morning. Our contract renews in May.",
    );
    town.sync();
    let found = |town: &Town, query: &str| {
        let answer = town.here.run(&["search", "--json", "--kind", "insight", query]).ok().json();
        answer["hits"].as_array().unwrap().len()
    };
    assert_eq!(
        (found(&town, "monthly"), found(&town, "quarterly")),
        (1, 0),
        "what is superseded is not found"
    );
    town.portal.delete(&format!("/__sim/objects/notes/{new}"));
    town.sync();
    assert_eq!((found(&town, "monthly"), found(&town, "quarterly")), (0, 1), "the earlier fact holds again");
    assert_eq!(town.here.number(&format!("select count(*) from insights where engagement = '{old}'")), 1);
    assert_eq!(
        town.here.number(&format!("select count(*) from retired_insights where engagement = '{new}'")),
        0
    );

    assert!(town.here.number("select count(*) from insights where subject_type = 'contacts'") > 0);
    town.portal.delete(&format!("/__sim/objects/contacts/{}", town.people[1]));
    town.sync();
    assert_eq!(town.here.number("select count(*) from insights where subject_type = 'contacts'"), 0);
    assert_eq!(found(&town, "morning"), 0);
    town.here.verify();
}

#[test]
fn insights_are_found_where_they_are_asked_for_and_survive_a_rebuild() {
    let town = Town::new();
    town.note(&[&town.people[0]], "2026-01-20T10:00:00Z", SAMPLE);
    town.sync();
    let search = |more: &[&str]| {
        let mut arguments = vec!["search", "--json"];
        arguments.extend(more);
        town.here.run(&arguments).ok().json()["hits"].as_array().unwrap().clone()
    };
    let plain = search(&["invoices monthly"]);
    assert_eq!(plain.len(), 1, "engagements only: {plain:?}");
    let email = town.email(0);
    for more in [
        &["--kind", "insight", "invoices monthly"][..],
        &["kind:insight invoices monthly"],
        &["--kind", "insight", "--customer", &email, "invoices"],
    ] {
        let hits = search(more);
        assert_eq!(hits.len(), 1, "{more:?}: {hits:?}");
        assert_eq!((&hits[0]["trust"], &hits[0]["source"]["kind"]), (&json!("insight"), &json!("insight")));
        assert!(hits[0]["id"].as_str().unwrap().starts_with("distilled:hubspot:"));
    }
    let verdict = town.here.verify();
    assert_eq!(verdict["stored"], 4);
    let rebuilt = town.here.run(&["index", "rebuild", "--json"]).ok().json();
    assert_eq!(rebuilt["documents"], 4);
    town.here.verify();
    assert_eq!(search(&["--kind", "insight", "invoices monthly"]).len(), 1);
}

#[test]
fn any_order_of_arrival_and_any_number_of_threads_give_the_same_store() {
    let portal = Portal::start(&["--contacts", "120", "--seed", "31"]);
    let read = |threads: &str, modes: &[&str]| {
        let mut here = Installation::for_portal(&portal);
        here.settings.insert("RAYON_NUM_THREADS".to_owned(), threads.to_owned());
        here.connect_with_key();
        for mode in modes {
            here.run(&["sync", mode, "--json"]).ok();
        }
        here.verify();
        dump(&here)
    };
    let once = read("1", &["full_resync"]);
    assert!(once.len() > 800, "{} insights", once.len());
    assert_eq!(read("4", &["full_resync"]), once, "threads");
    // E-mails first, when nobody in them is known yet.
    assert_eq!(read("3", &["email_catch_up", "full_resync", "full_resync"]), once, "order of arrival");
}

#[test]
fn what_is_said_again_and_again_takes_one_line_of_the_prompt() {
    let town = Town::new();
    for day in ["2026-02-01", "2026-03-01", "2026-04-01"] {
        let said = "Training for the warehouse staff went well and nobody asked for a second session.";
        town.note(&[&town.people[0]], &format!("{day}T10:00:00Z"), said);
    }
    town.sync();
    let told = town.here.run(&["context", &town.email(0), "--json"]).ok().json();
    assert_eq!(told["insights"].as_array().unwrap().len(), 3, "{told}");
    let text = told["text"].as_str().unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains("insight sentiment")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(lines[0].contains("2026-04-01") && lines[0].contains("3 times"), "{text}");
}
