//! What holds of every generated city. Most run on a small one; the layout of the whole city is checked at full size.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{HashMap, HashSet};

use geo::{Distance as _, Haversine, Intersects as _};
use sha2::{Digest as _, Sha256};

use super::*;
use crate::domain::command::Batch;
use crate::domain::geometry::Polygon;
use crate::domain::household::Building;
use crate::domain::post::{CLAIMS_PER_POST_MAX, ClaimStatus, POSTS_PER_COMPOUND_MAX};

fn digest(city: &DemoCity) -> Vec<u8> {
    Sha256::digest(serde_json::to_vec(city).unwrap()).to_vec()
}

#[test]
fn a_seed_names_one_city() {
    let first = digest(&city(1404, 120));
    assert_eq!(first, digest(&city(1404, 120)));
    assert_ne!(first, digest(&city(1405, 120)));
}

#[test]
fn sizes_outside_the_bounds_are_taken_as_the_nearest() {
    assert_eq!(city(1, 0).compounds.len(), 1);
    assert!(!city(1, 1).accounts.is_empty());
}

#[test]
fn in_parts_it_is_the_same_city() {
    let (catalogue, outlines) = (PostCatalogue::as_delivered(), PlanOutlines::as_delivered());
    let city = city(1404, 25);
    let parts: Vec<_> = city.batches(&catalogue, &outlines, 10).collect();
    assert_eq!(parts.iter().map(|part| part.compounds.len()).collect::<Vec<_>>(), [10, 10, 5]);
    let mut joined = Batch::default();
    for part in parts {
        joined.areas.extend(part.areas);
        joined.post_kinds.extend(part.post_kinds);
        joined.compounds.extend(part.compounds);
        joined.lines.extend(part.lines);
        joined.surveys.extend(part.surveys);
        joined.plans.extend(part.plans);
        joined.stocks.extend(part.stocks);
        joined.posts.extend(part.posts);
        joined.claims.extend(part.claims);
    }
    assert_eq!(joined, city.batch(&catalogue, &outlines));
}

/// The whole city's sites and outlines, without people: what takes its time is the people.
fn whole_city() -> DemoCity {
    city(SEED_DEFAULT, COMPOUNDS_DEFAULT)
}

#[test]
fn the_whole_city_lies_in_its_counties_without_overlap() {
    let city = whole_city();
    assert_eq!(city.compounds.len(), COMPOUNDS_DEFAULT);
    let rings: HashMap<_, Vec<_>> = maps::counties()
        .into_iter()
        .map(|county| (county.area.code, county.rings.iter().flat_map(|ring| segments(ring)).collect()))
        .collect();
    let codes: HashSet<_> = city.areas.iter().map(|area| area.code).collect();
    let mut boxes = Vec::new();
    for (i, demo) in city.compounds.iter().enumerate() {
        let Compound { id, boundary, .. } = &demo.compound;
        assert!(codes.contains(&id.community()), "{id} is in no community");
        let ring = &rings[&id.area(AreaLevel::County)];
        let corners: Vec<_> = boundary.as_geo().exterior().coords().map(|c| Xy::from_degrees([c.x, c.y])).collect();
        assert!(corners.iter().all(|corner| plane::is_inside(ring, *corner)), "{id} leaves its county");
        assert!((5..=10).contains(&corners.len()), "{id} has {} corners", corners.len() - 1);
        let across_m = widest_m(boundary);
        assert!((80.0..=400.0).contains(&across_m), "{id} is {across_m} m across");
        let low = [0, 1].map(|axis| corners.iter().map(|c| [c.x, c.y][axis]).fold(f64::INFINITY, f64::min));
        let high = [0, 1].map(|axis| corners.iter().map(|c| [c.x, c.y][axis]).fold(f64::NEG_INFINITY, f64::max));
        boxes.push(rstar::primitives::GeomWithData::new(rstar::primitives::Rectangle::from_corners(low, high), i));
    }
    let tree = rstar::RTree::bulk_load(boxes);
    for one in &tree {
        for other in tree.locate_in_envelope_intersecting(rstar::RTreeObject::envelope(one)) {
            let [a, b] = [one.data, other.data].map(|i| &city.compounds[i].compound);
            let overlap = one.data < other.data && a.boundary.as_geo().intersects(b.boundary.as_geo());
            assert!(!overlap, "{} and {} overlap", a.id, b.id);
        }
    }
}

