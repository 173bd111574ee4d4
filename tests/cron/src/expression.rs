//! Random expressions of the dialect. The generator knows the rules only as far as it must to write what is valid.

use proptest::prelude::*;

/// Which texts there may be beyond what croniter reads alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// All of ours.
    Ours,
    /// Without what croniter reads in another way, on purpose:
    /// - `5-5` is the whole field to it (a "cycle"), to us, as to Vixie cron, 5.
    /// - `1,*` in a day field: it looks for a `*` anywhere in the list, and takes the field for unrestricted. Vixie
    ///   cron looks at the first character.
    ///
    /// The tests around the changes of the clock compare these with the matcher of this crate.
    Croniters,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

#[derive(Debug, Clone, Copy)]
struct Field {
    min: u8,
    max: u8,
    names: &'static [&'static str],
    is_day: bool,
}

const MINUTE: Field = Field { min: 0, max: 59, names: &[], is_day: false };
const HOUR: Field = Field { min: 0, max: 23, names: &[], is_day: false };
const DAY: Field = Field { min: 1, max: 31, names: &[], is_day: true };
const MONTH: Field = Field { min: 1, max: 12, names: &MONTHS, is_day: false };
// 7 has no name of its own.
const DAY_OF_WEEK: Field = Field { min: 0, max: 7, names: &DAYS, is_day: true };

/// Expressions with five fields.
pub fn minutes(dialect: Dialect) -> impl Strategy<Value = String> {
    let fields = [MINUTE, HOUR, DAY, MONTH, DAY_OF_WEEK].map(|field| field.text(dialect));
    fields.prop_map(|words| words.join(" "))
}

/// Expressions with six fields.
pub fn seconds(dialect: Dialect) -> impl Strategy<Value = String> {
    (minutes(dialect), MINUTE.text(dialect)).prop_map(|(minutes, seconds)| format!("{minutes} {seconds}"))
}

/// Both.
pub fn expressions(dialect: Dialect) -> impl Strategy<Value = String> {
    prop_oneof![minutes(dialect), seconds(dialect)]
}

impl Field {
    fn text(self, dialect: Dialect) -> BoxedStrategy<String> {
        let anywhere = !self.is_day || dialect == Dialect::Ours;
        let list = prop::collection::vec((self.item(dialect), any_star(anywhere)), 1..4)
            .prop_map(|items| {
                let items = items.into_iter().map(|(item, star)| if star { "*".to_owned() } else { item });
                items.collect::<Vec<_>>().join(",")
            })
            .boxed();
        let starred = list.clone().prop_map(|list| format!("*,{list}"));
        prop_oneof![
            8 => Just("*".to_owned()),
            4 => self.step().prop_map(|step| format!("*/{step}")),
            6 => self.item(dialect),
            4 => list,
            1 => starred,
        ]
        .boxed()
    }

    fn item(self, dialect: Dialect) -> BoxedStrategy<String> {
        let (min, max) = (self.min, self.max);
        let apart = u8::from(dialect == Dialect::Croniters);
        let range = (min..max)
            .prop_flat_map(move |low| (Just(low), low + apart..=max, any::<bool>(), any::<bool>()))
            .prop_map(move |(low, high, name_low, name_high)| {
                format!("{}-{}", self.value(low, name_low), self.value(high, name_high))
            });
        let value = (min..=max, any::<bool>()).prop_map(move |(value, named)| self.value(value, named));
        let to_sunday = (1..=6u8).prop_map(|day| format!("{day}-sun"));
        prop_oneof![
            4 => value.clone(),
            2 => range.clone(),
            u32::from(max == 7) => to_sunday,
            1 => (range, self.step()).prop_map(|(range, step)| format!("{range}/{step}")),
            1 => (value, self.step()).prop_map(|(value, step)| format!("{value}/{step}")),
        ]
        .boxed()
    }

    fn step(self) -> impl Strategy<Value = u8> {
        1..=(if self.max == 7 { 7 } else { self.max - self.min + 1 })
    }

    fn value(self, value: u8, named: bool) -> String {
        match self.names.get(usize::from(value - self.min)) {
            Some(name) if named && value.is_multiple_of(2) => name.to_uppercase(),
            Some(name) if named => (*name).to_owned(),
            _ => value.to_string(),
        }
    }
}

fn any_star(possible: bool) -> impl Strategy<Value = bool> {
    prop::bool::weighted(if possible { 0.1 } else { 0.0 })
}
