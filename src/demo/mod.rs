//! The demonstration city: a Changzhi of synthetic compounds and people on the real map, made from a seed.
//!
//! [`city`] is all that others need: the same seed and size give the same city on every machine. Areas, counties, rivers and
//! lakes are real (`maps/data/LICENCES.md`); every compound, person, post and finding is made up, each compound says so
//! (`synthetic`), every finding says so in words, and every phone is one that cannot exist. Nothing here writes anywhere: who
//! lays out a city hands the result to the engine and the directory as commands.
//!
//! Read on: `layout` (how many where), `ground` (room without overlap), `estate` (buildings), `staff` (commanders and posts).

mod accounts;
mod batch;
mod dice;
mod estate;
mod ground;
mod layout;
mod maps;
mod names;
mod plane;
mod shares;
mod staff;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use serde::Serialize;

pub use accounts::{AccountKind, DemoAccount};
pub use maps::{CountySeat, River, areas, county_seats, rivers};

use crate::config::catalogue::{PlanOutlines, PostCatalogue};
use crate::domain::area::{Area, AreaCode, AreaLevel};
use crate::domain::compound::{Compound, CompoundId, Finding};
use crate::domain::hazard::Hazard;
use crate::domain::ids::PersonId;
use crate::domain::plan::ContingencyPlan;
use crate::domain::post::{Claim, Post};
use dice::Dice;
use estate::Estate;
use ground::{Land, Plots, Water};
use layout::{Neighbourhood, Setting, Tree};
use plane::{Xy, segments};
use staff::{Holders, Register, Staffing};

/// The city as it is: what Changzhi's published account counts.
pub const COMPOUNDS_DEFAULT: usize = 2_431;
/// More compounds than this do not find room in the twelve counties.
pub const COMPOUNDS_MAX: usize = 150_000;
/// The seed of the demo that `muster serve --demo` lays out.
pub const SEED_DEFAULT: u64 = 1404;

/// Of 100 compounds, how many lie farther out than their community's ground, and how much farther: towns fray at their edges.
const FRAYED_PERCENT: u8 = 12;
const FRAY: f64 = 2.2;
/// One compound in this many has no commander at all: always shown, so that somebody sees what that looks like.
const WITHOUT_COMMANDER_EVERY: usize = 97;
/// One compound in this many lacks one of its plans.
const WITHOUT_PLAN_EVERY: usize = 53;

/// A generated city.
#[derive(Debug, Clone, Serialize)]
pub struct DemoCity {
    /// What it was made from.
    pub seed: u64,
    /// The administrative tree, widest first. Real.
    pub areas: Vec<Area>,
    /// By id. Synthetic.
    pub compounds: Vec<DemoCompound>,
    /// Everybody that compounds and accounts name. Synthetic.
    pub people: Vec<DemoPerson>,
    /// Sign-ins, without passwords.
    pub accounts: Vec<DemoAccount>,
}

/// A generated compound with all that belongs to it.
#[derive(Debug, Clone, Serialize)]
pub struct DemoCompound {
    /// The compound itself.
    pub compound: Compound,
    /// Distance from its plot to the nearest river, m; rivers are about 1 km off.
    pub river_m: f64,
    /// What the risk survey found.
    pub findings: Vec<Finding>,
    /// The commander, then the deputies in order; empty for about 1 %.
    pub line: Vec<PersonId>,
    /// Its posts with their claims in the order in which they are called.
    pub posts: Vec<DemoPost>,
    /// For which hazards it has an approved plan; about 2 % lack one. See [`DemoCompound::plans`].
    pub plans: Vec<Hazard>,
}

impl DemoCompound {
    /// Its approved plans, written out. Kept as hazards, since written out for 100,000 compounds they take a gigabyte.
    pub fn plans(&self, outlines: &PlanOutlines) -> Vec<ContingencyPlan> {
        let outline = |hazard: &Hazard| outlines.of(*hazard);
        self.plans
            .iter()
            .filter_map(outline)
            .map(|outline| outline.for_compound(self.compound.id, &self.compound.name))
            .collect()
    }
}

/// A post and who claims it.
#[derive(Debug, Clone, Serialize)]
pub struct DemoPost {
    /// The post.
    pub post: Post,
    /// Claims, first come first called.
    pub claims: Vec<Claim>,
}

/// Somebody made up.
#[derive(Debug, Clone, Serialize)]
pub struct DemoPerson {
    /// Their id, as claims and lines of succession say it.
    pub id: PersonId,
    /// A name.
    pub name: String,
    /// Eleven digits that cannot be a phone: they start with 000.
    pub phone: String,
    /// Where they live.
    pub home: CompoundId,
}

