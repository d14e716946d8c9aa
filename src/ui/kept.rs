//! What the window remembers between two starts.

use serde::{Deserialize, Serialize};

use super::form::kept::KeptForm;
use super::intercept::InterceptDraft;
use super::regions::Regions;

/// The window's state in a file; no token, no secret.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptWindow {
    /// The theme.
    pub theme: KeptTheme,
    /// Regions and tabs.
    pub regions: Regions,
    /// The user's own form.
    pub form: Option<KeptForm>,
    /// The profile that the form came from.
    pub profile: Option<String>,
    /// Filters of the log, the newest first; none with a token in it.
    pub filters: Vec<String>,
    /// How a page's own connection is listened for.
    pub intercept: InterceptDraft,
}

/// Which theme was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeptTheme {
    /// That of the system.
    #[default]
    System,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

impl KeptTheme {
    /// The one after it.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::System => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::System,
        }
    }

    /// Its words.
    pub fn words(self) -> &'static str {
        match self {
            Self::System => "The system's theme",
            Self::Light => "Light theme",
            Self::Dark => "Dark theme",
        }
    }

    /// As egui says it.
    pub fn preference(self) -> egui::ThemePreference {
        match self {
            Self::System => egui::ThemePreference::System,
            Self::Light => egui::ThemePreference::Light,
            Self::Dark => egui::ThemePreference::Dark,
        }
    }
}

impl KeptWindow {
    /// Under which name it is kept.
    pub const KEY: &'static str = "window";

    /// Reads what was kept; what cannot be read is as at the first start.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// As text.
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_window_comes_back_and_a_broken_one_does_not() {
        let kept = KeptWindow { theme: KeptTheme::Dark, ..KeptWindow::default() };
        assert_eq!(KeptWindow::read(&kept.write()).unwrap().theme, KeptTheme::Dark);
        assert!(KeptWindow::read("{\"theme\":7}").is_none());
        assert!(KeptWindow::read("{}").is_some());
    }
}
