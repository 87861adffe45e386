//! The page on which a person lets an app into the portal, and where the browser goes afterwards.
//! Problems with the app itself are shown here and never sent to the redirect address.

use std::collections::BTreeSet;

use url::Url;

use crate::content::markup::push_escaped;
use crate::http::{Reply, Request};
use crate::oauth::tokens::Challenge;
use crate::state::State;

/// Scopes the portal can grant, in words.
pub(crate) const KNOWN_SCOPES: [(&str, &str); 16] = [
    ("oauth", "Basic account information"),
    ("crm.objects.contacts.read", "View contacts, notes, calls, meetings and tasks"),
    ("crm.objects.contacts.write", "Change contacts and log activities"),
    ("crm.objects.companies.read", "View companies"),
    ("crm.objects.companies.write", "Change companies"),
    ("crm.objects.deals.read", "View deals"),
    ("crm.objects.deals.write", "Change deals"),
    ("crm.objects.owners.read", "View users who own records"),
    ("crm.schemas.contacts.read", "View contact properties"),
    ("crm.schemas.companies.read", "View company properties"),
    ("crm.schemas.deals.read", "View deal properties"),
    ("crm.extensions_calling_transcripts.read", "Read call transcripts"),
    ("sales-email-read", "Read one-to-one e-mails"),
    ("forms", "View forms and their submissions"),
    ("automation", "Use workflows"),
    ("tickets", "View tickets"),
];

/// `GET /oauth/authorize`.
pub(crate) fn page(state: &State, request: &Request) -> Reply {
    let asked = match Asked::read(state, |name| request.parameter(name).map(str::to_owned)) {
        Ok(asked) => asked,
        Err(problem) => return problem_page(&problem),
    };
    let mut html = head("Connect an app");
    html.push_str("<h1>Connect <strong>");
    push_escaped(&state.options.client_id, &mut html);
    html.push_str("</strong> to ");
    push_escaped(&portal_name(state), &mut html);
    html.push_str("</h1><p>This app will be able to:</p><ul class=\"scopes\">");
    for scope in asked.scopes.iter().chain(&asked.optional) {
        let meaning = KNOWN_SCOPES.iter().find(|(name, _)| name == scope).map_or("", |(_, words)| words);
        html.push_str("<li>");
        push_escaped(meaning, &mut html);
        html.push_str(" <code>");
        push_escaped(scope, &mut html);
        html.push_str("</code></li>");
    }
    html.push_str("</ul><form method=\"post\" action=\"/oauth/authorize/decision\">");
    let join = |scopes: &BTreeSet<String>| scopes.iter().cloned().collect::<Vec<_>>().join(" ");
    let fields = [
        ("client_id", state.options.client_id.clone()),
        ("redirect_uri", asked.redirect.to_string()),
        ("scope", join(&asked.scopes)),
        ("optional_scope", join(&asked.optional)),
        ("state", asked.state.clone().unwrap_or_default()),
        ("code_challenge", asked.challenge.as_ref().map(|c| c.text.clone()).unwrap_or_default()),
        ("code_challenge_method", if asked.hashed() { "S256" } else { "plain" }.to_owned()),
    ];
    for (name, value) in fields {
        html.push_str(&format!("<input type=\"hidden\" name=\"{name}\" value=\""));
        push_escaped(&value, &mut html);
        html.push_str("\">");
    }
    html.push_str("<button name=\"decision\" value=\"approve\">Approve</button> <button name=\"decision\" value=\"deny\">Deny</button></form></main></body></html>");
    Reply::html(200, html)
}

