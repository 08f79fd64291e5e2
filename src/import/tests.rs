//! Files as people have them, good and bad; the samples are in `tests/data/import`.

use uuid::Uuid;

use super::*;
use crate::city::City;
use crate::domain::area::Area;
use crate::domain::command::{Command, CompoundPosts, Order};
use crate::domain::event::{Entry, Record};
use crate::domain::ids::CommandId;
use crate::domain::policy::Policy;
use crate::domain::post::{Post, PostKind, Team};
use crate::domain::time::Timestamp;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../tests/data/import/", $name)).as_slice()
    };
}

const COMPOUND: &str = "140403001001001";

fn person(n: u128) -> PersonId {
    PersonId(Uuid::from_u128(n))
}

/// Takes a batch in as the system itself.
fn take(city: &mut City, batch: Batch) {
    let (id, at) = (CommandId(Uuid::nil()), Timestamp(0));
    let command = Command::Import(Box::new(batch));
    let order = Order { id, actor: Actor::system(), at, epoch: None, digest: 0, command };
    let events = city.decide(&order, &Policy::default()).unwrap();
    let entry = Entry { at, id, giver: order.actor.giver, digest: 0, events };
    city.evolve(&Record { position: city.position() + 1, entry });
}

/// One community with one compound that has two posts of a kind.
fn city() -> City {
    let mut city = City::default();
    take(&mut city, groundwork());
    city
}

/// What that city is laid out from.
pub(super) fn groundwork() -> Batch {
    let area = |code: &str| Area { code: code.parse().unwrap(), name: code.to_owned() };
    let kind = PostKind {
        code: "stairwell_guide".into(),
        team: Team::EvacuationGuidance,
        title_zh: "楼道引导员".into(),
        title_en: "Stairwell guide".into(),
        normal_duty: "巡查".into(),
        normal_duty_en: None,
        emergency_duty: "引导".into(),
        emergency_duty_en: None,
    };
    let text = "id,name,people,buildings,lon,lat,radius_m\n140403001001001,原有小区,10,1:2x6x2,113.15,36.19,80\n";
    let post = |no| Post { no, kind: "stairwell_guide".into(), headcount: 1 };
    let posts = vec![CompoundPosts { compound: COMPOUND.parse().unwrap(), posts: vec![post(1), post(2)] }];
    let compounds = read(Kind::Compounds, text.as_bytes()).batch.compounds;
    let areas = ["1404", "140403", "140403001", "140403001001"].map(area).to_vec();
    Batch { areas, post_kinds: vec![kind], compounds, posts, ..Batch::default() }
}

pub(super) fn read(kind: Kind, bytes: &[u8]) -> Draft {
    Draft::read(File { kind, bytes, datum: Some(Datum::Wgs84), rows_max: 100 })
}

fn settle(draft: Draft, known: &[PersonEntry]) -> Ready {
    let mut next = 100;
    let mut fresh = || {
        next += 1;
        person(next)
    };
    draft.settle(&city(), &Actor::system(), known, &mut fresh)
}

/// Lines, columns and codes of the faults of a file.
fn faults(kind: Kind, bytes: &[u8]) -> Vec<(usize, String, String)> {
    let report = settle(read(kind, bytes), &[]).report;
    assert_eq!(report.accepted, 0, "all or nothing");
    let fault = |f: RowFault| (f.line.unwrap_or(0), f.field.unwrap_or_default(), f.code);
    report.faults.into_iter().map(fault).collect()
}

fn listed(faults: &[(usize, String, String)]) -> Vec<(usize, &str, &str)> {
    faults.iter().map(|(line, field, code)| (*line, field.as_str(), code.as_str())).collect()
}

#[test]
fn good_files_fit_the_city_as_a_whole() {
    for (kind, bytes, rows) in [
        (Kind::Compounds, sample!("compounds.csv"), 2),
        (Kind::Compounds, sample!("compounds.geojson"), 2),
        (Kind::People, sample!("people.csv"), 5),
        (Kind::Posts, sample!("posts.csv"), 3),
        (Kind::Plans, sample!("plans.csv"), 3),
        (Kind::Plans, sample!("plans.json"), 1),
    ] {
        let ready = settle(read(kind, bytes), &[]);
        assert_eq!(ready.report.faults, [], "{kind:?}");
        assert_eq!((ready.report.rows, ready.report.accepted), (rows, rows));
        take(&mut city(), ready.batch);
    }
}

