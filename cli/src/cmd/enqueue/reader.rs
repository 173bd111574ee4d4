//! A file of jobs, read by the batch: JSON a line, or CSV with a line of names.

use super::record::{Defaults, NAMES};
use csv::{Reader, ReaderBuilder, StringRecord};
use pgqueuer_client::NewJob;
use std::io::{BufRead, BufReader, Read};

/// So many jobs go to the server at one time, or so many bytes of the file.
const JOBS: u64 = 1000;
const BYTES: u64 = 4 << 20;
/// A line that is longer is none.
const LONGEST: u64 = 256 << 20;

/// Jobs, and the lines on which they stand.
#[derive(Debug, Default)]
pub struct Batch {
    pub jobs: Vec<NewJob>,
    pub lines: Vec<u64>,
    /// How many bytes of the file it took.
    pub bytes: u64,
}

/// What is wrong with a line.
#[derive(Debug)]
pub struct Wrong {
    pub line: u64,
    pub message: String,
}

type Source = Box<dyn Read + Send>;

/// The jobs of a file, in batches.
pub struct Batches {
    lines: Lines,
    defaults: Defaults,
    most: u64,
    wrong: Option<Wrong>,
    over: bool,
}

enum Lines {
    Json { reader: BufReader<Source>, number: u64 },
    Csv { reader: Box<Reader<Source>>, names: Option<Vec<&'static str>> },
}

impl Batches {
    pub fn of_json(source: Source, defaults: Defaults) -> Self {
        Self::of(Lines::Json { reader: BufReader::with_capacity(1 << 16, source), number: 0 }, defaults)
    }

    pub fn of_csv(source: Source, defaults: Defaults) -> Self {
        let reader = Box::new(ReaderBuilder::new().buffer_capacity(1 << 16).from_reader(source));
        Self::of(Lines::Csv { reader, names: None }, defaults)
    }

    fn of(lines: Lines, defaults: Defaults) -> Self {
        Self { lines, defaults, most: JOBS, wrong: None, over: false }
    }

    /// No batch has more jobs than that.
    pub fn of_at_most(mut self, jobs: u64) -> Self {
        self.most = jobs.min(JOBS);
        self
    }

    fn fill(&mut self, batch: &mut Batch) -> Result<(), Wrong> {
        while (batch.jobs.len() as u64) < self.most && batch.bytes < BYTES {
            let next = match &mut self.lines {
                Lines::Json { reader, number } => next_of_json(reader, number, &self.defaults)?,
                Lines::Csv { reader, names } => next_of_csv(reader, names, &self.defaults)?,
            };
            let Some((line, bytes, job)) = next else {
                self.over = true;
                break;
            };
            batch.bytes += bytes;
            if let Some(job) = job {
                batch.jobs.push(job);
                batch.lines.push(line);
            }
        }
        Ok(())
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Wrong>;

    /// What stands before a line that is wrong comes first, so that of two mistakes the first is found.
    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return self.wrong.take().map(Err);
        }
        let mut batch = Batch::default();
        if let Err(wrong) = self.fill(&mut batch) {
            (self.wrong, self.over) = (Some(wrong), true);
        }
        if batch.bytes == 0 { self.wrong.take().map(Err) } else { Some(Ok(batch)) }
    }
}

/// The number of a line, its length, and its job; no job for an empty line.
type Next = Option<(u64, u64, Option<NewJob>)>;

fn next_of_json(reader: &mut BufReader<Source>, number: &mut u64, defaults: &Defaults) -> Result<Next, Wrong> {
    *number += 1;
    let line = *number;
    let wrong = |message: String| Wrong { line, message };
    let mut text = vec![];
    let read = reader.by_ref().take(LONGEST).read_until(b'\n', &mut text);
    let bytes = read.map_err(|error| wrong(format!("it cannot be read: {error}")))? as u64;
    if bytes == 0 {
        return Ok(None);
    }
    if bytes == LONGEST && !text.ends_with(b"\n") {
        return Err(wrong(format!("it is longer than {LONGEST} bytes")));
    }
    let is_empty = text.iter().all(u8::is_ascii_whitespace);
    let job = if is_empty { None } else { Some(defaults.of_json(&text).map_err(wrong)?) };
    Ok(Some((line, bytes, job)))
}

fn next_of_csv(
    reader: &mut Reader<Source>,
    names: &mut Option<Vec<&'static str>>,
    defaults: &Defaults,
) -> Result<Next, Wrong> {
    let before = reader.position().clone();
    let names = match names {
        Some(names) => names,
        none => none.insert(names_of(reader)?),
    };
    let mut row = StringRecord::new();
    let at = |error: &csv::Error| error.position().map_or(before.line(), csv::Position::line);
    match reader.read_record(&mut row) {
        Ok(false) => Ok(None),
        Ok(true) => {
            let line = row.position().map_or(before.line(), csv::Position::line);
            let fields = names.iter().copied().zip(row.iter()).collect();
            let job = defaults.of_csv(fields).map_err(|message| Wrong { line, message })?;
            Ok(Some((line, reader.position().byte() - before.byte(), Some(job))))
        }
        Err(error) => Err(Wrong { line: at(&error), message: format!("it is no row of CSV: {error}") }),
    }
}

fn names_of(reader: &mut Reader<Source>) -> Result<Vec<&'static str>, Wrong> {
    let wrong = |message: String| Wrong { line: 1, message };
    let found = reader.headers().map_err(|error| wrong(format!("it has no names of columns: {error}")))?;
    let known = |name: &str| {
        let known = NAMES.iter().find(|known| **known == name.trim());
        known.copied().ok_or_else(|| wrong(format!("\"{name}\" is none of {}", NAMES.join(", "))))
    };
    found.iter().map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pgqueuer_client::OnConflict;
    use std::io::Cursor;

    fn batches(csv: bool, text: String) -> Vec<Result<Batch, Wrong>> {
        let defaults = Defaults { prefix: String::new(), entrypoint: Some("e".into()), on_conflict: OnConflict::Raise };
        let source = Box::new(Cursor::new(text.into_bytes()));
        if csv { Batches::of_csv(source, defaults).collect() } else { Batches::of_json(source, defaults).collect() }
    }

    #[test]
    fn empty_lines_count_and_hold_no_job() {
        let batches = batches(false, "{}\n\n  \n{\"priority\":1}".into());
        let batch = batches[0].as_ref().unwrap();
        assert_eq!((batch.lines.as_slice(), batch.bytes, batches.len()), ([1, 4].as_slice(), 21, 1));
    }

    #[test]
    fn a_batch_is_bounded_in_jobs_and_in_bytes() {
        let batches_of = |line: &str, count| {
            let all = batches(false, line.repeat(count));
            all.iter().map(|batch| batch.as_ref().unwrap().jobs.len()).collect::<Vec<_>>()
        };
        assert_eq!(batches_of("{}\n", 2500), [1000, 1000, 500]);
        assert_eq!(batches_of(&format!("{{\"payload\":\"{}\"}}\n", "x".repeat(3 << 20)), 4), [2, 2]);
    }

    #[test]
    fn a_row_of_csv_may_have_several_lines() {
        let batches = batches(true, "payload,priority\n\"a\nb\",1\nc,2\n\"d\",x\n".into());
        let wrong = batches.last().unwrap().as_ref().unwrap_err();
        assert_eq!((wrong.line, wrong.message.contains("priority")), (5, true), "{wrong:?}");
        let wrong = self::batches(true, "payload,prio\n".into());
        assert!(wrong[0].as_ref().unwrap_err().message.contains("\"prio\" is none of entrypoint, payload"));
    }
}
