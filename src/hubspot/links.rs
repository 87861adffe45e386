//! Addresses of records in HubSpot's app, for people. Not documented by HubSpot (contract, section 6): kept here alone.

use url::Url;

use crate::domain::engagement::Kind;
use crate::domain::ids::DocumentId;

/// What an engagement is opened on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On<'a> {
    /// A contact's page.
    Contact(&'a str),
    /// A company's page.
    Company(&'a str),
    /// Its own.
    Itself,
}

/// The address of an engagement: as HubSpot gave it, where that is one of the app's, else on the page of a customer.
/// `None` where there is no page: a form submission of somebody unknown.
#[must_use]
pub fn engagement(app: &Url, given: Option<&str>, document: &DocumentId, on: On<'_>) -> Option<Url> {
    let given = given.and_then(|text| Url::parse(text).ok());
    let portal = document.portal.to_string();
    if let Some(given) = given.filter(|url| is_of_app(app, url))
        && given.as_str().contains(&portal)
        && given.as_str().contains(&document.id)
    {
        return Some(given);
    }
    let (object, id) = match on {
        On::Contact(id) => ("0-1", id),
        On::Company(id) => ("0-2", id),
        On::Itself => (object_type(document.kind)?, document.id.as_str()),
    };
    let mut url = app.clone();
    url.path_segments_mut().ok()?.pop_if_empty().extend(["contacts", &portal, "record", object, id]);
    if on != On::Itself {
        url.query_pairs_mut().append_pair("engagement", &document.id);
    }
    Some(url)
}

/// The app of an account: the host that HubSpot names for it, else the one of the settings.
#[must_use]
pub fn app(ui_domain: Option<&str>, app_base: &Url) -> Url {
    let own = ui_domain.and_then(|host| Url::parse(&format!("https://{host}")).ok());
    own.filter(is_hubspot).unwrap_or_else(|| app_base.clone())
}

fn is_of_app(app: &Url, url: &Url) -> bool {
    url.scheme() == "https" && (url.origin() == app.origin() && url.username().is_empty() || is_hubspot(url))
}

fn is_hubspot(url: &Url) -> bool {
    let bare = url.username().is_empty() && url.password().is_none() && url.port().is_none();
    bare && url.host_str().is_some_and(|host| host == "hubspot.com" || host.ends_with(".hubspot.com"))
}

fn object_type(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Note => Some("0-46"),
        Kind::Meeting => Some("0-47"),
        Kind::Call => Some("0-48"),
        Kind::Email => Some("0-49"),
        Kind::FormSubmission => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::PortalId;

    fn document(kind: Kind) -> DocumentId {
        DocumentId { portal: PortalId(8_675_309), kind, id: "501".to_owned() }
    }

    #[test]
    fn not_6_a_link_holds_portal_and_record() {
        let base = Url::parse("https://app.hubspot.com").unwrap();
        let link = |given, kind, on| engagement(&base, given, &document(kind), on).map(String::from);
        assert_eq!(
            link(None, Kind::Note, On::Contact("7")).as_deref(),
            Some("https://app.hubspot.com/contacts/8675309/record/0-1/7?engagement=501")
        );
        assert_eq!(
            link(None, Kind::Call, On::Itself).as_deref(),
            Some("https://app.hubspot.com/contacts/8675309/record/0-48/501")
        );
        assert_eq!(link(None, Kind::FormSubmission, On::Itself), None);
        let own = "https://app-eu1.hubspot.com/contacts/8675309/record/0-46/501";
        assert_eq!(link(Some(own), Kind::Note, On::Itself).as_deref(), Some(own));
        for foreign in [
            "https://app.hubspot.com.evil.example/8675309/501",
            "javascript:8675309/501",
            "https://user@app.hubspot.com:444/8675309/501",
        ] {
            let built = "https://app.hubspot.com/contacts/8675309/record/0-2/9?engagement=501";
            let foreign = link(Some(foreign), Kind::Note, On::Company("9"));
            assert!(foreign.as_deref() == Some(built), "{foreign:?}");
        }
    }

    #[test]
    fn the_account_names_its_own_host() {
        let base = Url::parse("http://127.0.0.1:9").unwrap();
        assert_eq!(app(Some("app-eu1.hubspot.com"), &base).as_str(), "https://app-eu1.hubspot.com/");
        for bad in [None, Some("evil.example"), Some("hubspot.com.evil.example"), Some("x y")] {
            assert_eq!(app(bad, &base), base);
        }
    }
}
