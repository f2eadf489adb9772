//! How long one event takes to map, parse and serialise included, beside the same job through a struct.
//!
//! A plain loop instead of a framework: the ways take turns slice by slice, so that whatever else the machine does
//! meets all of them alike and the ratio stands even where the microseconds do not. A slice is shorter than the time for
//! which a busy machine lets a process run, so the median over the slices leaves out those that were interrupted.
#![allow(clippy::print_stdout, reason = "its figures are its purpose")]

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use clap::Parser;
use jiff::civil::date;
use zaprun_bench::orders::orders;
use zaprun_bench::{hand, zaps};
use zaprun_core::zap::Zap;

/// Microseconds per event, zap beside struct, on one core
#[derive(Debug, Parser)]
struct Args {
    /// Orders in all
    #[arg(long, default_value_t = 1_000)]
    orders: u64,

    /// Slices; the median counts
    #[arg(long, default_value_t = 2_001)]
    slices: usize,

    /// Only ways whose name holds this text, for a profiler
    #[arg(long, default_value = "")]
    only: String,
}

/// Orders in a slice; each way maps them all before the next one does.
const SLICE: usize = 50;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// One order to the bytes of its body; gives their number.
type Map = Box<dyn Fn(&Order, &mut Vec<u8>) -> Outcome<usize>>;

struct Order {
    id: String,
    json: Vec<u8>,
}

struct Way {
    name: &'static str,
    /// The way that it is compared with, by its place.
    against: usize,
    map: Map,
    /// Nanoseconds per event, slice by slice.
    slices: Vec<u128>,
}

fn main() -> Outcome<()> {
    let args = Args::parse();
    let orders: Vec<Order> = orders(args.orders.max(1), date(2026, 10, 3))
        .enumerate()
        .map(|(index, json)| Order { id: index.to_string(), json: json.into_bytes() })
        .collect();
    let mut ways = vec![
        Way::new("struct, plain members", 0, by_hand(hand::plain)),
        Way::new("zap, plain members and singular paths", 0, by_zap(zaps::compiled(zaps::PLAIN)?)),
        Way::new("struct, the whole job", 2, by_hand(hand::whole)),
        Way::new("zap, templates, filters and a sum", 2, by_zap(zaps::compiled(zaps::WHOLE)?)),
    ];
    let mut out = Vec::with_capacity(4_096);
    // The first time through all orders warms up and does not count.
    let warm_up = orders.len().div_ceil(SLICE);
    let slices = orders.chunks(SLICE).cycle().take(warm_up + args.slices.max(1));
    for (round, orders) in slices.enumerate() {
        for way in ways.iter_mut().filter(|way| way.name.contains(&args.only)) {
            let took = slice(&way.map, orders, &mut out)?;
            if round >= warm_up {
                way.slices.push(took);
            }
        }
    }
    print(&mut ways, &orders);
    Ok(())
}

impl Way {
    fn new(name: &'static str, against: usize, map: Map) -> Self {
        Way { name, against, map, slices: Vec::new() }
    }

    /// Nanoseconds per event in so many hundredths of the slices.
    fn percentile(&self, hundredths: usize) -> u128 {
        let at = self.slices.len() * hundredths / 100;
        self.slices.get(at).copied().unwrap_or_default()
    }
}

fn by_hand(map: fn(&[u8], &mut Vec<u8>) -> Result<(), hand::HandError>) -> Map {
    Box::new(move |order, out| {
        out.clear();
        map(&order.json, out)?;
        Ok(black_box(out).len())
    })
}

fn by_zap(zap: Zap) -> Map {
    Box::new(move |order, _| Ok(black_box(zaps::body(&zap, &order.json, &order.id)?).len()))
}

fn slice(map: &Map, orders: &[Order], out: &mut Vec<u8>) -> Outcome<u128> {
    let start = Instant::now();
    for order in orders {
        black_box(map(black_box(order), out)?);
    }
    Ok(start.elapsed().as_nanos() / orders.len() as u128)
}

fn print(ways: &mut [Way], orders: &[Order]) {
    let bytes: usize = orders.iter().map(|order| order.json.len()).sum();
    println!("orders of {} bytes, one core, parse and serialise included", bytes / orders.len().max(1));
    println!("{:<40} {:>9} {:>15} {:>12} {:>7}", "", "µs/event", "p10–p90", "events/s", "ratio");
    ways.iter_mut().for_each(|way| way.slices.sort_unstable());
    for way in ways.iter().filter(|way| !way.slices.is_empty()) {
        let median = way.percentile(50).max(1);
        let spread = format!("{}–{}", micros(way.percentile(10)), micros(way.percentile(90)));
        let base = ways.get(way.against).map_or(0, |base| base.percentile(50));
        let ratio = (median * 100).checked_div(base).map_or("-".to_owned(), hundredths);
        let rate = 1_000_000_000 / median;
        println!("{:<40} {:>9} {spread:>15} {rate:>12} {ratio:>7}", way.name, micros(median));
    }
}

fn micros(nanos: u128) -> String {
    hundredths(nanos / 10)
}

fn hundredths(value: u128) -> String {
    format!("{}.{:02}", value / 100, value % 100)
}
