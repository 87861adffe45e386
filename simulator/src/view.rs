//! The portal as it is now: the untouched records with the overlay on top. Everything an endpoint
//! reads goes through here, so a deleted or merged record looks the same from every side.

use crate::associations::Tie;
use crate::kind::Kind;
use crate::overlay::{Life, Overlay, Touched};
use crate::portal::Portal;
use crate::records::push_number;

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
    pub(crate) tie: Tie,
}

impl<'a> View<'a> {
    pub(crate) fn record(&self, kind: Kind, index: u64) -> Option<Record<'a>> {
        let touched = self.overlay.get(kind, index);
        if touched.is_some_and(|t| t.readable_from > self.now) {
            return None;
        }
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
        if name == "associatedcompanyid" && !self.overlay.companies_are_as_made() {
            return self.push_primary_company(record, out);
        }
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
            None if index < self.portal.count(kind) || matches!(name, "hs_object_id" | "hs_obj_coords") => {
                return self.portal.value(kind, index, name, out);
            }
            None => return false,
        }
        true
    }

    fn push_primary_company(&self, record: &Record<'_>, out: &mut String) -> bool {
        let companies = self.targets(record, Kind::Company);
        let primary = companies.iter().find(|t| t.tie.primary);
        primary.map(|t| push_number(self.portal.id(Kind::Company, t.index), out)).is_some()
    }

    /// The same as a string.
    pub(crate) fn text(&self, record: &Record<'_>, name: &str) -> Option<String> {
        let mut out = String::new();
        self.value(record, name, &mut out).then_some(out)
    }

    /// The values a property has had, newest first: value, instant, who wrote it.
    pub(crate) fn history(&self, record: &Record<'_>, name: &str) -> Vec<(String, i64, &'static str)> {
        let mut all: Vec<(String, i64, &'static str)> = Vec::new();
        let written = record.touched.map_or(&[][..], |t| &t.history);
        for entry in written.iter().rev().filter(|w| w.name == name) {
            all.push((entry.value.clone().unwrap_or_default(), entry.at, entry.source));
        }
        let Record { kind, index, touched } = *record;
        let mut first = String::new();
        let erased = all.is_empty() && touched.is_some_and(|t| t.properties.contains_key(name));
        if index < self.portal.count(kind) && !erased && self.portal.value(kind, index, name, &mut first) {
            let (created, modified) = (self.portal.created(kind, index), self.portal.modified(kind, index));
            match first_stage(kind, name).filter(|stage| *stage != first && modified > created) {
                Some(stage) => {
                    all.push((first, modified, "CRM_UI"));
                    all.push((stage.to_owned(), created, "CRM_UI"));
                }
                None => all.push((first, created, "CRM_UI")),
            }
        }
        all
    }

    /// What a record is associated with, ascending; archived targets are not shown.
    pub(crate) fn targets(&self, record: &Record<'_>, to: Kind) -> Vec<Target> {
        let mut found: Vec<(u64, Tie)> = Vec::new();
        self.gather(record, record.index, to, &mut found);
        if let Some(touched) = record.touched {
            for merged in &touched.merged_from {
                self.gather(record, *merged, to, &mut found);
            }
        }
        found.sort_by_key(|(index, _)| *index);
        let mut targets: Vec<Target> = Vec::with_capacity(found.len());
        for (index, tie) in found {
            match targets.last_mut().filter(|last| last.index == index) {
                Some(last) => last.tie = last.tie.and(tie),
                None => targets.push(Target { index, tie }),
            }
        }
        for target in &mut targets {
            self.settle_primary(record, to, target);
        }
        targets
    }

    /// A primary company chosen later takes the mark from the one before.
    fn settle_primary(&self, record: &Record<'_>, to: Kind, target: &mut Target) {
        let (chosen, company) = match (record.kind, to) {
            (from, Kind::Company) => (self.overlay.primary_company(from, record.index), target.index),
            (Kind::Company, to) => (self.overlay.primary_company(to, target.index), record.index),
            _ => return,
        };
        if let Some(chosen) = chosen {
            target.tie.primary = self.survivor(Kind::Company, chosen) == company;
        }
    }

    /// The index a record goes by after merges.
    fn survivor(&self, kind: Kind, mut index: u64) -> u64 {
        while let Some(Life::Merged(into)) = self.overlay.get(kind, index).map(|t| t.life) {
            index = into;
        }
        index
    }

    /// Collects what ties `index`, which is the record itself or one merged into it.
    fn gather(&self, record: &Record<'_>, index: u64, to: Kind, found: &mut Vec<(u64, Tie)>) {
        let from = record.kind;
        let mut add = |target: u64, tie: Tie, inherited: bool| {
            let cut = inherited && self.overlay.is_removed(from, index, to, target);
            let target = self.survivor(to, target);
            let cut = cut || inherited && self.overlay.is_removed(from, record.index, to, target);
            if !cut && self.record(to, target).is_some_and(|record| record.is_live()) {
                found.push((target, tie));
            }
        };
        if index < self.portal.count(from) {
            self.base_targets(from, index, to, &mut |target, tie| add(target, tie, true));
        }
        for edge in self.overlay.edges(from, index, to) {
            if edge.visible_from <= self.now {
                add(edge.to, edge.tie, index != record.index);
            }
        }
    }

    fn base_targets(&self, from: Kind, index: u64, to: Kind, add: &mut dyn FnMut(u64, Tie)) {
        use Kind::{Company, Contact, Deal};
        let p = self.portal;
        let mut all = |list: Vec<u64>, tie: Tie| list.into_iter().for_each(|i| add(i, tie));
        match (from, to) {
            (Contact, Company) => {
                all(p.company_of_contact(index).into_iter().collect(), Tie::PRIMARY);
                all(p.second_company_of_contact(index).into_iter().collect(), Tie::LABELLED);
            }
            (Company, Contact) => {
                all(p.primary_contacts_of_company(index), Tie::PRIMARY);
                all(p.second_contacts_of_company(index), Tie::LABELLED);
            }
            (Contact, Deal) => all(p.deals_of_contact(index), Tie::PLAIN),
            (Deal, Contact) => all(p.contacts_of_deal(index), Tie::PLAIN),
            (Deal, Company) => all(p.company_of_deal(index).into_iter().collect(), Tie::PRIMARY),
            (Company, Deal) => all(p.deals_of_company(index), Tie::PRIMARY),
            (Contact, to) if to.is_engagement() => all(p.engagements_of_contact(to, index), Tie::PLAIN),
            (Company, to) if to.is_engagement() => all(p.engagements_of_company(to, index), Tie::PLAIN),
            (Deal, to) if to.is_engagement() => all(p.engagements_of_deal(to, index), Tie::PLAIN),
            (from, Contact) if from.is_engagement() => all(p.contacts_of_engagement(from, index), Tie::PLAIN),
            (from, Company) if from.is_engagement() => {
                all(p.companies_of_engagement(from, index), Tie::PLAIN)
            }
            (from, Deal) if from.is_engagement() => all(p.deals_of_engagement(from, index), Tie::PLAIN),
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

/// Where records enter a staged property, so that those further on have a past.
fn first_stage(kind: Kind, name: &str) -> Option<&'static str> {
    match (kind, name) {
        (Kind::Contact, "lifecyclestage") => Some("subscriber"),
        (Kind::Task, "hs_task_status") => Some("NOT_STARTED"),
        (Kind::Meeting, "hs_meeting_outcome") => Some("SCHEDULED"),
        _ => None,
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
