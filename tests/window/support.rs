//! What every test of the window starts with.

use crate::cpu_render::CpuRenderer;
use egui::{Theme, Ui, Vec2};
use egui_kittest::Harness;
use sockeye::ui::App;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

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

/// The whole window over a real engine, as at a first start, without file dialogs.
pub(crate) fn app(theme: Theme, size: impl Into<Vec2>, scale: f32) -> Harness<'static, App> {
    kept_app(theme, size, scale, None)
}

/// The whole window with what an earlier one left behind.
pub(crate) fn kept_app(theme: Theme, size: impl Into<Vec2>, scale: f32, kept: Option<String>) -> Harness<'static, App> {
    Harness::builder()
        .with_size(size)
        .with_theme(theme)
        .with_pixels_per_point(scale)
        .with_max_steps(32)
        .renderer(CpuRenderer::default())
        .build_eframe(move |creation| {
            let Ok(mut app) = App::new(&creation.egui_ctx, kept.as_deref()) else {
                panic!("the engine does not start");
            };
            app.without_dialogs();
            app.in_memory();
            creation.egui_ctx.set_theme(theme);
            app
        })
}

/// Steps the window until `is_there`.
#[track_caller]
pub(crate) fn wait_for<'a, State>(
    harness: &mut Harness<'a, State>,
    what: &str,
    is_there: impl Fn(&Harness<'a, State>) -> bool,
) {
    for _ in 0..PATIENCE {
        if is_there(harness) {
            // What follows from it is drawn in the next pass.
            harness.step();
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
        harness.step();
    }
    panic!("{what} did not come");
}

/// How many passes, five milliseconds apart and more, something may take.
const PATIENCE: usize = 1500;
