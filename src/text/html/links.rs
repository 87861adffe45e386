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

/// The host a link leads to; click-tracking addresses that carry their target are unwrapped.
pub(super) fn host(href: &str) -> Option<String> {
    let rest = href.trim();
    let rest = rest.strip_prefix("https://").or_else(|| rest.strip_prefix("http://"))?;
    let inner = rest.contains('%').then(|| inner_target(rest)).flatten();
    let rest = inner.unwrap_or(rest);
    let end = rest.find(['/', '?', '#', ':', '%', '&']).unwrap_or(rest.len());
    let host = rest[..end].rsplit('@').next()?.to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    (host.contains('.') && host.len() <= 253).then(|| host.to_owned())
}

/// The address that stands percent-encoded inside a click-tracking address.
fn inner_target(address: &str) -> Option<&str> {
    ["http%3A%2F%2F", "https%3A%2F%2F"]
        .iter()
        .find_map(|mark| address.find(mark).map(|at| &address[at + mark.len()..]))
}
