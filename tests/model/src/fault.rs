//! What can be built wrong. Each fault takes one rule of the protocol away, and the checker must find what happens then.

/// One rule that is broken, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The protocol as it is.
    None,

    // Claiming.
    /// The row is looked at first, the claim published second.
    LookBeforePublish,
    /// The second look asks only whether the row is there.
    RowThereIsEnough,
    /// The second look does not ask whether somebody has the row's lock.
    LockedRowTaken,
    /// Everybody else looks at the claims first and locks the row second.
    ClaimsBeforeRow,
    /// The limit is judged under one hold of the lock, the claim entered under the next.
    CountedApart,
    /// The claim is in the table before the transaction has noted it.
    NotedAfterwards,

    // Ending.
    /// A claim goes when it is ended, not when that is committed.
    EndsAtOnce,
    /// The fence asks for the worker, not for the attempt.
    AttemptIgnored,
    /// An end that has begun is not marked in the claim.
    EndNotMarked,
    /// Who meets an end in flight waits for the row's lock, looks once more, and takes "being ended" for "not yours".
    WaitsForRowOnly,
    /// A lease may run out while its claim is being ended.
    ExpiresWhileEnding,
    /// `ROLLBACK TO SAVEPOINT` undoes no notes.
    SubabortForgotten,
    /// A session's claims end in `before_shmem_exit`: before its open transaction is aborted.
    ExitBeforeAbort,

    // The cursor.
    /// There is one word: callbacks lower the cursor, the refiller overwrites it.
    CursorMinRace,
    /// The refiller's snapshot is taken before `pending_min` is taken out.
    SnapshotBeforeTakeOut,
    /// What was taken out reaches the cursor only at the end: an error loses it.
    LoweredAtTheEnd,
    /// `pending_min` is emptied first and the cursor lowered by it second.
    GapInTakeOut,
    /// The cursor passes what was seen and not taken: the batch was full, the ordering key busy.
    PassesNotTaken,
    /// An end lowers `pending_min` first, and the claim goes second.
    LoweredBeforeClaimGoes,
    /// A claim that the second look drops lowers nothing.
    DropLowersNothing,
    /// The end of a claim lowers nothing for those that wait behind its ordering key.
    KeyLowersNothing,
    /// The deletion of a queued job lowers nothing for those that wait behind its ordering key.
    DeleteLowersNothing,
    /// Two sessions refill at one time.
    TwoRefillers,

    // Waiting.
    /// The waiter looks for jobs first and is entered in the list of waiters second.
    LookBeforeWaiting,
    /// The commit callback wakes before the commit is visible.
    WakeBeforeVisible,
    /// One waiter is woken, and nobody looks whether it took the job.
    WokenOnce,
    /// A claim that ends, or is dropped, wakes nobody who waits for its place under the limit.
    EndWakesNobody,
    /// A waiter that passes over a locked row goes to sleep for good.
    NoLookForLocked,
    /// The second look is over where only jobs with a locked row are left.
    SecondLookForgetsLocked,

    // A new life of the server.
    /// Jobs are handed out before the receipts are loaded; the database worker loads them in its own time.
    LoadedInOwnTime,
    /// Those who change rows look at the claims without loading the receipts first.
    OperatorDoesNotLoad,
    /// The database worker strikes out receipts without claims before it has loaded them.
    WriterDoesNotLoad,
    /// A receipt is taken without asking whether the row is still in that attempt.
    ReceiptNotCompared,
    /// A release leaves the receipt to be struck out later.
    ReleaseLeavesReceipt,
    /// A claim is written down whose own transaction is open.
    OpenClaimWritten,
    /// A claim is marked as written down only after its receipt has been committed.
    MarkedAfterWriting,
    /// A claim that was loaded from a receipt does not know that it has one.
    LoadedUnmarked,
}
