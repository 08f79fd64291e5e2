//! The demo city as one import: what a real city's files become too.

use crate::config::catalogue::{PlanOutlines, PostCatalogue};
use crate::domain::actor::{Grant, Role};
use crate::domain::aid::Stock;
use crate::domain::area::AreaCode;
use crate::domain::command::{Batch, CompoundPosts, CompoundStock, Line, PostClaims, Survey};
use crate::domain::post::{ClaimStatus, PostKey};

use super::{AccountKind, DemoCity, DemoCompound};

/// Things that every demo compound has, and how many for each hundred households.
const STOCK_PER_100_HOUSEHOLDS: [(&str, u32); 6] =
    [("沙袋", 60), ("抽水泵", 1), ("担架", 1), ("应急照明灯", 4), ("饮用水（箱）", 20), ("棉被", 15)];

impl DemoCity {
    /// Everything but names, phones and accounts, which belong to the directory.
    pub fn batch(&self, catalogue: &PostCatalogue, outlines: &PlanOutlines) -> Batch {
        let mut batch = self.groundwork(catalogue);
        for compound in &self.compounds {
            compound.add_to(&mut batch, outlines);
        }
        batch
    }

    /// The same in parts of at most so many compounds, to be taken in in this order: written out, a compound has some 10 KB, and a
    /// record of the journal is one value in a database.
    pub fn batches(
        &self,
        catalogue: &PostCatalogue,
        outlines: &PlanOutlines,
        compounds_max: usize,
    ) -> impl Iterator<Item = Batch> {
        let mut groundwork = Some(self.groundwork(catalogue));
        self.compounds.chunks(compounds_max).map(move |part| {
            let mut batch = groundwork.take().unwrap_or_default();
            for compound in part {
                compound.add_to(&mut batch, outlines);
            }
            batch
        })
    }

    /// What stands before any compound.
    fn groundwork(&self, catalogue: &PostCatalogue) -> Batch {
        Batch {
            areas: self.areas.clone(),
            post_kinds: catalogue.entries.iter().map(|entry| entry.kind.clone()).collect(),
            ..Batch::default()
        }
    }
}

impl DemoCompound {
    fn add_to(&self, batch: &mut Batch, outlines: &PlanOutlines) {
        let compound = self.compound.id;
        batch.compounds.push(self.compound.clone());
        batch.surveys.push(Survey { compound, findings: self.findings.clone() });
        batch.stocks.push(CompoundStock { compound, stock: self.stock() });
        batch.lines.push(Line { compound, line: self.line.clone() });
        let posts = self.posts.iter().map(|post| post.post.clone()).collect();
        batch.posts.push(CompoundPosts { compound, posts });
        for post in self.posts.iter().filter(|post| !post.claims.is_empty()) {
            let granted = post.claims.iter().filter(|claim| claim.status == ClaimStatus::Approved);
            let people = granted.map(|claim| claim.person).collect();
            batch.claims.push(PostClaims { post: PostKey { compound, no: post.post.no }, people });
        }
        batch.plans.extend(self.plans(outlines));
    }

    fn stock(&self) -> Stock {
        let hundreds = self.compound.households().div_ceil(100);
        STOCK_PER_100_HOUSEHOLDS.iter().map(|(name, each)| ((*name).to_owned(), each * hundreds)).collect()
    }
}

impl AccountKind {
    /// What the account is granted; commanders and post-holders need no grant, since the journal says what they are.
    pub fn grant(self) -> Option<Grant> {
        let grant = |role, area: AreaCode| Some(Grant { role, area });
        match self {
            Self::CityDispatcher(area)
            | Self::CountyDispatcher(area)
            | Self::StreetDispatcher(area)
            | Self::CommunityDispatcher(area) => grant(Role::Dispatcher, area),
            Self::Observer(area) => grant(Role::Observer, area),
            Self::Administrator(area) => grant(Role::Administrator, area),
            Self::Commander(_) | Self::PostHolder(_) => None,
        }
    }
}
