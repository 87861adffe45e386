//! What the CRM knows of the sender of a mail, and whether a line of its end says just that.
//!
//! It only compares: where a signature begins is decided by [`super::signature`].

/// The sender as the CRM knows it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'a> {
    /// Names and addresses.
    pub(super) names: &'a [&'a str],
    /// Phones, title, company.
    pub(super) facts: &'a [&'a str],
}

/// Digits a phone number is told by: the last ones, since country and trunk codes are written in many ways.
const PHONE_DIGITS: usize = 7;
/// Words a line may hold beside what is known: "Tel.", "at", "bei".
const SPARE_WORDS: usize = 2;

impl Sender<'_> {
    /// Whether a line is one or more of the sender's own names, perhaps with initials.
    pub(super) fn is_named(self, line: &str) -> bool {
        if line.len() > 60 {
            return false;
        }
        let words = words(line.trim_start_matches("Thanks.").trim_start_matches("Thanks,"));
        !words.is_empty() && words.len() <= 5 && self.names.iter().any(|name| names(name, &words))
    }

    /// Whether a line that looks like a name has nothing of the sender's own, where that is a person with a name and a
    /// family name.
    pub(super) fn is_stranger(self, line: &str) -> bool {
        let is_full = |name: &Vec<String>| name.iter().filter(|word| word.chars().count() > 1).count() >= 2;
        !self.is_desk() && self.own().iter().any(is_full) && self.is_unlike(line)
    }

    /// Whether the sender is no person, but people may write for it: names in its mails may be theirs.
    pub(super) fn is_desk(self) -> bool {
        self.is_one_of(DESKS)
    }

    /// Whether nobody writes for the sender: names in its mails are those of other people.
    pub(super) fn is_machine(self) -> bool {
        self.is_one_of(MACHINES)
    }

    fn is_one_of(self, list: &str) -> bool {
        self.own().iter().flatten().any(|word| list.split('|').any(|one| one == word))
    }

    /// Whether a line has nothing of the names and addresses that are known of the sender.
    pub(super) fn is_unlike(self, line: &str) -> bool {
        let own = self.own();
        let initials =
            |name: &Vec<String>| name.iter().filter_map(|word| word.chars().next()).collect::<String>();
        let akin = |word: &String| {
            own.iter().flatten().any(|own| is_akin(own, word))
                || own.iter().any(|name| initials(name) == *word)
        };
        !own.is_empty() && !folded(line).iter().any(akin)
    }

    /// The words of each name and address.
    fn own(self) -> Vec<Vec<String>> {
        self.names.iter().map(|name| folded(name.split('@').next().unwrap_or_default())).collect()
    }

    /// Whether a line holds an address of the sender, or what the CRM knows of it.
    pub(super) fn is_reached(self, line: &str) -> bool {
        let lower = line.to_lowercase();
        self.is_described(line)
            || self.names.iter().any(|name| name.contains('@') && lower.contains(&name.to_lowercase()))
    }

    /// Whether a line says the sender's phone, title or company, and little else.
    pub(super) fn is_described(self, line: &str) -> bool {
        if self.facts.is_empty() || line.len() > 120 || line.ends_with(['?', '!', ':']) {
            return false;
        }
        let mut left = words(line);
        let before = left.len();
        let described = self.facts.iter().filter(|fact| takes(&mut left, line, fact)).count();
        if described == 0 {
            return false;
        }
        for name in self.names {
            take(&mut left, &words(name.split('@').next().unwrap_or_default()));
        }
        let digits = left.iter().any(|word| word.contains(|c: char| c.is_ascii_digit()));
        left.len() <= SPARE_WORDS.min(before - left.len()) && !digits
    }
}

/// The words of a line in lower case.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_lowercase).collect()
}

/// Takes a fact out of the words of a line, if it is there.
fn takes(left: &mut Vec<String>, line: &str, fact: &str) -> bool {
    match phone(fact) {
        Some(tail) => {
            let digits: String = line.chars().filter(char::is_ascii_digit).collect();
            let found = digits.contains(tail.as_str());
            if found {
                left.retain(|word| !word.bytes().all(|b| b.is_ascii_digit()));
            }
            found
        }
        None => take(left, &words(fact)),
    }
}

/// Takes a run of words out of a line, if it is there.
fn take(left: &mut Vec<String>, run: &[String]) -> bool {
    let at = left.windows(run.len().max(1)).position(|part| part == run);
    if let Some(at) = at {
        left.drain(at..at + run.len());
    }
    at.is_some()
}

/// The last digits of a phone number; `None` where a fact is none.
fn phone(fact: &str) -> Option<String> {
    let digits: String = fact.chars().filter(char::is_ascii_digit).collect();
    let number = digits.len() >= PHONE_DIGITS && !fact.contains(|c: char| c.is_alphabetic());
    number.then(|| digits[digits.len() - PHONE_DIGITS..].to_owned())
}

