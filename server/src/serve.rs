//! Starting and stopping a serving process.

use crate::clients::Clients;
use crate::config::{BaseKind, Config, Start};
use crate::load_manager::measure::Measures;
use crate::logins::Logins;
use crate::net::{self, Core, Inbox, Message};
use crate::node::{Counters, Node, Pause, wall_ms};
use crate::pubsub::Pubsub;
use crate::registry::Registry;
use crate::session::SessionFn;
use crate::slowlog::Slowlog;
use crate::store::{self, Store};
use crate::workers::Workers;
use crate::{admin, http, metrics, panics, session};
use anyhow::{Context, Result, bail};
use cluster::files::{Files, RealFiles, boot_id};
use cluster::journal::{DataDir, Journal, Options};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Instant;
use storage::base::Base;
use storage::bucket::Tag;
use storage::commands::{
    Row, generic, hashes, lists, object, server_rows, sets, sorted_sets, strings,
};
use storage::keyspace::{Settings, Space};

/// Rows of the commands that work on keys.
const ROWS: [&[Row]; 7] = [
    strings::ROWS,
    generic::ROWS,
    object::ROWS,
    hashes::ROWS,
    lists::ROWS,
    sets::ROWS,
    sorted_sets::ROWS,
];

/// Sockets that one look at the kernel can find ready.
const IO_EVENTS: usize = 512;

/// Serves until SIGTERM, SIGINT or SHUTDOWN.
pub fn run(config: Config) -> Result<()> {
    let start = config.start().clone();
    panics::end_process_on_panic();
    let http = start.http.as_deref().map(http::Http::start).transpose()?;
    let listeners = net::bind(&start.bind, start.port, start.tcp_backlog)?;
    raise_descriptor_limit(config.maxclients());
    let (space, store) = open(&config, &start)?;
    let node = compose(config, &start, space, store, registry(&[], &[]))?;
    if let Some(http) = &http {
        http.serve(pages(node));
        tracing::info!("metrics at http://{}/metrics", http.addr());
    }
    let base = match start.base {
        BaseKind::Memory => "in memory only".to_owned(),
        BaseKind::Rocksdb => format!("in {}", start.dir.display()),
    };
    tracing::info!(
        "Bowshock {} serves {} port {} on {} threads, data {base}",
        env!("CARGO_PKG_VERSION"),
        start.bind,
        start.port,
        start.threads
    );
    let outcome = run_cores(node, listeners);
    stop(node);
    outcome
}

fn raise_descriptor_limit(maxclients: usize) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    // Files of the base and the journal beside the connections.
    let wanted = maxclients as u64 + 1024;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let maximum = limit.maximum.map(|maximum| maximum.max(wanted));
        let raised = Rlimit { current: Some(wanted), maximum };
        let kept = Rlimit { current: limit.maximum, maximum: limit.maximum };
        if setrlimit(Resource::Nofile, raised)
            .or_else(|_| setrlimit(Resource::Nofile, kept))
            .is_err()
        {
            tracing::warn!("cannot raise the limit of open files to {wanted}: see ulimit -n");
        }
    }
}

/// Opens journal and base and replays what the base does not have yet.
fn open(config: &Config, start: &Start) -> Result<(Space, Option<Store>)> {
    if start.base == BaseKind::Memory {
        storage::keyspace::set_hash_seed(start.hash_seed.unwrap_or_else(|| fastrand::u64(..)));
        return Ok((Space::new(config.settings(), false, false), None));
    }
    let begun = Instant::now();
    let files: Arc<dyn Files> = Arc::new(RealFiles);
    let tag = start.bucket_tag;
    let tag_text: String = [tag.open as char, tag.close as char].iter().collect();
    let fresh = store::fresh_identity(start.buckets, tag_text, start.hash_seed);
    let dir = DataDir::open(&*files, &start.dir, fresh)?;
    let settings = fixed_settings(config, start, &dir)?;
    storage::keyspace::set_hash_seed(dir.identity().hash_seed);
    let base = open_base(config, start, &dir)?;
    let mut options = Options::new(dir.journal());
    options.sync = config.appendfsync();
    options.reserve_bytes = start.disk_reserve;
    options.cluster_id = dir.identity().cluster_id;
    options.boot_id = boot_id();
    let (journal, opened) = Journal::open(files, options, base.index())?;
    if let Some(cut) = &opened.cut {
        tracing::warn!(
            "a torn tail of {} bytes was cut from {} at {}: {}; it was never synced",
            cut.bytes,
            cut.file.display(),
            cut.offset,
            cut.reason
        );
    }
    if opened.restarted && base.index() > 0 {
        tracing::warn!(
            "the journal in {} ended below the base and begins again behind index {}",
            dir.journal().display(),
            base.index()
        );
    }
    let space = Space::new(settings, true, true);
    let changes = store::replay(&space, &journal, &base, wall_ms())?;
    tracing::info!(
        "opened {} in {:.3} s: base at index {}, {changes} changes behind it in the journal",
        dir.path().display(),
        begun.elapsed().as_secs_f64(),
        base.index()
    );
    let store = Store::new(journal, base, dir);
    Ok((space, Some(store)))
}

