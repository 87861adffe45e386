//! Progress of a sync: bars with rate and time left on a terminal, a line per type elsewhere.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::domain::crm::RecordType;
use crate::sync::progress::Progress;

/// How often the terminal is redrawn.
const TICK: Duration = Duration::from_millis(100);

/// Shows progress until dropped.
pub(super) struct Bars {
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bars {
    /// Starts showing `progress` on stderr; nothing where `quiet`.
    pub(super) fn show(progress: Arc<Progress>, quiet: bool) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&done);
        let draw = move || {
            if std::io::stderr().is_terminal() { bars(&progress, &ended) } else { lines(&progress, &ended) }
        };
        let thread = (!quiet).then(|| std::thread::spawn(draw));
        Self { done, thread }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn bars(progress: &Progress, done: &AtomicBool) {
    let all = MultiProgress::new();
    let mut bars: Vec<(RecordType, Option<ProgressBar>)> = RecordType::all().map(|one| (one, None)).collect();
    loop {
        let last = done.load(Ordering::Relaxed);
        for (record_type, bar) in &mut bars {
            let Some(state) = progress.of(*record_type) else { continue };
            let bar = bar.get_or_insert_with(|| all.add(new_bar(*record_type, state.expected)));
            bar.set_position(state.fetched);
            if state.finished && !bar.is_finished() {
                bar.set_length(state.fetched);
                bar.finish();
            }
        }
        if last {
            return;
        }
        std::thread::sleep(TICK);
    }
}

fn new_bar(record_type: RecordType, expected: Option<u64>) -> ProgressBar {
    let bar = expected.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let template = if expected.is_some() {
        "{prefix:>16} {bar:30} {human_pos:>9}/{human_len} {per_sec:>12} {eta:>5} left"
    } else {
        "{prefix:>16} {spinner:30} {human_pos:>9} {per_sec:>12}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_prefix(record_type.as_str());
    bar
}

fn lines(progress: &Progress, done: &AtomicBool) {
    let mut told: Vec<RecordType> = Vec::new();
    loop {
        let last = done.load(Ordering::Relaxed);
        for record_type in RecordType::all() {
            let state = progress.of(record_type).filter(|state| state.finished);
            if let Some(state) = state.filter(|_| !told.contains(&record_type)) {
                eprintln!("{}: {} read", record_type.as_str(), state.fetched);
                told.push(record_type);
            }
        }
        if last {
            return;
        }
        std::thread::sleep(TICK);
    }
}
