//! Accounts: who may sign in with a login and a password, and what they are granted over which area.

use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::actor::{Grant, Role};
use crate::domain::ids::PersonId;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;

use super::passwords::{Password, PasswordHash};
use super::people::{self, PersonEntry};
use super::{Directory, DirectoryError, Result, check_person, id_bytes, id_from};

/// Characters of a shortest login.
pub const LOGIN_MIN: usize = 3;
/// Characters of a longest login.
pub const LOGIN_MAX: usize = 64;
/// Grants of one account.
pub const GRANTS_MAX: usize = 64;
/// Accounts on one page.
pub const ACCOUNTS_PAGE_MAX: usize = 200;

/// What one signs in with: 3 to 64 lower-case ASCII letters, digits and `. _ -`. Capitals are taken as small letters, for
/// phones write the first one large.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Login(String);

impl Login {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Login {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        let is_good = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        if (LOGIN_MIN..=LOGIN_MAX).contains(&text.len()) && text.bytes().all(is_good) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(Refusal::BadLogin { min: LOGIN_MIN, max: LOGIN_MAX })
        }
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// An account to be made; the person must be in the directory and have none yet.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// What they sign in with.
    pub login: Login,
    /// Whose it is.
    pub person: PersonId,
    /// Their password's hash; accounts of a demo may share one.
    pub hash: PasswordHash,
    /// What they are granted.
    pub grants: Vec<Grant>,
}

/// Whose account it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountHolder {
    /// Somebody who is in the directory.
    Known(PersonId),
    /// Somebody who comes into the directory with the account.
    Newcomer(PersonEntry),
}

impl AccountHolder {
    /// Who it is.
    pub const fn person(&self) -> PersonId {
        match self {
            Self::Known(person) => *person,
            Self::Newcomer(entry) => entry.id,
        }
    }
}

/// An account as an administrator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AccountView {
    /// What they sign in with.
    pub login: String,
    /// Whose it is.
    pub person: PersonId,
    /// Whether signing in is off.
    pub disabled: bool,
    /// What they are granted.
    pub grants: Vec<Grant>,
}

/// What signing in needs to know.
pub(super) struct SignInRow {
    pub(super) person: PersonId,
    pub(super) hash: PasswordHash,
    pub(super) disabled: bool,
}

impl Directory {
    /// Makes an account with a password that is still to be hashed; its holder may be somebody new.
    ///
    /// # Errors
    /// As [`Directory::create_with_hash`] and [`Directory::enter_with_account`]; [`Refusal::Overloaded`] when too many passwords wait
    /// to be hashed.
    pub async fn create_account(
        &self,
        login: Login,
        holder: AccountHolder,
        password: Password,
        grants: Vec<Grant>,
        now: Timestamp,
    ) -> Result<()> {
        let hash = self.passwords().hash(password).await?;
        let account = NewAccount { login, person: holder.person(), hash, grants };
        self.run(move |directory| match holder {
            AccountHolder::Known(_) => directory.create_with_hash(&[account], now),
            AccountHolder::Newcomer(entry) => directory.enter_with_account(&entry, &account, now),
        })
        .await
    }

    /// Enters somebody and makes their account, in one transaction: without the account nobody would know them. Blocks.
    ///
    /// # Errors
    /// Refused when the entry is not usable, else as [`Directory::create_with_hash`].
    pub fn enter_with_account(&self, newcomer: &PersonEntry, account: &NewAccount, now: Timestamp) -> Result<()> {
        newcomer.check()?;
        self.write(|tx| {
            people::upsert(tx, newcomer)?;
            self.add_account(tx, account, now)
        })
    }

    /// Makes accounts in one transaction: all or none. Blocks.
    ///
    /// # Errors
    /// Refused when a person is unknown, a login is taken, a person has an account already, or the grants are too many or
    /// another city's; unavailable or broken.
    pub fn create_with_hash(&self, accounts: &[NewAccount], now: Timestamp) -> Result<()> {
        self.write(|tx| accounts.iter().try_for_each(|account| self.add_account(tx, account, now)))
    }