/// The longest way between two corners, m on the sphere.
fn widest_m(boundary: &Polygon) -> f64 {
    let corners = || boundary.as_geo().exterior().points();
    corners().flat_map(|a| corners().map(move |b| Haversine.distance(a, b))).fold(0.0, f64::max)
}

#[test]
fn the_whole_city_counts_as_the_real_one() {
    let city = whole_city();
    let sum = |count: fn(&DemoCompound) -> u32| city.compounds.iter().map(count).sum::<u32>();
    let households = sum(|c| c.compound.households());
    assert!((425_000..=575_000).contains(&households), "{households} households");
    let a_household = f64::from(sum(|c| c.compound.people)) / f64::from(households);
    assert!((2.3..=2.5).contains(&a_household), "{a_household} people a household");
    let vulnerable = f64::from(sum(|c| u32::try_from(c.compound.vulnerable.len()).unwrap())) / f64::from(households);
    assert!((0.025..=0.035).contains(&vulnerable), "{vulnerable} of the households are vulnerable");
    let posts: usize = city.compounds.iter().map(|c| c.posts.len()).sum();
    assert!((18..=22).contains(&(posts / city.compounds.len())), "{posts} posts");
    let claims: usize = city.compounds.iter().flat_map(|c| &c.posts).map(|post| post.claims.len()).sum();
    assert!((45_000..=55_000).contains(&claims), "{claims} claims");
    let luzhou: AreaCode = "140403".parse().unwrap();
    let there = city.compounds.iter().filter(|c| c.compound.id.is_in(luzhou)).count();
    assert!((1_216..=1_400).contains(&there), "{there} of 2,431 compounds in Luzhou are not most");
    let seat = maps::county_seats().into_iter().find(|seat| seat.county == luzhou).unwrap().at.to_geo();
    let near = |c: &&DemoCompound| {
        let middle = c.compound.boundary.as_geo().exterior().points().next().unwrap();
        c.compound.id.is_in(luzhou) && Haversine.distance(seat, middle) < 6_000.0
    };
    let near_seat = city.compounds.iter().filter(near).count();
    assert!(near_seat * 4 > there * 3, "{near_seat} of {there} compounds of Luzhou lie round its seat");
}

#[test]
fn compounds_pass_their_checks_and_say_that_they_are_synthetic() {
    let city = city(1404, 300);
    let mut names = HashSet::new();
    for DemoCompound { compound, findings, river_m, .. } in &city.compounds {
        compound.check().unwrap();
        assert!(compound.synthetic);
        assert!(names.insert((compound.id.area(AreaLevel::Street), &compound.name)), "{} twice", compound.name);
        let regular = |b: &Building| (5..=33).contains(&b.floors) && b.lift == (b.floors > 7) && b.flats_per_floor <= 4;
        assert!(compound.buildings.iter().all(regular));
        assert!((1..=4).contains(&compound.entrances.len()) && (1..=3).contains(&compound.assembly_points.len()));
        let inside = |place: &crate::domain::compound::Place| compound.boundary.as_geo().intersects(&place.at.to_geo());
        assert!(compound.assembly_points.iter().all(inside), "{}: an assembly point is outside", compound.id);
        assert!((2..=6).contains(&findings.len()));
        assert!(findings.iter().all(|finding| finding.text.contains("模拟数据") && !finding.text.contains('{')));
        let floods = findings.iter().any(|finding| finding.text.contains("距河道"));
        assert_eq!(floods, *river_m <= survey::NEAR_RIVER_M);
    }
}

/// What the names of `maps/data/compound-name-seeds.csv` end in, and what new estates are called everywhere.
const NAME_ENDINGS: [&str; 16] = [
    "小区",
    "家园",
    "花园",
    "苑",
    "新居",
    "湾",
    "华庭",
    "雅居",
    "嘉园",
    "新村",
    "家属楼",
    "住宅楼",
    "家属院",
    "居民区",
    "区",
    "期",
];

#[test]
fn names_are_in_the_patterns_of_real_ones() {
    let named: Vec<_> = city(1404, 300).compounds.into_iter().map(|demo| demo.compound.name).collect();
    for name in &named {
        let ends = NAME_ENDINGS.iter().any(|ending| name.ends_with(ending)) || name.ends_with("号院");
        assert!(ends && (3..=12).contains(&name.chars().count()), "{name}");
    }
    for ending in ["小区", "花园", "家属楼"] {
        assert!(named.iter().any(|name| name.ends_with(ending)), "no {ending}");
    }
}

