//! Which databases get a worker when.

use super::*;

fn many(databases: usize) -> Claims<'static> {
    let sizing = Sizing { claims: 8, sessions: 4, named: 4, rates: 2, heads: 4, databases };
    let mut claims = Claims::view(sizing, &mut Heap).unwrap();
    claims.start(7);
    claims.launcher_runs(1, 1);
    assert_eq!(claims.launch(0, 4), Launch::LookAround);
    claims
}

fn of(database: u32) -> Relation {
    Relation { database, table: 5 }
}

fn state(claims: &Claims<'_>, database: u32) -> WorkerState {
    claims.database(of(database)).unwrap().state
}

/// A worker as far as its first sleep; its process has the number of its database.
fn begins(claims: &mut Claims<'_>, database: u32, next: i64, now: i64) -> Sleep {
    assert!(claims.worker_enters(of(database), database as i32, now));
    assert!(claims.worker_serves(of(database), 1000 + u64::from(database), now));
    assert!(claims.worker_looks(of(database), now));
    claims.worker_sleeps(of(database), next, now)
}

fn leaves(claims: &mut Claims<'_>, database: u32, now: i64) {
    claims.worker_left(of(database), database as i32, false, now);
}

#[test]
fn every_database_is_visited_once_and_one_without_the_extension_left_alone() {
    let mut claims = many(8);
    claims.found_database(of(1), false);
    claims.found_database(of(2), false);
    claims.found_database(of(2), true);
    assert_eq!(claims.launch(0, 4), Launch::Start(1));
    assert_eq!(claims.launch(0, 4), Launch::Sleep(10_000_001), "a start that hangs is noticed");
    assert!(claims.worker_enters(of(1), 1, 0));
    assert!(!claims.worker_serves(Relation { table: 0, ..of(1) }, 1, 0), "nothing is there");
    leaves(&mut claims, 1, 0);
    assert_eq!(state(&claims, 1), WorkerState::Absent);
    assert_eq!(claims.launch(0, 4), Launch::Sleep(i64::MAX));
    claims.is_used(of(1));
    assert_eq!(claims.launch(0, 4), Launch::Start(1), "the extension was made there");
    claims.is_used(of(2));
    assert_eq!(claims.launch(0, 4), Launch::Sleep(10_000_001), "settings leave it out");
    claims.found_database(of(2), false);
    assert_eq!(claims.launch(0, 4), Launch::Start(2));
}

#[test]
fn an_extension_made_while_its_worker_begins_is_found() {
    let mut claims = many(8);
    claims.found_database(of(1), false);
    claims.launch(0, 4);
    assert!(claims.worker_enters(of(1), 1, 0));
    claims.is_used(of(1));
    claims.worker_serves(Relation { table: 0, ..of(1) }, 1, 0);
    leaves(&mut claims, 1, 0);
    assert_eq!(claims.launch(0, 4), Launch::Start(1));
}

#[test]
fn the_sleeper_that_is_needed_last_makes_room_and_comes_back_in_time() {
    let mut claims = many(8);
    (1..=3).for_each(|database| claims.found_database(of(database), false));
    for database in [1, 2] {
        assert_eq!(claims.launch(0, 2), Launch::Start(database));
        assert!(matches!(begins(&mut claims, database, 1_000_000 * i64::from(database), 0), Sleep::Until(_)));
    }
    assert_eq!(claims.launch(0, 2), Launch::Sleep(i64::MAX), "both places are taken");
    assert!(claims.latches.iter().any(|latch| latch == 1002), "the second is told");
    assert!(claims.worker_looks(of(2), 10));
    assert_eq!(claims.worker_sleeps(of(2), 2_000_000, 10), Sleep::Leave);
    assert_eq!(claims.launch(10, 2), Launch::Sleep(i64::MAX), "it still has its place");
    leaves(&mut claims, 2, 20);
    assert_eq!(state(&claims, 2), WorkerState::Resting);
    assert_eq!(claims.launch(20, 2), Launch::Start(3));
    begins(&mut claims, 3, i64::MAX, 30);
    assert_eq!(claims.launch(30, 2), Launch::Sleep(2_000_000));
    claims.falls_due(of(2), 5_000);
    assert_eq!(claims.launch(2_000_000, 2), Launch::Sleep(i64::MAX));
    assert!(claims.latches.iter().any(|latch| latch == 1003), "the third sleeps for ever");
}

