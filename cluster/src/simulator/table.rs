//! Results as text.

use std::fmt::Write;

use super::model::TICK_S;
use super::run::Tick;
use super::score::Score;

/// One line per policy, under a line of headings.
pub fn table(rows: &[(String, Score)]) -> String {
    let heads = [
        "policy",
        "node-hours",
        "x oracle",
        "too slow",
        "actions",
        "reversals",
        "copies",
        "shards",
        "nodes",
        "balance",
        "step p99",
    ];
    let mut lines = vec![heads.map(str::to_owned)];
    lines.extend(rows.iter().map(|(name, score)| line(name, score)));
    let width = |at: usize| lines.iter().filter_map(|l| l.get(at)).map(|c| c.chars().count()).max();
    let widths: Vec<usize> = (0..heads.len()).map(|at| width(at).unwrap_or(0)).collect();
    let mut text = String::new();
    for line in &lines {
        for (at, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            let _ = match at {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    for (name, score) in rows {
        if let Some(extra) = score.extra_node_hours {
            let _ = writeln!(text, "{name}: {extra:+.2} node-hours because of the attack");
        }
    }
    text
}

fn line(name: &str, score: &Score) -> [String; 11] {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    [
        name.to_owned(),
        format!("{:.1}", score.node_hours),
        or_dash(score.node_hours_vs_oracle.map(|ratio| format!("{ratio:.2}"))),
        format!("{:.3} %", score.slo_violation_share * 100.0),
        format!("{:.0}", score.actions),
        format!("{:.0}", score.reversals_30min),
        format!("{:.0}", score.copying_actions),
        format!("{:.0}", score.shards_max),
        format!("{:.0}", score.nodes_max),
        format!("{:.2}", score.shard_balance),
        or_dash(score.step_us_p99.map(|us| format!("{us:.0} us"))),
    ]
}

/// A run, one line per tick, under a line of headings.
pub fn ticks_csv(ticks: &[Tick]) -> String {
    let mut text = "time,reads,writes,clients,average_us,failed,paid,writers,replicas,\
                    load_managers,others,shards,balance,actions,copies\n"
        .to_owned();
    for (at, tick) in ticks.iter().enumerate() {
        let load = &tick.load;
        let _ = writeln!(
            text,
            "{},{:.1},{:.1},{:.0},{:.0},{:.1},{},{},{},{},{},{},{:.3},{},{}",
            at * TICK_S as usize,
            load.reads,
            load.writes,
            load.clients,
            tick.answered.average_us(),
            tick.answered.failed,
            tick.paid,
            tick.writers,
            tick.replicas,
            tick.load_managers,
            tick.others,
            tick.shards,
            tick.balance,
            tick.changes.len(),
            tick.copies,
        );
    }
    text
}
