//! Why a socket was closed, in one table: whether to come back, how soon, and what to tell the person.
//!
//! Codes are promises to clients: add, never renumber. The close frame's reason is JSON, at most 123 bytes, so that a client
//! needs no table of its own: `{"code":"come_back","reconnect":true,"after_ms":3120}`.

use std::time::Duration;

/// Bytes that a close frame's reason may have (RFC 6455: 125 less the code).
pub const REASON_MAX: usize = 123;

/// How a closed client is to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Return {
    /// Not by itself: something has to change first.
    Never,
    /// After `after_ms` and up to `jitter_ms` more, so that not all come at once.
    After {
        /// Milliseconds to wait at least.
        after_ms: u32,
        /// Milliseconds over which the returns are spread.
        jitter_ms: u32,
    },
    /// After `after_ms` and within the configured spread (`live.reconnect_spread_s`): everybody comes back at once.
    Together {
        /// Milliseconds to wait at least.
        after_ms: u32,
    },
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $number:literal $word:literal $back:expr, $zh:literal $en:literal;)*) => {
        /// Why a socket was closed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The number in the close frame.
            pub const fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The stable word.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Whether and when to come back.
            pub const fn back(self) -> Return {
                match self { $(Self::$name => $back,)* }
            }

            /// What is said in Chinese.
            pub const fn zh(self) -> &'static str {
                match self { $(Self::$name => $zh,)* }
            }

            /// What is said in English.
            pub const fn en(self) -> &'static str {
                match self { $(Self::$name => $en,)* }
            }
        }
    };
}

const fn after(after_ms: u32, jitter_ms: u32) -> Return {
    Return::After { after_ms, jitter_ms }
}

codes! {
    /// The client said goodbye.
    Bye 1000 "bye" Return::Never,
        "连接已正常结束。" "The connection ended as asked.";
    /// Something other than text came.
    NotText 1003 "not_text" Return::Never,
        "只接受文本帧。" "Only text frames are taken.";
    /// The text was not UTF-8.
    BadUtf8 1007 "bad_utf8" Return::Never,
        "文本不是有效的 UTF-8。" "The text was not valid UTF-8.";
    /// The client does not keep the protocol: frames that are broken beyond reading, or too many bad ones.
    Protocol 1008 "protocol" Return::Never,
        "客户端发送了无法识别的内容，请更新客户端。" "The client sent what cannot be read. Update it.";
    /// A frame was larger than the limit.
    TooBig 1009 "too_big" Return::Never,
        "消息超过大小限制。" "The message was larger than the limit.";
    /// The server ends or starts anew.
    ComeBack 1012 "come_back" Return::Together { after_ms: 1_000 },
        "服务器正在重启，请稍候自动重连。" "The server is starting anew. Come back in a moment.";
    /// There are too many connections.
    TryLater 1013 "try_later" Return::Together { after_ms: 15_000 },
        "连接数已满，请稍后再试。" "There are too many connections. Try again later.";
    /// The client reads more slowly than events come.
    SlowReader 4001 "slow_reader" after(500, 2_500),
        "网络过慢，消息积压；将重连并补收。" "Events came faster than they were read. Reconnect and resume.";
    /// Nothing was heard of the client for too long.
    Silent 4002 "silent" after(0, 1_000),
        "长时间没有收到心跳，请重连。" "No heartbeat came for too long. Reconnect.";
    /// The session ended, or was taken back.
    SignedOut 4003 "signed_out" Return::Never,
        "登录已失效，请重新登录。" "The session has ended. Sign in again.";
    /// The person may do less or more than before, or nothing any more: the next connection tells.
    RightsChanged 4004 "rights_changed" after(0, 500),
        "账号或权限有变动，正在重新连接。" "The account or its rights have changed. Reconnecting.";
}

impl Code {
    /// The close frame's reason. `nth` (any number, another for each connection) picks the place in the jitter; `together` is the
    /// configured spread for when everybody comes back.
    pub fn reason(self, nth: u64, together: Duration) -> String {
        let word = self.word();
        let (after_ms, jitter_ms) = match self.back() {
            Return::Never => return format!(r#"{{"code":"{word}","reconnect":false}}"#),
            Return::After { after_ms, jitter_ms } => (after_ms, jitter_ms),
            Return::Together { after_ms } => (after_ms, u32::try_from(together.as_millis()).unwrap_or(u32::MAX)),
        };
        // The golden ratio spreads consecutive numbers evenly.
        let place = nth.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let after_ms = u64::from(after_ms) + ((place * u64::from(jitter_ms)) >> 32);
        format!(r#"{{"code":"{word}","reconnect":true,"after_ms":{after_ms}}}"#)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_words_are_unique_and_may_be_sent() {
        for (i, code) in Code::ALL.iter().enumerate() {
            let number = code.number();
            assert!(
                matches!(number, 1000 | 1003 | 1007..=1009 | 1012 | 1013 | 4000..=4999),
                "{number} is not ours to send"
            );
            assert!(!code.zh().is_empty() && !code.en().is_empty());
            let before = &Code::ALL[..i];
            assert!(before.iter().all(|other| other.number() != number && other.word() != code.word()));
        }
    }

    #[test]
    fn a_reason_fits_and_says_when_to_come_back() {
        for code in Code::ALL {
            for spread in [0, 1, 7, 99_999, u64::MAX] {
                let reason = code.reason(spread, Duration::from_secs(9));
                assert!(reason.len() <= REASON_MAX, "{reason}");
                let said: serde_json::Value = serde_json::from_str(&reason).unwrap();
                assert_eq!(said["code"], code.word());
                match code.back() {
                    Return::Never => assert_eq!(said["reconnect"], false),
                    Return::Together { after_ms } => assert!(said["after_ms"].as_u64() >= Some(u64::from(after_ms))),
                    Return::After { after_ms, jitter_ms } => {
                        let after = u32::try_from(said["after_ms"].as_u64().unwrap()).unwrap();
                        assert!((after_ms..=after_ms + jitter_ms).contains(&after), "{reason}");
                    }
                }
            }
        }
    }

    #[test]
    fn returns_are_spread_evenly() {
        let after = |spread| -> u64 {
            let said: serde_json::Value =
                serde_json::from_str(&Code::ComeBack.reason(spread, Duration::from_secs(9))).unwrap();
            said["after_ms"].as_u64().unwrap()
        };
        let mut tenths = [0; 10];
        (0..1_000).for_each(|spread| tenths[usize::try_from((after(spread) - 1_000) * 10 / 9_000).unwrap()] += 1);
        assert!(tenths.iter().all(|n| (80..=120).contains(n)), "{tenths:?}");
    }
}
