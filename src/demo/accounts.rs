//! The demo's sign-ins: who they are and what they may reach. Never a password: whoever lays out the city supplies one.

use serde::Serialize;

use super::dice::Dice;
use super::maps::County;
use super::staff::Register;
use super::{DemoCity, DemoCompound};
use crate::domain::area::{AreaCode, AreaLevel};
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::post::ClaimStatus;

/// A role and where it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum AccountKind {
    /// Commands the whole city. There are two, so that one can approve what the other drafts.
    CityDispatcher(AreaCode),
    /// Commands a county.
    CountyDispatcher(AreaCode),
    /// Commands a street.
    StreetDispatcher(AreaCode),
    /// Commands a community.
    CommunityDispatcher(AreaCode),
    /// Sees the city, commands nothing.
    Observer(AreaCode),
    /// Manages accounts and configuration of the city.
    Administrator(AreaCode),
    /// Commands a compound: the first of its line of succession.
    Commander(CompoundId),
    /// Holds a post in a compound.
    PostHolder(CompoundId),
}

/// Somebody who can sign in to the demo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DemoAccount {
    /// What is typed to sign in: ASCII.
    pub login: String,
    /// The role in Chinese, with its area where there are several.
    pub role_zh: String,
    /// Role and scope.
    pub kind: AccountKind,
    /// Who it is; also in [`DemoCity::people`].
    pub person: PersonId,
}

/// The sign-ins of a city. Commander, post-holder, street and community meet in one compound: the one nearest to a river in
/// Luzhou that has everything, so that a flood rehearsal reaches all of them.
pub(super) fn accounts(
    dice: &mut Dice,
    register: &mut Register,
    counties: &[County],
    compounds: &[DemoCompound],
) -> Vec<DemoAccount> {
    let Some(shown) = show_compound(counties, compounds) else { return Vec::new() };
    let home = shown.compound.id;
    let mut accounts = Vec::new();
    let mut add = |login: &str, role_zh: &str, kind, person| {
        accounts.push(DemoAccount { login: login.to_owned(), role_zh: role_zh.to_owned(), kind, person });
    };
    let city = home.area(AreaLevel::City);
    let (street, community) = (home.area(AreaLevel::Street), home.community());
    for (login, role_zh, kind) in [
        ("city1", "市级调度员（起草）", AccountKind::CityDispatcher(city)),
        ("city2", "市级调度员（审批）", AccountKind::CityDispatcher(city)),
        ("street", "街道调度员", AccountKind::StreetDispatcher(street)),
        ("community", "社区调度员", AccountKind::CommunityDispatcher(community)),
        ("observer", "观察员", AccountKind::Observer(city)),
        ("admin", "系统管理员", AccountKind::Administrator(city)),
    ] {
        add(login, role_zh, kind, register.add(dice, home));
    }
    for county in counties {
        let login = county.name_en.split(' ').next().unwrap_or(&county.name_en).to_lowercase();
        let role_zh = format!("{}调度员", county.area.name);
        add(&login, &role_zh, AccountKind::CountyDispatcher(county.area.code), register.add(dice, home));
    }
    if let Some(commander) = shown.line.first() {
        add("commander", "小区指挥长", AccountKind::Commander(home), *commander);
    }
    if let Some(holder) = first_holder(shown) {
        add("post", "岗位人员", AccountKind::PostHolder(home), holder);
    }
    accounts
}

fn show_compound<'a>(counties: &[County], compounds: &'a [DemoCompound]) -> Option<&'a DemoCompound> {
    let plans = compounds.iter().map(|c| c.plans.len()).max()?;
    let whole = |c: &&DemoCompound| !c.line.is_empty() && c.plans.len() == plans && first_holder(c).is_some();
    let first = counties.first()?.area.code;
    // Those of the first county (Luzhou) before all others, then the nearest to a river.
    let rank = |c: &DemoCompound| (!c.compound.id.is_in(first), c.river_m);
    compounds.iter().filter(whole).min_by(|a, b| {
        let (a, b) = (rank(a), rank(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    })
}

fn first_holder(compound: &DemoCompound) -> Option<PersonId> {
    let claims = compound.posts.iter().flat_map(|post| &post.claims);
    claims.filter(|claim| claim.status == ClaimStatus::Approved).map(|claim| claim.person).next()
}

impl DemoCity {
    /// The account of that login.
    pub fn account(&self, login: &str) -> Option<&DemoAccount> {
        self.accounts.iter().find(|account| account.login == login)
    }
}
