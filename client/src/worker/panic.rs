//! A panic in a handler ends its attempt, not the worker.

use crate::outcome::Failure;
use futures_util::future::BoxFuture;
use std::any::Any;
use std::backtrace::Backtrace;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::task::Poll;

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
                let backtrace = Backtrace::force_capture().to_string();
                BACKTRACE.set(Some(match info.location() {
                    Some(location) => format!("at {location}\n{backtrace}"),
                    None => backtrace,
                }));
            }
            hook(info);
        }));
    });
}

/// The answer of a future, or its panic.
pub(super) async fn caught<T>(mut future: BoxFuture<'_, T>) -> Result<T, Failure> {
    poll_fn(|context| {
        let outside = INSIDE.replace(true);
        // After a panic the future is never polled again: nobody sees what it left half done.
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        INSIDE.set(outside);
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(failure(panic.as_ref()))),
        }
    })
    .await
}

fn failure(panic: &(dyn Any + Send)) -> Failure {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    Failure::new(format!("panic: {}", text.unwrap_or("of an unknown kind"))).with_backtrace(BACKTRACE.take())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_failure_with_its_place_and_backtrace() {
        keep_backtraces();
        let failure = caught::<()>(Box::pin(async { panic!("at {}", "once") })).await.unwrap_err();
        assert_eq!(failure.to_string(), "panic: at once");
        let error = failure.to_json();
        assert!(error["backtrace"].as_str().unwrap().contains("client/src/worker/panic.rs"), "{error}");
    }

    #[tokio::test]
    async fn what_does_not_panic_passes() {
        assert_eq!(
            caught(Box::pin(async {
                tokio::task::yield_now().await;
                7
            }))
            .await
            .unwrap(),
            7
        );
    }
}
