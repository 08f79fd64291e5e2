//! The one place that makes errors into HTTP.
//!
//! Which type where: below the edge there are [`Refusal`]s (somebody can act on them) and [`DirectoryError`]s; [`Edge`] is what
//! goes wrong before anybody below is asked. All become a [`Problem`], which is written as RFC 9457 JSON. What nobody outside can
//! act on is logged here, once, and said without details.

use std::error::Error;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::DirectoryError;
use crate::domain::refusal::{Carried, Class, Refusal};

use super::language::Language;

/// Seconds after which a client may try again when too much was asked or something is unavailable.
const RETRY_AFTER_S: u32 = 5;
/// Characters of a client's own text (a field's name, what a parser said) that are shown back.
const QUOTE_MAX: usize = 200;

/// What every handler may answer with.
pub type Answer<T> = Result<T, Problem>;

/// Why a request was not done. [`ProblemBody`] is what it looks like outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    zh: String,
    en: String,
    retry_after_s: Option<u32>,
}

/// A problem as RFC 9457 has it, in Chinese and English (`application/problem+json`).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// `urn:muster:problem:` and the code.
    pub r#type: String,
    /// What kind of problem, in the language asked for.
    pub title: String,
    /// The HTTP status again.
    pub status: u16,
    /// Stable: what programs look at.
    #[schema(example = "not_your_area")]
    pub code: String,
    /// What went wrong and what to do, in the language asked for by `Accept-Language` (Chinese by default).
    pub detail: String,
    /// The same in Chinese.
    pub detail_zh: String,
    /// The same in English.
    pub detail_en: String,
    /// To be named when somebody is asked for help; also in the header `X-Request-Id`.
    pub request_id: String,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, zh: String, en: String) -> Self {
        let again = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
        Self { status, code, zh, en, retry_after_s: again.then_some(RETRY_AFTER_S) }
    }

    /// The status that it answers with.
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// What was wrong with a body of JSON, found by `serde_json`.
    pub fn of_json(error: &serde_json::Error) -> Self {
        if error.is_data() {
            return Self::of_data(&error.to_string(), |why| Edge::BadValue { why });
        }
        Edge::MalformedJson { line: error.line(), column: error.column() }.into()
    }

    /// What was wrong with values that `serde` read, found in the error's text: a refusal of the domain that it carries, a field
    /// that is unknown, missing or there twice, or whatever `otherwise` makes of it.
    pub fn of_data(text: &str, otherwise: impl FnOnce(String) -> Edge) -> Self {
        // What reads queries and paths puts the name of the parameter first.
        let text = text.split_once(": ").filter(|(name, _)| !name.contains(' ')).map_or(text, |(_, rest)| rest);
        if let Some(Carried { code, class, zh, en }) = Carried::find(text) {
            return Self::new(status_of(class), code, zh, en);
        }
        let named = |start: &str| text.strip_prefix(start)?.split_once('`').map(|(name, _)| quote(name));
        if let Some(field) = named("unknown field `") {
            return Edge::UnknownField { field }.into();
        }
        if let Some(field) = named("missing field `") {
            return Edge::MissingField { field }.into();
        }
        if let Some(field) = named("duplicate field `") {
            return Edge::DuplicateField { field }.into();
        }
        otherwise(quote(text)).into()
    }

    /// As it goes out.
    pub fn write(&self, language: Language, request_id: &str) -> Response {
        let body = ProblemBody {
            r#type: format!("urn:muster:problem:{}", self.code),
            title: self.title(language).to_owned(),
            status: self.status.as_u16(),
            code: self.code.to_owned(),
            detail: language.pick(&self.zh, &self.en).clone(),
            detail_zh: self.zh.clone(),
            detail_en: self.en.clone(),
            request_id: request_id.to_owned(),
        };
        let body = serde_json::to_vec(&body).unwrap_or_default();
        (self.status, self.headers(language), body).into_response()
    }

    fn headers(&self, language: Language) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers
    }

    const fn title(&self, language: Language) -> &'static str {
        let (zh, en) = match self.status {
            StatusCode::UNAUTHORIZED => ("需要登录", "Sign in first"),
            StatusCode::FORBIDDEN => ("没有权限", "Not allowed"),
            StatusCode::NOT_FOUND => ("没有找到", "Not found"),
            StatusCode::CONFLICT => ("与当前状态不符", "Does not fit what is true now"),
            StatusCode::UNPROCESSABLE_ENTITY => ("不符合规则", "Against the rules"),
            StatusCode::TOO_MANY_REQUESTS => ("请求过多", "Too much at once"),
            StatusCode::SERVICE_UNAVAILABLE => ("暂时不可用", "Not available now"),
            StatusCode::INTERNAL_SERVER_ERROR => ("系统故障", "A fault of the server"),
            _ => ("请求有误", "The request makes no sense"),
        };
        match language {
            Language::Zh => zh,
            Language::En => en,
        }
    }
}

