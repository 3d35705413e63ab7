//! Traces and plans from outside, as CSV.

use super::{Load, Trace};
use crate::simulator::model::TICK_S;

/// Longest trace that is read: a year.
const TICKS_MAX: usize = 366 * 86_400 / TICK_S as usize;

/// Why a text is no trace.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum TraceError {
    /// A line that cannot be read.
    #[error(
        "line {line}: expected time,reads/s,writes/s,clients in rising order of time, found {text:?}"
    )]
    Line {
        /// From 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// Fewer than two lines.
    #[error("a trace needs at least two lines: time,reads/s,writes/s,clients")]
    Short,
    /// More than a year.
    #[error("the trace is longer than a year")]
    Long,
}

/// Why a text is no plan.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// A line that cannot be read.
    #[error("line {line}: expected time,nodes in rising order of time, found {text:?}")]
    Line {
        /// From 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// No line.
    #[error("a plan needs at least one line: time,nodes")]
    Empty,
}

impl Trace {
    /// A trace from lines of `time,reads/s,writes/s,clients`, time in seconds and rising. Between
    /// two lines values change evenly. Lines before the first number (a header), empty ones and
    /// those that begin with `#` are passed over.
    pub fn from_csv(name: &str, text: &str) -> Result<Self, TraceError> {
        let rows = rows::<4>(text).map_err(|(line, text)| TraceError::Line { line, text })?;
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Err(TraceError::Short);
        };
        let (begin, end) = (first[0], last[0]);
        let ticks = ((end - begin) / f64::from(TICK_S)).ceil();
        if ticks < 1.0 {
            return Err(TraceError::Short);
        }
        if ticks > TICKS_MAX as f64 {
            return Err(TraceError::Long);
        }
        let mut pairs = rows.iter().zip(rows.iter().skip(1)).peekable();
        let loads = (0..ticks as usize).map(|tick| {
            let time = begin + tick as f64 * f64::from(TICK_S);
            while pairs.next_if(|(_, after)| after[0] <= time).is_some() {}
            pairs.peek().map_or_else(|| load(last, last, time), |(a, b)| load(a, b, time))
        });
        let mut trace = Self::of(name, 0.0, |_| Load::default());
        trace.loads = loads.collect();
        Ok(trace)
    }
}

/// A plan, a policy from outside: lines of `time,nodes`, time in seconds from the trace's begin. A
/// line holds until the next one.
pub fn parse_plan(text: &str) -> Result<Vec<(f64, u32)>, PlanError> {
    let rows = rows::<2>(text).map_err(|(line, text)| PlanError::Line { line, text })?;
    if rows.is_empty() {
        return Err(PlanError::Empty);
    }
    Ok(rows.into_iter().map(|[time, nodes]| (time, nodes.round() as u32)).collect())
}

/// Values at `time` between two lines.
fn load(before: &[f64; 4], after: &[f64; 4], time: f64) -> Load {
    let span = after[0] - before[0];
    let part = if span > 0.0 { ((time - before[0]) / span).clamp(0.0, 1.0) } else { 0.0 };
    let [_, reads, writes, clients] =
        std::array::from_fn(|at| match (before.get(at), after.get(at)) {
            (Some(b), Some(a)) => b + (a - b) * part,
            _ => 0.0,
        });
    let clients = clients.max(1.0);
    Load { reads, writes, clients, busiest: 1.0 / clients, hot: 0.0 }
}

/// Rows of `N` numbers, not negative and finite, the first one rising; or the number and text of
/// the line that is none.
fn rows<const N: usize>(text: &str) -> Result<Vec<[f64; N]>, (usize, String)> {
    let mut rows: Vec<[f64; N]> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let numbers: Option<Vec<f64>> = line.split(',').map(number_of).collect();
        let row = numbers.and_then(|numbers| <[f64; N]>::try_from(numbers).ok());
        let rises = |row: &[f64; N]| rows.last().is_none_or(|last| last.first() < row.first());
        match row.filter(rises) {
            Some(row) => rows.push(row),
            None if rows.is_empty() && line.starts_with(char::is_alphabetic) => {}
            None => return Err((number, line.to_owned())),
        }
    }
    Ok(rows)
}

fn number_of(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|n: &f64| n.is_finite() && *n >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_change_evenly_between_lines() {
        let text = "time,reads,writes,clients\n0,100,10,5\n# a note\n\n20,200,10,5\n40,200,10,5\n";
        let trace = Trace::from_csv("t", text).unwrap();
        let reads: Vec<f64> = trace.loads.iter().map(|l| l.reads).collect();
        assert_eq!(reads, [100.0, 150.0, 200.0, 200.0]);
        assert!((trace.loads[0].busiest - 0.2).abs() < 1e-9);
    }

    #[test]
    fn what_is_no_trace_is_told_by_line() {
        let error = |text| Trace::from_csv("t", text).unwrap_err().to_string();
        assert!(error("0,1,1,1\nx,2,2,2").starts_with("line 2: "));
        assert!(error("0,1,1,1\n0,2,2,2").starts_with("line 2: "));
        assert!(error("0,1,1\n").starts_with("line 1: "));
        assert!(error("0,-1,1,1\n").starts_with("line 1: "));
        assert_eq!(error("0,1,1,1"), TraceError::Short.to_string());
        assert_eq!(error("0,1,1,1\n1e12,1,1,1"), TraceError::Long.to_string());
        assert_eq!(error(""), TraceError::Short.to_string());
    }

    #[test]
    fn plans_are_steps() {
        assert_eq!(parse_plan("time,nodes\n0,4\n600,7\n").unwrap(), [(0.0, 4), (600.0, 7)]);
        assert_eq!(parse_plan(""), Err(PlanError::Empty));
        assert!(matches!(parse_plan("0,4\n0,5"), Err(PlanError::Line { line: 2, .. })));
    }
}
