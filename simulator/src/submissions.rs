//! Form submissions of the untouched portal: which form, which contact, which id. Forms receive
//! unequal shares; a submission knows its contact only by the e-mail address it contains.

use crate::hash::draw;
use crate::kind::{Kind, SUBMISSION_STREAM};
use crate::portal::Portal;

/// A form and the eighths of all submissions it receives.
#[derive(Debug)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) form_type: &'static str,
    eighths: &'static [u64],
}

/// All forms of the portal, of every type the endpoint can list.
pub(crate) const FORMS: [Form; 4] = [
    Form { name: "Contact us", form_type: "hubspot", eighths: &[0, 1, 2, 3] },
    Form { name: "Demo request", form_type: "hubspot", eighths: &[4, 5] },
    Form { name: "#footer-form .newsletter", form_type: "captured", eighths: &[6] },
    Form { name: "Pop-up: price list", form_type: "flow", eighths: &[7] },
];

impl Portal {
    pub(crate) fn draw_submission(&self, submission: u64, salt: u64) -> u64 {
        draw(self.seed, SUBMISSION_STREAM, submission, salt)
    }

    pub(crate) fn form_guid(&self, form: usize) -> String {
        uuid(draw(self.seed, 53, form as u64, 0), draw(self.seed, 53, form as u64, 1))
    }

    pub(crate) fn form_of_submission(submission: u64) -> usize {
        let of = |f: &Form| f.eighths.contains(&(submission % 8));
        FORMS.iter().position(of).unwrap_or_default()
    }

    /// How many submissions a form has received.
    pub(crate) fn form_count(&self, form: usize) -> u64 {
        let eighths = FORMS[form].eighths;
        let (full, rest) = (self.submissions() / 8, self.submissions() % 8);
        full * eighths.len() as u64 + eighths.iter().filter(|e| **e < rest).count() as u64
    }

    /// The *n*th submission a form received, oldest first.
    pub(crate) fn nth_of_form(form: usize, n: u64) -> u64 {
        let eighths = FORMS[form].eighths;
        let width = eighths.len() as u64;
        n / width * 8 + eighths[(n % width) as usize]
    }

    /// Nearly all come from known contacts, spread over all of them.
    pub(crate) fn contact_of_submission(&self, submission: u64) -> Option<u64> {
        let contacts = self.count(Kind::Contact);
        (submission % 23 != 11 && contacts > 0).then(|| submission.wrapping_mul(7) % contacts)
    }

    pub(crate) fn submission_mail(&self, submission: u64) -> String {
        match self.contact_of_submission(submission) {
            Some(contact) => self.contact_mail(contact),
            None => format!("visitor{submission}@passerby.example"),
        }
    }

    /// Ascends with the submission, also as text.
    pub(crate) fn conversion_id(&self, submission: u64) -> String {
        let at = self.submitted(submission).max(0) as u64;
        let noise = self.draw_submission(submission, 2);
        uuid(at << 16 | (submission & 0xfff), noise)
    }
}

/// Sixteen bytes in the usual form, marked as version 4.
pub(crate) fn uuid(high: u64, low: u64) -> String {
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48 & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}
