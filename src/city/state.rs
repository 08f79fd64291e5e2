//! What is true now: the city folded from its events. Only `evolve` writes here; everybody else reads.

mod compound;
mod reaches;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound::{Excluded, Included};
use std::ops::RangeInclusive;

use crate::domain::aid::OpenDispatch;
use crate::domain::alert::Alert;
use crate::domain::area::{Area, AreaCode};
use crate::domain::compound::{Compound, CompoundId};
use crate::domain::duty::{Service, ServiceRecord};
use crate::domain::help::{HelpKey, HelpOrder, HelpRequest};
use crate::domain::household::{FlatNo, HouseholdKey, UnitNo};
use crate::domain::ids::{AlertId, DispatchId, IncidentId, PersonId};
use crate::domain::incident::Incident;
use crate::domain::post::{PostKey, PostKind};
use crate::domain::receipt::Funnel;
use crate::domain::refusal::Refusal;
use crate::domain::roll_call::{HouseholdRoll, RollCounts};
use crate::domain::time::Timestamp;

use super::deadlines::Deadlines;
use super::sequence::Sequence;
use super::spatial::SpatialIndex;
use super::tally::{ReadyTimes, Share, Tally, shift_roll};

pub use compound::{CompoundState, PostState};
pub use reaches::Reaches;

/// The whole city.
#[derive(Debug, Default)]
pub struct City {
    /// The administrative tree.
    pub(super) areas: BTreeMap<AreaCode, Area>,
    /// The post catalogue.
    pub(super) post_kinds: BTreeMap<String, PostKind>,
    /// Every compound, in the order of the codes: an area is a range.
    pub(super) compounds: BTreeMap<CompoundId, CompoundState>,
    /// Where they are.
    pub(super) spatial: SpatialIndex,
    /// Every incident.
    pub(super) incidents: BTreeMap<IncidentId, IncidentState>,
    /// In the order in which they were opened.
    pub(super) incident_order: Sequence<IncidentId>,
    /// Every alert.
    pub(super) alerts: HashMap<AlertId, AlertState>,
    /// In the order in which they were first drafted.
    pub(super) alert_order: Sequence<AlertId>,
    /// Where a person has a part: in the line or with a claim.
    pub(super) places: HashMap<PersonId, BTreeSet<CompoundId>>,
    /// Who has an active call, to which post: nobody has two.
    pub(super) calls: HashMap<PersonId, PostKey>,
    /// Who commands which compounds in emergency mode. A person may command several, and is called to no post while commanding one.
    pub(super) commands: HashMap<PersonId, BTreeSet<CompoundId>>,
    /// What each person served in compounds that have stood down.
    pub(super) services: HashMap<PersonId, ServiceRecord>,
    /// Calls made by the last record, in order: those who are told.
    pub(super) newly_called: Vec<(PostKey, PersonId)>,
    /// Compounds in which people who came free in the record being taken in have a part; empty between records.
    pub(super) freed_in: BTreeSet<CompoundId>,
    /// Who waits for what until when.
    pub(super) deadlines: Deadlines,
    /// How many alerts were issued: the next identifier.
    pub(super) alerts_issued: u64,
    /// Every compound by the position of the last record that changed what a map shows of it.
    pub(super) changes: BTreeSet<(u64, CompoundId)>,
    /// Position of the last record taken in.
    pub(super) position: u64,
}

/// The roll of one compound in one incident.
#[derive(Debug, Clone)]
pub struct Roll {
    /// When it opened.
    pub opened_at: Timestamp,
    /// When it closed. Late reports are still taken while the incident is open.
    pub closed_at: Option<Timestamp>,
    /// Households on which there is a report.
    pub households: HashMap<FlatNo, HouseholdRoll>,
    /// Running counts of the compound.
    pub counts: RollCounts,
    /// Running counts of each stairwell.
    pub units: BTreeMap<UnitNo, RollCounts>,
}

impl Roll {
    /// A roll on which nobody is accounted for.
    pub fn open(compound: &Compound, opened_at: Timestamp) -> Self {
        let fresh = |households| RollCounts { households, ..RollCounts::default() };
        let units = compound.buildings.iter().flat_map(|building| {
            let households = building.households_per_unit();
            (1..=building.units).map(move |unit| (UnitNo { building: building.no, unit }, fresh(households)))
        });
        Self {
            opened_at,
            closed_at: None,
            households: HashMap::new(),
            counts: fresh(compound.households()),
            units: units.collect(),
        }
    }

    /// Counts of one building: its stairwells (at most 99) added up.
    pub fn building(&self, no: u16) -> RollCounts {
        let range = UnitNo { building: no, unit: 0 }..=UnitNo { building: no, unit: u8::MAX };
        let mut sum = RollCounts::default();
        self.units.range(range).for_each(|(_, counts)| shift_roll(&mut sum, &RollCounts::default(), counts));
        sum
    }
}