    fn add_account(&self, tx: &Transaction<'_>, account: &NewAccount, now: Timestamp) -> Result<()> {
        check_person(tx, account.person)?;
        let made = tx
            .prepare_cached(
                "INSERT INTO accounts (person_id, login, password_hash, created_us) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![id_bytes(account.person), account.login.0, account.hash.0, now.0])?;
        if made == 0 {
            return Err(Refusal::AlreadyExists { what: account.login.0.clone() }.into());
        }
        account.grants.iter().try_for_each(|grant| self.add_grant(tx, account.person, *grant))
    }

    /// Sets another password and ends all the person's sessions: whoever knew the old one is out.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; [`Refusal::Overloaded`]; unavailable or broken.
    pub async fn change_password(&self, person: PersonId, password: Password) -> Result<()> {
        let hash = self.passwords().hash(password).await?;
        self.run(move |directory| {
            directory.write(|tx| {
                let sql = "UPDATE accounts SET password_hash = ?2 WHERE person_id = ?1";
                must_have_hit_one(tx.execute(sql, params![id_bytes(person), hash.0])?)?;
                tx.execute("DELETE FROM sessions WHERE person_id = ?1", [id_bytes(person)])?;
                Ok(())
            })?;
            Ok(())
        })
        .await
    }

    /// Grants a role over an area; granting twice is granting once. Sessions have it at once. Blocks.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`], [`Refusal::WrongCity`], [`Refusal::BadCount`]; unavailable or broken.
    pub fn grant(&self, person: PersonId, grant: Grant) -> Result<()> {
        self.write(|tx| {
            account_of(tx, person)?.ok_or(Refusal::UnknownAccount {})?;
            self.add_grant(tx, person, grant)
        })?;
        Ok(())
    }

    /// Takes a role over an area away; taking what is not there changes nothing. Sessions lose it at once. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken.
    pub fn revoke_grant(&self, person: PersonId, grant: Grant) -> Result<()> {
        self.write(|tx| {
            let sql = "DELETE FROM grants WHERE person_id = ?1 AND role = ?2 AND area = ?3";
            tx.execute(sql, params![id_bytes(person), role_text(grant.role), grant.area.to_string()])?;
            Ok(())
        })?;
        Ok(())
    }

    /// Turns signing in off or on. Turning it off ends the sessions and open invitations of the person. Blocks.
    ///
    /// # Errors
    /// [`Refusal::UnknownAccount`]; unavailable or broken.
    pub fn set_disabled(&self, person: PersonId, disabled: bool) -> Result<()> {
        self.write(|tx| {
            let sql = "UPDATE accounts SET disabled = ?2 WHERE person_id = ?1";
            must_have_hit_one(tx.execute(sql, params![id_bytes(person), disabled])?)?;
            if disabled {
                tx.execute("DELETE FROM sessions WHERE person_id = ?1", [id_bytes(person)])?;
                tx.execute("DELETE FROM invitations WHERE person_id = ?1 AND used_us IS NULL", [id_bytes(person)])?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// A person's account; `None` when they have none. Blocks.
    ///
    /// # Errors
    /// Unavailable or broken.
    pub fn account(&self, person: PersonId) -> Result<Option<AccountView>> {
        self.read(|db| account_of(db, person))
    }

    /// Accounts by login, those after `after`, at most `limit` (and [`ACCOUNTS_PAGE_MAX`]). Blocks.
    ///
    /// # Errors
    /// Unavailable or broken.
    pub fn accounts(&self, after: Option<&Login>, limit: usize) -> Result<Vec<AccountView>> {
        let limit = i64::try_from(limit.min(ACCOUNTS_PAGE_MAX)).unwrap_or(0);
        self.read(|db| {
            let mut page = db.prepare_cached(
                "SELECT person_id, login, disabled FROM accounts WHERE login > ?1 ORDER BY login LIMIT ?2",
            )?;
            let after = after.map_or("", Login::as_str);
            let rows = page.query_map(params![after, limit], view_from)?.collect::<rusqlite::Result<Vec<_>>>()?;
            rows.into_iter().map(|view| with_grants(db, view)).collect()
        })
    }

    /// What signing in with `login` needs to know. Blocks.
    pub(super) fn sign_in_row(&self, login: &Login) -> Result<Option<SignInRow>> {
        self.read(|db| {
            let row = |row: &Row<'_>| {
                let hash = PasswordHash(row.get(1)?);
                Ok(SignInRow { person: id_from(row, 0)?, hash, disabled: row.get(2)? })
            };
            let sql = "SELECT person_id, password_hash, disabled FROM accounts WHERE login = ?1";
            Ok(db.prepare_cached(sql)?.query_row([&login.0], row).optional()?)
        })
    }

    fn add_grant(&self, tx: &Transaction<'_>, person: PersonId, grant: Grant) -> Result<()> {
        if !self.city().contains(grant.area) {
            return Err(Refusal::WrongCity {}.into());
        }
        tx.prepare_cached("INSERT INTO grants (person_id, role, area) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
            .execute(params![id_bytes(person), role_text(grant.role), grant.area.to_string()])?;
        if grants_of(tx, person)?.len() > GRANTS_MAX {
            return Err(Refusal::BadCount { field: "grants", max: GRANTS_MAX }.into());
        }
        Ok(())
    }
}

/// What a person is granted; nothing without an account.
pub(super) fn grants_of(db: &Connection, person: PersonId) -> Result<Vec<Grant>> {
    let mut find = db.prepare_cached("SELECT role, area FROM grants WHERE person_id = ?1 ORDER BY role, area")?;
    let mut rows = find.query([id_bytes(person)])?;
    let mut grants = Vec::new();
    while let Some(row) = rows.next()? {
        let (role, area): (String, String) = (row.get(0)?, row.get(1)?);
        let role = Role::ALL.into_iter().find(|known| role_text(*known) == role);
        let grant = role.zip(area.parse().ok()).map(|(role, area)| Grant { role, area });
        grants.push(grant.ok_or_else(|| DirectoryError::Broken("a grant cannot be read".into()))?);
    }
    Ok(grants)
}

fn account_of(db: &Connection, person: PersonId) -> Result<Option<AccountView>> {
    let sql = "SELECT person_id, login, disabled FROM accounts WHERE person_id = ?1";
    let view = db.prepare_cached(sql)?.query_row([id_bytes(person)], view_from).optional()?;
    view.map(|view| with_grants(db, view)).transpose()
}

fn view_from(row: &Row<'_>) -> rusqlite::Result<AccountView> {
    Ok(AccountView { person: id_from(row, 0)?, login: row.get(1)?, disabled: row.get(2)?, grants: Vec::new() })
}

fn with_grants(db: &Connection, view: AccountView) -> Result<AccountView> {
    Ok(AccountView { grants: grants_of(db, view.person)?, ..view })
}

fn must_have_hit_one(rows: usize) -> Result<(), Refusal> {
    if rows == 1 { Ok(()) } else { Err(Refusal::UnknownAccount {}) }
}

/// A role as it is stored. Never change one: files out there have it.
const fn role_text(role: Role) -> &'static str {
    match role {
        Role::Administrator => "administrator",
        Role::Dispatcher => "dispatcher",
        Role::Observer => "observer",
    }
}

#[cfg(test)]
mod tests {
    use super::super::test_city::{NOW, TestCity};
    use super::*;

    fn login(text: &str) -> Login {
        text.parse().unwrap()
    }

    fn grant(role: Role, area: &str) -> Grant {
        Grant { role, area: area.parse().unwrap() }
    }

    fn account(name: &str, person: u128, grants: Vec<Grant>) -> NewAccount {
        NewAccount { login: login(name), person: TestCity::id(person), hash: PasswordHash("$".into()), grants }
    }

    #[test]
    fn logins_are_small_ascii() {
        assert_eq!(login("Zhang.San-1_x").as_str(), "zhang.san-1_x");
        for text in ["ab", "张三丰", "a b c", "a@b.c", "", &"x".repeat(LOGIN_MAX + 1)] {
            assert!(text.parse::<Login>().is_err(), "{text:?} was taken");
        }
    }

    #[test]
    fn accounts_are_made_all_or_none() {
        let city = TestCity::new();
        city.directory.upsert_people(&[TestCity::entry(2)]).unwrap();
        let create = |accounts: &[NewAccount]| city.directory.create_with_hash(accounts, NOW).map_err(|e| e.refusal());
        let first = || account("one", 1, vec![grant(Role::Dispatcher, "140403")]);
        let taken = Err(Refusal::AlreadyExists { what: "one".into() });
        assert_eq!(create(&[first(), account("two", 99, vec![])]), Err(Refusal::UnknownPerson {}));
        assert_eq!(create(&[first(), account("one", 2, vec![])]), taken);
        let elsewhere = account("two", 2, vec![grant(Role::Observer, "140100")]);
        assert_eq!(create(&[first(), elsewhere]), Err(Refusal::WrongCity {}));
        assert_eq!(city.directory.account(TestCity::id(1)).unwrap(), None, "nothing stuck");
        create(&[first()]).unwrap();
        assert!(create(&[account("another", 1, vec![])]).is_err(), "one account a person");
    }

    #[test]
    fn grants_come_and_go_and_are_bounded() {
        let city = TestCity::new();
        city.directory.create_with_hash(&[account("one", 1, vec![])], NOW).unwrap();
        let grants = || city.directory.account(city.someone).unwrap().unwrap().grants;
        for _ in 0..2 {
            city.directory.grant(city.someone, grant(Role::Observer, "1404")).unwrap();
        }
        city.directory.grant(city.someone, grant(Role::Dispatcher, "140403")).unwrap();
        assert_eq!(grants(), [grant(Role::Dispatcher, "140403"), grant(Role::Observer, "1404")]);
        city.directory.revoke_grant(city.someone, grant(Role::Observer, "1404")).unwrap();
        assert_eq!(grants(), [grant(Role::Dispatcher, "140403")]);
        let refused = city.directory.grant(TestCity::id(9), grant(Role::Observer, "1404")).unwrap_err();
        assert_eq!(refused.refusal(), Refusal::UnknownAccount {});
        let last = (0..GRANTS_MAX).map(|n| grant(Role::Observer, &format!("1404{:05}", 10_000 + n)));
        let refused = last.map(|one| city.directory.grant(city.someone, one)).find_map(Result::err).unwrap();
        assert_eq!(refused.refusal(), Refusal::BadCount { field: "grants", max: GRANTS_MAX });
        assert_eq!(grants().len(), GRANTS_MAX);
    }

    #[test]
    fn accounts_are_paged_by_login() {
        let city = TestCity::new();
        city.directory.upsert_people(&[TestCity::entry(2), TestCity::entry(3)]).unwrap();
        let all = [account("bbb", 1, vec![]), account("aaa", 2, vec![]), account("ccc", 3, vec![])];
        city.directory.create_with_hash(&all, NOW).unwrap();
        let page = |after: Option<&Login>| -> Vec<String> {
            city.directory.accounts(after, 2).unwrap().into_iter().map(|view| view.login).collect()
        };
        assert_eq!(page(None), ["aaa", "bbb"]);
        assert_eq!(page(Some(&login("bbb"))), ["ccc"]);
    }

    #[test]
    fn erasing_a_person_takes_the_account_along() {
        let city = TestCity::new();
        city.directory.create_with_hash(&[account("one", 1, vec![grant(Role::Observer, "1404")])], NOW).unwrap();
        city.directory.erase_person(city.someone, NOW).unwrap();
        assert_eq!(city.directory.account(city.someone).unwrap(), None);
        let again = city.directory.create_with_hash(&[account("one", 1, vec![])], NOW).unwrap_err();
        assert_eq!(again.refusal(), Refusal::UnknownPerson {});
    }

    #[test]
    fn a_newcomer_without_an_account_is_not_kept() {
        let city = TestCity::new();
        let hash = PasswordHash::of(&Password::parse("correct horse battery").unwrap()).unwrap();
        let account = |n, name: &str| {
            let (person, grants) = (TestCity::id(n), vec![grant(Role::Observer, "1404")]);
            NewAccount { login: login(name), person, hash: hash.clone(), grants }
        };
        city.directory.enter_with_account(&TestCity::entry(2), &account(2, "zhang.san"), NOW).unwrap();
        assert_eq!(city.directory.account(TestCity::id(2)).unwrap().unwrap().login, "zhang.san");
        let taken = city.directory.enter_with_account(&TestCity::entry(3), &account(3, "zhang.san"), NOW).unwrap_err();
        assert_eq!(taken.refusal(), Refusal::AlreadyExists { what: "zhang.san".into() });
        assert_eq!(city.directory.person(TestCity::id(3)).unwrap(), None, "both or neither");
    }
}
