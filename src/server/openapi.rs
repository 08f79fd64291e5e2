//! The description of the API, made from the code: what every operation shares is added here, so that handlers need not say it.
//!
//! Each operation says in `x-muster-action` who may call it: the name of an [`Action`](crate::city::authority::Action), or
//! `public`, `signed_in` or `own` (the caller's own things).

use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};

use crate::domain::datum::Datum;

use super::caller::SESSION_COOKIE;
use super::error::ProblemBody;
use super::order::Done;
use super::repeats;
use crate::live::protocol::ClientFrame;

/// Where an operation says who may call it.
pub const ACTION: &str = "x-muster-action";

/// What is said of the API as a whole; the router adds the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Muster 平急应急指挥",
        description = "一座城市的应急指挥与预警接口。Emergency command and alerting for a city.\n\n\
            每条命令须带 `Idempotency-Key`（UUID）；重试时沿用，只执行一次。\
            Every command carries an `Idempotency-Key` (UUID); the same key again is done once.\n\n\
            登录、邀请、住户链接与账号等 POST 不是命令，可带 `Idempotency-Key`：十分钟内同一人、同一编号、同一内容得到首次的答复；\
            服务器重启后视为新的请求。\
            POSTs that are no commands (signing in, invitations, household links, accounts) may carry an `Idempotency-Key`: within \
            ten minutes the same caller with the same key and body gets the first answer again, another body is refused with \
            `command_id_reused`. That is kept in memory only: after a restart of the server a repeat is a new request. \
            Answers over 1 MiB and refusals are not kept. \
            POSTs without the header only read, or carry an id in each item."
    ),
    servers((url = "/", description = "本服务器 This server")),
    components(schemas(ProblemBody, Done, ClientFrame, Datum)),
    tags(
        (name = "session", description = "登录与本人 Signing in, and who one is"),
        (name = "accounts", description = "账号与授权 Accounts and grants"),
        (name = "people", description = "人员与联系方式 People and how to reach them"),
        (name = "links", description = "邀请与住户链接 Invitations and household links"),
        (name = "areas", description = "行政区划 The administrative tree"),
        (name = "compounds", description = "小区 Residential compounds"),
        (name = "posts", description = "岗位与领岗 Posts and who holds them"),
        (name = "plans", description = "预案 Contingency plans"),
        (name = "alerts", description = "预警 Alerts"),
        (name = "incidents", description = "事件与统计 Incidents and their running counts"),
        (name = "duty", description = "到岗 Calls to posts"),
        (name = "roll", description = "点名与求助 Roll call and help"),
        (name = "aid", description = "互助与调度 Mutual aid"),
        (name = "map", description = "态势图 The map"),
        (name = "log", description = "日志 What happened"),
        (name = "live", description = "实时连接 The live connection"),
        (name = "imports", description = "导入 Import of real data"),
    )
)]
pub struct Document;

/// The problems that any operation may answer with.
const PROBLEMS: [(&str, &str); 4] = [
    ("400", "请求有误 The request makes no sense"),
    ("429", "请求过多 Too much at once"),
    ("500", "系统故障 A fault of the server"),
    ("503", "暂时不可用 Not available now"),
];
/// Those of an operation that asks who calls.
const PROBLEMS_OF_AUTHORITY: [(&str, &str); 3] =
    [("401", "需要登录 Sign in first"), ("403", "没有权限 Not allowed"), ("404", "没有找到 Not found")];
/// Those of an operation that changes something.
const PROBLEMS_OF_CHANGE: [(&str, &str); 4] = [
    ("409", "与当前状态不符 Does not fit what is true now"),
    ("413", "内容过大 The body is too large"),
    ("415", "类型有误 The body is of the wrong type"),
    ("422", "不符合规则 Against the rules"),
];

/// What a command's key is.
const KEY_OF_COMMAND: &str = "命令编号，重试时沿用 The giver's own id of the command; the same when trying again";
/// What the key is of a POST that gives no command.
const KEY_OF_REPEATS: &str = "请求编号，可省略；重试时沿用，十分钟内得到首次的答复，重启后视为新的请求 The asker's own id of the request, \
    optional; the same again within ten minutes gets the first answer, after a restart it is a new request";

