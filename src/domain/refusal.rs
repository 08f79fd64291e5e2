//! Why a command was not carried out, in words that its giver can act on.
//!
//! One row a refusal: its fields, the class that the edge maps to an HTTP status or a live answer, its stable code, and what
//! it says in Chinese and in English. Codes are promises to clients: add, never rename.

use super::compound::CompoundId;
use super::household::HouseholdKey;
use super::post::PostKey;

/// What kind of refusal it is; the edge turns it into a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// The input makes no sense as it stands (400).
    Malformed,
    /// The giver may not (403).
    Forbidden,
    /// What it is about does not exist (404).
    Unknown,
    /// It does not fit what is true now (409).
    Conflict,
    /// It is understood but breaks a rule (422).
    Invalid,
    /// Too much at once (429).
    TooMuch,
    /// It cannot be made durable now; try again (503).
    Unavailable,
}

macro_rules! refusals {
    ($(
        $(#[$doc:meta])*
        $name:ident { $($field:ident : $type:ty),* } $class:ident $code:literal $zh:literal $en:literal;
    )*) => {
        /// Why a command was not carried out.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Refusal {
            $($(#[$doc])* $name {
                $(
                    #[doc = concat!("`", stringify!($field), "` of the message.")]
                    $field: $type
                ),*
            },)*
        }

        impl Refusal {
            /// The stable code.
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)* }
            }

            /// Which status it becomes.
            pub const fn class(&self) -> Class {
                match self { $(Self::$name { .. } => Class::$class,)* }
            }

            /// What is said in Chinese.
            #[expect(unused_variables, reason = "some fields are of one language")]
            pub fn zh(&self) -> String {
                match self { $(Self::$name { $($field),* } => format!($zh),)* }
            }

            /// What is said in English.
            #[expect(unused_variables, reason = "some fields are of one language")]
            pub fn en(&self) -> String {
                match self { $(Self::$name { $($field),* } => format!($en),)* }
            }

            /// Every code there is.
            pub const CODES: &'static [&'static str] = &[$($code),*];

            /// Code and class of every refusal.
            const CLASSES: &'static [(&'static str, Class)] = &[$(($code, Class::$class)),*];
        }
    };
}

