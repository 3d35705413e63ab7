//! Counts and latencies of each command that was called.

use super::field;
use crate::load_manager::measure::Total;
use crate::session::Call;

fn each(call: &Call<'_>, mut show: impl FnMut(&str, &Total)) {
    for command in call.node.registry.all() {
        let total = call.node.measures.total(command.number);
        if total.calls + total.rejected + total.failed > 0 {
            show(command.row.name, &total);
        }
    }
}

pub fn counts(call: &mut Call<'_>, out: &mut String) {
    each(call, |name, total| field(out, &format!("cmdstat_{name}"), count_line(total)));
}

fn count_line(total: &Total) -> String {
    let us = total.nanos / 1000;
    let per_call = if total.calls == 0 { 0.0 } else { us as f64 / total.calls as f64 };
    format!(
        "calls={},usec={us},usec_per_call={per_call:.2},rejected_calls={},failed_calls={}",
        total.calls, total.rejected, total.failed
    )
}

pub fn latencies(call: &mut Call<'_>, out: &mut String) {
    each(call, |name, total| {
        if total.calls > 0 {
            field(out, &format!("latency_percentiles_usec_{name}"), latency_line(total));
        }
    });
}

fn latency_line(total: &Total) -> String {
    let at = |share: f64| percentile(total, share);
    format!("p50={:.3},p99={:.3},p99.9={:.3}", at(0.5), at(0.99), at(0.999))
}

/// Microseconds that `share` of the calls took at most, as far as the buckets tell.
fn percentile(total: &Total, share: f64) -> f64 {
    let all: u64 = total.latency.iter().sum();
    let wanted = (all as f64 * share).ceil() as u64;
    let mut sum = 0;
    for (power, count) in total.latency.iter().enumerate() {
        sum += count;
        if sum >= wanted {
            return (1u64 << power) as f64;
        }
    }
    0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_redis() {
        let mut total =
            Total { calls: 3, nanos: 12_000, rejected: 1, failed: 2, ..Total::default() };
        total.latency[1] = 2;
        total.latency[4] = 1;
        assert_eq!(
            count_line(&total),
            "calls=3,usec=12,usec_per_call=4.00,rejected_calls=1,failed_calls=2"
        );
        assert_eq!(latency_line(&total), "p50=2.000,p99=16.000,p99.9=16.000");
        let rejected = Total { rejected: 4, ..Total::default() };
        assert!(count_line(&rejected).contains("usec_per_call=0.00,rejected_calls=4"));
    }
}