#[test]
fn every_compound_has_posts_of_all_seven_teams_and_plans_for_all_four_hazards() {
    let city = city(1404, 300);
    let catalogue = PostCatalogue::as_delivered();
    let team = |code: &str| catalogue.entries.iter().find(|entry| entry.kind.code == code).unwrap().kind.team;
    for demo in &city.compounds {
        let teams: HashSet<_> = demo.posts.iter().map(|post| format!("{:?}", team(&post.post.kind))).collect();
        assert_eq!(teams.len(), 7, "{}: {teams:?}", demo.compound.id);
    }
    let planned: HashSet<_> = city.compounds.iter().flat_map(|demo| demo.plans.clone()).collect();
    assert_eq!(planned, [Hazard::Flood, Hazard::Fire, Hazard::GasLeak, Hazard::Earthquake].into());
}

#[test]
fn posts_and_lines_of_succession_are_within_their_limits() {
    let city = city(1404, 300);
    let people: HashSet<_> = city.people.iter().map(|person| person.id).collect();
    assert_eq!(people.len(), city.people.len(), "a person stands twice");
    let mut held: HashMap<PersonId, usize> = HashMap::new();
    let (mut needed, mut covered) = (0, 0);
    for demo in &city.compounds {
        let line: HashSet<_> = demo.line.iter().collect();
        assert_eq!(line.len(), demo.line.len(), "{}: somebody stands twice in the line", demo.compound.id);
        assert!(demo.line.is_empty() || (3..=5).contains(&demo.line.len()));
        assert!(demo.line.iter().all(|person| people.contains(person)));
        assert!((1..=POSTS_PER_COMPOUND_MAX).contains(&demo.posts.len()));
        for (no, DemoPost { post, claims }) in (1..).zip(&demo.posts) {
            assert_eq!(post.no, no);
            assert!(claims.len() <= CLAIMS_PER_POST_MAX);
            let holders: HashSet<_> = claims.iter().map(|claim| claim.person).collect();
            assert!(holders.len() == claims.len() && holders.is_subset(&people));
            for person in holders {
                *held.entry(person).or_default() += 1;
            }
            let approved = claims.iter().filter(|claim| claim.status == ClaimStatus::Approved).count();
            needed += usize::from(post.headcount);
            covered += approved.min(usize::from(post.headcount));
        }
    }
    let percent = covered * 100 / needed;
    assert!((82..=92).contains(&percent), "{percent} % of the heads needed are covered");
    assert_eq!(held.values().max(), Some(&3));
    assert!(held.values().filter(|posts| **posts > 1).count() > held.len() / 50);
}

#[test]
fn some_gaps_are_left_to_be_seen() {
    let city = city(1404, 300);
    let without_commander = city.compounds.iter().filter(|c| c.line.is_empty()).count();
    let without_plan = city.compounds.iter().filter(|c| c.plans.len() == 3).count();
    assert_eq!((without_commander, without_plan), (3, 6));
    let outlines = PlanOutlines::as_delivered();
    for demo in &city.compounds {
        for plan in demo.plans(&outlines) {
            plan.check().unwrap();
            assert!(plan.compound == demo.compound.id && plan.levels[0].message.contains(&demo.compound.name));
        }
    }
}

#[test]
fn accounts_reach_what_they_say() {
    let city = city(1404, 300);
    let logins: HashSet<_> = city.accounts.iter().map(|account| &account.login).collect();
    assert_eq!((logins.len(), city.accounts.len()), (20, 20));
    let people: HashSet<_> = city.people.iter().map(|person| person.id).collect();
    assert!(city.accounts.iter().all(|account| people.contains(&account.person)));
    let commander = city.account("commander").unwrap();
    let AccountKind::Commander(home) = commander.kind else { panic!("{commander:?}") };
    let demo = city.compounds.iter().find(|c| c.compound.id == home).unwrap();
    assert_eq!(demo.line.first(), Some(&commander.person));
    assert_eq!(city.account("street").unwrap().kind, AccountKind::StreetDispatcher(home.area(AreaLevel::Street)));
    assert_eq!(city.account("luzhou").unwrap().role_zh, "潞州区调度员");
}
