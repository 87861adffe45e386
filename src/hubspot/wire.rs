//! HubSpot's JSON shapes: objects, pages, associations. Lenient where HubSpot is, strict about the rest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::domain::clock::Millis;

/// An id that HubSpot writes as text in most places and as a number in some.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WireId(pub String);

impl<'de> Deserialize<'de> for WireId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Scalar::deserialize(deserializer)?.0 {
            Some(text) if !text.is_empty() => Ok(Self(text.into_owned())),
            _ => Err(serde::de::Error::custom("an id is missing")),
        }
    }
}

/// A property value: text, or null when unset; numbers and booleans are taken as their text.
struct Scalar<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor).map(Scalar)
    }
}

struct ScalarVisitor;

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, a boolean or null")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(value.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// The set properties of an object, ordered by name; unset ones (null) are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// Takes a property out; blank text counts as unset.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.trim().is_empty())
    }

    /// A property; blank text counts as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// Adds those of `others` that are named.
    pub fn add(&mut self, mut others: Self, names: &[String]) {
        let named = names.iter().filter_map(|name| others.0.remove_entry(name));
        self.0.extend(named);
    }

    /// Drops every property but these.
    pub fn keep_only(&mut self, names: &[&str]) {
        self.0.retain(|name, _| names.contains(&name.as_str()));
    }

    /// What is left as one JSON object, without what changes when nothing a reader sees does.
    #[must_use]
    pub fn to_json(&self) -> String {
        const VOLATILE: [&str; 3] = ["lastmodifieddate", "hs_lastmodifieddate", "hs_object_id"];
        let kept: BTreeMap<_, _> =
            self.0.iter().filter(|(name, _)| !VOLATILE.contains(&name.as_str())).collect();
        serde_json::to_string(&kept).unwrap_or_else(|_| "{}".to_owned())
    }
}

impl<'de> Deserialize<'de> for Properties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Map;
        impl<'de> Visitor<'de> for Map {
            type Value = Properties;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of properties")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Properties, A::Error> {
                let mut properties = BTreeMap::new();
                while let Some((name, Scalar(value))) = map.next_entry::<String, Scalar<'_>>()? {
                    if let Some(value) = value {
                        properties.insert(name, value.into_owned());
                    }
                }
                Ok(Properties(properties))
            }
        }
        deserializer.deserialize_map(Map)
    }
}

/// One object of any type.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Object {
    /// Id, unique within its type.
    pub id: WireId,
    /// Properties that are set.
    #[serde(default)]
    pub properties: Properties,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// RFC 3339.
    pub updated_at: Option<String>,
    /// Address in HubSpot's app.
    pub url: Option<String>,
    /// Inline associations by target type.
    #[serde(default)]
    pub associations: BTreeMap<String, InlineAssociations>,
}

impl Object {
    /// Creation time, or 1970 where HubSpot gives none. The property comes first: searches go by it.
    #[must_use]
    pub fn created(&self) -> Millis {
        let property = self.time(&["hs_createdate", "createdate"]);
        property.or_else(|| self.created_at.as_deref().and_then(Millis::parse)).unwrap_or_default()
    }

    /// Time of the last change, or of creation.
    #[must_use]
    pub fn updated(&self) -> Millis {
        let property = self.time(&["hs_lastmodifieddate", "lastmodifieddate"]);
        let field = || self.updated_at.as_deref().and_then(Millis::parse);
        property.or_else(field).unwrap_or_else(|| self.created())
    }

    fn time(&self, names: &[&str]) -> Option<Millis> {
        names.iter().find_map(|name| self.properties.get(name).and_then(Millis::parse))
    }
}

/// Inline associations to one type; cut at 100 by HubSpot, then `paging` is there.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct InlineAssociations {
    #[serde(default)]
    results: Vec<InlineAssociation>,
    paging: Option<Paging>,
}

#[derive(Debug, Clone, Deserialize)]
struct InlineAssociation {
    id: WireId,
    #[serde(rename = "type", default)]
    label: String,
}

impl InlineAssociations {
    /// The ids once each (HubSpot repeats one per label), the labelled (primary) one first.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let labelled = self.results.iter().filter(|one| !one.label.ends_with("_unlabeled"));
        let unlabelled = self.results.iter().filter(|one| one.label.ends_with("_unlabeled"));
        let mut ids: Vec<String> = Vec::with_capacity(self.results.len());
        for one in labelled.chain(unlabelled) {
            if !ids.contains(&one.id.0) {
                ids.push(one.id.0.clone());
            }
        }
        ids
    }

    /// HubSpot has more than it sent inline.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.paging.as_ref().is_some_and(|paging| paging.next.is_some())
    }
}

/// The cursor of a page. The link beside it may point at another API version and is never followed.
#[derive(Debug, Clone, Deserialize)]
pub struct Paging {
    /// There is a next page.
    pub next: Option<Next>,
}

/// The next page.
#[derive(Debug, Clone, Deserialize)]
pub struct Next {
    /// Its cursor.
    pub after: WireId,
}

/// A page as HubSpot sends it.
#[derive(Debug, Deserialize)]
pub struct WirePage<T> {
    /// Records.
    pub results: Vec<T>,
    /// Where to go on; its absence is the end of the data.
    pub paging: Option<Paging>,
    /// Number of all matches; search only.
    pub total: Option<u64>,
    /// What could not be answered of a batch, with status 207.
    #[serde(default = "Vec::new", deserialize_with = "list_or_null")]
    pub errors: Vec<BatchError>,
}

