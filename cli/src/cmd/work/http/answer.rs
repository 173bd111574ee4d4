//! What the answer to a posted job says of it.
//!
//! | answer | the job |
//! | --- | --- |
//! | 2xx | is done |
//! | 429, 503 with `Retry-After` | comes again after that; no failure |
//! | 429 | comes again after `--retry-delay`; no failure |
//! | 400, 410, 413, 415, 422 and other 4xx | is held: the same again would be as wrong |
//! | 401, 403, 404, 405, 407, 408, 421, 425 | has failed: it is about who asks, where, and when, which somebody may put right |
//! | all others | has failed |

use super::super::tail::Tail;
use super::super::verdict::{LONGEST, failure};
use hyper::StatusCode;
use hyper::header::{HeaderMap, LOCATION, RETRY_AFTER};
use pgqueuer_client::Outcome;
use std::time::{Duration, SystemTime};

/// 4xx that are not about the job itself.
const NOT_THE_JOB: [u16; 8] = [401, 403, 404, 405, 407, 408, 421, 425];

/// A server that says "now", or a time that is over, is not asked as fast as it answers.
const LEAST: Duration = Duration::from_secs(1);

/// What counts of an answer.
pub struct Answer {
    status: StatusCode,
    retry_after: Option<Duration>,
    /// Where a redirect leads to: nobody goes there.
    location: Option<String>,
    said: String,
}

impl Answer {
    pub fn new(status: StatusCode, headers: &HeaderMap, said: Vec<u8>) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let mut tail = Tail::default();
        tail.push(&said);
        let location = text(LOCATION).filter(|_| status.is_redirection()).map(str::to_owned);
        Self { status, retry_after: text(RETRY_AFTER).and_then(delay), location, said: tail.text() }
    }

    pub fn outcome(self, retry_delay: Duration) -> Outcome {
        let what = match &self.location {
            Some(location) => format!("HTTP {}, which is not followed, to {location}", self.status),
            None => format!("HTTP {}", self.status),
        };
        let failed = || failure(&what, &self.said);
        match (self.status.as_u16(), self.retry_after) {
            (200..300, _) => Outcome::Done,
            (429 | 503, Some(delay)) => Outcome::Retry(delay.max(LEAST), Some(failed().to_string())),
            (429, None) => Outcome::Retry(retry_delay, Some(failed().to_string())),
            (code @ 400..500, _) if !NOT_THE_JOB.contains(&code) => Outcome::Hold(failed()),
            _ => Outcome::Fail(failed()),
        }
    }
}

/// `120` seconds, or a date.
fn delay(text: &str) -> Option<Duration> {
    let date = || Some(httpdate::parse_http_date(text).ok()?.duration_since(SystemTime::now()).unwrap_or_default());
    Some(text.trim().parse().ok().map(Duration::from_secs).or_else(date)?.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(status: u16, headers: &[(&'static str, &str)]) -> String {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let answer = Answer::new(StatusCode::from_u16(status).unwrap(), &headers, b"why\n".to_vec());
        match answer.outcome(Duration::from_secs(7)) {
            Outcome::Done => "done".into(),
            Outcome::Retry(delay, reason) => format!("retry {} {}", delay.as_secs(), reason.unwrap_or_default()),
            Outcome::Fail(why) => format!("fail {why}"),
            Outcome::Hold(why) => format!("hold {why}"),
            Outcome::Release => "release".into(),
        }
    }

    #[test]
    fn every_status_says_something_of_the_job() {
        assert_eq!([200, 202, 204, 299].map(|status| outcome(status, &[])), ["done"; 4]);
        assert_eq!(outcome(503, &[("retry-after", "120")]), "retry 120 HTTP 503 Service Unavailable: why");
        assert!(outcome(429, &[]).starts_with("retry 7 "));
        assert!(outcome(429, &[("retry-after", "0")]).starts_with("retry 1 "));
        assert_eq!(outcome(503, &[]), "fail HTTP 503 Service Unavailable: why");
        assert!(
            [401, 403, 404, 408, 425, 500, 502, 504, 100].iter().all(|code| outcome(*code, &[]).starts_with("fail"))
        );
        assert!([400, 402, 409, 410, 413, 422].iter().all(|code| outcome(*code, &[]).starts_with("hold")));
        let there =
            outcome(302, &[("location", "http://example.org/\u{7f}")].map(|(n, v)| (n, v.trim_end_matches('\u{7f}'))));
        assert!(there.starts_with("fail HTTP 302 Found, which is not followed, to http://example.org/"), "{there}");
    }

    #[test]
    fn a_delay_is_a_number_or_a_date() {
        assert_eq!(delay(" 120 "), Some(Duration::from_secs(120)));
        assert_eq!(delay("99999999999999"), Some(LONGEST));
        assert_eq!(delay("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(600));
        assert!((595..=600).contains(&delay(&date).unwrap().as_secs()));
        assert_eq!(delay("soon"), None);
        assert_eq!(delay("-5"), None);
    }
}