/// The settings, with what the directory has fixed. A flag that contradicts it is refused.
fn fixed_settings(config: &Config, start: &Start, dir: &DataDir) -> Result<Settings> {
    let identity = dir.identity();
    let mut settings = config.settings();
    let file = dir.path().join("IDENTITY");
    let mut tag = identity.bucket_tag.bytes();
    let (Some(open), Some(close)) = (tag.next(), tag.next()) else {
        bail!("{} holds no bucket tag: restore the directory from a backup", file.display());
    };
    let buckets = u16::try_from(identity.buckets).ok().filter(|n| (1..=16384).contains(n));
    let Some(buckets) = buckets else {
        bail!(
            "{} holds no usable number of buckets: restore the directory from a backup",
            file.display()
        );
    };
    let tag = Tag { open, close };
    if start.buckets != buckets && start.buckets != Settings::default().buckets {
        bail!("{} fixes buckets to {buckets}: start without --buckets", file.display());
    }
    if start.bucket_tag != tag && start.bucket_tag != Tag::default() {
        bail!("{} fixes bucket-tag: start without --bucket-tag", file.display());
    }
    settings.buckets = buckets;
    settings.tag = tag;
    Ok(settings)
}

#[cfg(feature = "rocksdb")]
fn open_base(config: &Config, start: &Start, dir: &DataDir) -> Result<Arc<dyn Base>> {
    use storage::base::{RocksBase, RocksOptions};
    let mut options = RocksOptions::new(dir.path().join("base"));
    let share = config.maxmemory_chosen().map_or(64 << 20, |max| max / 8);
    options.block_cache_bytes =
        start.block_cache.unwrap_or(share.clamp(4 << 20, 256 << 20)) as usize;
    let base = RocksBase::open(options)?;
    Ok(Arc::new(base))
}

#[cfg(not(feature = "rocksdb"))]
fn open_base(_: &Config, _: &Start, _: &DataDir) -> Result<Arc<dyn Base>> {
    bail!("this build has no RocksDB: start with --base memory")
}

