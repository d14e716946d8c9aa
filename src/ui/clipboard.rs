//! Secrets that were copied: they leave the clipboard with the window, if they are still there.

use egui::{Context, OutputCommand};

/// What was copied last, if it is a secret.
#[derive(Default)]
pub(super) struct CopiedSecret(Option<String>);

impl CopiedSecret {
    /// Looks at what this pass copies; `is_secret` says whether a text holds a secret.
    pub(super) fn watch(&mut self, ctx: &Context, is_secret: impl Fn(&str) -> bool) {
        ctx.output(|output| {
            for command in &output.commands {
                if let OutputCommand::CopyText(text) = command {
                    self.copied(text, &is_secret);
                }
            }
        });
    }

    /// Empties the clipboard if the secret is still in it.
    pub(super) fn clear(&mut self) {
        let Some(secret) = self.0.take() else {
            return;
        };
        // Without a clipboard there is nothing to empty.
        let Ok(mut clipboard) = arboard::Clipboard::new() else {
            return;
        };
        if clipboard.get_text().is_ok_and(|text| text == secret) {
            clipboard.clear().ok();
        }
    }

    fn copied(&mut self, text: &str, is_secret: impl Fn(&str) -> bool) {
        self.0 = is_secret(text).then(|| text.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_copy_counts_and_only_if_it_is_a_secret() {
        let mut copied = CopiedSecret::default();
        let is_secret = |text: &str| text.contains("eyJ");
        copied.copied("a eyJ token", is_secret);
        assert_eq!(copied.0.as_deref(), Some("a eyJ token"));
        copied.copied("a frame", is_secret);
        assert_eq!(copied.0, None);
        copied.clear();
    }
}
