//! A run as a picture: load, nodes by what they do, response time against its thresholds, actions,
//! one below the other over the same time.

use plotters::coord::Shift;
use plotters::prelude::*;

use super::model::TICK_S;
use super::run::Tick;

/// Size in pixels.
const SIZE: (u32, u32) = (1200, 960);
/// Columns that a run is drawn in at the most: more cannot be told apart.
const COLUMNS: usize = 560;
/// Heights at which the panels begin, below the title.
const PANELS: [u32; 4] = [50, 270, 540, 780];
/// Left and bottom margins of a panel.
const LEFT: u32 = 74;
const BOTTOM: u32 = 30;
/// Least response time that is shown, and the least that is at the top, milliseconds.
const RESPONSE_MS: (f64, f64) = (0.8, 40.0);

// Colours that people with other eyes can tell apart too (Okabe and Ito).
const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(230, 159, 0);
const VERMILION: RGBColor = RGBColor(213, 94, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
const SKY: RGBColor = RGBColor(86, 180, 233);
const GREY: RGBColor = RGBColor(187, 187, 187);
const PURPLE: RGBColor = RGBColor(204, 121, 167);

/// Why there is no picture.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("cannot draw the run: {0}")]
pub struct PictureError(String);

/// Text and response time in microseconds of a line that is drawn across.
pub type Threshold<'a> = (&'a str, f64);

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// What is drawn of some neighbouring ticks.
#[derive(Clone, Copy, Default)]
struct Column {
    hours: f64,
    reads: f64,
    writes: f64,
    /// Nodes: Writers, and on top of those Replicas, Load Managers, others.
    nodes: [f64; 4],
    mean_ms: f64,
    highest_ms: f64,
}

/// The picture as SVG.
pub fn picture(
    title: &str,
    ticks: &[Tick],
    thresholds: &[Threshold<'_>],
) -> Result<String, PictureError> {
    let mut text = String::new();
    draw(&mut text, title, ticks, thresholds).map_err(|e| PictureError(e.to_string()))?;
    Ok(text)
}

fn draw(
    text: &mut String,
    title: &str,
    ticks: &[Tick],
    thresholds: &[Threshold<'_>],
) -> Result<(), Box<dyn std::error::Error>> {
    let root = SVGBackend::with_string(text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    root.titled(title, ("sans-serif", 24).into_font())?;
    let columns = columns(ticks);
    let hours = ticks.len() as f64 * f64::from(TICK_S) / 3600.0;
    let [first, second, third, fourth] = PANELS;
    let (width, height) = SIZE;
    let panel = |from: u32, to: u32| root.clone().shrink((0, from), (width - 20, to - from));
    load(&panel(first, second), &columns, hours)?;
    nodes(&panel(second, third), &columns, hours)?;
    response(&panel(third, fourth), &columns, hours, thresholds)?;
    actions(&panel(fourth, height), ticks, hours)?;
    root.present()?;
    Ok(())
}

fn columns(ticks: &[Tick]) -> Vec<Column> {
    let each = ticks.len().div_ceil(COLUMNS).max(1);
    let column = |(at, ticks): (usize, &[Tick])| {
        let n = ticks.len() as f64;
        let mean = |of: fn(&Tick) -> f64| ticks.iter().map(of).sum::<f64>() / n;
        let (w, r) = (mean(|t| f64::from(t.writers)), mean(|t| f64::from(t.replicas)));
        let (m, o) = (mean(|t| f64::from(t.load_managers)), mean(|t| f64::from(t.others)));
        let us = ticks.iter().map(|t| t.answered.average_us());
        Column {
            hours: (at * each) as f64 * f64::from(TICK_S) / 3600.0,
            reads: mean(|t| t.load.reads),
            writes: mean(|t| t.load.writes),
            nodes: [w, w + r, w + r + m, w + r + m + o],
            mean_ms: us.clone().sum::<f64>() / n / 1000.0,
            highest_ms: us.fold(0.0, f64::max) / 1000.0,
        }
    };
    ticks.chunks(each).enumerate().map(column).collect()
}

/// Text of a point in time: hours, or days of long runs.
fn time(hours: f64, of: f64) -> String {
    if of > 72.0 { format!("{:.1} d", hours / 24.0) } else { format!("{hours:.1} h") }
}

fn time_labels(hours: f64) -> usize {
    if hours > 72.0 { 8 } else { 12 }
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

macro_rules! panel {
    ($area:expr, $hours:expr, $heights:expr, $name:expr, $labels:expr, $text:expr) => {{
        let mut chart = ChartBuilder::on($area)
            .margin_left(8)
            .margin_top(10)
            .set_label_area_size(LabelAreaPosition::Left, LEFT)
            .set_label_area_size(LabelAreaPosition::Bottom, BOTTOM)
            .build_cartesian_2d(0.0..$hours, $heights)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .axis_style(BLACK.mix(0.5))
            .label_style(("sans-serif", 14))
            .axis_desc_style(("sans-serif", 15))
            .x_labels(time_labels($hours))
            .x_label_formatter(&|x| time(*x, $hours))
            .y_labels($labels)
            .y_label_formatter($text)
            .y_desc($name)
            .draw()?;
        chart
    }};
}

macro_rules! legend {
    ($chart:expr) => {
        $chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.85))
            .border_style(BLACK.mix(0.2))
            .label_font(("sans-serif", 14))
            .draw()?
    };
}

fn swatch(color: RGBColor) -> impl Fn((i32, i32)) -> Rectangle<(i32, i32)> {
    move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], color.filled())
}

