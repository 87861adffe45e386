//! What attributes of links and images say: the host a link leads to, and whether an image's text means anything.
//!
//! Addresses are not kept whole: they hold tracking identifiers, and the host is what people search for.

/// Whether an image's alternative text says anything: not a file name, not a placeholder.
pub(super) fn means_something(alt: &str) -> bool {
    let alt = alt.trim();
    let lower = alt.to_ascii_lowercase();
    let file = [".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp"].iter().any(|e| lower.ends_with(e));
    alt.len() > 2
        && !file
        && !matches!(lower.as_str(), "image" | "logo" | "spacer" | "img" | "icon" | "picture")
}

/// The host a link leads to; click-tracking addresses that carry their target are unwrapped, those that hide it lead
/// nowhere.
pub(super) fn host(href: &str) -> Option<String> {
    let rest = href.trim();
    let rest = rest.strip_prefix("https://").or_else(|| rest.strip_prefix("http://"))?;
    let target = inner_target(rest);
    // Proofpoint writes underscores for slashes.
    let end = |c: char| matches!(c, '/' | '?' | '#' | ':' | '%' | '&' | '_' | '"' | ' ');
    let address = target.unwrap_or(rest);
    let host = address[..address.find(end).unwrap_or(address.len())].rsplit('@').next()?.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let tracks = |tracker: &str| host.strip_suffix(tracker).is_some_and(|h| h.is_empty() || h.ends_with('.'));
    let told = target.is_some() || !TRACKERS.iter().any(|tracker| tracks(tracker));
    (told && host.contains('.') && host.len() <= 253).then(|| host.to_owned())
}

/// How an address begins that stands inside another one: as it is, percent-encoded, or as Proofpoint writes it.
const INNER: [&str; 8] = [
    "https://",
    "http://",
    "https%3A%2F%2F",
    "http%3A%2F%2F",
    "https%3a%2f%2f",
    "http%3a%2f%2f",
    "https-3A__",
    "http-3A__",
];

/// Hosts that count clicks and hide where a link leads.
const TRACKERS: [&str; 12] = [
    "hubspotlinks.com",
    "hubspotlinksstarter.com",
    "hubspotlinksfree.com",
    "hubspotemail.net",
    "list-manage.com",
    "sendgrid.net",
    "mandrillapp.com",
    "mailgun.org",
    "awstrack.me",
    "sparkpostmail.com",
    "mcsv.net",
    "rs6.net",
];

/// The address that stands inside a click-tracking address.
fn inner_target(address: &str) -> Option<&str> {
    if !address.contains("http") {
        return None;
    }
    let found = INNER.iter().filter_map(|mark| address.find(mark).map(|at| (at, at + mark.len())));
    found.min().map(|(_, from)| &address[from..])
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn click_tracking_is_unwrapped_and_hidden_targets_are_no_host() {
        for (href, expected) in [
            ("https://www.Example.com/a?b", Some("example.com")),
            (
                "https://eur03.safelinks.protection.outlook.com/?url=https%3A%2F%2Fexample.com%2Fx&data=1",
                Some("example.com"),
            ),
            ("https://urldefense.com/v3/__https://example.com/x__;!!a", Some("example.com")),
            (
                "https://urldefense.proofpoint.com/v2/url?u=https-3A__www.example.com_x&d=1",
                Some("example.com"),
            ),
            ("https://track.example.net/c?u=http://shop.example.org/x", Some("shop.example.org")),
            ("https://d1-abc.eu1.hubspotlinks.com/Ctc/abc", None),
            ("mailto:ann@example.com", None),
            ("https://user@example.com:8443/", Some("example.com")),
        ] {
            assert_eq!(host(href).as_deref(), expected, "{href}");
        }
    }
}
