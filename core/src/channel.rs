//! The notification channel of an entrypoint.
//!
//! Always a valid identifier, lower case and at most 63 bytes, so it means the same quoted and unquoted. An entrypoint
//! that reads like an identifier keeps its name; any other is known by a fingerprint, under another prefix, so that
//! the two never meet.

use crate::claims::Name;

const MOST: usize = 59;

/// The channel that tells of jobs of `entrypoint`.
pub fn channel(entrypoint: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !entrypoint.is_empty() && entrypoint.len() <= MOST && entrypoint.chars().all(plain) {
        format!("pgq_{entrypoint}")
    } else {
        let Name([high, low]) = Name::of(&[entrypoint]);
        format!("pgqx_{high:016x}{low:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plain_name_is_kept() {
        assert_eq!(channel("fetch_2"), "pgq_fetch_2");
    }

    /// Other programs may have these names in their configuration: they never change.
    #[test]
    fn a_fingerprint_never_changes() {
        assert_eq!(channel("Fetch"), channel("Fetch"));
        assert_eq!(channel("Fetch"), "pgqx_f09c17a88c2e2e58535049b4d71ffe2f");
    }

    proptest! {
        #[test]
        fn is_a_lower_case_identifier(entrypoint in "\\PC{0,300}") {
            let name = channel(&entrypoint);
            prop_assert!(name.len() <= 63);
            prop_assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        }

        #[test]
        fn two_entrypoints_have_two_channels(a in "\\PC{0,80}", b in "\\PC{0,80}") {
            prop_assume!(a != b);
            prop_assert_ne!(channel(&a), channel(&b));
        }
    }
}
