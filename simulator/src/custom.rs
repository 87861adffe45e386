//! Properties that the account has made itself for its contacts, companies and deals: of every type
//! HubSpot has, also hidden, calculated and archived ones. What each is follows from its number; how
//! many there are and which of them somebody hid or archived is the account's state.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::catalog::{self, Property};
use crate::clock::push_iso;
use crate::hash::pick;
use crate::kind::Kind;
use crate::portal::Portal;
use crate::records::push_number;

/// Most of a type.
pub(crate) const MOST: usize = 500;
const PREFIX: &str = "custom_property_";
/// Values of a choice, which are not what people see.
const OPTIONS: [&str; 4] = ["opt_a", "opt_b", "opt_c", "opt_d"];
const OPTION_LABELS: [&str; 4] = ["First choice", "Second choice", "Third choice", "Fourth choice"];

/// How many properties an account has made, and what it did to them.
#[derive(Debug, Default)]
pub(crate) struct Made {
    counts: [AtomicUsize; 3],
    set_aside: Mutex<SetAside>,
}

/// Properties that somebody hid or archived, beside those that are hidden by their number.
#[derive(Debug, Default)]
pub(crate) struct SetAside {
    pub(crate) hidden: BTreeSet<(Kind, usize)>,
    pub(crate) archived: BTreeSet<(Kind, usize)>,
}

impl Made {
    /// `count` properties of contacts, companies and deals each.
    pub(crate) fn new(count: usize) -> Self {
        let made = Self::default();
        for kind in [Kind::Contact, Kind::Company, Kind::Deal] {
            made.set_count(kind, count);
        }
        made
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.counts.get(kind.number()).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(crate) fn set_count(&self, kind: Kind, count: usize) {
        if let Some(known) = self.counts.get(kind.number()) {
            known.store(count.min(MOST), Ordering::Relaxed);
        }
    }

    pub(crate) fn set_aside(&self) -> MutexGuard<'_, SetAside> {
        self.set_aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_archived(&self, kind: Kind, number: usize) -> bool {
        self.set_aside().archived.contains(&(kind, number))
    }

    pub(crate) fn is_hidden(&self, kind: Kind, number: usize) -> bool {
        number % 10 == 7 || self.set_aside().hidden.contains(&(kind, number))
    }
}

/// The first properties an account has made itself.
pub(crate) fn first(count: usize) -> &'static [Property] {
    static ALL: LazyLock<Vec<Property>> = LazyLock::new(|| (0..MOST).map(definition).collect());
    &ALL[..count.min(MOST)]
}

/// Which of them a name means.
pub(crate) fn number(name: &str) -> Option<usize> {
    name.strip_prefix(PREFIX)?.parse().ok().filter(|number| *number < MOST)
}

/// The definition a name has for types that can have properties of the account's own.
pub(crate) fn find(kind: Kind, name: &str) -> Option<&'static Property> {
    if !matches!(kind, Kind::Contact | Kind::Company | Kind::Deal) {
        return None;
    }
    first(MOST).get(number(name)?)
}

/// Computed by HubSpot, so that nobody can set it.
pub(crate) fn is_calculated(number: usize) -> bool {
    number % 10 == 8
}

/// What people see in the place of a value.
pub(crate) fn option_label(value: &str) -> &str {
    OPTIONS.iter().position(|one| *one == value).map_or(value, |at| OPTION_LABELS[at])
}

fn definition(number: usize) -> Property {
    // Definitions live as long as the program, like those written down in the catalogue.
    let name: &'static str = Box::leak(format!("{PREFIX}{number:03}").into_boxed_str());
    let label: &'static str = Box::leak(format!("Custom property {number}").into_boxed_str());
    let text = catalog::text(name, label);
    let choice = Property { value_type: "enumeration", options: &OPTIONS, ..text };
    match number % 10 {
        0 => catalog::number(name, label),
        1 => catalog::instant(name, label),
        2 => catalog::flag(name, label),
        3 => Property { field_type: "select", ..choice },
        5 => Property { field_type: "checkbox", ..choice },
        6 => Property { value_type: "date", field_type: "date", ..text },
        8 => catalog::fixed(Property { field_type: "calculation_equation", ..catalog::number(name, label) }),
        // A type few clients know.
        9 => Property { value_type: "json", ..text },
        _ => text,
    }
}

/// Appends the value a record has of one of them: one in eight is set.
pub(crate) fn value(p: &Portal, kind: Kind, i: u64, name: &str, out: &mut String) -> bool {
    let Some(number) = number(name).filter(|number| *number < p.made.count(kind)) else { return false };
    let draw = p.draw(kind, i, 2_000 + number as u64);
    if !draw.is_multiple_of(8) {
        return false;
    }
    match number % 10 {
        0 | 8 => push_number(draw % 100_000, out),
        1 => push_iso(p.created(kind, i), out),
        2 => out.push_str(if draw.is_multiple_of(16) { "true" } else { "false" }),
        3 => out.push_str(pick(&OPTIONS, draw >> 8)),
        5 => {
            out.push_str(OPTIONS[(draw >> 8) as usize % 2]);
            out.push(';');
            out.push_str(OPTIONS[2 + (draw >> 9) as usize % 2]);
        }
        6 => {
            let mut at = String::new();
            push_iso(p.created(kind, i), &mut at);
            out.push_str(&at[..10]);
        }
        9 => {
            out.push_str("{\"score\":");
            push_number(draw % 100, out);
            out.push('}');
        }
        _ => out.push_str(pick(&["Lisbon", "Kyoto", "Graz", "Nantes", "Oaxaca"], draw >> 8)),
    }
    true
}
