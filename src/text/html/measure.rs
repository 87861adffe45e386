//! Measures markup before a tree builder may see it, in one pass and without building anything.
//!
//! It only counts; [`super::is_tame`] holds the limits.

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{State, Tokenizer};

use super::tags::{is_formatting, is_void};
use super::walk::MAX_ATTRIBUTES;

/// How large a tree some markup would build.
#[derive(Debug, Default)]
pub(super) struct Measure {
    pub(super) tags: usize,
    pub(super) depth: usize,
    /// Formatting elements left open: a tree builder opens all of them again in every block.
    pub(super) formatting: usize,
    pub(super) cells: usize,
    open: usize,
    opened: usize,
    attributes: usize,
    refused: bool,
}

impl Measure {
    fn event(&mut self, event: &CallbackEvent<'_>) {
        match event {
            CallbackEvent::OpenStartTag { name } => {
                self.tags += 1;
                self.attributes = 0;
                self.cells += usize::from(matches!(*name, b"td" | b"th"));
                if is_formatting(name) {
                    self.opened += 1;
                    self.formatting = self.formatting.max(self.opened);
                }
                if !is_void(name) {
                    self.open += 1;
                    self.depth = self.depth.max(self.open);
                }
            }
            CallbackEvent::AttributeName { name } => {
                self.attributes += 1;
                // Spans over rows and columns are what the renderer miscounts.
                self.refused |= self.attributes > MAX_ATTRIBUTES || matches!(*name, b"rowspan");
            }
            CallbackEvent::EndTag { name } => {
                self.open = self.open.saturating_sub(1);
                if is_formatting(name) {
                    self.opened = self.opened.saturating_sub(1);
                }
            }
            _ => {}
        }
    }
}

/// Measure markup without building anything; `None` where it holds what no tree builder should see.
pub(super) fn measure(markup: &str) -> Option<Measure> {
    let mut measure = Measure::default();
    {
        let emitter =
            CallbackEmitter::new(|event: CallbackEvent<'_>, _span: html5gum::Span<()>| -> Option<State> {
                measure.event(&event);
                None
            });
        Tokenizer::new_with_emitter(markup, emitter).for_each(drop);
    }
    (!measure.refused).then_some(measure)
}
