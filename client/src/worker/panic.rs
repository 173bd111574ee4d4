//! A panic in a handler ends its attempt, not the worker.

use crate::outcome::Failure;
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::pin::Pin;
use std::sync::Once;
use std::task::Poll;

/// How many characters of a backtrace are kept: what lies beneath are the frames of the runtime, the same each time.
const LONGEST: usize = 8 * 1024;

thread_local! {
    /// Whether this thread is in a handler.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    /// Where the last panic in a handler came from.
    static BACKTRACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From here on panics in handlers leave a backtrace. Whatever hook is set stays, and still hears of every panic.
pub(super) fn keep_backtraces() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = take_hook();
        set_hook(Box::new(move |info| {
            if INSIDE.get() {
                let backtrace: String = Backtrace::force_capture().to_string().chars().take(LONGEST).collect();
                BACKTRACE.set(Some(match info.location() {
                    Some(location) => format!("at {location}\n{backtrace}"),
                    None => backtrace,
                }));
            }
            hook(info);
        }));
    });
}

/// The answer of a future, or its panic. Where the future lies is the caller's matter: to take it in would double its size.
pub(super) async fn caught<T>(mut future: Pin<&mut impl Future<Output = T>>) -> Result<T, Failure> {
    poll_fn(|context| {
        // A panic that a handler has caught itself is over: one that is passed on from another task has no backtrace here.
        BACKTRACE.set(None);
        let outside = INSIDE.replace(true);
        // After a panic the future is never polled again: nobody sees what it left half done.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        INSIDE.set(outside);
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(thrown) => Poll::Ready(Err(failure(thrown))),
        }
    })
    .await
}

fn failure(thrown: Box<dyn Any + Send>) -> Failure {
    let text = thrown.downcast_ref::<&str>().copied().or_else(|| thrown.downcast_ref::<String>().map(String::as_str));
    let failure = Failure::new(format!("panic: {}", text.unwrap_or("of an unknown kind")));
    let failure = failure.with_backtrace(BACKTRACE.take());
    // What was thrown may panic when it is dropped, and so may what that throws.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(thrown))) {
        std::mem::forget(again);
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    #[tokio::test]
    async fn a_panic_is_a_failure_with_its_place_and_backtrace() {
        keep_backtraces();
        let failure = caught::<()>(pin!(async { panic!("at {}", "once") })).await.unwrap_err();
        assert_eq!(failure.to_string(), "panic: at once");
        let error = failure.to_json();
        assert!(error["backtrace"].as_str().unwrap().contains("client/src/worker/panic.rs"), "{error}");
    }

    #[tokio::test]
    async fn what_does_not_panic_passes() {
        let seven = async {
            tokio::task::yield_now().await;
            7
        };
        assert_eq!(caught(pin!(seven)).await.unwrap(), 7);
    }
}