#[test]
fn what_is_noted_while_a_worker_rests_brings_it_back() {
    let mut claims = many(8);
    (1..=2).for_each(|database| claims.found_database(of(database), false));
    claims.launch(0, 1);
    begins(&mut claims, 1, i64::MAX, 0);
    claims.begin_alarm(of(1), 0);
    claims.end_alarm(of(1), 0, i64::MAX);
    claims.launch(0, 1);
    assert!(claims.worker_looks(of(1), 0));
    assert_eq!(claims.worker_sleeps(of(1), i64::MAX, 0), Sleep::Leave);
    leaves(&mut claims, 1, 0);
    assert_eq!(claims.launch(0, 1), Launch::Start(2));
    begins(&mut claims, 2, i64::MAX, 0);
    assert!(claims.is_attended(of(1)), "a session has nothing to do for it");
    claims.falls_due(of(1), 700);
    assert_eq!(claims.launch(0, 1), Launch::Sleep(700));
    claims.tell_worker(of(1));
    assert_eq!(claims.launch(1, 1), Launch::Sleep(i64::MAX));
    assert!(claims.worker_looks(of(2), 1));
    assert_eq!(claims.worker_sleeps(of(2), i64::MAX, 1), Sleep::Leave);
    leaves(&mut claims, 2, 2);
    assert_eq!(claims.launch(2, 1), Launch::Start(1));
}

#[test]
fn one_that_is_never_idle_gives_way_after_its_turn() {
    let mut claims = many(8);
    (1..=2).for_each(|database| claims.found_database(of(database), false));
    claims.launch(0, 1);
    assert_eq!(begins(&mut claims, 1, 5_000, 0), Sleep::Until(5_000));
    claims.launch(0, 1);
    assert!(claims.worker_looks(of(1), 5_000));
    assert_eq!(claims.worker_sleeps(of(1), 10_000, 5_000), Sleep::Until(10_000), "needed again at once");
    assert!(claims.worker_looks(of(1), 1_000_001));
    assert_eq!(claims.worker_sleeps(of(1), 1_005_000, 1_000_001), Sleep::Leave);
}

#[test]
fn a_worker_that_fails_comes_back_later_each_time_and_one_that_was_ended_at_once() {
    let mut claims = many(8);
    claims.found_database(of(1), false);
    let mut now = 0;
    for pause in [1, 2, 4, 8, 16, 32, 32] {
        assert_eq!(claims.launch(now, 4), Launch::Start(1));
        assert!(claims.worker_enters(of(1), 1, now));
        leaves(&mut claims, 1, now);
        assert_eq!(claims.launch(now, 4), Launch::Sleep(now + pause * 1_000_000));
        now += pause * 1_000_000;
    }
    claims.launch(now, 4);
    begins(&mut claims, 1, i64::MAX, now);
    claims.worker_left(of(1), 1, true, now);
    assert_eq!(claims.launch(now, 4), Launch::Sleep(now + 100_000));
    assert_eq!(claims.database(of(1)).unwrap().next_due, 0, "what it had taken up is looked at anew");
}

#[test]
fn a_command_that_needs_the_database_keeps_its_worker_out_until_it_ends() {
    let mut claims = many(8);
    claims.found_database(of(1), false);
    claims.launch(0, 4);
    begins(&mut claims, 1, i64::MAX, 0);
    assert_eq!(claims.ban_worker(of(1), 500, 0), 1);
    assert!(!claims.worker_looks(of(1), 0));
    leaves(&mut claims, 1, 0);
    assert_eq!(claims.launch(0, 4), Launch::Sleep(500));
    claims.lift_ban(of(1));
    assert_eq!(claims.launch(0, 4), Launch::Start(1));
    assert_eq!(claims.ban_worker(of(1), 500, 0), 0);
    assert!(!claims.worker_enters(of(1), 1, 0), "one that was on its way turns back");
    leaves(&mut claims, 1, 0);
    claims.lift_ban(of(1));
    assert_eq!(claims.launch(0, 4), Launch::Start(1));
}

#[test]
fn two_commands_that_need_a_database_keep_its_worker_out_until_both_have_ended() {
    let mut claims = many(8);
    claims.found_database(of(1), false);
    claims.ban_worker(of(1), 500, 0);
    claims.ban_worker(of(1), 500, 0);
    claims.lift_ban(of(1));
    assert_eq!(claims.launch(0, 4), Launch::Sleep(500));
    claims.lift_ban(of(1));
    assert_eq!(claims.launch(0, 4), Launch::Start(1));
}