impl<T> WirePage<T> {
    /// A page with nothing on it.
    #[must_use]
    pub fn empty() -> Self {
        Self { results: Vec::new(), paging: None, total: None, errors: Vec::new() }
    }
}

/// One of the errors beside the results of a batch. Every field may be missing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BatchError {
    category: String,
    sub_category: String,
    message: String,
    #[serde(deserialize_with = "or_default")]
    context: BatchContext,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct BatchContext {
    #[serde(deserialize_with = "list_or_null")]
    ids: Vec<WireId>,
    #[serde(deserialize_with = "list_or_null")]
    from_object_id: Vec<WireId>,
}

impl BatchError {
    /// HubSpot says that there is nothing, which is an answer and no failure.
    #[must_use]
    pub fn says_nothing_there(&self) -> bool {
        self.category == "OBJECT_NOT_FOUND" || self.sub_category.ends_with("NO_ASSOCIATIONS_FOUND")
    }

    /// The records it is about; empty where HubSpot does not say.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.context.ids.iter().chain(&self.context.from_object_id).map(|id| id.0.as_str())
    }

    /// Its class and HubSpot's words, for people.
    #[must_use]
    pub fn reason(&self) -> String {
        format!("{} {}", self.category, self.message).trim().to_owned()
    }
}

/// A record that is valid JSON but not of the expected shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Its id, where at least that could be read.
    pub id: Option<String>,
    /// What is wrong with it.
    pub reason: String,
}

/// A page after parsing, the unreadable records apart.
#[derive(Debug)]
pub struct Page<T> {
    /// Readable records.
    pub records: Vec<T>,
    /// The others.
    pub malformed: Vec<Malformed>,
    /// Cursor of the next page.
    pub next: Option<String>,
    /// Ids that were asked for and that HubSpot says do not exist.
    pub gone: Vec<String>,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { records: Vec::new(), malformed: Vec::new(), next: None, gone: Vec::new() }
    }
}

impl<T> Page<T> {
    /// The same page with every readable record turned into something else.
    pub fn map<U>(self, work: impl FnMut(T) -> U) -> Page<U> {
        Page {
            records: self.records.into_iter().map(work).collect(),
            malformed: self.malformed,
            next: self.next,
            gone: self.gone,
        }
    }
}

impl<T: DeserializeOwned> Page<T> {
    /// Parses a page; one bad record does not lose the others, a damaged page is an error (and retried).
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        match serde_json::from_slice::<WirePage<T>>(body) {
            Ok(page) => Ok(Self { records: page.results, next: cursor(page.paging), ..Self::default() }),
            Err(_) => Self::parse_one_by_one(body),
        }
    }

    fn parse_one_by_one(body: &[u8]) -> Result<Self, serde_json::Error> {
        let page: WirePage<&RawValue> = serde_json::from_slice(body)?;
        let mut records = Vec::with_capacity(page.results.len());
        let mut malformed = Vec::new();
        for raw in page.results {
            match serde_json::from_str(raw.get()) {
                Ok(record) => records.push(record),
                Err(error) => malformed.push(Malformed { id: id_of(raw), reason: error.to_string() }),
            }
        }
        Ok(Self { records, malformed, next: cursor(page.paging), gone: Vec::new() })
    }
}

fn cursor(paging: Option<Paging>) -> Option<String> {
    paging.and_then(|paging| paging.next).map(|next| next.after.0)
}

fn id_of(raw: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct OnlyId {
        id: WireId,
    }
    serde_json::from_str::<OnlyId>(raw.get()).ok().map(|only| only.id.0)
}

/// Parses an answer that is one value.
pub fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(body)
}

/// A value that may be null.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A list that may be missing or null.
pub fn list_or_null<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct List<T>(std::marker::PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list or null")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = seq.next_element()? {
                items.push(item);
            }
            Ok(items)
        }

        fn visit_unit<E>(self) -> Result<Vec<T>, E> {
            Ok(Vec::new())
        }
    }
    deserializer.deserialize_any(List(std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_record_does_not_lose_the_page() {
        let body = br#"{"results":[{"id":"1","properties":{"a":null,"b":"0","c":false,"d":7}},{"id":"2","properties":7},
            {"properties":{}}],"paging":{"next":{"after":"3","link":"https://api.hubapi.com/crm/v3/x"}}}"#;
        let page = Page::<Object>::parse(body).unwrap();
        assert_eq!(page.records.len(), 1);
        assert_eq!(page.records[0].properties.to_json(), r#"{"b":"0","c":"false","d":"7"}"#);
        let ids: Vec<_> = page.malformed.iter().map(|bad| bad.id.as_deref()).collect();
        assert_eq!(ids, [Some("2"), None]);
        assert_eq!(page.next.as_deref(), Some("3"));
    }

    #[test]
    fn a_truncated_page_is_an_error() {
        let body = br#"{"results":[{"id":"1","properties":{}}],"paging":{"next":{"after":"2"}}}"#;
        for end in 0..body.len() {
            assert!(Page::<Object>::parse(&body[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn the_primary_association_comes_first_and_each_once() {
        let json = r#"{"results":[{"id":"7","type":"contact_to_company_unlabeled"},{"id":9,"type":"contact_to_company"},
            {"id":"9","type":"contact_to_company_unlabeled"}]}"#;
        let inline: InlineAssociations = serde_json::from_str(json).unwrap();
        assert_eq!(inline.ids(), ["9", "7"]);
        assert!(!inline.is_cut());
    }
}
