//! What people wrote: persons, companies, facts about them, and the texts of engagements in six
//! languages. Everything is derived from the portal's draws; nothing is stored.

pub(crate) mod email;
mod english;
pub(crate) mod facts;
mod french;
mod german;
mod japanese;
pub(crate) mod lexicon;
pub(crate) mod logged;
pub(crate) mod markup;
pub(crate) mod persons;
mod portuguese;
mod quoting;
mod spanish;

use lexicon::Lexicon;

/// Languages by share: English is the most frequent.
pub(crate) fn language(draw: u64) -> &'static Lexicon {
    match draw % 20 {
        0..=8 => &english::LEXICON,
        9..=11 => &german::LEXICON,
        12..=13 => &french::LEXICON,
        14..=15 => &spanish::LEXICON,
        16..=17 => &portuguese::LEXICON,
        _ => &japanese::LEXICON,
    }
}