#[test]
fn what_a_worker_had_taken_up_is_looked_at_anew_though_it_was_kept_out_when_it_ended() {
    let mut claims = many(8);
    claims.found_database(of(1), false);
    claims.launch(0, 4);
    begins(&mut claims, 1, i64::MAX, 0);
    claims.begin_ticks(of(1));
    claims.begin_alarm(of(1), 0);
    claims.found_database(of(1), true);
    claims.worker_left(of(1), 1, true, 0);
    claims.found_database(of(1), false);
    let known = claims.database(of(1)).unwrap();
    assert_eq!((known.next_tick, known.next_due), (0, 0));
}

#[test]
fn who_was_dismissed_once_makes_room_again() {
    let mut claims = many(8);
    (1..=2).for_each(|database| claims.found_database(of(database), false));
    let far = 1_000_000_000;
    let rests = |claims: &mut Claims<'_>, database: u32| {
        assert!(claims.worker_looks(of(database), 10));
        assert_eq!(claims.worker_sleeps(of(database), far, 10), Sleep::Leave);
        leaves(claims, database, 10);
    };
    assert_eq!(claims.launch(10, 1), Launch::Start(1));
    begins(&mut claims, 1, far, 10);
    claims.launch(10, 1);
    rests(&mut claims, 1);
    assert_eq!(claims.launch(10, 1), Launch::Start(2));
    begins(&mut claims, 2, far, 10);
    claims.needs_worker_at(of(1), 0);
    claims.launch(10, 1);
    rests(&mut claims, 2);
    assert_eq!(claims.launch(10, 1), Launch::Start(1));
    assert!(claims.worker_enters(of(1), 1, 10));
    claims.needs_worker_at(of(2), 0);
    claims.launch(10, 1);
    assert!(claims.worker_serves(of(1), 1001, 10));
    rests(&mut claims, 1);
}

#[test]
fn whoever_makes_a_database_while_the_launcher_looks_around_is_heard() {
    let mut claims = many(8);
    claims.databases_changed();
    assert_eq!(claims.launch(5, 4), Launch::LookAround);
    claims.databases_changed();
    assert_eq!(claims.launch(6, 4), Launch::LookAround);
    claims.look_around_at(1000);
    assert_eq!(claims.launch(7, 4), Launch::Sleep(1000));
    assert_eq!(claims.launch(1000, 4), Launch::LookAround);
    assert_eq!(claims.launch(1001, 4), Launch::Sleep(i64::MAX));
}

#[test]
fn fewer_places_send_sleepers_away_though_nobody_waits() {
    let mut claims = many(8);
    for database in 1..=4 {
        claims.found_database(of(database), false);
        assert_eq!(claims.launch(0, 4), Launch::Start(database));
        begins(&mut claims, database, 1_000_000 * i64::from(database), 0);
    }
    claims.launch(1, 1);
    let stays = |claims: &mut Claims<'_>, database: u32| {
        claims.worker_looks(of(database), 2)
            && claims.worker_sleeps(of(database), 1_000_000 * i64::from(database), 2) != Sleep::Leave
    };
    assert_eq!([1, 2, 3, 4].map(|database| stays(&mut claims, database)), [true, false, false, false]);
}

#[test]
fn where_the_server_has_no_place_every_database_that_waits_learns_of_it() {
    let mut claims = many(8);
    (1..=3).for_each(|database| claims.found_database(of(database), false));
    let mut now = 1;
    for _ in 0..8 {
        let Launch::Start(database) = claims.launch(now, 4) else { panic!("it is asked again") };
        claims.start_refused(of(database), now);
        let Launch::Sleep(again) = claims.launch(now, 4) else { panic!("not at once") };
        now = again;
    }
    assert!((1..=3).all(|database| claims.looks_after(of(database), now)), "its sessions do some of the work");
    assert_eq!((0..4).filter_map(|_| claims.take_refused()).count(), 3, "the log tells of each once");
}

#[test]
fn many_refusals_in_a_moment_are_no_reason_to_ask_less_often() {
    let mut claims = many(8);
    (1..=3).for_each(|database| claims.found_database(of(database), false));
    for now in 1..=20 {
        let Launch::Start(database) = claims.launch(now, 4) else { panic!("it is asked again") };
        claims.start_refused(of(database), now);
        let Launch::Sleep(again) = claims.launch(now, 4) else { panic!("not at once") };
        assert_eq!(again, now + 100_000);
        claims.place_may_be_free();
    }
}

