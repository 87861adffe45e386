//! The portal as it is now: the untouched records with the overlay on top. Everything an endpoint
//! reads goes through here, so a deleted or merged record looks the same from every side.

use crate::associations::{AssociationType, types};
use crate::kind::Kind;
use crate::overlay::{Life, Overlay, Touched};
use crate::portal::Portal;

/// How long deleted records can be restored.
const BIN_MS: i64 = 90 * crate::clock::DAY_MS;

/// A look at the portal at one instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) portal: &'a Portal,
    pub(crate) overlay: &'a Overlay,
    pub(crate) now: i64,
}

/// One record, touched or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) kind: Kind,
    pub(crate) index: u64,
    pub(crate) touched: Option<&'a Touched>,
}

/// A record something is associated with.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) index: u64,
    pub(crate) types: Vec<AssociationType>,
}

impl<'a> View<'a> {
    pub(crate) fn record(&self, kind: Kind, index: u64) -> Option<Record<'a>> {
        let touched = self.overlay.get(kind, index);
        (index < self.portal.count(kind) || touched.is_some()).then_some(Record { kind, index, touched })
    }

    /// The record an id leads to, through merges; also archived ones, never those gone for good.
    pub(crate) fn find(&self, kind: Kind, id: u64) -> Option<Record<'a>> {
        let mut record = self.record(kind, self.portal.index(kind, id)?)?;
        while let Life::Merged(into) = record.life() {
            record = self.record(kind, into)?;
        }
        (record.life() != Life::Gone && !self.is_purged(&record)).then_some(record)
    }

    /// Whether a deleted record has been in the recycle bin for longer than HubSpot keeps it.
    fn is_purged(&self, record: &Record<'_>) -> bool {
        matches!(record.life(), Life::Archived(at) if self.now - at >= BIN_MS)
    }

    /// Live or archived records from an index on, ascending.
    pub(crate) fn from(
        &self,
        kind: Kind,
        first: u64,
        archived: bool,
    ) -> Box<dyn Iterator<Item = Record<'a>> + 'a> {
        let view = *self;
        if archived {
            let touched = view.overlay.touched(kind).range(first..);
            let records = touched.map(move |(index, t)| Record { kind, index: *index, touched: Some(t) });
            return Box::new(records.filter(move |record| record.is_archived() && !view.is_purged(record)));
        }
        let records = (first..view.overlay.end(kind)).filter_map(move |i| view.record(kind, i));
        Box::new(records.filter(Record::is_live))
    }

    pub(crate) fn id(&self, record: &Record<'_>) -> u64 {
        self.portal.id(record.kind, record.index)
    }

    pub(crate) fn created(&self, record: &Record<'_>) -> i64 {
        record.touched.map_or_else(|| self.portal.created(record.kind, record.index), |t| t.created)
    }

    pub(crate) fn modified(&self, record: &Record<'_>) -> i64 {
        record.touched.map_or_else(|| self.portal.modified(record.kind, record.index), |t| t.modified)
    }

    /// Appends a property's value; false when it is unset.
    pub(crate) fn value(&self, record: &Record<'_>, name: &str, out: &mut String) -> bool {
        let Record { kind, index, touched } = *record;
        let Some(touched) = touched else {
            return self.portal.value(kind, index, name, out);
        };
        if name == kind.modified_property() {
            crate::clock::push_iso(touched.modified, out);
            return true;
        }
        if name == kind.created_property() {
            crate::clock::push_iso(touched.created, out);
            return true;
        }
        if name == "hs_merged_object_ids" && !touched.merged_from.is_empty() {
            let ids = touched.merged_from.iter().map(|i| self.portal.id(kind, *i).to_string());
            out.push_str(&ids.collect::<Vec<_>>().join(";"));
            return true;
        }
        match touched.properties.get(name) {
            Some(Some(value)) => out.push_str(value),
            Some(None) => return false,
            None if index < self.portal.count(kind) || name == "hs_object_id" => {
                return self.portal.value(kind, index, name, out);
            }
            None => return false,
        }
        true
    }

    /// The same as a string.
    pub(crate) fn text(&self, record: &Record<'_>, name: &str) -> Option<String> {
        let mut out = String::new();
        self.value(record, name, &mut out).then_some(out)
    }

    /// What a record is associated with, ascending; archived targets are not shown.
    pub(crate) fn targets(&self, record: &Record<'_>, to: Kind) -> Vec<Target> {
        let mut found: Vec<(u64, bool)> = Vec::new();
        self.gather(record.kind, record.index, to, &mut found);
        if let Some(touched) = record.touched {
            for merged in &touched.merged_from {
                self.gather(record.kind, *merged, to, &mut found);
            }
        }
        // A primary tie sorts before a plain one to the same record, and so survives.
        found.sort_unstable_by_key(|(index, primary)| (*index, !*primary));
        found.dedup_by_key(|(index, _)| *index);
        found
            .into_iter()
            .map(|(index, primary)| Target { index, types: types(record.kind, to, primary) })
            .collect()
    }

    fn gather(&self, from: Kind, index: u64, to: Kind, found: &mut Vec<(u64, bool)>) {
        let mut add = |target: u64, primary: bool| {
            if self.overlay.is_removed(from, index, to, target) {
                return;
            }
            let Some(mut record) = self.record(to, target) else {
                return;
            };
            while let Life::Merged(into) = record.life() {
                let Some(next) = self.record(to, into) else {
                    return;
                };
                record = next;
            }
            if record.is_live() {
                found.push((record.index, primary));
            }
        };
        if index < self.portal.count(from) {
            self.base_targets(from, index, to, &mut add);
        }
        for edge in self.overlay.edges(from, index, to) {
            if edge.visible_from <= self.now {
                add(edge.to, edge.primary);
            }
        }
    }

    fn base_targets(&self, from: Kind, index: u64, to: Kind, add: &mut dyn FnMut(u64, bool)) {
        use Kind::{Company, Contact, Deal};
        let p = self.portal;
        let mut all = |list: Vec<u64>, primary: bool| list.into_iter().for_each(|i| add(i, primary));
        match (from, to) {
            (Contact, Company) => {
                all(p.company_of_contact(index).into_iter().collect(), true);
                all(p.second_company_of_contact(index).into_iter().collect(), false);
            }
            (Company, Contact) => {
                all(p.primary_contacts_of_company(index), true);
                all(p.second_contacts_of_company(index), false);
            }
            (Contact, Deal) => all(p.deals_of_contact(index), false),
            (Deal, Contact) => all(p.contacts_of_deal(index), false),
            (Deal, Company) => all(p.company_of_deal(index).into_iter().collect(), true),
            (Company, Deal) => all(p.deals_of_company(index), true),
            (Contact, to) if to.is_engagement() => all(p.engagements_of_contact(to, index), false),
            (Company, to) if to.is_engagement() => all(p.engagements_of_company(to, index), false),
            (Deal, to) if to.is_engagement() => all(p.engagements_of_deal(to, index), false),
            (from, Contact) if from.is_engagement() => all(p.contacts_of_engagement(from, index), false),
            (from, Company) if from.is_engagement() => all(p.companies_of_engagement(from, index), false),
            (from, Deal) if from.is_engagement() => all(p.deals_of_engagement(from, index), false),
            _ => {}
        }
    }

    /// A live contact by one of its addresses. Scans when the address is none the portal made.
    pub(crate) fn contact_by_mail(&self, mail: &str) -> Option<Record<'a>> {
        if let Some(index) = self.overlay.contact_with_mail(mail) {
            let record = self.record(Kind::Contact, index)?;
            return record.is_live().then_some(record);
        }
        let local = mail.split('@').next().unwrap_or_default();
        let digits = local.trim_start_matches(|c: char| !c.is_ascii_digit());
        let record = self.record(Kind::Contact, digits.parse().ok()?)?;
        let own = |name| {
            self.text(&record, name).is_some_and(|m| m.split(';').any(|m| m.eq_ignore_ascii_case(mail)))
        };
        let found = own("email") || own("hs_additional_emails");
        let live = self.find(Kind::Contact, self.id(&record))?;
        (found && live.is_live()).then_some(live)
    }
}

impl Record<'_> {
    pub(crate) fn life(&self) -> Life {
        self.touched.map_or(Life::Live, |t| t.life)
    }

    pub(crate) fn is_live(&self) -> bool {
        self.life() == Life::Live
    }

    pub(crate) fn is_archived(&self) -> bool {
        matches!(self.life(), Life::Archived(_))
    }
}
