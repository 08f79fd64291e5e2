//! Whom a drawn area hits, and who is nearest: the spatial index beside a full scan with `geo`, on the same compounds in the same run.
//!
//! `cargo bench -p load-tests --bench spatial` prints a Markdown table. Every answer is checked against the scan's before it is timed.

use std::f64::consts::TAU;
use std::time::Instant;

use geo::Intersects as _;
use load_tests::{Timings, Took};
use muster::city::spatial::{SpatialIndex, metres_to};
use muster::domain::area::{AreaCode, AreaLevel};
use muster::domain::compound::CompoundId;
use muster::domain::geometry::{Point, Polygon};
use muster::domain::refusal::Refusal;
use muster::domain::target::{Parts, TargetArea};

/// The box round Changzhi: west, south, east, north.
const CITY: [f64; 4] = [111.966, 35.813, 113.740, 37.135];
/// Corners of the drawn area.
const CORNERS: usize = 30;
/// What share of the box it covers.
const SHARE: f64 = 0.1;
/// How many nearest are asked for.
const NEAREST: usize = 10;

fn main() -> Result<(), Refusal> {
    println!("| question | compounds | answer | index p50 | p99 | scan p50 | p99 | scan ÷ index |");
    println!("|---|--:|--:|--:|--:|--:|--:|--:|");
    let mut notes = Vec::new();
    for (count, index_times, scan_times) in [(2_431, 1_000, 1_000), (1_000_000, 200, 10)] {
        let compounds = city(count)?;
        let start = Instant::now();
        let index: SpatialIndex = compounds.iter().cloned().collect();
        notes.push(format!("{count} compounds indexed in {}.", Took(start.elapsed())));
        target(&index, &compounds, index_times, scan_times)?;
        nearest(&index, &compounds, index_times, scan_times)?;
    }
    println!("\n{}", notes.join(" "));
    Ok(())
}

fn target(
    index: &SpatialIndex,
    compounds: &[(CompoundId, Polygon)],
    index_times: usize,
    scan_times: usize,
) -> Result<(), Refusal> {
    let drawn = drawn_area()?;
    let include = Parts { polygons: vec![drawn.clone()], ..Parts::default() };
    let target = TargetArea { include, exclude: Parts::default() };
    let scan = || {
        let hit = compounds.iter().filter(|(_, boundary)| drawn.as_geo().intersects(boundary.as_geo()));
        hit.map(|(id, _)| *id).collect::<Vec<_>>()
    };
    let hits = index.target(&target)?;
    assert_eq!(hits, scan(), "the index and the scan disagree");
    let by_index = Timings::of(index_times, || index.target(&target));
    let by_scan = Timings::of(scan_times, scan);
    row(&format!("{CORNERS}-corner area"), compounds.len(), hits.len(), &by_index, &by_scan);
    Ok(())
}

fn nearest(
    index: &SpatialIndex,
    compounds: &[(CompoundId, Polygon)],
    index_times: usize,
    scan_times: usize,
) -> Result<(), Refusal> {
    let place = Point::new(113.12, 36.19)?;
    let scan = || {
        let mut all: Vec<_> = compounds.iter().map(|(id, boundary)| (*id, metres_to(place, boundary))).collect();
        let order = |a: &(CompoundId, f64), b: &(CompoundId, f64)| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0));
        all.select_nth_unstable_by(NEAREST, order);
        all.truncate(NEAREST);
        all.sort_unstable_by(order);
        all
    };
    assert_eq!(index.nearest(place, NEAREST), scan(), "the index and the scan disagree");
    let by_index = Timings::of(index_times, || index.nearest(place, NEAREST));
    let by_scan = Timings::of(scan_times, scan);
    row(&format!("{NEAREST} nearest"), compounds.len(), NEAREST, &by_index, &by_scan);
    Ok(())
}

fn row(question: &str, compounds: usize, answer: usize, index: &Timings, scan: &Timings) {
    let ratio = index.speed_up_over(scan);
    println!(
        "| {question} | {compounds} | {answer} | {} | {} | {} | {} | {ratio:.0} |",
        index.p50(),
        index.p99(),
        scan.p50(),
        scan.p99()
    );
}

/// Square compounds in rows and columns over the whole box, a third of the ground theirs.
fn city(count: u32) -> Result<Vec<(CompoundId, Polygon)>, Refusal> {
    let [west, south, east, north] = CITY;
    let columns = f64::from(count).sqrt().ceil();
    let (dx, dy) = ((east - west) / columns, (north - south) / columns);
    (0..count)
        .map(|i| {
            let (x, y) = (west + dx * (f64::from(i) % columns), south + dy * (f64::from(i) / columns).floor());
            let (w, h) = (dx * 0.6, dy * 0.6);
            let ring = vec![[x, y], [x + w, y], [x + w, y + h], [x, y + h], [x, y]];
            Ok((code(i), Polygon::new(&[ring])?))
        })
        .collect()
}

/// 999 compounds a community, in order.
fn code(i: u32) -> CompoundId {
    let community = AreaCode::from_number(AreaLevel::Community, 140_403_001_001 + u64::from(i / 999));
    let suffix = u16::try_from(i % 999 + 1).ok();
    community
        .zip(suffix)
        .and_then(|(community, suffix)| CompoundId::new(community, suffix))
        .unwrap_or_else(|| panic!("code {i}"))
}

/// An uneven outline round the middle of the box, as somebody would draw it, with the share of the box that it covers set.
fn drawn_area() -> Result<Polygon, Refusal> {
    let [west, south, east, north] = CITY;
    let reach = |corner: usize| if corner.is_multiple_of(3) { 1.25 } else { 0.9 };
    let turn = TAU / CORNERS as f64;
    // The area of the star with reaches r is half the sum of r·r'·sin(turn).
    let unscaled: f64 = (0..CORNERS).map(|i| reach(i) * reach(i + 1) * turn.sin() / 2.0).sum();
    let scale = (SHARE / unscaled).sqrt();
    let corner = |i: usize| {
        let (sin, cos) = (turn * (i % CORNERS) as f64).sin_cos();
        let reach = reach(i % CORNERS) * scale;
        [west.midpoint(east) + (east - west) * reach * cos, south.midpoint(north) + (north - south) * reach * sin]
    };
    Polygon::new(&[(0..=CORNERS).map(corner).collect()])
}