/// One incident and its running counts.
#[derive(Debug)]
pub struct IncidentState {
    /// What it is.
    pub incident: Incident,
    /// Compounds in emergency mode under it.
    pub in_emergency: BTreeSet<CompoundId>,
    /// Compounds that ever were.
    pub touched: BTreeSet<CompoundId>,
    /// Running counts by area.
    pub tallies: HashMap<AreaCode, Tally>,
    /// The rolls that it called; once it is closed only their counts are kept, the rest is in the journal.
    pub rolls: HashMap<CompoundId, Roll>,
    /// How long the ready compounds of each area took.
    pub ready_times: HashMap<AreaCode, ReadyTimes>,
    /// What each compound contributes to the running counts.
    pub shares: HashMap<CompoundId, Share>,
    /// Every help request.
    pub help: BTreeMap<HelpKey, HelpRequest>,
    /// The open ones, the vulnerable first.
    pub help_queue: BTreeSet<HelpOrder>,
    /// What was sent and is not back.
    pub dispatches: BTreeMap<DispatchId, OpenDispatch>,
    /// Its alerts, in order of issue.
    pub alerts: Vec<AlertId>,
}

impl IncidentState {
    /// A fresh incident.
    pub(super) fn new(incident: Incident) -> Self {
        Self {
            incident,
            in_emergency: BTreeSet::new(),
            touched: BTreeSet::new(),
            tallies: HashMap::new(),
            ready_times: HashMap::new(),
            rolls: HashMap::new(),
            shares: HashMap::new(),
            help: BTreeMap::new(),
            help_queue: BTreeSet::new(),
            dispatches: BTreeMap::new(),
            alerts: Vec::new(),
        }
    }

    /// Running counts of an area; all zero where the incident never came.
    pub fn tally(&self, area: AreaCode) -> Tally {
        self.tallies.get(&area).copied().unwrap_or_default()
    }

    /// Seconds that the middle one of an area's ready compounds took; `None` while none is ready.
    pub fn median_ready_s(&self, area: AreaCode) -> Option<u64> {
        self.ready_times.get(&area)?.median_s()
    }

    /// The household's request that is still open.
    pub fn open_help_of(&self, household: HouseholdKey) -> Option<HelpKey> {
        self.help_of(household).find(|(_, request)| request.is_open()).map(|(key, _)| *key)
    }

    /// All requests of a household.
    pub fn help_of(&self, household: HouseholdKey) -> impl DoubleEndedIterator<Item = (&HelpKey, &HelpRequest)> {
        self.help.range(HelpKey { household, no: 0 }..=HelpKey { household, no: u16::MAX })
    }
}

/// One alert and how far it has got.
#[derive(Debug)]
pub struct AlertState {
    /// What it is.
    pub alert: Alert,
    /// How far it has got in each compound; filled at issue.
    pub reach: Reaches,
    /// All compounds together.
    pub funnel: Funnel,
    /// Compounds in which somebody in command acknowledged.
    pub compounds_acknowledged: u32,
}

impl City {
    /// An area by its code.
    ///
    /// # Errors
    /// [`Refusal::UnknownArea`].
    pub fn area(&self, code: AreaCode) -> Result<&Area, Refusal> {
        self.areas.get(&code).ok_or_else(|| Refusal::UnknownArea { area: code.to_string() })
    }

    /// All areas, widest first, by code.
    pub fn areas(&self) -> impl Iterator<Item = &Area> {
        self.areas.values()
    }

    /// Name of an area; its code where it is not known.
    pub fn area_name(&self, code: AreaCode) -> String {
        self.areas.get(&code).map_or_else(|| code.to_string(), |area| area.name.clone())
    }

    /// The post catalogue.
    pub fn post_kinds(&self) -> impl Iterator<Item = &PostKind> {
        self.post_kinds.values()
    }

    /// A kind of post by its code.
    pub fn post_kind(&self, code: &str) -> Option<&PostKind> {
        self.post_kinds.get(code)
    }

    /// A compound by its code.
    ///
    /// # Errors
    /// [`Refusal::UnknownCompound`].
    pub fn compound(&self, id: CompoundId) -> Result<&CompoundState, Refusal> {
        self.compounds.get(&id).ok_or(Refusal::UnknownCompound { compound: id })
    }

    /// All compounds, by code.
    pub fn compounds(&self) -> impl Iterator<Item = (&CompoundId, &CompoundState)> {
        self.compounds.iter()
    }

    /// The compounds of an area, by code.
    pub fn compounds_in(&self, area: AreaCode) -> impl Iterator<Item = (&CompoundId, &CompoundState)> {
        self.compounds.range(CompoundId::all_in(area))
    }

    /// Compounds of a span of codes that come after `after`, by code.
    pub fn compounds_within(
        &self,
        span: RangeInclusive<CompoundId>,
        after: Option<CompoundId>,
    ) -> impl Iterator<Item = (&CompoundId, &CompoundState)> {
        let (first, last) = span.into_inner();
        let from = after.filter(|after| *after >= first).map_or(Included(first), Excluded);
        let some = after.is_none_or(|after| after < last);
        some.then(|| self.compounds.range((from, Included(last)))).into_iter().flatten()
    }

