//! Posts and who holds them: the catalogue, the posts of a compound, and the steps of a claim.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::city::authority::Action;
use crate::city::state::PostState;
use crate::domain::command::{Batch, Command, CompoundPosts};
use crate::domain::compound::CompoundId;
use crate::domain::ids::PersonId;
use crate::domain::post::{ClaimStatus, Post, PostKey, PostKind};
use crate::server::App;
use crate::server::caller::Caller;
use crate::server::error::Answer;
use crate::server::extract::{Json, Path};
use crate::server::order::{Done, Orderer};
use crate::server::time::Rfc3339;

/// A post of a compound and who holds it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PostView {
    /// Which.
    pub key: PostKey,
    /// As registered.
    pub post: Post,
    /// What it is, from the catalogue; `null` where the catalogue lost it.
    pub kind: Option<PostKind>,
    /// Places that nobody holds.
    pub vacancies: usize,
    /// Who holds it or asks for it, in the order in which they are called.
    pub claims: Vec<ClaimView>,
}

/// Somebody holds a post, or asks for it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClaimView {
    /// Who.
    pub person: PersonId,
    /// Held, or asked for.
    pub status: ClaimStatus,
    /// Since when.
    pub since: Rfc3339,
}

/// The posts of a compound, as they shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostsForm {
    /// Replaces the earlier list; claims on posts that stay are kept.
    posts: Vec<Post>,
}

/// 岗位目录 The catalogue of posts
#[utoipa::path(
    get, path = "/api/v1/post-kinds", tag = "posts", responses((status = 200, body = Vec<PostKind>)),
    extensions(("x-muster-action" = json!("signed_in")))
)]
pub async fn kinds(State(app): State<App>, _: Caller) -> Json<Vec<PostKind>> {
    Json(app.city().post_kinds().cloned().collect())
}

/// 小区岗位 Posts of a compound and who holds them
#[utoipa::path(
    get, path = "/api/v1/compounds/{compound}/posts", tag = "posts", params(("compound" = CompoundId, Path)),
    responses((status = 200, body = Vec<PostView>)), extensions(("x-muster-action" = json!("see_plans")))
)]
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(compound): Path<CompoundId>,
) -> Answer<Json<Vec<PostView>>> {
    let city = app.city();
    city.may(&caller.actor, Action::SeePlans, compound)?;
    let view = |state: &PostState| {
        let key = PostKey { compound, no: state.post.no };
        PostView::of(key, state, city.post_kind(&state.post.kind).cloned())
    };
    Ok(Json(city.compound(compound)?.posts.iter().map(view).collect()))
}

impl PostView {
    fn of(key: PostKey, state: &PostState, kind: Option<PostKind>) -> Self {
        let claims = state.claims.iter();
        let claims = claims.map(|c| ClaimView { person: c.person, status: c.status, since: c.since.into() });
        Self { key, post: state.post.clone(), kind, vacancies: state.vacancies(), claims: claims.collect() }
    }
}

/// 设置岗位 Set the posts of a compound
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/posts", tag = "posts", params(("compound" = CompoundId, Path)),
    request_body = PostsForm, responses((status = 200, body = Done)),
    extensions(("x-muster-action" = json!("keep_register")))
)]
pub async fn set(
    orderer: Orderer,
    Path(compound): Path<CompoundId>,
    Json(form): Json<PostsForm>,
) -> Answer<Json<Done>> {
    let posts = vec![CompoundPosts { compound, posts: form.posts }];
    orderer.give(Command::Import(Box::new(Batch { posts, ..Batch::default() }))).await
}

/// 申请领岗 Ask for a post, for oneself
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/posts/{no}/claims", tag = "posts",
    params(("compound" = CompoundId, Path), ("no" = u16, Path)),
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("signed_in")))
)]
pub async fn apply(orderer: Orderer, Path((compound, no)): Path<(CompoundId, u16)>) -> Answer<Json<Done>> {
    orderer.give(Command::ApplyForPost { post: PostKey { compound, no } }).await
}