/// Whether the words of a line are a way to write a name or the name in an address.
fn names(name: &str, words: &[String]) -> bool {
    let own = self::words(name.split('@').next().unwrap_or_default());
    let line = words.concat();
    let known = |w: &String| own.contains(w) || w.chars().count() == 1 || own.iter().any(|o| nick(o, w));
    let initials: String = own.iter().filter_map(|w| w.chars().next()).collect();
    // Two letters are as likely a word ("OK", "PM") as a name, and keeping them costs nothing.
    let initialled = own.len() >= 3 && line == initials;
    let long =
        words.iter().any(|w| w.chars().count() > 1 && (own.contains(w) || own.iter().any(|o| nick(o, w))));
    let reversed: String = own.iter().rev().cloned().collect();
    long && words.iter().all(known)
        || initialled
        || own.len() >= 2 && (line == own.concat() || line == reversed)
}

/// The words of a name in lower case, umlauts as two letters, as addresses write them.
fn folded(text: &str) -> Vec<String> {
    let fold = |word: String| {
        word.replace('ä', "ae")
            .replace('ö', "oe")
            .replace('ü', "ue")
            .replace('ß', "ss")
            .replace('ø', "oe")
            .replace('å', "aa")
    };
    words(text).into_iter().map(fold).collect()
}

/// Whether a word may be another way to write a name: a part of it, its first letter, a usual short form.
fn is_akin(own: &str, word: &str) -> bool {
    let (short, long) = if own.len() < word.len() { (own, word) } else { (word, own) };
    let initial = short.chars().count() == 1 && long.starts_with(short);
    let part = short.chars().count() >= 3 && long.contains(short);
    let usual = SHORT_FORMS.split('|').any(|names| {
        let mut names = names.split(' ');
        names.clone().any(|name| name == own) && names.any(|name| name == word)
    });
    initial || part || short == long || usual
}

/// Names by which the same person is called.
const SHORT_FORMS: &str = "robert bob bobby|william bill billy will|richard dick rick|james jim jimmy|john jack johnny|edward ted ned ed|\
    charles chuck charlie|henry hank harry|margaret peggy maggie meg|elizabeth liz betty libby|katherine kate kathy|catherine cathy kate|\
    michael mike mick|anthony tony|theodore ted|patricia trish|barbara babs|alexander sascha sasha xander|alexandra sascha sasha|\
    joseph joe|thomas tom tommy|susan sue|deborah debbie|stephen steve|steven steve|francisco paco|josé pepe|ignacio nacho|\
    guadalupe lupe|dolores lola|giuseppe beppe|luigi gigi|johannes hans|wilhelm willi|friedrich fritz|georg schorsch|joachim jochen|\
    katharina kathi|elisabeth lisa|ekaterina katya|dmitri dima|aleksandr sasha|jean-pierre jp";

/// Words in the names of senders that are no person.
const DESKS: &str = "desk|support|service|services|team|info|sales|office|help|helpdesk|hotline|noreply|reply|newsletter|marketing|accounts|\
    accounting|billing|admin|contact|hello|mail|post|vertrieb|kundenservice|buchhaltung|verwaltung|einkauf|gmbh|ag|kg|inc|ltd|llc|corp|\
    sa|sarl|srl|bv|company|group|customer|care|general|announcements|news|alerts|notifications|management|communications|operations|department|the|shop|store|orders";

/// Words in the names of senders that nobody writes for.
const MACHINES: &str = "noreply|reply|donotreply|notification|notifications|alert|alerts|shop|webshop|store|order|orders|bestellung|\
    bestellungen|newsletter|mailer|automated|forms|wordpress|system|robot|bot|daemon";

/// Whether `word` is a short form of the name `full`.
fn nick(full: &str, word: &str) -> bool {
    word.chars().count() >= 3 && full.len() > word.len() && full.starts_with(word)
}

#[cfg(test)]
mod tests {
    use super::Sender;

    const ANN: Sender = Sender {
        names: &["Ann Lee", "ann.lee@example.com"],
        facts: &["+49 (0)30 5550100", "Head of Sales", "Example GmbH"],
    };

    #[test]
    fn lines_that_say_what_the_crm_knows_describe_the_sender() {
        for line in [
            "Head of Sales",
            "Head of Sales, Example GmbH",
            "HEAD OF SALES | EXAMPLE GMBH",
            "Ann Lee, Head of Sales",
            "Head of Sales at Example GmbH",
            "030 555 0100",
            "Tel. 030/5550100",
            "Direct line +49 30 555 01 00",
        ] {
            assert!(ANN.is_described(line), "{line}");
        }
    }

    #[test]
    fn lines_that_say_more_do_not() {
        for line in [
            "Who is head of sales?",
            "We talked to the head of sales yesterday",
            "Send it to Example GmbH, please do",
            "Call 030 5550199",
            "Order 12345550100 of 3 pieces",
            "Ann Lee",
        ] {
            assert!(!ANN.is_described(line), "{line}");
        }
    }
}