    /// How many compounds there are.
    pub fn compound_count(&self) -> usize {
        self.compounds.len()
    }

    /// Where the compounds are.
    pub const fn spatial(&self) -> &SpatialIndex {
        &self.spatial
    }

    /// An incident.
    ///
    /// # Errors
    /// [`Refusal::UnknownIncident`].
    pub fn incident(&self, id: IncidentId) -> Result<&IncidentState, Refusal> {
        self.incidents.get(&id).ok_or(Refusal::UnknownIncident {})
    }

    /// All incidents, by id.
    pub fn incidents(&self) -> impl Iterator<Item = (&IncidentId, &IncidentState)> {
        self.incidents.iter()
    }

    /// Incidents opened before `after` (all, when it is not given), the last opened first.
    ///
    /// # Errors
    /// [`Refusal::UnknownIncident`].
    pub fn incidents_newest_first(
        &self,
        after: Option<IncidentId>,
    ) -> Result<impl Iterator<Item = (IncidentId, &IncidentState)>, Refusal> {
        let ids = self.incident_order.newest_first(after).ok_or(Refusal::UnknownIncident {})?;
        Ok(ids.filter_map(|id| Some((id, self.incidents.get(&id)?))))
    }

    /// The roll of a compound in an incident.
    pub fn roll(&self, incident: IncidentId, compound: CompoundId) -> Option<&Roll> {
        self.incidents.get(&incident)?.rolls.get(&compound)
    }

    /// The roll of a compound in the incident under which it is in emergency mode.
    pub fn current_roll(&self, compound: CompoundId) -> Option<&Roll> {
        self.roll(self.compounds.get(&compound)?.incident()?, compound)
    }

    /// An alert.
    ///
    /// # Errors
    /// [`Refusal::UnknownAlert`].
    pub fn alert(&self, id: AlertId) -> Result<&AlertState, Refusal> {
        self.alerts.get(&id).ok_or(Refusal::UnknownAlert {})
    }

    /// All alerts, in no order.
    pub fn alerts(&self) -> impl Iterator<Item = (&AlertId, &AlertState)> {
        self.alerts.iter()
    }

    /// Alerts drafted before `after` (all, when it is not given), the last drafted first.
    ///
    /// # Errors
    /// [`Refusal::UnknownAlert`].
    pub fn alerts_newest_first(
        &self,
        after: Option<AlertId>,
    ) -> Result<impl Iterator<Item = (AlertId, &AlertState)>, Refusal> {
        let ids = self.alert_order.newest_first(after).ok_or(Refusal::UnknownAlert {})?;
        Ok(ids.filter_map(|id| Some((id, self.alerts.get(&id)?))))
    }

    /// A post of a compound.
    ///
    /// # Errors
    /// [`Refusal::UnknownCompound`], [`Refusal::UnknownPost`].
    pub fn post(&self, key: PostKey) -> Result<&PostState, Refusal> {
        let compound = self.compound(key.compound)?;
        compound.posts.iter().find(|post| post.post.no == key.no).ok_or(Refusal::UnknownPost { post: key })
    }

    /// Compounds in which the person stands in the line or has a claim.
    pub fn places_of(&self, person: PersonId) -> impl Iterator<Item = CompoundId> + '_ {
        self.places.get(&person).into_iter().flatten().copied()
    }

    /// The post to which the person has an active call.
    pub fn call_of(&self, person: PersonId) -> Option<PostKey> {
        self.calls.get(&person).copied()
    }

    /// What the person served in compounds that have stood down; `None` when they were never called.
    pub fn services_of(&self, person: PersonId) -> Option<&ServiceRecord> {
        self.services.get(&person)
    }

    /// The call to duty that the person has now.
    pub fn service_now(&self, person: PersonId) -> Option<Service> {
        let post = self.call_of(person)?;
        let board = self.compounds.get(&post.compound)?.board.as_ref()?;
        Some(Service::of(post.compound, board.incident, board.call_of(post.no, person)?))
    }

    /// The calls that the last record made, in order.
    pub fn newly_called(&self) -> &[(PostKey, PersonId)] {
        &self.newly_called
    }

    /// The compounds in emergency mode that the person commands, by code: all of them at once, each with its own epoch.
    pub fn commanded_by(&self, person: PersonId) -> impl Iterator<Item = CompoundId> + '_ {
        self.commands.get(&person).into_iter().flatten().copied()
    }

    /// Whether the person has an active call or commands a compound in emergency mode, and so is called nowhere else.
    pub fn is_engaged(&self, person: PersonId) -> bool {
        self.calls.contains_key(&person) || self.commands.contains_key(&person)
    }

    /// Position of the last record taken in.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// How many alerts were issued so far.
    pub const fn alerts_issued(&self) -> u64 {
        self.alerts_issued
    }

    /// Who waits for what until when.
    pub const fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }
}
