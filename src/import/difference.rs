//! What a batch would change: how many of its entries the city does not know yet, knows otherwise, or has exactly so.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::City;
use crate::domain::command::Batch;
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::post::{Post, PostKey};

/// Entries of a file against what is registered. An entry is an area, a compound, the list of a compound's posts, its line of
/// succession, the holders of a post, or the plan for a hazard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[schema(as = ImportDifference)]
pub struct Difference {
    /// Not registered yet.
    pub new: usize,
    /// Registered, and replaced by the file's.
    pub changed: usize,
    /// Registered exactly so.
    pub same: usize,
}

impl Difference {
    /// Of a batch that fits the city.
    pub(super) fn of(city: &City, batch: &Batch) -> Self {
        let mut found = Self::default();
        for area in &batch.areas {
            found.note(city.area(area.code).ok(), area);
        }
        for compound in &batch.compounds {
            found.note(city.compound(compound.id).ok().map(|state| &*state.compound), compound);
        }
        for entry in &batch.posts {
            let mut posts = entry.posts.clone();
            posts.sort_by_key(|post| post.no);
            found.note_list(&registered_posts(city, entry.compound), &posts);
        }
        for entry in &batch.lines {
            let line = city.compound(entry.compound).map(|state| state.succession.line.clone()).unwrap_or_default();
            found.note_list(&line, &entry.line);
        }
        for entry in &batch.claims {
            found.note_list(&holders(city, entry.post), &entry.people);
        }
        for plan in &batch.plans {
            let in_force = city.compound(plan.compound).ok().and_then(|state| state.plan_in_force(plan.hazard));
            found.note(in_force.map(|version| &version.plan), plan);
        }
        found
    }

    fn note<T: PartialEq>(&mut self, known: Option<&T>, given: &T) {
        match known {
            None => self.new += 1,
            Some(known) if known == given => self.same += 1,
            Some(_) => self.changed += 1,
        }
    }

    /// An empty list is as good as none.
    fn note_list<T: PartialEq>(&mut self, known: &[T], given: &[T]) {
        if known.is_empty() && !given.is_empty() {
            self.new += 1;
        } else if known == given {
            self.same += 1;
        } else {
            self.changed += 1;
        }
    }
}

fn registered_posts(city: &City, compound: CompoundId) -> Vec<Post> {
    let posts = city.compound(compound).map(|state| state.posts.iter().map(|state| state.post.clone()).collect());
    posts.unwrap_or_default()
}

fn holders(city: &City, post: PostKey) -> Vec<PersonId> {
    city.post(post).map(|state| state.claimants().collect()).unwrap_or_default()
}