/// Adds what all operations share: problems, and for commands the id and the epoch.
pub fn complete(document: &mut utoipa::openapi::OpenApi) {
    add_security(document);
    fold_notes(document);
    for (path, item) in &mut document.paths.paths {
        name_operations(path, item);
        for operation in [&mut item.get].into_iter().flatten() {
            add_problems(operation, false);
        }
        let changes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in changes.into_iter().flatten() {
            add_problems(operation, true);
            if answers_done(operation) {
                add_order_headers(operation);
            }
        }
        if let Some(operation) = item.post.as_mut().filter(|_| repeats::ROUTES.iter().any(|(route, _)| route == path)) {
            let key = key_header(Required::False, KEY_OF_REPEATS);
            operation.parameters.get_or_insert_default().push(RefOr::T(key));
        }
    }
}

/// A field whose type stands inline comes out as its type and, beside it, an object that has the field's note and nothing else: no value
/// is a text and an object at once. The note goes to the type.
fn fold_notes(document: &mut utoipa::openapi::OpenApi) {
    let schemas = document.components.iter_mut().flat_map(|components| components.schemas.values_mut());
    for schema in schemas {
        if let RefOr::T(Schema::Object(object)) = schema {
            object.properties.values_mut().for_each(fold_note);
        }
    }
}

fn fold_note(field: &mut RefOr<Schema>) {
    let RefOr::T(Schema::AllOf(both)) = field else { return };
    let [RefOr::T(Schema::Object(kind)), RefOr::T(Schema::Object(note))] = both.items.as_slice() else { return };
    if note.properties.is_empty() {
        let mut kind = kind.clone();
        kind.description.clone_from(&note.description);
        *field = RefOr::T(Schema::Object(kind));
    }
}

/// Names each operation after its method and path, since handlers of different nouns are called alike.
fn name_operations(path: &str, item: &mut PathItem) {
    let words: Vec<&str> =
        path.trim_start_matches("/api/v1").split(['/', '-', '{', '}']).filter(|w| !w.is_empty()).collect();
    for (method, operation) in [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ] {
        if let Some(operation) = operation {
            operation.operation_id = Some(format!("{method}_{}", words.join("_")));
        }
    }
}

fn add_security(document: &mut utoipa::openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    let household = "Authorization: Household … — a household's signed link";
    for (name, scheme) in [
        ("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(SESSION_COOKIE)))),
        ("bearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
        (
            "household",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("Authorization", household))),
        ),
    ] {
        components.add_security_scheme(name, scheme);
    }
}

/// Who may call the operation.
pub fn action_of(operation: &Operation) -> Option<&str> {
    operation.extensions.as_ref()?.get(ACTION)?.as_str()
}

fn add_problems(operation: &mut Operation, changes: bool) {
    let is_public = action_of(operation) == Some("public");
    let authority = PROBLEMS_OF_AUTHORITY.iter().filter(|_| !is_public);
    let change = PROBLEMS_OF_CHANGE.iter().filter(|_| changes);
    for (status, description) in PROBLEMS.iter().chain(authority).chain(change) {
        let response = || RefOr::T(problem_response(description));
        operation.responses.responses.entry((*status).to_owned()).or_insert_with(response);
    }
}

fn problem_response(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build()
}

/// Whether it is a command: it answers with [`Done`], or with [`Made`](super::routes::making::Made).
fn answers_done(operation: &Operation) -> bool {
    let is_done = |response: &RefOr<Response>| {
        let schemas = ["#/components/schemas/Done\"", "#/components/schemas/Made\""];
        serde_json::to_string(response).is_ok_and(|text| schemas.iter().any(|schema| text.contains(schema)))
    };
    operation.responses.responses.values().any(is_done)
}

fn key_header(required: Required, description: &str) -> Parameter {
    let uuid =
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(uuid))
        .build()
}

