//! What the system knows of this process, under the names that Prometheus's own clients use.
//! Where there is no `/proc` there is nothing to say.

use std::{fmt, fs};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

/// The kernel shows times in hundredths of a second, on every Linux there is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Adds them.
pub(crate) fn register_metrics(registry: &mut Registry) {
    registry.register_collector(Box::new(Process));
}

#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        if let Some(seconds) = cpu_seconds() {
            let unit = Some(&Unit::Seconds);
            let (name, help) = ("process_cpu", "Time that processors worked for this process");
            let counter = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
            ConstCounter::new(seconds).encode(counter)?;
        }
        if let Some(bytes) = resident_bytes() {
            let (name, help) = ("process_resident_memory", "Memory that this process holds");
            let unit = Some(&Unit::Bytes);
            let gauge = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
            ConstGauge::new(bytes).encode(gauge)?;
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // One of them is this look at them.
            let count = (files.count() as u64).saturating_sub(1);
            let (name, help) = ("process_open_fds", "Open files, sockets among them");
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(count).encode(gauge)?;
        }
        Ok(())
    }
}

/// proc_pid_stat(5): `utime` and `stime` are the 14th and 15th words, and the second, in brackets,
/// may hold blanks.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let mut words = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || words.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS_PER_SECOND)
}

fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim_end().parse::<u64>().ok()? * 1024)
}