#[test]
fn areas_lie_in_one_that_is_known_and_say_no_other_parent_than_their_code() {
    let good = "\
        区划代码,名称,上级代码,城乡分类代码\n140403002000,乙街道,140403,111\n140403002001,乙社区,140403002000,111\n\
        140403001,甲街道改名,140403,111\n";
    let ready = settle(read(Kind::Areas, good.as_bytes()), &[]);
    assert_eq!(
        (ready.report.faults.as_slice(), ready.report.ignored.as_slice()),
        (&[][..], &["城乡分类代码".into()][..])
    );
    assert_eq!(ready.report.difference, Difference { new: 2, changed: 1, same: 0 });
    let mut grown = city();
    take(&mut grown, ready.batch);
    assert_eq!(grown.area_name("140403001".parse().unwrap()), "甲街道改名");
    assert_eq!(grown.areas().count(), 6);

    let bad = "\
        code,name,parent\n140403003,丙街道,140404\n140403003,,140403\n1404030030,丁街道,140403\n140403004,戊,140403\n\
        140403004000,己,140403\n";
    let found = faults(Kind::Areas, bad.as_bytes());
    let wanted =
        [(2, "parent", "bad_value"), (3, "name", "value_missing"), (4, "code", "bad_value"), (6, "code", "bad_value")];
    assert_eq!(listed(&found), wanted);
    let orphans = format!("code,name\n140405001,某街道\n1405,别的城市\n140403002,{}\n", "长".repeat(65));
    let found = faults(Kind::Areas, orphans.as_bytes());
    assert_eq!(listed(&found), [(2, "", "unknown_area"), (3, "", "unknown_area"), (4, "", "bad_text")]);
}

#[test]
fn a_report_says_what_is_new_what_changes_and_what_is_so_already() {
    let mut city = city();
    let of = |city: &City, kind, bytes: &[u8], known: &[PersonEntry]| {
        let mut next = 100;
        let mut fresh = || {
            next += 1;
            person(next)
        };
        read(kind, bytes).settle(city, &Actor::system(), known, &mut fresh)
    };
    let counts = |new, changed, same| Difference { new, changed, same };
    for (kind, bytes, first) in [
        (Kind::Posts, sample!("posts.csv"), counts(0, 1, 0)),
        (Kind::Compounds, sample!("compounds.csv"), counts(2, 0, 0)),
        (Kind::Plans, sample!("plans.csv"), counts(2, 0, 0)),
        (Kind::People, sample!("people.csv"), counts(3, 0, 0)),
    ] {
        let ready = of(&city, kind, bytes, &[]);
        assert_eq!((ready.report.difference, ready.report.faults.as_slice()), (first, &[][..]), "{kind:?}");
        take(&mut city, ready.batch);
        let again = of(&city, kind, bytes, &ready.people).report.difference;
        assert_eq!(again, counts(0, 0, first.new + first.changed), "{kind:?} a second time");
    }
    let renamed = String::from_utf8_lossy(sample!("posts.csv")).replace(",2\n", ",3\n");
    assert_eq!(of(&city, Kind::Posts, renamed.as_bytes(), &[]).report.difference, counts(0, 1, 0));
}

#[test]
fn compounds_are_read_from_both_forms_alike() {
    let table = read(Kind::Compounds, sample!("compounds.csv"));
    let features = read(Kind::Compounds, sample!("compounds.geojson"));
    assert_eq!((table.ignored.as_slice(), features.ignored.as_slice()), (&["备注".into()][..], &["fid".into()][..]));
    let (one, other) = (&table.batch.compounds[0], &features.batch.compounds[0]);
    assert_eq!((one.id, &one.boundary, &one.assembly_points), (other.id, &other.boundary, &other.assembly_points));
    assert_eq!(one.buildings[0], other.buildings[0]);
    assert!(one.buildings[1].lift && other.synthetic && other.vulnerable.len() == 1);
}

#[test]
fn coordinates_say_their_datum_and_are_brought_over() {
    let bytes = sample!("compounds.geojson");
    let unsaid = Draft::read(File { kind: Kind::Compounds, bytes, datum: None, rows_max: 100 });
    assert_eq!(settle(unsaid, &[]).report.faults[0].code, "datum_missing");
    let gcj = Draft::read(File { kind: Kind::Compounds, bytes, datum: Some(Datum::Gcj02), rows_max: 100 });
    let compound = &gcj.batch.compounds[0];
    let corner = compound.boundary.as_geo().exterior().0[0];
    assert_eq!((corner.x, corner.y), Datum::Gcj02.to_wgs84(113.110, 36.190));
    let at = compound.assembly_points[0].at;
    assert_eq!((at.lon(), at.lat()), Datum::Gcj02.to_wgs84(113.111, 36.191));
}

#[test]
fn every_bad_row_of_a_table_is_named() {
    let found = faults(Kind::Compounds, sample!("compounds-bad.csv"));
    assert_eq!(
        listed(&found),
        [
            (3, "id", "bad_value"),
            (3, "people", "bad_value"),
            (3, "buildings", "bad_value"),
            (3, "boundary", "value_missing"),
            (4, "boundary", "bad_coordinate"),
            (5, "boundary", "bad_polygon"),
            (6, "", "malformed_csv"),
        ]
    );
    let found = faults(Kind::People, sample!("people-bad.csv"));
    assert_eq!(
        listed(&found),
        [
            (2, "role", "bad_line"),
            (3, "role", "bad_value"),
            (4, "post", "value_missing"),
            (5, "name", "value_missing"),
            (6, "order", "bad_value"),
        ]
    );
    let found = faults(Kind::Posts, sample!("posts-bad.csv"));
    assert_eq!(
        listed(&found),
        [(3, "no", "bad_value"), (4, "no", "bad_value"), (5, "kind", "value_missing"), (5, "headcount", "bad_value")]
    );
}

