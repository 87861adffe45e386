//! Rows of tables as the visible text shows them: cells parted by ` | `.
//!
//! It knows nothing of HTML; a table somebody typed is one too.

use std::ops::Range;

use super::body::SpanClass;
use super::lines::Line;

/// What stands between two cells of a row.
const BETWEEN: &str = " | ";

/// The cells of a line with words in them; a line of prose is one cell.
pub(super) fn of(line: &str) -> impl Iterator<Item = &str> {
    line.split(BETWEEN).map(str::trim).filter(|cell| !cell.is_empty())
}

/// Whether a line is a row of more than one cell.
pub(super) fn is_row(line: &str) -> bool {
    line.contains(BETWEEN)
}

/// The last lines where they are rows; white lines between them belong to the table.
pub(super) fn at_end(lines: &[&str]) -> Range<usize> {
    let mut from = lines.len();
    for (n, line) in lines.iter().enumerate().rev() {
        if is_row(line) {
            from = n;
        } else if !line.trim().is_empty() {
            break;
        }
    }
    from..lines.len()
}

/// Whether rows hold data: two and more of as many cells, most of them with a number that is no phone number.
pub(super) fn is_data(lines: &[&str]) -> bool {
    let rows: Vec<Vec<&str>> = lines.iter().map(|line| of(line).collect()).collect();
    let rows: Vec<&Vec<&str>> = rows.iter().filter(|row| !row.is_empty()).collect();
    let Some(first) = rows.first() else { return false };
    let alike = rows.iter().filter(|row| row.len() == first.len()).count();
    let counted = rows.iter().filter(|row| row.iter().any(|cell| is_amount(cell))).count();
    rows.len() >= 2 && alike * 3 >= rows.len() * 2 && counted * 2 >= rows.len()
}

/// Two and more new lines below each other that are rows of as many cells are a table.
pub(super) fn mark(lines: &mut [Line], text: &str) {
    // Most mails have no table: one look at the text is cheaper than one at every line.
    if memchr::memmem::find(text.as_bytes(), BETWEEN.as_bytes()).is_none() {
        return;
    }
    let mut from = 0;
    while from < lines.len() {
        let count = |line: &Line| if line.is_open() { of(line.text).count() } else { 0 };
        let cells = if is_row(lines[from].text) { count(&lines[from]) } else { 0 };
        let alike = lines[from..].iter().take_while(|line| cells >= 2 && count(line) == cells).count();
        if alike >= 2 {
            super::lines::set(&mut lines[from..from + alike], SpanClass::Table);
        }
        from += alike.max(1);
    }
}

/// Whether a cell is a quantity, a price or a date.
fn is_amount(cell: &str) -> bool {
    let digits = cell.bytes().filter(u8::is_ascii_digit).count();
    let letters = cell.chars().filter(|c| c.is_alphabetic()).count();
    (1..=8).contains(&digits) && letters <= 6 && !cell.starts_with(['+', '(']) && !cell.contains(['@', '/'])
        || cell.contains(['€', '$', '£', '%']) && digits > 0
}

#[cfg(test)]
mod tests {
    use super::{at_end, is_data};

    #[test]
    fn prices_are_data_and_contacts_are_not() {
        assert!(is_data(&["Item | Price", "Switch | 120 EUR", "Router | 90 EUR"]));
        assert!(is_data(&["2 | Switches", "3 | Fans"]));
        assert!(!is_data(&["Ann Lee | Account Executive", "Phone | +49 30 5550100"]));
        assert!(!is_data(&["Book a demo | Read our blog", "Watch the film | Follow us"]));
        assert!(!is_data(&["Switch | 120 EUR"]));
    }

    #[test]
    fn a_table_at_the_end_is_found_over_white_lines() {
        assert_eq!(at_end(&["text", "a | b", "", "c | d"]), 1..4);
        assert_eq!(at_end(&["a | b", "text"]), 2..2);
    }
}
