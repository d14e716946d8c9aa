//! The session over time: frames a second, payload sizes, round trips of our pings. A click goes to that moment in the log.

use crate::observation::Moment;
use crate::store::{Bucket, Series};
use crate::ui::action::Action;
use crate::ui::context::{Actions, Context};
use crate::ui::panels::parts::teach_ui;
use crate::ui::theme::{self, Palette};
use crate::ui::units;
use egui::{Color32, Frame, Id, Margin, Ui, Vec2b};
use egui_plot::{GridMark, HoverPosition, Line, Plot, PlotPoints, Points};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The plots of the shown connection.
#[derive(Debug, Default)]
pub struct Plots {
    unit: RateUnit,
}

/// What the first plot counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum RateUnit {
    #[default]
    Frames,
    Bytes,
}

/// One plot: how it is called, what its numbers mean, its lines.
struct Chart {
    name: &'static str,
    number: fn(f64) -> String,
    curves: Vec<Curve>,
    /// Single points in place of lines: not every bucket has a value.
    is_sparse: bool,
}

/// What a bucket is compared by.
type Value = fn(&Bucket) -> u64;

struct Curve {
    name: &'static str,
    colour: Color32,
    points: Vec<[f64; 2]>,
}

impl Plots {
    /// Shows the plots in all the room that `ui` has left.
    pub fn show(&mut self, ui: &mut Ui, ctx: &Context<'_>, actions: &mut Actions) {
        let Some(view) = ctx.view.filter(|view| !view.series.buckets().is_empty()) else {
            teach_ui(
                ui,
                "Plots",
                &[
                    "Once frames travel, their rate, their sizes and the round trips of our pings stand here over time.",
                    "A click goes to that moment in the log.",
                ],
            );
            return;
        };
        let series: &Series = &view.series;
        Frame::NONE.inner_margin(Margin::symmetric(12, 8)).show(ui, |ui| {
            self.head_ui(ui, series, actions);
            let palette = theme::palette(ui);
            let charts = [self.rates(series, palette), sizes(series, palette), round_trips(series, palette)];
            let has_values = |chart: &Chart| chart.curves.iter().any(|curve| !curve.points.is_empty());
            let shown = charts.iter().filter(|chart| has_values(chart)).count().max(1) as f32;
            let height = ((ui.available_height() - HEADING * shown) / shown).max(LEAST_HEIGHT);
            egui::ScrollArea::vertical().id_salt("plots").auto_shrink(false).show(ui, |ui| {
                for chart in charts {
                    if has_values(&chart) {
                        chart_ui(ui, chart, height, series, actions);
                    }
                }
            });
        });
    }

    fn head_ui(&mut self, ui: &mut Ui, series: &Series, actions: &mut Actions) {
        ui.horizontal_wrapped(|ui| {
            ui.selectable_value(&mut self.unit, RateUnit::Frames, "Frames/s");
            ui.selectable_value(&mut self.unit, RateUnit::Bytes, "Bytes/s");
            ui.separator();
            let tops: [(&str, Value); 3] = [
                ("Busiest moment", |bucket| bucket.frames.iter().sum()),
                ("Largest frame", |bucket| bucket.largest.into_iter().max().unwrap_or(0)),
                ("Slowest round trip", |bucket| bucket.round_trip_longest_nanos),
            ];
            for (name, value) in tops {
                let top = series.buckets().iter().enumerate().rev().max_by_key(|(_, bucket)| value(bucket));
                let top = top.filter(|(_, bucket)| value(bucket) > 0);
                if let Some((number, _)) = top
                    && ui.button(name).on_hover_text("Goes there in the log").clicked()
                {
                    actions.push(Action::GoToMoment(series.begin(number)));
                }
            }
        });
        let palette = theme::palette(ui);
        let width = units::span(Duration::from_nanos(series.width_nanos()));
        let words = format!(
            "One point for each {width}. Click: go to that moment. Drag: move. Ctrl+wheel: zoom. Double click: all."
        );
        ui.label(theme::tinted(words, palette.muted).size(theme::SMALL_SIZE));
    }

    fn rates(&self, series: &Series, palette: &Palette) -> Chart {
        let secs = series.width_nanos() as f64 / 1e9;
        let (name, number): (_, fn(f64) -> String) = match self.unit {
            RateUnit::Frames => ("frames/s", |value| units::count(value.max(0.0).round() as u64)),
            RateUnit::Bytes => ("payload/s", |value| units::size(value.max(0.0) as u64)),
        };
        let value = |bucket: &Bucket, side: usize| match self.unit {
            RateUnit::Frames => bucket.frames[side] as f64 / secs,
            RateUnit::Bytes => bucket.bytes[side] as f64 / secs,
        };
        let curve =
            |name, colour, side| Curve { name, colour, points: points(series, |bucket| Some(value(bucket, side))) };
        let curves = vec![curve("sent", palette.sent, 0), curve("received", palette.received, 1)];
        Chart { name, number, curves, is_sparse: false }
    }
}

