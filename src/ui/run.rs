//! Opens the real window, and says in a sentence why it cannot be opened.

use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eframe::egui::{IconData, ViewportBuilder};
use eframe::{NativeOptions, Renderer};

use super::app::App;
use super::kept::KeptWindow;

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no display to open a window on.
    #[error("no display to open a window on: neither WAYLAND_DISPLAY nor DISPLAY is set; use `sockeye check URL` here")]
    NoDisplay,
    /// The display or its graphics cannot be used.
    #[error("the window cannot be opened; use `sockeye check URL` in a terminal")]
    Window(#[source] eframe::Error),
    /// A library that every window needs is missing.
    #[error("the window cannot be opened, a library is missing (libxkbcommon-x11, libxcursor, libxi): {what}")]
    Library {
        /// What the window library said.
        what: String,
    },
}

/// Opens the window, on a saved session if there is one, and returns when it is closed.
pub fn run(session: Option<PathBuf>) -> Result<(), RunError> {
    if is_without_display() {
        return Err(RunError::NoDisplay);
    }
    let has_begun = Arc::new(AtomicBool::new(false));
    let begun = Arc::clone(&has_begun);
    let open = move || {
        eframe::run_native(
            "sockeye",
            options(),
            Box::new(move |creation| {
                begun.store(true, Ordering::Relaxed);
                let kept = creation.storage.and_then(|storage| storage.get_string(KeptWindow::KEY));
                let mut app = App::new(&creation.egui_ctx, kept.as_deref())?;
                if let Some(path) = session {
                    app.open_session(path);
                }
                Ok(Box::new(app))
            }),
        )
    };
    // The window library panics where libxkbcommon-x11 is missing; before our own code runs, a panic is its own.
    match panic::catch_unwind(AssertUnwindSafe(open)) {
        Ok(result) => result.map_err(RunError::Window),
        Err(payload) if !has_begun.load(Ordering::Relaxed) => {
            let what = payload.downcast_ref::<String>().cloned();
            let what = what.or_else(|| payload.downcast_ref::<&str>().map(|&text| text.to_owned()));
            Err(RunError::Library { what: what.unwrap_or_else(|| "no reason was given".to_owned()) })
        }
        Err(payload) => panic::resume_unwind(payload),
    }
}

fn options() -> NativeOptions {
    let viewport = ViewportBuilder::default()
        .with_title("Sockeye")
        .with_app_id("sockeye")
        .with_inner_size([1280.0, 800.0])
        .with_min_inner_size([760.0, 480.0])
        .with_drag_and_drop(true)
        .with_icon(icon());
    NativeOptions { viewport, renderer: Renderer::Glow, ..NativeOptions::default() }
}

fn icon() -> IconData {
    eframe::icon_data::from_png_bytes(ICON).unwrap_or_default()
}

/// Whether this is a system whose windows need a display server, and none is named.
fn is_without_display() -> bool {
    let needs_one = cfg!(all(unix, not(target_os = "macos"), not(target_os = "android")));
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    needs_one && !["WAYLAND_DISPLAY", "WAYLAND_SOCKET", "DISPLAY"].into_iter().any(is_set)
}

const ICON: &[u8] = include_bytes!("../../assets/sockeye.png");
