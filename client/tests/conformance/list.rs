//! All cases. `each_case!` hands the list to a macro; a case that is missing here is reported as never used.

/// Makes each case a test of its own. `$start` is an async function that gives an empty queue, and what is kept for as long
/// as the case runs.
macro_rules! conformance {
    ($start:path) => {
        tests! {
            $start;
            producing {
                ids_rise_in_the_order_of_enqueue,
                a_job_without_anything_has_the_defaults,
                the_worker_gets_what_was_enqueued,
                no_payload_and_an_empty_one_are_two_things,
                a_batch_answers_in_its_order,
                each_of_a_batch_has_its_own_start,
                an_empty_batch_is_nothing,
                a_batch_that_fails_enqueues_nothing,
                a_batch_must_agree_in_on_conflict,
                an_entrypoint_has_1_to_255_bytes,
                a_key_has_2000_bytes_at_most,
                a_text_with_a_nul_is_refused,
                a_delay_beyond_all_times_is_refused,
                a_job_may_be_put_off_for_ever,
            }
            dedupe {
                a_key_that_lives_is_refused_and_named,
                a_key_is_unique_over_all_entrypoints,
                a_picked_job_keeps_its_key,
                a_key_is_free_once_its_job_has_ended,
                a_job_held_as_failed_gives_its_key_free,
                skip_enqueues_nothing_where_the_key_lives,
                replace_rewrites_the_queued_job,
                replace_can_put_a_job_off,
                replace_keeps_the_attempts,
                replace_leaves_a_picked_job_alone,
                replace_enqueues_where_the_key_is_free,
                of_two_with_one_key_in_a_batch_skip_takes_the_first,
                of_two_with_one_key_in_a_batch_replace_takes_the_last,
            }
            claiming {
                the_higher_priority_comes_first,
                of_one_priority_the_one_comes_first_that_became_due_first,
                of_equals_the_lower_id_comes_first,
                the_best_of_several_entrypoints_comes_first,
                no_more_are_handed_out_than_asked_for,
                a_deferred_job_is_handed_out_when_it_is_due,
                jobs_of_other_entrypoints_stay,
                two_workers_never_get_the_same_job,
                what_asks_for_nothing_is_refused,
                queued_jobs_are_counted_deferred_ones_too,
            }
            ordering {
                jobs_of_one_key_run_one_at_a_time_in_order,
                priority_is_not_looked_at_within_a_key,
                different_keys_run_side_by_side,
                a_key_belongs_to_its_entrypoint,
                a_deferred_job_keeps_those_behind_it_waiting,
                a_job_that_waits_for_its_retry_keeps_those_behind_it_waiting,
                a_job_held_as_failed_lets_the_others_pass,
                a_requeued_job_is_first_again_once_the_picked_one_has_ended,
                a_requeued_job_comes_before_those_that_wait,
                the_next_follows_whatever_becomes_of_the_first,
                one_in_the_middle_can_go,
            }
            limits {
                a_concurrency_limit_holds_over_all_workers,
                every_end_of_a_claim_makes_room_under_the_limit,
                a_limited_entrypoint_does_not_keep_back_the_others,
                a_limit_of_0_is_none,
                a_limit_below_what_is_picked_hands_out_nothing,
                a_rate_limit_holds_over_all_workers,
                a_rate_refills_after_its_period,
                a_claim_that_is_given_back_has_spent_its_rate,
                a_paused_entrypoint_hands_out_nothing,
                a_pause_says_whether_it_changed_anything,
                a_setting_that_is_not_given_stays,
                a_setting_out_of_range_is_refused_and_changes_nothing,
            }
            finishing {
                a_completed_job_is_gone_and_logged,
                a_failed_attempt_is_tried_again_after_its_backoff,
                each_backoff_is_the_last_one_multiplied_up_to_the_longest,
                a_job_that_has_failed_too_often_is_held,
                a_job_that_has_failed_too_often_is_gone_where_the_setting_says_so,
                a_retry_does_not_count_as_a_failure,
                a_retry_waits_for_its_delay_and_says_why,
                a_job_can_be_held_whatever_attempts_are_left,
                each_of_a_batch_ends_in_its_own_way,
                another_worker_cannot_end_a_claim,
                an_earlier_attempt_cannot_be_ended,
                a_claim_ends_once,
                a_released_claim_is_as_if_it_had_never_been,
                what_the_log_cannot_keep_is_refused,
            }
            leases {
                a_worker_that_is_not_heard_of_loses_its_jobs,
                a_heartbeat_keeps_its_claims,
                asking_for_jobs_is_a_sign_of_life,
                a_heartbeat_tells_what_the_worker_does_not_hold,
                a_lease_is_longer_than_0,
                a_job_that_was_lost_too_often_is_held,
                a_job_that_was_lost_too_often_is_gone_where_the_setting_says_so,
                a_lost_job_does_not_count_as_failed,
                a_lost_job_frees_its_place_under_the_limit_and_keeps_its_place_in_its_line,
                a_worker_loses_its_jobs_some_time_after_it_hears_no_more,
            }
            control {
                cancel_ends_jobs_whatever_they_are,
                delete_leaves_picked_jobs_alone,
                clear_deletes_what_is_queued,
                a_requeued_job_is_as_if_never_tried,
                requeue_leaves_out_what_is_not_failed,
                requeue_leaves_out_a_key_that_lives_again,
                a_queued_job_can_be_rescheduled,
                reschedule_leaves_out_what_is_not_queued,
                nothing_is_done_to_no_jobs,
                live_jobs_are_counted_by_entrypoint_priority_and_status,
            }
            completion {
                status_leaves_out_what_is_not_known,
                status_follows_a_job_on_its_way,
                who_waits_for_ended_or_unknown_jobs_need_not_wait,
                a_wait_ends_with_the_last_of_its_jobs,
                a_job_that_is_tried_again_has_not_ended,
                jobs_come_as_they_end,
                a_wait_can_be_given_up,
                a_lost_worker_ends_a_wait,
            }
            signals {
                an_enqueue_is_heard_of,
                a_job_that_falls_due_is_heard_of,
                a_cancellation_is_heard_of,
                a_place_under_the_limit_is_heard_of,
                the_next_of_an_ordering_key_is_heard_of,
                a_claim_that_is_given_back_is_heard_of,
                a_lost_worker_is_heard_of,
                a_rate_that_refills_is_heard_of,
                what_an_administrator_lets_go_on_is_heard_of,
                who_listens_for_nothing_is_refused,
            }
            schedules {
                each_tick_enqueues_a_job,
                a_tick_has_what_its_schedule_says,
                while_its_last_job_lives_a_schedule_enqueues_none,
                a_failed_job_does_not_stop_its_schedule,
                a_paused_schedule_does_not_tick,
                a_schedule_that_is_removed_does_not_tick,
                a_schedule_is_known_by_its_name,
                what_changes_no_schedule_says_so,
                a_schedule_that_cannot_be_is_refused,
                a_tick_is_heard_of,
            }
        }
    };
}

macro_rules! tests {
    ($start:path; $($module:ident { $($case:ident,)* })*) => { $(
        mod $module {
            $(
                #[tokio::test]
                async fn $case() {
                    let (queue, _alone) = $start().await;
                    crate::conformance::$module::$case(&queue).await;
                }
            )*
        }
    )* };
}
