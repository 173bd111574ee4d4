//! Cron expressions and time zones against independent implementations.
