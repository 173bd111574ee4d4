//! A peer that vanished without closing its socket is found by TCP keepalives alone, and the system's own take two hours.
//! A session that holds claims asks for shorter ones.

use crate::pg;
use std::ffi::CStr;

/// Seconds without traffic until the peer is asked, until it is asked again, and how often: gone after a minute.
const SHORT: [(&CStr, i32, &CStr); 3] =
    [(c"tcp_keepalives_idle", 30, c"30"), (c"tcp_keepalives_interval", 10, c"10"), (c"tcp_keepalives_count", 3, c"3")];

/// Shortens this session's keepalives, where the configuration says nothing of them.
pub fn shorten() {
    for (name, short, value) in SHORT {
        if pg::effective(name) > short && pg::is_default(name) {
            pg::set(name, value);
        }
    }
}
