//! Which jobs, and how many of them at one time.

use crate::error::{Error, Result};
use std::str::FromStr;

/// `fetch`, or `fetch=4`: at most 4 of them at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: String,
    pub concurrency: Option<usize>,
}

impl FromStr for Named {
    type Err = &'static str;

    /// What follows the last `=` counts as a number where it is one, and as part of the name where it is not.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        let (name, concurrency) = match text.rsplit_once('=') {
            Some((name, digits)) if number(digits) => match digits.parse() {
                Ok(1..) => (name, digits.parse().ok()),
                _ => return Err("the number of jobs at one time is from 1 to 2147483647"),
            },
            _ => (text, None),
        };
        if name.is_empty() {
            return Err("an entrypoint has a name");
        }
        Ok(Self { name: name.to_owned(), concurrency })
    }
}

/// How many jobs run at one time: what was said, or as many as the entrypoints want together, one for each of which nothing
/// was said.
///
/// # Errors
/// [`Error::Usage`] where an entrypoint is named twice.
pub fn concurrency(named: &[Named], said: Option<usize>) -> Result<usize> {
    for (place, one) in named.iter().enumerate() {
        if named.iter().take(place).any(|other| other.name == one.name) {
            return Err(Error::usage(
                format!("--entrypoint {} is named twice", one.name),
                "Name each once; --entrypoint fetch=4 runs 4 of its jobs at one time.",
            ));
        }
    }
    Ok(said.unwrap_or_else(|| named.iter().map(|one| one.concurrency.unwrap_or(1)).fold(0, usize::saturating_add)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_after_the_name_is_a_limit() {
        let named = |text: &str| text.parse::<Named>().map(|named| (named.name, named.concurrency));
        assert_eq!(named("fetch"), Ok(("fetch".into(), None)));
        assert_eq!(named("fetch=4"), Ok(("fetch".into(), Some(4))));
        assert_eq!(named("a=b"), Ok(("a=b".into(), None)));
        assert_eq!(named("a=5=10"), Ok(("a=5".into(), Some(10))));
        for wrong in ["", "=4", "fetch=0", "fetch=99999999999999999999999"] {
            assert!(named(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_sum_is_what_runs_at_one_time() {
        let named = ["a=3", "b"].map(|text| text.parse::<Named>().unwrap());
        assert_eq!(concurrency(&named, None).unwrap(), 4);
        assert_eq!(concurrency(&named, Some(2)).unwrap(), 2);
        assert!(concurrency(&[named[1].clone(), named[1].clone()], None).is_err());
    }
}
