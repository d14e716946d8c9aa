//! What every test of the window starts with.

use crate::cpu_render::CpuRenderer;
use egui::{Theme, Ui, Vec2};
use egui_kittest::Harness;
use std::error::Error;
use std::path::Path;

/// A window of `size` with the fonts and styles of ours, in the dark theme.
pub(crate) fn window<'a>(size: impl Into<Vec2>, app: impl FnMut(&mut Ui) + 'a) -> Harness<'a> {
    themed(Theme::Dark, size, app)
}

/// The same in either theme.
pub(crate) fn themed<'a>(theme: Theme, size: impl Into<Vec2>, app: impl FnMut(&mut Ui) + 'a) -> Harness<'a> {
    Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_context_setup(sockeye::ui::install)
        .renderer(CpuRenderer::default())
        .build_ui(app)
}

/// Writes a picture of the window to the folder in `SOCKEYE_SHOTS`; without the variable, nothing.
pub(crate) fn shot<State>(harness: &mut Harness<'_, State>, name: &str) -> Result<(), Box<dyn Error>> {
    let Some(folder) = std::env::var_os("SOCKEYE_SHOTS") else {
        return Ok(());
    };
    let picture = harness.render()?;
    std::fs::create_dir_all(&folder)?;
    picture.save(Path::new(&folder).join(format!("{name}.png")))?;
    Ok(())
}