fn add_order_headers(operation: &mut Operation) {
    let id = key_header(Required::True, KEY_OF_COMMAND);
    let epoch = ParameterBuilder::new()
        .name("Muster-Epoch")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("指挥权任期号 Epoch of the command under which a commander acts; an old one is refused"))
        .schema(Some(ObjectBuilder::new().schema_type(Type::Integer)));
    operation.parameters.get_or_insert_default().extend([RefOr::T(id), RefOr::T(epoch.build())]);
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::router::api;
    use super::*;
    use crate::city::authority::Action;

    fn operations() -> Vec<(String, Operation)> {
        let (_, document) = api();
        let mut all = Vec::new();
        for (path, item) in document.paths.paths {
            for (method, operation) in [
                ("GET", item.get),
                ("POST", item.post),
                ("PUT", item.put),
                ("PATCH", item.patch),
                ("DELETE", item.delete),
            ] {
                all.extend(operation.map(|operation| (format!("{method} {path}"), operation)));
            }
        }
        all
    }

    #[test]
    fn every_operation_says_what_it_is_who_may_and_how_it_fails() {
        let actions: HashSet<_> = Action::ALL.iter().map(|action| action.name()).collect();
        let mut ids = HashSet::new();
        assert!(!operations().is_empty());
        for (name, operation) in operations() {
            assert!(operation.summary.as_ref().is_some_and(|text| !text.is_empty()), "{name} has no summary");
            assert!(operation.tags.as_ref().is_some_and(|tags| !tags.is_empty()), "{name} has no tag");
            assert!(ids.insert(operation.operation_id.clone()), "{name} shares its id");
            let action = action_of(&operation).unwrap_or_default();
            let known = actions.contains(action) || ["public", "signed_in", "own"].contains(&action);
            assert!(known, "{name} says {action:?} may call it");
            let is_problem = |status: &str| operation.responses.responses.contains_key(status);
            assert!(is_problem("400") && is_problem("503"), "{name} does not say how it fails");
            assert!(operation.responses.responses.keys().any(|s| s.starts_with('2') || s == "101"), "{name}");
            assert!(name.split(' ').nth(1).is_some_and(|path| path.starts_with("/api/v1/")), "{name}");
        }
    }

    /// POSTs that are the same however often they come: these only read …
    const READS: [&str; 4] = [
        "POST /api/v1/targets/preview",
        "POST /api/v1/templates/render",
        "POST /api/v1/alerts/lint",
        "POST /api/v1/incidents/{id}/switch/preview",
    ];
    /// … and here every item has an id of its own, which the engine knows.
    const IDS_INSIDE: &str = "POST /api/v1/incidents/{id}/check-ins/batch";

    #[test]
    fn every_post_is_done_once_under_one_key() {
        for (name, operation) in operations().into_iter().filter(|(name, _)| name.starts_with("POST")) {
            let parameters = operation.parameters.unwrap_or_default();
            let is_key = |one: &RefOr<Parameter>| matches!(one, RefOr::T(one) if one.name == "Idempotency-Key");
            let keys = parameters.iter().filter(|one| is_key(one)).count();
            let needs_none = READS.contains(&name.as_str()) || name == IDS_INSIDE;
            assert_eq!(keys, usize::from(!needs_none), "{name}");
        }
        let known: Vec<_> = operations().into_iter().map(|(name, _)| name).collect();
        for (route, _) in repeats::ROUTES {
            assert!(known.contains(&format!("POST {route}")), "{route} is called otherwise by now");
        }
    }

    #[test]
    fn no_field_is_a_text_and_an_object_at_once() {
        let document = serde_json::to_value(api().1).unwrap();
        let expires = &document["components"]["schemas"]["AlertContent_Rfc3339"]["properties"]["expires"];
        assert_eq!((&expires["type"], &expires["description"]), (&"string".into(), &"Until when it holds.".into()));
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for (field, of) in schema["properties"].as_object().into_iter().flatten() {
                let kinds: Vec<_> =
                    of["allOf"].as_array().into_iter().flatten().filter_map(|one| one["type"].as_str()).collect();
                assert!(kinds.iter().all(|kind| *kind == kinds[0]), "{name}.{field} is {kinds:?}");
            }
        }
    }

    #[test]
    fn the_document_is_openapi_3_1_and_all_its_references_lead_somewhere() {
        let (_, document) = api();
        let json = serde_json::to_value(&document).unwrap();
        assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut open = vec![&json];
        while let Some(value) = open.pop() {
            if let Some(name) = value.get("$ref").and_then(|r| r.as_str()) {
                let path = name.strip_prefix('#').unwrap();
                assert!(json.pointer(path).is_some(), "{name} leads nowhere");
            }
            open.extend(value.as_array().into_iter().flatten());
            open.extend(value.as_object().into_iter().flat_map(|object| object.values()));
        }
    }
}
