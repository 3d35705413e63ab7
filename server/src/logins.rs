//! Failed logins slow down the next ones from their address (RELIABILITY.md section 4).
//!
//! The first failures are free: people mistype, and programs are deployed with an old password. From
//! then on each login from that address, right or wrong, waits before its password is looked at:
//! 100 ms, and twice as long after each further failure, up to `login-delay-max`. A success, or a
//! minute without failures, forgets them. Nobody else waits, least of all who is logged in.
//!
//! Limit: connections of one address wait side by side, so that many guess more than one.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Failures without consequence.
const FREE: u32 = 3;
const FIRST_MS: i64 = 100;
const FORGET_MS: i64 = 60_000;
/// Addresses remembered; of more the one that has been silent longest is forgotten.
const ADDRESSES_MAX: usize = 4096;

#[derive(Clone, Copy)]
struct Failures {
    count: u32,
    /// Milliseconds since the epoch.
    last: i64,
}

impl Failures {
    fn is_old(self, now: i64) -> bool {
        (now - self.last).abs() >= FORGET_MS
    }
}

#[derive(Default)]
pub struct Logins(Mutex<HashMap<IpAddr, Failures>>);

impl Logins {
    /// How long a login from this address has to wait, at most `most`; all in milliseconds.
    pub fn delay_ms(&self, addr: IpAddr, now: i64, most: i64) -> i64 {
        let failed = self.0.lock().get(&source(addr)).copied();
        let count = failed.filter(|failed| !failed.is_old(now)).map_or(0, |failed| failed.count);
        match count.checked_sub(FREE) {
            // Further doublings are beyond any limit.
            Some(more) => (FIRST_MS << more.min(30)).min(most),
            None => 0,
        }
    }

    pub fn failed(&self, addr: IpAddr, now: i64) {
        let (addr, mut all) = (source(addr), self.0.lock());
        if all.len() >= ADDRESSES_MAX && !all.contains_key(&addr) {
            all.retain(|_, failed| !failed.is_old(now));
            let silent = all.iter().min_by_key(|(_, failed)| failed.last).map(|(addr, _)| *addr);
            if let Some(silent) = silent.filter(|_| all.len() >= ADDRESSES_MAX) {
                all.remove(&silent);
            }
        }
        let failed = all.entry(addr).or_insert(Failures { count: 0, last: now });
        let before = if failed.is_old(now) { 0 } else { failed.count };
        *failed = Failures { count: before.saturating_add(1), last: now };
    }

    pub fn succeeded(&self, addr: IpAddr) {
        self.0.lock().remove(&source(addr));
    }
}

/// Whom an address stands for: of IPv6 the network of 64 bits, which is what one customer gets.
fn source(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(addr) => IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() >> 64 << 64)),
        addr => addr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;
    const MOST: i64 = 2000;

    fn addr(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// The delays before each of `count` failures one second apart.
    fn delays(logins: &Logins, addr: IpAddr, count: i64, most: i64) -> Vec<i64> {
        let fail = |at: i64| {
            let delay = logins.delay_ms(addr, NOW + at * 1000, most);
            logins.failed(addr, NOW + at * 1000);
            delay
        };
        (0..count).map(fail).collect()
    }

    #[test]
    fn delays_grow_behind_the_free_failures_up_to_the_limit() {
        let (logins, one, other) = (Logins::default(), addr("10.0.0.1"), addr("10.0.0.2"));
        let expected = [0, 0, 0, 100, 200, 400, 800, 1600, 2000, 2000];
        assert_eq!(delays(&logins, one, 10, MOST), expected);
        assert_eq!(logins.delay_ms(other, NOW, MOST), 0);
        assert_eq!(logins.delay_ms(addr("::ffff:10.0.0.1"), NOW + 10_000, MOST), 2000);
        assert_eq!(delays(&logins, other, 5, 0), [0; 5], "switched off");
        delays(&Logins::default(), one, 100, i64::MAX);
    }

    #[test]
    fn a_success_or_a_minute_forgets() {
        let (logins, one) = (Logins::default(), addr("10.0.0.1"));
        delays(&logins, one, 4, MOST);
        let last = NOW + 3000;
        assert_eq!(logins.delay_ms(one, last + FORGET_MS - 1, MOST), 200);
        assert_eq!(logins.delay_ms(one, last + FORGET_MS, MOST), 0);
        logins.failed(one, last + FORGET_MS);
        assert_eq!(logins.delay_ms(one, last + FORGET_MS, MOST), 0, "counted anew");
        delays(&logins, one, 4, MOST);
        logins.succeeded(one);
        assert_eq!(logins.delay_ms(one, last, MOST), 0);
    }

    #[test]
    fn addresses_of_one_network_are_one_and_the_table_is_bounded() {
        let logins = Logins::default();
        for host in 0..5 {
            logins.failed(addr(&format!("2001:db8::{host}")), NOW);
        }
        assert_eq!(logins.delay_ms(addr("2001:db8::ffff"), NOW, MOST), 400);
        assert_eq!(logins.delay_ms(addr("2001:db8:0:1::1"), NOW, MOST), 0);
        for number in 0..ADDRESSES_MAX as i64 + 10 {
            let addr = IpAddr::V4((number as u32).into());
            logins.failed(addr, NOW + 1 + number);
        }
        assert_eq!(logins.0.lock().len(), ADDRESSES_MAX);
        assert_eq!(logins.delay_ms(addr("2001:db8::1"), NOW, MOST), 0, "the oldest went");
    }
}
