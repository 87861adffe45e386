//! Made-up mails for measurements: words by Zipf's law, lengths log-normal, the same on every machine.
//!
//! Shared by the benches of the index and of the whole.

use std::time::Duration;

/// Words by Zipf's law, mails of log-normal length.
pub(crate) struct Text {
    words: Vec<String>,
    /// Cumulated frequency of each word.
    weights: Vec<f64>,
}

impl Text {
    /// The vocabulary.
    pub(crate) fn new() -> Text {
        const COMMON: &str = "the to and of a in is you for that it we on with this be your have as are i or not will can at from by our if";
        const STARTS: [&str; 24] = [
            "re", "con", "in", "de", "pro", "ac", "sub", "over", "com", "ex", "per", "dis", "un", "inter",
            "trans", "mar", "ser", "cal", "port", "bal", "fin", "gen", "hal", "lim",
        ];
        const MIDDLES: [&str; 20] = [
            "ta", "vi", "ler", "pos", "duc", "mit", "ces", "nal", "por", "gra", "sta", "ten", "ver", "lec",
            "for", "ri", "mo", "su", "pla", "qui",
        ];
        const ENDS: [&str; 16] = [
            "", "s", "ed", "ing", "ation", "er", "ers", "ment", "ly", "able", "ness", "ity", "ive", "al",
            "t", "e",
        ];
        let mut words: Vec<String> = COMMON.split(' ').map(str::to_owned).collect();
        for n in 0..30_000u64 {
            let dice = scatter(n);
            let pick = |list: &[&str], shift: u64| list[(dice >> shift) as usize % list.len()].to_owned();
            words.push(
                pick(&STARTS, 3)
                    + &pick(&MIDDLES, 17)
                    + &pick(&MIDDLES[..(n as usize % 20) + 1], 31)
                    + &pick(&ENDS, 43),
            );
        }
        let mut sum = 0.0;
        let weights = (0..words.len())
            .map(|rank| {
                sum += 1.0 / (rank as f64 + 2.7);
                sum
            })
            .collect();
        Text { words, weights }
    }

    fn zipf(&self, dice: u64) -> &str {
        let share = (dice >> 11) as f64 / (1u64 << 53) as f64;
        let target = share * self.weights[self.weights.len() - 1];
        let at = self.weights.partition_point(|sum| *sum < target);
        &self.words[at.min(self.words.len() - 1)]
    }

    /// A word someone might search for: neither very common nor very rare.
    pub(crate) fn word(&self, n: u64) -> &str {
        &self.words[40 + (scatter(n) % 3_000) as usize]
    }

    /// Title and body of a mail, about 2.3 kB.
    pub(crate) fn mail(&self, n: u64) -> (String, String) {
        let mut dice = scatter(n);
        let mut next = || {
            dice = scatter(dice);
            dice
        };
        let normal: f64 = (0..6).map(|_| (next() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 3.0;
        let count = (normal.mul_add(1.0, 5.2).exp() as usize).clamp(15, 4_000);
        let title: Vec<&str> = (0..5).map(|_| self.zipf(next())).collect();
        let mut body = String::with_capacity(count * 7);
        for i in 0..count {
            body.push_str(self.zipf(next()));
            body.push_str(if i % 12 == 11 { ". " } else { " " });
        }
        body.push_str(&format!("INV-{} +49 30 {}", 100_000 + n, 1_000_000 + n));
        (title.join(" "), body)
    }
}

/// Scatters a number, the same on every machine.
pub(crate) fn scatter(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// CPU time of this process so far, all threads, from the system's counters of 10 ms.
pub(crate) fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