const fn status_of(class: Class) -> StatusCode {
    match class {
        Class::Malformed => StatusCode::BAD_REQUEST,
        Class::Forbidden => StatusCode::FORBIDDEN,
        Class::Unknown => StatusCode::NOT_FOUND,
        Class::Conflict => StatusCode::CONFLICT,
        Class::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Class::TooMuch => StatusCode::TOO_MANY_REQUESTS,
        Class::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Of a client's text: no control characters, and not much of it.
fn quote(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(QUOTE_MAX).collect()
}

/// The text of what lies at the bottom of an error.
pub(super) fn innermost(error: &dyn Error) -> String {
    let mut bottom = error;
    while let Some(below) = bottom.source() {
        bottom = below;
    }
    bottom.to_string()
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match refusal {
            Refusal::NotSignedIn {} | Refusal::BadCredentials {} => StatusCode::UNAUTHORIZED,
            _ => status_of(refusal.class()),
        };
        let problem = Self::new(status, refusal.code(), refusal.zh(), refusal.en());
        match refusal {
            Refusal::TooManyAttempts { retry_after_s } => Self { retry_after_s: Some(retry_after_s), ..problem },
            _ => problem,
        }
    }
}

impl From<DirectoryError> for Problem {
    fn from(error: DirectoryError) -> Self {
        if !matches!(error, DirectoryError::Refused(_)) {
            tracing::error!(cause = innermost(&error), "{error}");
        }
        error.refusal().into()
    }
}

impl From<Edge> for Problem {
    fn from(edge: Edge) -> Self {
        Self::new(edge.status(), edge.code(), edge.zh(), edge.en())
    }
}

/// In Chinese and without a request id, until [`super::middleware`] writes it anew for who asked.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.write(Language::default(), "");
        response.extensions_mut().insert(self);
        response
    }
}

macro_rules! edges {
    ($($(#[$doc:meta])* $name:ident { $($field:ident : $type:ty),* } $status:ident $code:literal $zh:literal $en:literal;)*) => {
        /// What goes wrong at the edge, before anybody below is asked.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Edge {
            $($(#[$doc])* $name {
                $(
                    #[doc = concat!("`", stringify!($field), "` of the message.")]
                    $field: $type
                ),*
            },)*
        }

        impl Edge {
            /// Every code of the edge.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            const fn status(&self) -> StatusCode {
                match self { $(Self::$name { .. } => StatusCode::$status,)* }
            }

            const fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)* }
            }

            fn zh(&self) -> String {
                match self { $(Self::$name { $($field),* } => format!($zh),)* }
            }

            fn en(&self) -> String {
                match self { $(Self::$name { $($field),* } => format!($en),)* }
            }
        }
    };
}

