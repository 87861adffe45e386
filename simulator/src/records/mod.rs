//! The properties of untouched records: one file per group of types, each a `match` from property
//! name to value. Names without a value here are unset (null) or unknown to the portal.

mod companies;
mod contacts;
pub(crate) mod deals;
mod engagements;

use crate::clock::push_iso;
use crate::kind::Kind;
use crate::portal::Portal;

impl Portal {
    /// Appends the value of a property; false when it is unset.
    pub(crate) fn value(&self, kind: Kind, index: u64, name: &str, out: &mut String) -> bool {
        if name == "hs_object_id" {
            push_number(self.id(kind, index), out);
        } else if name == "hs_obj_coords" {
            out.push_str(kind.type_id());
            out.push('-');
            push_number(self.id(kind, index), out);
        } else if name == kind.modified_property() {
            push_iso(self.modified(kind, index), out);
        } else if name == kind.created_property() {
            push_iso(self.created(kind, index), out);
        } else {
            return match kind {
                Kind::Contact => contacts::value(self, index, name, out),
                Kind::Company => companies::value(self, index, name, out),
                Kind::Deal => deals::value(self, index, name, out),
                _ => engagements::value(self, kind, index, name, out),
            } || crate::custom::value(self, kind, index, name, out);
        }
        true
    }
}

/// Appends a number in decimal.
pub(crate) fn push_number(mut number: u64, out: &mut String) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend(digits[at..].iter().map(|d| char::from(*d)));
}

/// Appends a text when there is one.
fn push_optional(value: Option<impl AsRef<str>>, out: &mut String) -> bool {
    if let Some(value) = &value {
        out.push_str(value.as_ref());
    }
    value.is_some()
}
