//! The guard in front of every text field: a paste too big to lay out is taken away before any widget sees it.
//!
//! One pass of a `TextEdit` over 10 MB takes seconds. A plugin of egui looks at the input first, keeps what is larger
//! than [`BIG`] and remembers which widget had the focus; [`super::big_text`] and the panels ask for it.

use egui::{Context, Event, Id, Plugin, RawInput};

/// Bytes from which on a text is not given to a `TextEdit`: 64 KiB lay out in a few milliseconds.
pub const BIG: usize = 64 * 1024;

/// Installs the guard; call once, before the first pass. [`super::install`] does.
pub fn install(ctx: &Context) {
    ctx.add_plugin(PasteGuard::default());
}

/// Takes the big paste that waits, whichever widget had the focus.
pub fn take_big_paste(ctx: &Context) -> Option<String> {
    take(ctx, |_| true)
}

/// Takes the big paste that waits if the widget `id` had the focus when it came.
pub fn take_big_paste_for(ctx: &Context, id: Id) -> Option<String> {
    take(ctx, |focused| focused == Some(id))
}

#[derive(Default)]
struct PasteGuard {
    waiting: Option<BigPaste>,
}

struct BigPaste {
    text: String,
    focused: Option<Id>,
}

impl Plugin for PasteGuard {
    fn debug_name(&self) -> &'static str {
        "paste guard"
    }

    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        let is_big = |event: &mut Event| match event {
            Event::Paste(text) | Event::Text(text) | Event::MiddleClickPaste { text, .. } => text.len() > BIG,
            _ => false,
        };
        for event in input.events.extract_if(.., is_big) {
            if let Event::Paste(text) | Event::Text(text) | Event::MiddleClickPaste { text, .. } = event {
                let focused = ctx.memory(egui::Memory::focused);
                self.waiting = Some(BigPaste { text, focused });
            }
        }
    }
}

fn take(ctx: &Context, wanted: impl FnOnce(Option<Id>) -> bool) -> Option<String> {
    ctx.with_plugin(|guard: &mut PasteGuard| {
        let paste = guard.waiting.take_if(|paste| wanted(paste.focused))?;
        Some(paste.text)
    })
    .flatten()
}