#[test]
fn every_bad_entry_of_json_is_named_by_its_line() {
    let found = faults(Kind::Compounds, sample!("compounds-bad.geojson"));
    let wanted = [(4, "geometry", "bad_polygon"), (9, "properties", "bad_value"), (14, "geometry", "bad_polygon")];
    assert_eq!(listed(&found), wanted);
    assert_eq!(listed(&faults(Kind::Plans, sample!("plans-bad.json"))), [(6, "", "malformed_json")]);
    assert_eq!(listed(&faults(Kind::Compounds, b"{\n\"features\": [,]}")), [(2, "", "malformed_json")]);
}

#[test]
fn what_the_city_refuses_is_named_by_the_line_of_its_row() {
    let twice = "id,name,people,buildings,lon,lat,radius_m\n\
        140403001001002,甲,10,1:2x6x2,113.15,36.19,80\n140403001001002,乙,10,1:2x6x2,113.25,36.19,80\n\
        140403001009001,丙,10,1:2x6x2,113.35,36.19,80\n";
    let found = faults(Kind::Compounds, twice.as_bytes());
    assert_eq!(listed(&found), [(3, "", "already_exists"), (4, "", "unknown_area")]);
    let posts =
        "compound,no,kind,headcount\n140403001001001,1,stairwell_guide,1\n140403001001099,1,stairwell_guide,1\n";
    assert_eq!(listed(&faults(Kind::Posts, posts.as_bytes())), [(3, "", "unknown_compound")]);
    let people = "compound,role,name,phone,post\n140403001001001,post,甲,13900000000,9\n";
    assert_eq!(listed(&faults(Kind::People, people.as_bytes())), [(2, "", "unknown_post")]);
}

#[test]
fn a_person_in_several_rows_is_one_and_known_ones_are_recognised() {
    let phone = Some("13800000001".to_owned());
    let known = [PersonEntry { id: person(1), name: "张某1".into(), phone, note: None }];
    let ready = settle(read(Kind::People, sample!("people.csv")), &known);
    assert_eq!(ready.people.len(), 3);
    let id = |name: &str| ready.people.iter().find(|entry| entry.name == name).unwrap().id;
    assert_eq!(ready.batch.lines[0].line, [person(1), id("示例甲")]);
    let claims: Vec<_> = ready.batch.claims.iter().map(|claim| (claim.post.no, claim.people.clone())).collect();
    // Both posts of the kind have their head-count, so the last one's bench grows.
    assert_eq!(claims, [(1, vec![id("示例乙")]), (2, vec![id("示例甲"), id("示例丙")])]);
}

#[test]
fn bytes_that_are_no_utf8_are_refused_with_how_to_convert_them() {
    let gbk = b"id,name\n140403001001002,\xC9\xCF\xB5\xB3\n";
    let report = settle(read(Kind::Compounds, gbk), &[]).report;
    assert_eq!((report.faults[0].code.as_str(), report.faults[0].line), ("not_utf8", Some(2)));
    assert!(report.faults[0].zh.contains("iconv"));
    let marked = [b"\xEF\xBB\xBF", sample!("posts.csv")].concat();
    assert!(settle(read(Kind::Posts, &marked), &[]).report.is_good(), "a byte order mark is no fault");
}

#[test]
fn empty_wrong_and_endless_files_are_refused() {
    for (kind, bytes, code) in [
        (Kind::Posts, &b""[..], "column_missing"),
        (Kind::Posts, b"compound,no,kind\n", "no_rows"),
        (Kind::Posts, b"[]", "not_csv"),
        (Kind::Plans, b"[]", "no_rows"),
        (Kind::Compounds, b"{\"features\": []}", "no_rows"),
        (Kind::Compounds, b"{}", "malformed_json"),
    ] {
        let report = settle(read(kind, bytes), &[]).report;
        assert!(report.faults.iter().any(|fault| fault.code == code), "{:?}", report.faults);
    }
    let rows = |n: usize| format!("compound,no,kind\n{}", "140403001001001,x,k\n".repeat(n));
    let report = settle(read(Kind::Posts, rows(101).as_bytes()), &[]).report;
    assert_eq!((report.rows, report.faults[0].code.as_str()), (100, "too_many_rows"));
    let many = Draft::read(File { kind: Kind::Posts, bytes: rows(1_500).as_bytes(), datum: None, rows_max: 5_000 });
    let report = settle(many, &[]).report;
    assert_eq!((report.faults.len(), report.further_faults), (report::FAULTS_MAX, 500));
}