/// Makes a city of so many compounds, 1 to [`COMPOUNDS_MAX`] (a number outside is taken as the nearest of these).
pub fn city(seed: u64, compounds: usize) -> DemoCity {
    let mut dice = Dice::new(seed);
    let counties = maps::counties();
    let sites = sites(&mut dice, &counties, compounds.clamp(1, COMPOUNDS_MAX));
    let (compounds, mut register) = furnish(&mut dice, sites);
    let accounts = accounts::accounts(&mut dice, &mut register, &counties, &compounds);
    DemoCity { seed, areas: areas(), compounds, people: register.0, accounts }
}

/// A compound that has its place and its buildings, and nothing else yet.
struct Site {
    id: CompoundId,
    setting: Setting,
    estate: Estate,
    middle: Xy,
    river_m: f64,
}

/// Finds a plot for every compound, county by county, the middle of each first. By id.
fn sites(dice: &mut Dice, counties: &[maps::County], compounds: usize) -> Vec<Site> {
    let all = |lines: Vec<Vec<[f64; 2]>>| lines.iter().map(|line| segments(line).collect()).collect();
    let courses = maps::courses().into_iter().map(|river| river.line).collect();
    let water = Water { rivers: all(courses), lakes: all(maps::lakes()) };
    let (tree, seats) = (Tree::read(), maps::county_seats());
    let mut plots = Plots::default();
    let mut sites = Vec::with_capacity(compounds);
    for (county, share) in counties.iter().zip(layout::by_county(counties, compounds)) {
        let Some(seat) = seats.iter().find(|seat| seat.county == county.area.code) else { continue };
        let (seat, land) = (Xy::from_degrees(seat.at.into()), Land::new(county, &water));
        for neighbourhood in layout::lay_out(dice, county, seat, &land, &tree, share) {
            sites.extend(settle(dice, &mut plots, &land, &water, &neighbourhood));
        }
    }
    sites.sort_by_key(|site| site.id);
    sites
}

/// The compounds of one community, from its middle outward.
fn settle(dice: &mut Dice, plots: &mut Plots, land: &Land, water: &Water, of: &Neighbourhood) -> Vec<Site> {
    let mut place = |suffix: usize| {
        let id = CompoundId::new(of.code, u16::try_from(suffix).ok()?)?;
        let estate = Estate::draw(dice, of.setting);
        let fray = if dice.percent(FRAYED_PERCENT) { FRAY } else { 1.0 };
        let spread_m = layout::radius_m(suffix).max(estate.radius_m) * fray;
        let middle = plots.settle(dice, land, of.middle, spread_m, estate.radius_m)?;
        let river_m = survey::river_distance_m(water, middle, estate.radius_m);
        Some(Site { id, setting: of.setting, estate, middle, river_m })
    };
    (1..=of.compounds).filter_map(&mut place).collect()
}

/// Gives every site its name, outline, people, posts, findings and plans.
fn furnish(dice: &mut Dice, sites: Vec<Site>) -> (Vec<DemoCompound>, Register) {
    let (catalogue, outlines) = (PostCatalogue::as_delivered(), PlanOutlines::as_delivered());
    let hazards: Vec<_> = outlines.plans.iter().map(|outline| outline.hazard).collect();
    let mut names: HashMap<AreaCode, HashSet<String>> = HashMap::new();
    let mut staffing =
        Staffing { catalogue: &catalogue, register: Register::default(), neighbours: Holders::default() };
    let mut community = None;
    let mut compounds = Vec::with_capacity(sites.len());
    for (i, site) in sites.into_iter().enumerate() {
        let Site { id, setting, estate, middle, river_m } = site;
        if community.replace(id.community()) != Some(id.community()) {
            staffing.neighbours = Holders::default();
        }
        let taken = names.entry(id.area(AreaLevel::Street)).or_default();
        let name = names::compound(dice, setting, estate.era, taken);
        let (era, buildings) = (estate.era, estate.buildings.len());
        // INVARIANT: plots lie on the map and outlines are simple, so every shape passes its check.
        #[expect(
            clippy::expect_used,
            reason = "outlines are star-shaped and within the county; tests make whole cities"
        )]
        let compound = estate.set_down(dice, id, name, middle).expect("an outline on the map is a valid polygon");
        let has_commander = i % WITHOUT_COMMANDER_EVERY != WITHOUT_COMMANDER_EVERY / 2;
        let line = if has_commander { staff::line_of_succession(dice, &mut staffing.register, id) } else { Vec::new() };
        let posts = staffing.posts(dice, id, buildings);
        let findings = survey::findings(dice, &compound, era, river_m);
        let plans = plans_of(i, &hazards);
        compounds.push(DemoCompound { compound, river_m, findings, line, posts, plans });
    }
    (compounds, staffing.register)
}

/// All hazards, less one in turn for every 53rd compound.
fn plans_of(index: usize, hazards: &[Hazard]) -> Vec<Hazard> {
    let lacks =
        (index % WITHOUT_PLAN_EVERY == WITHOUT_PLAN_EVERY / 2).then_some(index / WITHOUT_PLAN_EVERY % hazards.len());
    hazards.iter().enumerate().filter(|(i, _)| Some(*i) != lacks).map(|(_, hazard)| *hazard).collect()
}