/// 批准领岗 Grant a claim that was asked for; whoever keeps the register grants a post unasked, too
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/posts/{no}/claims/{person}/grant", tag = "posts",
    params(("compound" = CompoundId, Path), ("no" = u16, Path), ("person" = PersonId, Path)),
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("keep_claims")))
)]
pub async fn grant(orderer: Orderer, path: Path<(CompoundId, u16, PersonId)>) -> Answer<Json<Done>> {
    let Path((compound, no, person)) = path;
    orderer.check_known(&[person]).await?;
    orderer.give(Command::GrantClaim { post: PostKey { compound, no }, person }).await
}

/// 退岗 Give up a post, or take it from somebody
#[utoipa::path(
    post, path = "/api/v1/compounds/{compound}/posts/{no}/claims/{person}/release", tag = "posts",
    params(("compound" = CompoundId, Path), ("no" = u16, Path), ("person" = PersonId, Path)),
    responses((status = 200, body = Done)), extensions(("x-muster-action" = json!("keep_claims")))
)]
pub async fn release(orderer: Orderer, path: Path<(CompoundId, u16, PersonId)>) -> Answer<Json<Done>> {
    let Path((compound, no, person)) = path;
    orderer.give(Command::ReleaseClaim { post: PostKey { compound, no }, person }).await
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::super::super::test_app::{COMPOUND, ELSEWHERE, TestApp, person};

    #[tokio::test]
    async fn a_claim_goes_from_asked_to_granted_to_released() {
        let app = TestApp::with_city().await;
        let claims = format!("/api/v1/compounds/{COMPOUND}/posts/2/claims");
        let one = format!("{claims}/{}", person(5));
        let (holder, commander) = (app.token_of(5), app.token_of(1));
        app.post(&claims).bearer(&holder).send().await.ok();
        assert_eq!(app.post(&claims).bearer(&holder).send().await.problem(), (409, "already_claimed"));
        let grant = format!("{one}/grant");
        assert_eq!(app.post(&grant).bearer(&holder).send().await.problem().0, 403);
        let stale = app.post(&grant).bearer(&commander).header("muster-epoch", "77").send().await;
        assert_eq!(stale.problem(), (409, "stale_epoch"));
        app.post(&grant).bearer(&commander).header("muster-epoch", "1").send().await.ok();
        let posts = app.get(&format!("/api/v1/compounds/{COMPOUND}/posts")).bearer(&holder).send().await.ok();
        assert_eq!((&posts[1]["vacancies"], &posts[1]["claims"][0]["status"]), (&0.into(), &"approved".into()));
        app.post(&format!("{one}/release")).bearer(&holder).send().await.ok();
    }

    #[tokio::test]
    async fn a_command_needs_an_id_and_the_same_id_is_done_once() {
        let app = TestApp::with_city().await;
        let (path, token) = (format!("/api/v1/compounds/{COMPOUND}/posts/2/claims"), app.token_of(5));
        let bare = || app.ask("POST", &path).bearer(&token);
        assert_eq!(bare().send().await.problem(), (400, "idempotency_key_missing"));
        let bad = bare().header("idempotency-key", "1").send().await;
        assert_eq!(bad.problem(), (400, "idempotency_key_invalid"));
        let key = Uuid::now_v7().to_string();
        let first = bare().header("idempotency-key", &key).send().await.ok();
        let again = bare().header("idempotency-key", &key).send().await.ok();
        assert_eq!((&first["repeated"], &again["repeated"]), (&false.into(), &true.into()));
        assert_eq!(first["position"], again["position"]);
        let other = app.ask("POST", &path.replace("/2/", "/1/")).bearer(&token).header("idempotency-key", &key);
        assert_eq!(other.send().await.problem(), (409, "command_id_reused"));
    }

    #[tokio::test]
    async fn a_volunteer_reads_no_other_compound() {
        let app = TestApp::with_city().await;
        let read = |id: &str| app.get(&format!("/api/v1/compounds/{id}/posts")).bearer(&app.token_of(3)).send();
        assert_eq!(read(COMPOUND).await.status, 200);
        assert_eq!(read(ELSEWHERE).await.problem(), (403, "not_your_area"));
        let form = json!({ "posts": [] });
        let set =
            app.post(&format!("/api/v1/compounds/{COMPOUND}/posts")).bearer(&app.token_of(3)).json(&form).send().await;
        assert_eq!(set.problem(), (403, "not_your_role"));
    }
}
