//! Who commands a compound and who holds its posts.

use super::dice::Dice;
use super::names;
use super::{DemoPerson, DemoPost};
use crate::config::catalogue::PostCatalogue;
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::post::{Claim, ClaimStatus, Post};
use crate::domain::time::{MICROS_PER_S, Timestamp};

/// Of 100 heads needed, how many posts hold.
const CLAIMED_PERCENT: u8 = 87;
/// Of 100 vacancies, how many somebody has asked for.
const APPLIED_PERCENT: u8 = 10;
/// Of 100 posts, how many have somebody on the bench.
const BENCH_PERCENT: u8 = 12;
/// Of 100 claims, how many are by somebody who has another post in the compound; and in the compound before.
const SECOND_POST_PERCENT: u8 = 9;
const NEIGHBOUR_PERCENT: u8 = 3;
/// Posts that one person holds at most.
const POSTS_PER_PERSON_MAX: u8 = 3;
/// Draws for somebody who may take another post, before a new person is found.
const DRAWS_MAX: usize = 3;
/// 2025-03-01T00:00:00+08:00: the first claims of the demo city. 200 days of claims follow.
const FIRST_CLAIM: Timestamp = Timestamp(1_740_758_400 * MICROS_PER_S);
const CLAIM_DAYS: usize = 200;
const DAY_S: i64 = 86_400;

/// All people of the city, as they are found.
#[derive(Default)]
pub struct Register(pub Vec<DemoPerson>);

impl Register {
    /// Somebody new who lives there.
    pub fn add(&mut self, dice: &mut Dice, home: CompoundId) -> PersonId {
        let id = PersonId(dice.uuid());
        self.0.push(DemoPerson { id, name: names::person(dice), phone: names::phone(self.0.len()), home });
        id
    }
}

/// A commander and two to four deputies, in order.
pub fn line_of_succession(dice: &mut Dice, register: &mut Register, home: CompoundId) -> Vec<PersonId> {
    (0..=dice.range(2, 4)).map(|_| register.add(dice, home)).collect()
}

/// Holders of posts in one compound, with the number of posts each holds.
#[derive(Default)]
pub struct Holders(Vec<(PersonId, u8)>);

impl Holders {
    /// Somebody of them who may take another post and does not hold this one, if a few draws find one.
    fn draw(&mut self, dice: &mut Dice, post: &[Claim]) -> Option<PersonId> {
        for _ in 0..DRAWS_MAX {
            let drawn = dice.below(self.0.len());
            let (person, posts) = self.0.get_mut(drawn)?;
            if *posts < POSTS_PER_PERSON_MAX && !post.iter().any(|claim| claim.person == *person) {
                *posts += 1;
                return Some(*person);
            }
        }
        None
    }
}

/// Staffs one compound after another.
pub struct Staffing<'a> {
    /// What kinds of post there are.
    pub catalogue: &'a PostCatalogue,
    /// Where new people are entered.
    pub register: Register,
    /// Who holds posts in the compound before, when it is of the same community.
    pub neighbours: Holders,
}

impl Staffing<'_> {
    /// The posts of a compound and who holds them; its holders become the neighbours of the next.
    pub fn posts(&mut self, dice: &mut Dice, home: CompoundId, buildings: usize) -> Vec<DemoPost> {
        let mut here = Holders::default();
        let mut posts = Vec::new();
        for entry in &self.catalogue.entries {
            if !dice.percent(entry.share_percent) {
                continue;
            }
            let no = u16::try_from(posts.len() + 1).unwrap_or(u16::MAX);
            let post = Post { no, kind: entry.kind.code.clone(), headcount: entry.headcount_for(buildings) };
            let claims = self.claims(dice, home, &mut here, post.headcount);
            posts.push(DemoPost { post, claims });
        }
        self.neighbours = here;
        posts
    }

    fn claims(&mut self, dice: &mut Dice, home: CompoundId, here: &mut Holders, headcount: u8) -> Vec<Claim> {
        let bench = usize::from(dice.percent(BENCH_PERCENT));
        let (mut held, mut applied) = (bench, 0);
        for _ in 0..headcount {
            if dice.percent(CLAIMED_PERCENT) {
                held += 1;
            } else if dice.percent(APPLIED_PERCENT) {
                applied += 1;
            }
        }
        let mut claims = Vec::with_capacity(held + applied);
        let statuses = std::iter::repeat_n(ClaimStatus::Approved, held);
        for status in statuses.chain(std::iter::repeat_n(ClaimStatus::Applied, applied)) {
            let person = self.claimant(dice, home, here, &claims);
            claims.push(Claim { person, status, since: since(dice) });
        }
        claims
    }

    fn claimant(&mut self, dice: &mut Dice, home: CompoundId, here: &mut Holders, post: &[Claim]) -> PersonId {
        let again = if dice.percent(SECOND_POST_PERCENT) {
            here.draw(dice, post)
        } else if dice.percent(NEIGHBOUR_PERCENT) {
            self.neighbours.draw(dice, post)
        } else {
            None
        };
        again.unwrap_or_else(|| {
            let person = self.register.add(dice, home);
            here.0.push((person, 1));
            person
        })
    }
}

fn since(dice: &mut Dice) -> Timestamp {
    let day = i64::try_from(dice.below(CLAIM_DAYS)).unwrap_or(0);
    Timestamp(FIRST_CLAIM.0 + day * DAY_S * MICROS_PER_S)
}