/// All commands, and more of them: rows, and the code of those that run in the server.
pub(crate) fn registry(
    more_rows: &[&'static [Row]],
    more_code: &[(&'static str, SessionFn)],
) -> Registry {
    let rows = ROWS.iter().chain(server_rows::FAMILIES).chain(more_rows);
    let rows: Vec<&'static [Row]> = rows.copied().collect();
    let code: Vec<(&'static str, SessionFn)> = admin::FAMILIES
        .iter()
        .chain(session::FAMILIES)
        .flat_map(|family| family.iter())
        .chain(more_code)
        .copied()
        .collect();
    Registry::new(&rows, &code)
}

/// Makes the node and begins its threads, but not the cores.
pub(crate) fn compose(
    config: Config,
    start: &Start,
    space: Space,
    store: Option<Store>,
    registry: Registry,
) -> Result<&'static Node> {
    let measures = Measures::new(start.threads, registry.all().len());
    let slowlog = Slowlog::default();
    slowlog.set_threshold_us(config.slowlog_us());
    slowlog.set_len(config.slowlog_len());
    let node: &'static Node = Box::leak(Box::new(Node {
        registry,
        space,
        store,
        clients: Clients::default(),
        pubsub: Pubsub::default(),
        measures,
        samples: admin::info::Samples::default(),
        logins: Logins::default(),
        slowlog,
        latency: Mutex::default(),
        inboxes: (0..start.threads).map(|_| Arc::new(Inbox::default())).collect(),
        counters: Counters::default(),
        pause: Pause::default(),
        workers: Workers::new(),
        started: Instant::now(),
        started_ms: wall_ms(),
        run_id: (0..40).map(|_| char::from_digit(fastrand::u32(..16), 16).unwrap_or('0')).collect(),
        stopping: AtomicBool::new(false),
        stop: tokio::sync::Notify::new(),
        last_save: AtomicI64::new(wall_ms()),
        saving: AtomicBool::new(false),
        last_save_ok: AtomicBool::new(true),
        config,
    }));
    if let Some(store) = &node.store {
        store.journal.on_fatal(Box::new(store::on_fatal));
        store.journal.on_release(Box::new(move |_| {
            node.inboxes.iter().for_each(|inbox| inbox.released());
        }));
        std::thread::Builder::new().name("settle".into()).spawn(|| store::settle(&node.space))?;
        std::thread::Builder::new().name("feed".into()).spawn(move || store::feed_loop(node))?;
    }
    Ok(node)
}

/// What `/metrics` and `/ready` answer from.
fn pages(node: &'static Node) -> http::Pages {
    let metrics = metrics::Metrics::new(node.store.is_some());
    http::Pages {
        metrics: Box::new(move || metrics.render(&metrics::Sample::read(node))),
        is_ready: Box::new(move || !node.stopping.load(Ordering::Relaxed)),
    }
}

/// Runs one loop per core until the process is to stop.
fn run_cores(node: &'static Node, listeners: net::Listeners) -> Result<()> {
    let load: Arc<[AtomicUsize]> = node.inboxes.iter().map(|_| AtomicUsize::new(0)).collect();
    let mut threads = Vec::new();
    for (number, inbox) in node.inboxes.iter().enumerate().skip(1) {
        let (inbox, load) = (inbox.clone(), load.clone());
        let run = move || -> Result<()> {
            let runtime = runtime()?;
            runtime
                .block_on(async { Core::new(node, number, inbox, load).run_until_stopped().await });
            Ok(())
        };
        threads.push(std::thread::Builder::new().name(format!("core-{number}")).spawn(run)?);
    }
    let runtime = runtime()?;
    let first = node.inboxes.first().context("at least one thread is needed")?.clone();
    runtime.block_on(async {
        for listener in listeners.0 {
            tokio::spawn(net::accept(node, listener, load.clone()));
        }
        tokio::spawn(watch_signals(node));
        Core::new(node, 0, first, load.clone()).run_until_stopped().await;
    });
    for thread in threads {
        match thread.join() {
            Ok(result) => result?,
            Err(_) => bail!("a core's thread has ended"),
        }
    }
    Ok(())
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().max_io_events_per_tick(IO_EVENTS);
    builder.build().context("cannot start a runtime")
}

/// Ends all cores on SIGTERM, SIGINT or SHUTDOWN.
async fn watch_signals(node: &'static Node) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return tracing::error!("cannot watch for signals: stop with SHUTDOWN");
    };
    tokio::select! {
        _ = term.recv() => tracing::info!("SIGTERM: stopping"),
        _ = int.recv() => tracing::info!("SIGINT: stopping"),
        () = node.stop.notified() => tracing::info!("stopping"),
    }
    node.stopping.store(true, Ordering::SeqCst);
    node.inboxes.iter().for_each(|inbox| inbox.send(Message::Stop));
}

/// Everything acknowledged is synced and the directory marked clean.
fn stop(node: &'static Node) {
    let Some(store) = &node.store else { return };
    store.feeder.stop();
    match store.journal.clone().close() {
        Ok(()) => tracing::info!("stopped; everything is on disk"),
        Err(error) => tracing::error!("the journal could not be closed: {error}"),
    }
}