fn sizes(series: &Series, palette: &Palette) -> Chart {
    let largest = |side: usize| move |bucket: &Bucket| (bucket.frames[side] > 0).then(|| bucket.largest[side] as f64);
    let curves = vec![
        Curve { name: "sent", colour: palette.sent, points: points(series, largest(0)) },
        Curve { name: "received", colour: palette.received, points: points(series, largest(1)) },
    ];
    Chart { name: "largest payload", number: |value| units::size(value.max(0.0) as u64), curves, is_sparse: true }
}

fn round_trips(series: &Series, palette: &Palette) -> Chart {
    let has = |bucket: &Bucket| bucket.round_trips > 0;
    let longest = |bucket: &Bucket| has(bucket).then(|| bucket.round_trip_longest_nanos as f64 / 1e9);
    let mean = |bucket: &Bucket| {
        has(bucket).then(|| bucket.round_trip_sum_nanos as f64 / bucket.round_trips.max(1) as f64 / 1e9)
    };
    let curves = vec![
        Curve { name: "longest", colour: palette.warn, points: points(series, longest) },
        Curve { name: "mean", colour: palette.control, points: points(series, mean) },
    ];
    let number = |value: f64| units::span(Duration::from_secs_f64(value.clamp(0.0, 1e9)));
    Chart { name: "ping round trip", number, curves, is_sparse: true }
}

/// Seconds and values of the buckets that have one.
fn points(series: &Series, value: impl Fn(&Bucket) -> Option<f64>) -> Vec<[f64; 2]> {
    let width = series.width_nanos() as f64 / 1e9;
    let buckets = series.buckets().iter().enumerate();
    buckets.filter_map(|(number, bucket)| Some([number as f64 * width, value(bucket)?])).collect()
}

fn chart_ui(ui: &mut Ui, chart: Chart, height: f32, series: &Series, actions: &mut Actions) {
    let Chart { name, number, curves, is_sparse } = chart;
    let palette = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.label(theme::strong(name));
        for curve in &curves {
            ui.label(theme::tinted(format!("● {}", curve.name), curve.colour));
        }
    });
    let end = series.begin(series.buckets().len()).0 as f64 / 1e9;
    let top = curves.iter().flat_map(|curve| &curve.points).map(|point| point[1]).fold(0.0, f64::max);
    let hover = move |position: &HoverPosition<'_>| match position {
        HoverPosition::NearDataPoint { plot_name, position, .. } => {
            Some(format!("{plot_name} {}\nat {}", number(position.y), seconds(position.x)))
        }
        HoverPosition::Elsewhere { position } => Some(format!("at {}", seconds(position.x))),
    };
    let plot = Plot::new(("plot", name))
        .height(height)
        .link_axis(Id::unique("plots over time"), Vec2b::new(true, false))
        .link_cursor(Id::unique("plots over time"), Vec2b::new(true, false))
        .allow_scroll(false)
        .allow_zoom(Vec2b::new(true, false))
        .allow_drag(Vec2b::new(true, false))
        .allow_boxed_zoom(false)
        .include_x(0.0)
        .include_x(end)
        .include_y(0.0)
        .include_y(if top > 0.0 { top * 1.08 } else { 1.0 })
        .set_margin_fraction(egui::vec2(0.0, 0.0))
        .grid_color(palette.line)
        .cursor_color(palette.muted)
        .y_axis_min_width(AXIS_WIDTH)
        .x_axis_formatter(|mark: GridMark, _: &RangeInclusive<f64>| axis_seconds(mark))
        // The zero below would stand on that of the time.
        .y_axis_formatter(
            move |mark: GridMark, _: &RangeInclusive<f64>| {
                if mark.value > 0.0 { number(mark.value) } else { String::new() }
            },
        )
        .label_formatter(hover);
    let response = plot.show(ui, |plot| {
        for Curve { name, colour, points } in curves {
            if is_sparse {
                plot.points(Points::new(name, PlotPoints::from(points)).color(colour).radius(2.0));
            } else {
                plot.line(Line::new(name, PlotPoints::from(points)).color(colour).width(1.5));
            }
        }
        plot.pointer_coordinate()
    });
    if response.response.clicked()
        && let Some(point) = response.inner
    {
        actions.push(Action::GoToMoment(Moment((point.x.max(0.0) * 1e9) as u64)));
    }
}

fn seconds(value: f64) -> String {
    let span = Duration::from_secs_f64(value.clamp(0.0, 1e9));
    if span < Duration::from_mins(1) { format!("{value:.3} s") } else { units::span(span) }
}

/// As many digits as tell neighbouring marks apart.
fn axis_seconds(mark: GridMark) -> String {
    let digits = if mark.step_size >= 1.0 { 0 } else { (-mark.step_size.log10()).ceil().clamp(0.0, 6.0) as usize };
    if mark.value < 60.0 { format!("{:.digits$} s", mark.value) } else { seconds(mark.value) }
}

/// Points of a plot's height at least, of what stands above it, and of the room left of it for numbers.
const LEAST_HEIGHT: f32 = 96.0;
const HEADING: f32 = 36.0;
const AXIS_WIDTH: f32 = 72.0;