fn load(area: &Area<'_>, columns: &[Column], hours: f64) -> Drawn {
    let top = columns.iter().map(|c| c.reads + c.writes).fold(1.0, f64::max) * 1.35;
    let mut chart = panel!(area, hours, 0.0..top, "requests/s", 5, &|y| format!("{y:.0}"));
    let all = columns.iter().map(|c| (c.hours, c.reads + c.writes));
    let writes = columns.iter().map(|c| (c.hours, c.writes));
    chart
        .draw_series(AreaSeries::new(all, 0.0, BLUE.mix(0.75)))?
        .label("reads")
        .legend(swatch(BLUE));
    chart.draw_series(AreaSeries::new(writes, 0.0, ORANGE))?.label("writes").legend(swatch(ORANGE));
    legend!(chart);
    Ok(())
}

fn nodes(area: &Area<'_>, columns: &[Column], hours: f64) -> Drawn {
    let top = columns.iter().map(|c| c.nodes[3]).fold(1.0, f64::max) * 1.7;
    let mut chart = panel!(area, hours, 0.0..top, "nodes", 6, &|y| format!("{y:.0}"));
    let layers = [
        (3, GREY, "coming, copying, lost"),
        (2, SKY, "Load Managers"),
        (1, GREEN, "Replicas (shadows that help too)"),
        (0, VERMILION, "Writers"),
    ];
    for (layer, color, name) in layers {
        // Steps: a node is there or not.
        let pairs = columns.iter().zip(columns.iter().skip(1));
        let height = |c: &Column| c.nodes.get(layer).copied().unwrap_or(0.0);
        let steps = pairs.flat_map(|(a, b)| [(a.hours, height(a)), (b.hours, height(a))]);
        let area = AreaSeries::new(steps, 0.0, color);
        chart.draw_series(area)?.label(name).legend(swatch(color));
    }
    legend!(chart);
    Ok(())
}

fn response(
    area: &Area<'_>,
    columns: &[Column],
    hours: f64,
    thresholds: &[Threshold<'_>],
) -> Drawn {
    let (least, most) = RESPONSE_MS;
    let most = columns.iter().map(|c| c.highest_ms * 2.0).fold(most, f64::max);
    let heights = (least..most).log_scale();
    let mut chart =
        panel!(area, hours, heights, "response time", 4, &|y: &f64| format!("{y:.0} ms"));
    let shown = |ms: f64| ms.clamp(least, most);
    let highest = columns.iter().map(|c| (c.hours, shown(c.highest_ms)));
    let mean = columns.iter().map(|c| (c.hours, shown(c.mean_ms)));
    let line = |(x, y): (i32, i32), color: RGBColor| {
        PathElement::new([(x, y), (x + 14, y)], color.stroke_width(2))
    };
    chart
        .draw_series(LineSeries::new(highest, PURPLE.stroke_width(1)))?
        .label("slowest 10 s")
        .legend(move |at| line(at, PURPLE));
    chart
        .draw_series(LineSeries::new(mean, BLACK.stroke_width(1)))?
        .label("mean")
        .legend(move |at| line(at, BLACK));
    for (number, (name, us)) in thresholds.iter().enumerate() {
        let ms = shown(us / 1000.0);
        let color = if number == 0 { VERMILION } else { BLUE };
        let ends = [(0.0, ms), (hours, ms)];
        chart
            .draw_series(DashedLineSeries::new(ends, 6, 4, color.stroke_width(1)))?
            .label(*name)
            .legend(move |at| line(at, color));
    }
    legend!(chart);
    Ok(())
}

/// One row per kind of action, a stroke for each; splits grow, merges shrink.
fn actions(area: &Area<'_>, ticks: &[Tick], hours: f64) -> Drawn {
    let names = ["", "copy", "other", "shrink", "grow"];
    let name = |y: &f64| names.get(y.round() as usize).copied().unwrap_or("").to_owned();
    let mut chart = panel!(area, hours, 0.4..4.6, "actions", 4, &name);
    let mut strokes: std::collections::BTreeSet<(usize, u8)> = std::collections::BTreeSet::new();
    // No more strokes than can be told apart.
    let each = ticks.len().div_ceil(4 * COLUMNS).max(1);
    for (at, tick) in ticks.iter().enumerate() {
        let rows = tick.changes.iter().map(|c| match c.grows {
            Some(true) => 4,
            Some(false) => 3,
            None => 2,
        });
        let copies = (tick.copies > 0).then_some(1);
        strokes.extend(rows.chain(copies).map(|row| (at / each, row)));
    }
    let strokes = strokes.into_iter().map(|(at, row)| {
        let x = (at * each) as f64 * f64::from(TICK_S) / 3600.0;
        let y = f64::from(row);
        let color = match row {
            4 => GREEN,
            3 => BLUE,
            2 => PURPLE,
            _ => ORANGE,
        };
        PathElement::new([(x, y - 0.3), (x, y + 0.3)], color.stroke_width(2))
    });
    chart.draw_series(strokes)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::{Policy, Trace, World, run};

    #[test]
    fn a_week_is_drawn_in_a_small_file() {
        let world = World::new(&Trace::built_in("diurnal").unwrap(), 1, 100, false);
        let mut ticks = Vec::new();
        run(&world, &Policy::Hpa70, &mut || 0, &mut |_, t: &Tick| ticks.push(t.clone())).unwrap();
        let svg = picture("a week", &ticks, &[("target", 5000.0)]).unwrap();
        for text in ["a week", "Replicas", "target", "copy", " d"] {
            assert!(svg.contains(text), "{text}");
        }
        assert!((10_000..300_000).contains(&svg.len()), "{}", svg.len());
    }

    #[test]
    fn nothing_is_drawn_too() {
        assert!(picture("nothing", &[], &[]).unwrap().contains("nothing"));
    }
}
