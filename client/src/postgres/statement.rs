//! The SQL of this crate, a file each. Nothing is put together from strings.

/// An SQL text with `$1`, `$2` …
#[derive(Debug)]
pub struct Statement(pub(super) &'static str);

macro_rules! statements {
    ($($name:ident = $file:literal;)*) => {
        $(pub(super) const $name: Statement = Statement(include_str!(concat!("../sql/", $file, ".sql")));)*
    };
}

statements! {
    ATTACH = "attach";
    CANCEL = "cancel";
    CLEAR = "clear";
    COMPLETE = "complete";
    CONFIGURE = "configure";
    DELETE = "delete";
    DEQUEUE = "dequeue";
    END_SESSION = "end_session";
    ENQUEUE = "enqueue";
    ENQUEUE_MANY = "enqueue_many";
    FAIL = "fail";
    HEARTBEAT = "heartbeat";
    HOLD = "hold";
    LISTEN = "listen";
    LIVE_JOBS = "live_jobs";
    LOGGED_ENDS = "logged_ends";
    PAUSE = "pause";
    PAUSE_SCHEDULE = "pause_schedule";
    QUEUE_SIZE = "queue_size";
    QUEUED = "queued";
    RELEASE = "release";
    REQUEUE = "requeue";
    RESCHEDULE = "reschedule";
    RESUME = "resume";
    RESUME_SCHEDULE = "resume_schedule";
    RETRY = "retry";
    SCHEDULE = "schedule";
    STATUS = "status";
    UNSCHEDULE = "unschedule";
    WAIT_FOR = "wait_for";
    WAIT_FOR_ANY = "wait_for_any";
}