#[test]
fn the_latch_of_whoever_has_gone_is_nobodys() {
    let mut claims = many(8);
    claims.found_database(of(1), false);
    claims.launch(0, 4);
    begins(&mut claims, 1, i64::MAX, 0);
    claims.latches = Latches::NONE;
    (1..=40).for_each(|latch| assert!(claims.latches.push(latch)));
    claims.tell_worker(of(1));
    claims.databases_changed();
    claims.launcher_runs(0, 0);
    claims.worker_left(of(1), 1, true, 0);
    claims.latches = Latches::NONE;
    claims.unlatched();
    assert!(claims.latches.iter().all(|latch| latch != 0));
}

#[test]
fn more_databases_than_find_room_are_served_as_long_as_few_of_them_need_it() {
    let mut claims = many(4);
    for database in 1..=20 {
        claims.found_database(of(database), false);
        assert_eq!(claims.launch(0, 4), Launch::Start(database));
        assert!(claims.worker_enters(of(database), 1, 0));
        claims.worker_serves(Relation { table: 0, ..of(database) }, 1, 0);
        claims.worker_left(of(database), 1, false, 0);
    }
    claims.is_used(of(7));
    assert_eq!(claims.launch(0, 4), Launch::Start(7));
}

#[test]
fn a_place_that_is_free_in_a_moment_is_waited_for_and_nobody_does_the_workers_work_meanwhile() {
    let mut claims = many(8);
    claims.found_database(of(1), false);
    claims.launch(0, 4);
    begins(&mut claims, 1, i64::MAX, 0);
    claims.worker_left(of(1), 1, true, 0);
    let now = 200_000;
    assert_eq!(claims.launch(now, 4), Launch::Start(1));
    claims.start_refused(of(1), now);
    assert!(claims.is_attended(of(1)) && claims.worker_will_count(of(1)));
    assert!(!claims.looks_after(of(1), now));
    claims.place_may_be_free();
    assert_eq!(claims.launch(now, 4), Launch::Start(1));
}

#[test]
fn a_server_without_a_place_is_asked_again_and_again_and_told_of_once() {
    let mut claims = many(8);
    claims.found_database(of(1), false);
    let (mut now, mut told) = (1, 0);
    for _ in 0..10 {
        assert_eq!(claims.launch(now, 4), Launch::Start(1));
        claims.start_refused(of(1), now);
        let Launch::Sleep(again) = claims.launch(now, 4) else { panic!("not at once") };
        told += usize::from(claims.take_refused().is_some());
        assert!(again > now && again - now <= 30_000_000);
        now = again;
    }
    assert_eq!(told, 1);
    assert_eq!(state(&claims, 1), WorkerState::Refused);
    assert!(claims.looks_after(of(1), now), "sessions do some of its work");
    assert_eq!(claims.launch(now, 4), Launch::Start(1));
    claims.start_refused(of(1), now);
    assert_eq!(claims.take_refused(), None);
    claims.place_may_be_free();
    assert_eq!(claims.launch(now, 4), Launch::Start(1));
    claims.start_granted();
}

proptest! {
    /// Whatever databases want at whatever time: never more workers than places, and whoever wants one gets it soon.
    #[test]
    fn nobody_waits_for_ever(wishes in prop::collection::vec((1u32..12, 0i64..2_000_000), 1..60), places in 1usize..4) {
        let mut claims = many(16);
        (1..12).for_each(|database| claims.found_database(of(database), false));
        let mut wishes = wishes.into_iter();
        let (mut now, mut running) = (0, Vec::<(u32, i64)>::new());
        for _ in 0..4000 {
            now += 10_000;
            if let Some((database, after)) = wishes.next() {
                claims.needs_worker_at(of(database), now + after);
            }
            while let Launch::Start(database) = claims.launch(now, places) {
                begins(&mut claims, database, i64::MAX, now);
                running.push((database, now));
                prop_assert!(running.len() <= places);
            }
            running.retain(|(database, _)| {
                let stays = claims.worker_looks(of(*database), now)
                    && claims.worker_sleeps(of(*database), i64::MAX, now) != Sleep::Leave;
                if !stays {
                    claims.worker_left(of(*database), *database as i32, false, now);
                }
                stays
            });
        }
        for database in 1..12 {
            let known = claims.database(of(database)).unwrap();
            prop_assert!(known.wake_at == i64::MAX, "{database} still waits: {known:?}");
            prop_assert!(known.served_since != 0, "{database} was never visited");
        }
    }
}