/// `POST /oauth/authorize/decision`.
pub(crate) fn decide(state: &State, request: &Request) -> Reply {
    let form = request.form();
    let field = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    let asked = match Asked::read(state, field) {
        Ok(asked) => asked,
        Err(problem) => return problem_page(&problem),
    };
    let mut to = asked.redirect.clone();
    match field("decision").as_deref() {
        Some("approve") => {
            // Optional scopes the account cannot grant are dropped without a word.
            let optional = asked.optional.iter().filter(|s| is_known(s)).cloned();
            let scopes = asked.scopes.iter().cloned().chain(optional).collect();
            let now = state.clock.now();
            let challenge = asked.challenge.clone();
            let code = state.tokens().issue_code(asked.redirect_text.clone(), scopes, challenge, now);
            to.query_pairs_mut().append_pair("code", &code);
        }
        Some("deny") => {
            to.query_pairs_mut()
                .append_pair("error", "access_denied")
                .append_pair("error_description", "The user denied access to the account.");
        }
        _ => return problem_page("No decision was sent."),
    }
    if let Some(value) = asked.state.filter(|value| !value.is_empty()) {
        to.query_pairs_mut().append_pair("state", &value);
    }
    Reply::redirect(to.to_string())
}

struct Asked {
    redirect: Url,
    redirect_text: String,
    scopes: BTreeSet<String>,
    optional: BTreeSet<String>,
    state: Option<String>,
    challenge: Option<Challenge>,
}

impl Asked {
    fn hashed(&self) -> bool {
        self.challenge.as_ref().is_some_and(|challenge| challenge.hashed)
    }

    fn read(state: &State, field: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let client = field("client_id").unwrap_or_default();
        if client != state.options.client_id {
            return Err(format!("We couldn't find an app with the client ID \"{client}\"."));
        }
        let redirect_text = field("redirect_uri").unwrap_or_default();
        let redirect =
            Url::parse(&redirect_text).map_err(|_| "The redirect URL is missing or not a URL.".to_owned())?;
        let local = matches!(redirect.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
        if redirect.scheme() != "https" && !(redirect.scheme() == "http" && local) {
            return Err("The redirect URL must use HTTPS.".to_owned());
        }
        let configured = &state.options.redirect_uris;
        if !configured.is_empty() && !configured.contains(&redirect_text) {
            return Err("The redirect URL does not match the app's configuration.".to_owned());
        }
        let list = |name| -> BTreeSet<String> {
            field(name)
                .unwrap_or_default()
                .split([' ', '+'])
                .filter(|s| !s.is_empty())
                .map(str::to_owned)
                .collect()
        };
        let (scopes, optional) = (list("scope"), list("optional_scope"));
        if !scopes.contains("oauth") {
            return Err(
                "Authorization failed because the scope \"oauth\", which the app requires, is missing."
                    .to_owned(),
            );
        }
        if let Some(unknown) = scopes.iter().find(|s| !is_known(s)) {
            return Err(format!(
                "Authorization failed because the scope \"{unknown}\" is not one this app or account can use."
            ));
        }
        let hashed = field("code_challenge_method").is_some_and(|method| method == "S256");
        let challenge = field("code_challenge").filter(|text| !text.is_empty());
        let challenge = challenge.map(|text| Challenge { text, hashed });
        Ok(Self { redirect, redirect_text, scopes, optional, state: field("state"), challenge })
    }
}

fn is_known(scope: &str) -> bool {
    KNOWN_SCOPES.iter().any(|(name, _)| *name == scope)
}

/// The portal's name as people see it.
pub(crate) fn portal_name(state: &State) -> String {
    format!("Vendor Example Ltd ({})", state.portal.id)
}

fn head(title: &str) -> String {
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>body{{font:16px/1.5 sans-serif;margin:3rem auto;max-width:36rem;padding:0 1rem}}button{{font:inherit;padding:.5rem 1rem}}code{{color:#555}}</style></head><body><main>"
    )
}

fn problem_page(problem: &str) -> Reply {
    let mut html = head("Authorization failed");
    html.push_str("<h1>Authorization failed</h1><p>");
    push_escaped(problem, &mut html);
    html.push_str("</p></main></body></html>");
    Reply::html(400, html)
}