edges! {
    /// The body has too many bytes.
    BodyTooLarge { max_bytes: usize } PAYLOAD_TOO_LARGE "body_too_large"
        "请求内容过大，最多 {max_bytes} 字节。"
        "The body is too large; at most {max_bytes} bytes are read.";
    /// The body ended early or could not be read.
    BodyCut {} BAD_REQUEST "body_cut"
        "请求内容不完整。"
        "The body did not arrive whole.";
    /// The body is not said to be what is wanted.
    WrongContentType { wanted: &'static str } UNSUPPORTED_MEDIA_TYPE "wrong_content_type"
        "请求内容的类型须为 {wanted}。"
        "The body must be sent as {wanted}.";
    /// The body is no JSON.
    MalformedJson { line: usize, column: usize } BAD_REQUEST "malformed_json"
        "JSON 格式有误：第 {line} 行第 {column} 列。"
        "The body is not JSON: line {line}, column {column}.";
    /// The body has a field that nobody knows.
    UnknownField { field: String } BAD_REQUEST "unknown_field"
        "未知字段：{field}。"
        "There is no field {field}.";
    /// The body lacks a field.
    MissingField { field: String } BAD_REQUEST "missing_field"
        "缺少字段：{field}。"
        "The field {field} is missing.";
    /// The body has a field twice.
    DuplicateField { field: String } BAD_REQUEST "duplicate_field"
        "字段重复：{field}。"
        "The field {field} stands twice.";
    /// A value of the body is not of its type.
    BadValue { why: String } BAD_REQUEST "bad_value"
        "字段取值有误：{why}。"
        "A value is not right: {why}.";
    /// A part of the path is not what it should be.
    BadPath { why: String } BAD_REQUEST "bad_path"
        "地址有误：{why}。"
        "The address is not right: {why}.";
    /// A parameter of the query is not what it should be.
    BadQuery { why: String } BAD_REQUEST "bad_query"
        "查询参数有误：{why}。"
        "A query parameter is not right: {why}.";
    /// A header is not what it should be.
    BadHeader { name: &'static str, wanted: &'static str } BAD_REQUEST "bad_header"
        "请求头 {name} 有误，应为 {wanted}。"
        "The header {name} must be {wanted}.";
    /// A command without an id of its giver.
    NoIdempotencyKey {} BAD_REQUEST "idempotency_key_missing"
        "缺少请求头 Idempotency-Key。请为每条命令生成一个 UUID，重试时沿用。"
        "The header Idempotency-Key is missing. Make a UUID for each command and keep it when trying again.";
    /// A command's id is none.
    BadIdempotencyKey {} BAD_REQUEST "idempotency_key_invalid"
        "请求头 Idempotency-Key 须为 UUID。"
        "The header Idempotency-Key must be a UUID.";
    /// A browser sent its cookie for another site's page.
    CrossSite {} FORBIDDEN "cross_site"
        "请求来自其他网站，已拒绝。"
        "The request comes from another site and was refused.";
    /// There is no such address.
    NoSuchRoute {} NOT_FOUND "no_such_route"
        "没有这个地址。接口说明见 /api/v1/docs。"
        "There is nothing at this address. The interface is described at /api/v1/docs.";
    /// The address does not take this method.
    NoSuchMethod {} METHOD_NOT_ALLOWED "no_such_method"
        "该地址不支持此方法。"
        "This address does not take that method.";
    /// Another incident is being told again.
    ReplayBusy {} TOO_MANY_REQUESTS "replay_busy"
        "另一个回放正在生成，请稍后再试。"
        "Another replay is being made. Try again in a moment.";
    /// The journal is too long to be folded anew in the time that a request has.
    ReplayTooLong { seconds: u64 } SERVICE_UNAVAILABLE "replay_too_long"
        "{seconds} 秒内未能生成回放，已停止。请在服务器空闲时再试。"
        "The replay was not made within {seconds} seconds and was given up. Try again when the server has less to do.";
    /// The incident concerns more compounds than one replay shows.
    ReplayTooLarge { compounds: usize, max: usize } UNPROCESSABLE_ENTITY "replay_too_large"
        "事件涉及 {compounds} 个小区，一次最多回放 {max} 个。请选择较小的区域。"
        "The incident concerns {compounds} compounds; one replay shows at most {max}. Choose a smaller area.";
    /// It took too long.
    TimedOut {} SERVICE_UNAVAILABLE "timed_out"
        "处理超时，结果未知。请用同一编号重试。"
        "It took too long, and whether it was done is not known. Try again with the same id.";
    /// The server is wrong.
    Internal {} INTERNAL_SERVER_ERROR "internal"
        "服务器内部错误，已记录。请告知管理员并提供 request_id。"
        "The server failed; it is in the log. Tell the administrator the request_id.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::target::TargetArea;

    fn problem_of<T: serde::de::DeserializeOwned + std::fmt::Debug>(json: &str) -> Problem {
        Problem::of_json(&serde_json::from_str::<T>(json).unwrap_err())
    }

    #[test]
    fn codes_are_unique_over_edge_and_domain() {
        let mut codes: Vec<_> = Edge::CODES.iter().chain(Refusal::CODES).collect();
        codes.sort_unstable();
        let all = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn a_shape_inside_a_body_is_refused_with_its_own_code() {
        let square = |lat: f64| format!("[[[113,36],[113.1,{lat}],[113.1,36.1],[113,36]]]");
        let area = |part: &str| format!(r#"{{"include": {{{part}}}}}"#);
        let huge: Vec<_> = (0..100_000).map(|i| format!("[113,{}]", 36.0 + f64::from(i) * 1e-6)).collect();
        for (part, code, status) in [
            (format!(r#""polygons": [{}]"#, square(200.0)), "bad_coordinate", 422),
            (format!(r#""polygons": [{}]"#, square(36.0).replace(",[113,36]]", "]")), "bad_polygon", 422),
            (format!(r#""polygons": [[[{}]]]"#, huge.join(",")), "too_many_vertices", 422),
            (r#""circles": [{"center": [113, 36], "radius_km": 0}]"#.to_owned(), "bad_circle", 422),
            (r#""circles": [{"center": [113, 200], "radius_km": 1}]"#.to_owned(), "bad_coordinate", 422),
            (r#""circles": [{"center": [113, 36], "radius": 1}]"#.to_owned(), "unknown_field", 400),
            (r#""circles": [{"center": [113, NaN], "radius_km": 1}]"#.to_owned(), "malformed_json", 400),
            (r#""compounds": ["14"]"#.to_owned(), "bad_value", 400),
        ] {
            let problem = problem_of::<TargetArea>(&area(&part));
            assert_eq!((problem.code(), problem.status().as_u16()), (code, status), "{problem:?}");
        }
    }

    #[test]
    fn mistakes_in_json_are_named() {
        assert!(problem_of::<TargetArea>("{\n  \"include\": ,\n}").en.contains("line 2, column 14"));
        assert!(problem_of::<TargetArea>(r#"{"inclued": {}}"#).zh.contains("inclued"));
        assert_eq!(problem_of::<TargetArea>("{}").code(), "missing_field");
        assert_eq!(problem_of::<TargetArea>(r#"{"include": {}, "include": {}}"#).code(), "duplicate_field");
    }

    #[test]
    fn a_clients_text_is_shown_back_in_measure() {
        let problem = problem_of::<TargetArea>(&format!(r#"{{"{}\u0007": 1}}"#, "长".repeat(5_000)));
        assert!(problem.en.chars().count() < 300 && !problem.en.contains('\u{7}'));
    }
}
