//! Hearing of jobs without asking.

mod listen;