refusals! {
    // ── shapes and keys ──
    /// A coordinate is not finite or out of range.
    BadCoordinate { lon: String, lat: String } Invalid "bad_coordinate"
        "坐标无效：经度 {lon}、纬度 {lat}。请使用 WGS-84 度数，经度在 ±180、纬度在 ±90 以内。"
        "Bad coordinate: longitude {lon}, latitude {lat}. Use WGS-84 degrees, longitude within ±180 and latitude within ±90.";
    /// A polygon is open, crosses itself or has no area.
    BadPolygon { why: String } Invalid "bad_polygon"
        "多边形无效：{why}。请重新绘制。"
        "Bad polygon: {why}. Draw it again.";
    /// A shape has too many corners.
    TooManyVertices { given: usize, max: usize } Invalid "too_many_vertices"
        "图形有 {given} 个顶点，最多 {max} 个。请先简化。"
        "The shape has {given} corners; at most {max} are taken. Simplify it first.";
    /// A circle's radius is not usable.
    BadCircle { radius_km: String, max_km: f64 } Invalid "bad_circle"
        "圆的半径 {radius_km} 公里无效，应大于 0 且不超过 {max_km} 公里。"
        "Bad circle: radius {radius_km} km must be above 0 and at most {max_km} km.";
    /// A corridor's line or width is not usable.
    BadCorridor { why: String } Invalid "bad_corridor"
        "沿线范围无效：{why}。"
        "Bad corridor: {why}.";
    /// A target area names nothing at all.
    EmptyArea {} Invalid "empty_area"
        "没有划定范围。空范围不会发给任何人，请选择区域、小区或绘制图形。"
        "No area was given. An empty area reaches nobody: choose areas or compounds, or draw a shape.";
    /// A target area has too many parts.
    TooManyParts { given: usize, max: usize } Invalid "too_many_parts"
        "范围由 {given} 部分组成，最多 {max} 部分。"
        "The area has {given} parts; at most {max} are taken.";
    /// A target hits no compound.
    NobodyHit {} Invalid "nobody_hit"
        "该范围内没有小区，不会发给任何人。请检查范围。"
        "No compound lies in that area, so nobody would get it. Check the area.";

    // ── who may ──
    /// No valid sign-in.
    NotSignedIn {} Forbidden "not_signed_in"
        "未登录或登录已过期。请重新登录。"
        "Not signed in, or the session has ended. Sign in again.";
    /// The place is outside the giver's area.
    NotYourArea { place: String } Forbidden "not_your_area"
        "{place} 不在您的管辖范围内。"
        "{place} is outside your area.";
    /// The giver's role does not allow it; made by `Action::not_your_role`.
    NotYourRole { zh: &'static str, en: &'static str } Forbidden "not_your_role"
        "您的角色不能{zh}。如需办理，请联系上级调度员。"
        "Your role does not allow you to {en}. Ask the dispatcher above you.";
    /// An order of a former commander.
    StaleEpoch { compound: CompoundId, given: u32, current: u32 } Conflict "stale_epoch"
        "小区 {compound} 的指挥权已移交（您的任期号 {given}，当前 {current}），此命令未执行。请刷新后再试。"
        "Command of compound {compound} has passed on (your epoch {given}, now {current}); nothing was done. Refresh first.";
    /// The giver is not in command there now.
    NotInCommand { compound: CompoundId } Forbidden "not_in_command"
        "您现在不是小区 {compound} 的在任指挥。"
        "You are not in command of compound {compound} now.";
    /// A token, link or account of another city.
    WrongCity {} Forbidden "wrong_city"
        "此凭证属于另一座城市。"
        "This credential belongs to another city.";

    // ── signing in, invitations and links ──
    /// Login and password do not fit, or the account is disabled; which of these is not said.
    BadCredentials {} Forbidden "bad_credentials"
        "用户名或密码不正确，或账号已停用。"
        "Login and password do not match, or the account is disabled.";
    /// Too many attempts to sign in.
    TooManyAttempts { retry_after_s: u32 } TooMuch "too_many_attempts"
        "登录尝试过多，请 {retry_after_s} 秒后再试。"
        "Too many attempts to sign in. Try again in {retry_after_s} seconds.";
    /// A login that cannot be one.
    BadLogin { min: usize, max: usize } Invalid "bad_login"
        "用户名须为 {min} 至 {max} 个小写英文字母、数字或 . _ - 字符。"
        "A login has {min} to {max} characters: lower-case ASCII letters, digits and . _ -";
    /// A password of an unusable length.
    BadPassword { min: usize, max: usize } Invalid "bad_password"
        "密码长度须为 {min} 至 {max} 个字符。"
        "A password has {min} to {max} characters.";
    /// No account of that login or person.
    UnknownAccount {} Unknown "unknown_account"
        "没有这个账号。"
        "There is no such account.";
    /// An invitation that is none.
    InvitationInvalid {} Forbidden "invitation_invalid"
        "邀请链接无效。请向社区索取新的链接。"
        "The invitation is not valid. Ask your community for a new one.";
    /// An invitation whose time is over.
    InvitationExpired {} Forbidden "invitation_expired"
        "邀请链接已过期。请向社区索取新的链接。"
        "The invitation has expired. Ask your community for a new one.";
    /// An invitation that somebody redeemed before.
    InvitationUsed {} Forbidden "invitation_used"
        "邀请链接已被使用。如非本人操作，请立即告知社区。"
        "The invitation was used already. If it was not you, tell your community at once.";
    /// A household link that is not as it was signed.
    LinkInvalid {} Forbidden "link_invalid"
        "住户链接无效。请重新扫描楼道内的二维码。"
        "The household link is not valid. Scan the code in your stairwell again.";
    /// A household link whose time is over.
    LinkExpired {} Forbidden "link_expired"
        "住户链接已过期。请向社区索取新的链接。"
        "The household link has expired. Ask your community for a new one.";
    /// A person whose name and phone were erased for good.
    PersonErased {} Conflict "person_erased"
        "该人员的资料已按要求删除，不能用原编号恢复。"
        "That person's data was erased and cannot come back under the same id.";

    // ── commands in general ──
    /// The same command id with another content.
    CommandIdReused {} Conflict "command_id_reused"
        "此命令编号已用于另一内容。请换一个编号。"
        "This command id was used for another content. Use a new id.";
    /// Too many commands wait.
    Overloaded {} TooMuch "overloaded"
        "系统繁忙，命令未执行。请几秒后用同一编号重试。"
        "Too many commands are waiting; nothing was done. Try again in a few seconds with the same id.";
    /// The journal cannot be written.
    JournalUnavailable {} Unavailable "journal_unavailable"
        "日志无法写入（磁盘满或故障），命令未执行；查询仍可用。请联系管理员。"
        "The journal cannot be written (disk full or failing); nothing was done, reading still works. Tell the administrator.";
    /// The core ended, or the journal broke off, before it answered: the command may have been done.
    OutcomeUnknown {} Unavailable "outcome_unknown"
        "指挥核心或日志在答复前中断，命令是否执行未知。请在系统恢复后用同一编号重试，不会重复执行。"
        "The core or the journal broke off before it answered; whether the command was done is not known. Try again with the same id once it is back: it is not done twice.";
    /// Names, phones and accounts cannot be read or written.
    DirectoryUnavailable {} Unavailable "directory_unavailable"
        "人员目录暂不可用（磁盘满或故障），操作未执行。请稍后重试并联系管理员。"
        "The directory of people cannot be used now (disk full or failing); nothing was done. Try again and tell the administrator.";
    /// A time that cannot be read.
    BadTime { text: String } Invalid "bad_time"
        "时间 {text} 无效，应带时区，如 2026-11-23T20:15:00+08:00。"
        "The time {text} cannot be read; write it with an offset like 2026-11-23T20:15:00+08:00.";
    /// A text is empty or too long.
    BadText { field: &'static str, max: usize } Invalid "bad_text"
        "{field} 不能为空，且最多 {max} 个字符。"
        "{field} must not be empty and has at most {max} characters.";
    /// A list is empty or too long.
    BadCount { field: &'static str, max: usize } Invalid "bad_count"
        "{field} 不能为空，且最多 {max} 项。"
        "{field} must not be empty and has at most {max} entries.";
    /// The id is taken.
    AlreadyExists { what: String } Conflict "already_exists"
        "{what} 已存在。"
        "{what} exists already.";

    // ── the city ──
    /// No such area.
    UnknownArea { area: String } Unknown "unknown_area"
        "没有代码为 {area} 的区域。"
        "There is no area with the code {area}.";
    /// No such compound.
    UnknownCompound { compound: CompoundId } Unknown "unknown_compound"
        "没有代码为 {compound} 的小区。"
        "There is no compound with the code {compound}.";
    /// A compound's description does not hold together.
    BadCompound { compound: CompoundId, why: String } Invalid "bad_compound"
        "小区 {compound} 的资料有误：{why}。"
        "Compound {compound} is not described rightly: {why}.";
    /// A compound cannot be changed while its roll is open.
    CompoundInEmergency { compound: CompoundId } Conflict "compound_in_emergency"
        "小区 {compound} 处于急时状态，此时不能修改资料。"
        "Compound {compound} is in emergency mode; it cannot be changed until it is back to normal.";
    /// No such household.
    UnknownHousehold { household: HouseholdKey } Unknown "unknown_household"
        "住户 {household} 不存在，请核对楼栋-单元-房号。"
        "Household {household} does not exist. Check building-unit-flat.";
    /// No such person.
    UnknownPerson {} Unknown "unknown_person"
        "没有这个人员。"
        "There is no such person.";
    /// A line of succession is not usable.
    BadLine { compound: CompoundId, why: String } Invalid "bad_line"
        "小区 {compound} 的指挥顺序有误：{why}。"
        "The line of succession of compound {compound} is not right: {why}.";

    // ── posts and plans ──
    /// No such kind of post.
    UnknownPostKind { kind: String } Unknown "unknown_post_kind"
        "岗位目录中没有 {kind}。"
        "The post catalogue has no {kind}.";
    /// No such post.
    UnknownPost { post: PostKey } Unknown "unknown_post"
        "没有岗位 {post}。"
        "There is no post {post}.";
    /// A post's description is not usable.
    BadPost { post: PostKey, why: String } Invalid "bad_post"
        "岗位 {post} 有误：{why}。"
        "Post {post} is not right: {why}.";
    /// The person does not hold the post.
    NoClaim { post: PostKey } Unknown "no_claim"
        "该人员没有领取岗位 {post}。"
        "That person has no claim on post {post}.";
    /// The person holds the post already.
    AlreadyClaimed { post: PostKey } Conflict "already_claimed"
        "该人员已领取岗位 {post}。"
        "That person has a claim on post {post} already.";
    /// The post's list is full.
    PostFull { post: PostKey, max: usize } Conflict "post_full"
        "岗位 {post} 的领岗名单已满（{max} 人）。"
        "The list of post {post} is full ({max} people).";
    /// A plan is not usable.
    BadPlan { compound: CompoundId, why: String } Invalid "bad_plan"
        "小区 {compound} 的预案有误：{why}。"
        "A plan of compound {compound} is not right: {why}.";
    /// No such plan version.
    UnknownPlan { compound: CompoundId } Unknown "unknown_plan"
        "小区 {compound} 没有这个版本的预案。"
        "Compound {compound} has no such version of a plan.";
    /// The plan version is not where the step needs it.
    PlanNotThere { status: &'static str } Conflict "plan_not_there"
        "预案当前状态为 {status}，不能执行此步骤。"
        "The plan is {status}; this step is not possible.";

    // ── incidents and duty ──
    /// No such incident.
    UnknownIncident {} Unknown "unknown_incident"
        "没有这个事件。"
        "There is no such incident.";
    /// The incident is closed.
    IncidentClosed {} Conflict "incident_closed"
        "事件已结束。"
        "The incident is closed.";
    /// Real and exercise do not mix.
    ExerciseMismatch {} Conflict "exercise_mismatch"
        "演练与真实事件不能混用：此命令与所属事件不一致。"
        "Exercise and reality do not mix: this command does not match its incident.";
    /// Compounds are still in emergency mode.
    StillInEmergency { compounds: usize } Conflict "still_in_emergency"
        "还有 {compounds} 个小区处于急时状态，不能结束事件。请先转为平时。"
        "{compounds} compounds are still in emergency mode. Switch them back before closing the incident.";
    /// Help requests are still open.
    HelpStillOpen { requests: usize } Conflict "help_still_open"
        "还有 {requests} 条求助未处理，不能结束事件。请逐一解决或移交。"
        "{requests} help requests are still open. Resolve or hand over each, by name, before closing the incident.";
    /// A compound is in emergency mode under another incident.
    OtherIncident { compound: CompoundId } Conflict "other_incident"
        "小区 {compound} 已在另一事件中处于急时状态。"
        "Compound {compound} is in emergency mode under another incident.";
    /// Nothing would change.
    NothingToSwitch {} Conflict "nothing_to_switch"
        "所选小区均已处于该状态，无需转换。"
        "All the chosen compounds are in that mode already.";
    /// Not in emergency mode.
    NotInEmergency { compound: CompoundId } Conflict "not_in_emergency"
        "小区 {compound} 未在此事件中处于急时状态。"
        "Compound {compound} is not in emergency mode under this incident.";
    /// No such call of duty.
    NotCalled { post: PostKey } Conflict "not_called"
        "您未被通知到岗位 {post}，或通知已失效。"
        "You are not called to post {post}, or the call has ended.";
    /// The answer does not follow on what was answered.
    WrongAnswer { now: &'static str } Conflict "wrong_answer"
        "当前到岗状态为“{now}”，不能作此答复。"
        "The call is {now}; this answer does not follow on it.";

    // ── alerts ──
    /// No such alert.
    UnknownAlert {} Unknown "unknown_alert"
        "没有这条预警。"
        "There is no such alert.";
    /// A field of the alert is not usable.
    BadAlert { why: String } Invalid "bad_alert"
        "预警内容有误：{why}。"
        "The alert is not right: {why}.";
    /// The alert has expired or would be born expired.
    AlertExpired {} Invalid "alert_expired"
        "预警已过有效期，不能发布。请修改失效时间。"
        "The alert has expired and cannot be sent. Change its expiry.";
    /// The linter found that the text does not answer the five questions.
    AlertIncomplete { missing: String } Invalid "alert_incomplete"
        "预警文字缺少：{missing}。请补充后再提交。"
        "The alert's text does not say: {missing}. Add it and submit again.";
    /// The step does not fit where the alert stands.
    AlertNotThere { status: &'static str } Conflict "alert_not_there"
        "预警当前状态为 {status}，不能执行此步骤。"
        "The alert is {status}; this step is not possible.";
    /// The approver is the author.
    SamePerson {} Forbidden "same_person"
        "必须由另一人审批：起草人不能批准自己的预警。"
        "A second person must approve: nobody approves an alert that they wrote or submitted.";
    /// What was looked at is not what would be sent.
    TargetChanged { previewed: usize, now: usize } Conflict "target_changed"
        "预览时涉及 {previewed} 个小区，现在是 {now} 个。请重新预览。"
        "The preview hit {previewed} compounds, now it is {now}. Preview again.";
    /// The number typed to confirm a real alert is not the number of compounds hit.
    NotConfirmed { compounds: usize } Conflict "not_confirmed"
        "发布真实预警须确认涉及的小区数（{compounds}）。"
        "To send a real alert, confirm the number of compounds that it hits ({compounds}).";
    /// A recipient's report on an alert that was not sent to them.
    NotARecipient {} Forbidden "not_a_recipient"
        "这条预警没有发给您。"
        "This alert was not sent to you.";
    /// Break-glass is for the own compound and for life in danger only.
    NotBreakGlass { why: &'static str } Invalid "not_break_glass"
        "不符合紧急直发条件：{why}。"
        "Not a break-glass alert: {why}.";

    // ── roll call and help ──
    /// No open roll.
    NoRollCall { compound: CompoundId } Conflict "no_roll_call"
        "小区 {compound} 没有正在进行的点名。"
        "Compound {compound} has no open roll call.";
    /// The report claims to be from the future.
    MadeInFuture {} Invalid "made_in_future"
        "上报时间晚于当前时间，请检查手机时钟。"
        "The report says it was made in the future. Check the phone's clock.";
    /// The report is not usable.
    BadCheckIn { why: &'static str } Invalid "bad_check_in"
        "上报内容有误：{why}。"
        "The report is not right: {why}.";
    /// No such open help request.
    UnknownHelp { household: HouseholdKey } Unknown "unknown_help"
        "住户 {household} 没有这条待处理的求助。"
        "Household {household} has no such open help request.";

    // ── command of a compound ──
    /// Nobody was offered the command, or somebody else was.
    NotOffered { compound: CompoundId } Conflict "not_offered"
        "小区 {compound} 的指挥权没有移交给您。"
        "The command of compound {compound} was not offered to you.";
    /// The person is not in the line.
    NotInLine { compound: CompoundId } Invalid "not_in_line"
        "该人员不在小区 {compound} 的指挥顺序中。"
        "That person is not in the line of succession of compound {compound}.";

    // ── resources ──
    /// Not enough to send.
    NotEnough { resource: String, has: u32 } Conflict "not_enough"
        "{resource} 现有 {has}，数量不足。"
        "There are only {has} of {resource}.";
    /// No such dispatch.
    UnknownDispatch {} Unknown "unknown_dispatch"
        "没有这次调度，或已归还。"
        "There is no such dispatch, or it was returned.";
}

/// A refusal on its way through an error that carries nothing but text, as those of `serde` do.
///
/// Types that are read with `try_from` have it as their error; whoever reads JSON finds it again with [`Carried::find`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The stable code.
    pub code: &'static str,
    /// Which status it becomes.
    pub class: Class,
    /// What is said in Chinese.
    pub zh: String,
    /// What is said in English.
    pub en: String,
}

impl Carried {
    /// Stands before the code, between the languages, and at the end.
    const MARKS: [&'static str; 4] = ["⟦", "⟧", "⟦/⟧", "⟦.⟧"];

    /// The refusal that an error's text begins with.
    pub fn find(text: &str) -> Option<Self> {
        let [open, close, between, end] = Self::MARKS;
        let (code, rest) = text.strip_prefix(open)?.split_once(close)?;
        let (code, class) = *Refusal::CLASSES.iter().find(|(known, _)| *known == code)?;
        let (zh, rest) = rest.split_once(between)?;
        let (en, _) = rest.split_once(end)?;
        Some(Self { code, class, zh: zh.to_owned(), en: en.to_owned() })
    }
}

impl From<Refusal> for Carried {
    fn from(refusal: Refusal) -> Self {
        Self { code: refusal.code(), class: refusal.class(), zh: refusal.zh(), en: refusal.en() }
    }
}

impl std::fmt::Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [open, close, between, end] = Self::MARKS;
        write!(f, "{open}{}{close}{}{between}{}{end}", self.code, self.zh, self.en)
    }
}

impl std::error::Error for Carried {}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.en())
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let mut codes = Refusal::CODES.to_vec();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Refusal::CODES.len());
    }

    #[test]
    fn a_refusal_comes_through_an_error_of_text() {
        let carried = Carried::from(Refusal::TooManyVertices { given: 100_000, max: 2_000 });
        let text = format!("{carried} at line 1 column 7");
        assert_eq!(Carried::find(&text), Some(carried));
        assert_eq!(Carried::find("unknown field `⟦bad_polygon⟧`"), None);
        assert_eq!(Carried::find("⟦no_such_code⟧甲⟦/⟧a⟦.⟧"), None);
    }

    #[test]
    fn a_refusal_speaks_both_languages() {
        let refusal = Refusal::TooManyVertices { given: 100_000, max: 2_000 };
        assert_eq!(refusal.code(), "too_many_vertices");
        assert!(refusal.zh().contains("100000"));
        assert!(refusal.en().contains("2000"));
    }
}
