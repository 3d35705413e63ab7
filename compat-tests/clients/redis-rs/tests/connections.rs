//! Pipelines, transactions, pub/sub, and connections that many tasks share.

use futures_util::StreamExt;
use futures_util::future::join_all;
use redis::{AsyncCommands, Commands, InfoDict, Value, cmd, pipe};
use redis_rs_client::{PROTOCOLS, client, over_both, wait_until};
use std::collections::HashMap;
use std::time::{Duration, Instant};

#[test]
fn pipelines_and_transactions() {
    over_both(|_, r| {
        let (value, sum): (String, i64) =
            pipe().set("k", "v").ignore().get("k").incr("n", 2).query(r).unwrap();
        assert_eq!((value.as_str(), sum), ("v", 2));
        let mut long = pipe();
        (0..10_000).for_each(|_| _ = long.incr("n", 1).ignore());
        long.exec(r).unwrap();
        let (sum, missing): (i64, Option<String>) =
            pipe().atomic().get("n").get("none").query(r).unwrap();
        assert_eq!((sum, missing), (10_002, None));
    });
}

#[test]
fn watched_keys_make_a_transaction_begin_anew() {
    over_both(|client, r| {
        let mut other = client.get_connection().unwrap();
        let mut tries = 0;
        let (sum,): (i64,) = redis::transaction(r, &["n"], |r, pipe| {
            let old: Option<i64> = r.get("n")?;
            tries += 1;
            if tries == 1 {
                let _: () = other.set("n", 40)?;
            }
            pipe.set("n", old.unwrap_or(0) + 2).ignore().get("n").query(r)
        })
        .unwrap();
        assert_eq!((sum, tries), (42, 2));
    });
}

#[test]
fn messages_arrive() {
    over_both(|client, r| {
        let mut listener = client.get_connection().unwrap();
        let mut listener = listener.as_pubsub();
        listener.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        listener.subscribe("orders").unwrap();
        listener.psubscribe("news.*").unwrap();
        let heard: usize = r.publish("orders", "first").unwrap();
        assert_eq!(heard, 1);
        let _: usize = r.publish("news.local", "second").unwrap();
        let message = listener.get_message().unwrap();
        assert_eq!(message.get_channel_name(), "orders");
        assert_eq!(message.get_payload::<String>().unwrap(), "first");
        let message = listener.get_message().unwrap();
        assert_eq!(message.get_pattern::<String>().unwrap(), "news.*");
        assert_eq!(message.get_channel_name(), "news.local");
        listener.unsubscribe("orders").unwrap();
        listener.punsubscribe("news.*").unwrap();
        wait_until("the listener to leave", || r.publish::<_, _, usize>("orders", "x") == Ok(0));
    });
}

#[test]
fn the_server_tells_about_itself() {
    over_both(|_, r| {
        let info: InfoDict = cmd("INFO").query(r).unwrap();
        assert_eq!(info.get::<String>("redis_version").as_deref(), Some("7.0.15"));
        assert_eq!(info.get::<String>("role").as_deref(), Some("master"));
        let config: HashMap<String, String> =
            cmd("CONFIG").arg("GET").arg("databases").query(r).unwrap();
        assert_eq!(config["databases"], "16");
        let name: Option<String> = pipe()
            .cmd("CLIENT")
            .arg("SETNAME")
            .arg("me")
            .ignore()
            .cmd("CLIENT")
            .arg("GETNAME")
            .query::<(Option<String>,)>(r)
            .unwrap()
            .0;
        assert_eq!(name.as_deref(), Some("me"));
    });
}

#[test]
fn replies_have_the_types_of_their_protocol() {
    for (protocol, is_map) in PROTOCOLS.into_iter().zip([false, true]) {
        let mut r = client(protocol).get_connection().unwrap();
        cmd("FLUSHALL").exec(&mut r).unwrap();
        let _: usize = r.hset("h", "f", "v").unwrap();
        let reply: Value = cmd("HGETALL").arg("h").query(&mut r).unwrap();
        assert_eq!(matches!(reply, Value::Map(_)), is_map, "{reply:?}");
        let _: usize = r.zadd("z", "m", 1.5).unwrap();
        let reply: Value = cmd("ZSCORE").arg("z").arg("m").query(&mut r).unwrap();
        assert_eq!(reply == Value::Double(1.5), is_map, "{reply:?}");
    }
}

/// One connection, many tasks: their commands are pipelined, each gets its own reply.
#[tokio::test]
async fn tasks_share_a_connection() {
    for protocol in PROTOCOLS {
        let client = client(protocol);
        let mut shared = client.get_multiplexed_async_connection().await.unwrap();
        cmd("FLUSHALL").exec_async(&mut shared).await.unwrap();
        let tasks = (0..200).map(|number| {
            let mut shared = shared.clone();
            async move {
                let key = format!("k{number}");
                let _: () = shared.set(&key, number).await.unwrap();
                let back: i64 = shared.incr(&key, 1).await.unwrap();
                back
            }
        });
        let expected: Vec<i64> = (1..=200).collect();
        assert_eq!(join_all(tasks).await, expected);
        let mut names: Vec<String> =
            shared.scan::<String>().await.unwrap().map(Result::unwrap).collect().await;
        names.sort();
        assert_eq!(names.len(), 200);
        let mut managed = client.get_connection_manager().await.unwrap();
        let id: i64 = cmd("CLIENT").arg("ID").query_async(&mut managed).await.unwrap();
        let _: usize =
            cmd("CLIENT").arg("KILL").arg("ID").arg(id).query_async(&mut shared).await.unwrap();
        // It notices, connects again by itself, and goes on.
        let mut back: Option<i64> = None;
        let begun = Instant::now();
        while back.is_none() && begun.elapsed() < Duration::from_secs(20) {
            back = managed.get("k7").await.ok();
        }
        assert_eq!(back, Some(8));
    }
}

#[tokio::test]
async fn messages_arrive_in_a_stream() {
    for protocol in PROTOCOLS {
        let client = client(protocol);
        let mut listener = client.get_async_pubsub().await.unwrap();
        listener.subscribe(&["a", "b"]).await.unwrap();
        let mut teller = client.get_multiplexed_async_connection().await.unwrap();
        for (channel, text) in [("a", "1"), ("b", "2"), ("a", "3")] {
            let heard: usize = teller.publish(channel, text).await.unwrap();
            assert_eq!(heard, 1);
        }
        let texts = listener.on_message().take(3).map(|message| message.get_payload().unwrap());
        let texts: Vec<String> = texts.collect().await;
        assert_eq!(texts, ["1", "2", "3"]);
    }
}
