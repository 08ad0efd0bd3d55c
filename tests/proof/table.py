"""What proves each promise: the rows of the product, and every verb of the client.

A row or verb stands beside the tests (``file::name`` below ``tests/``) that prove it through a real
daemon. ``test_table`` checks that nothing is missing and that every test exists.
"""

_HISTORY = "client/test_namespaces_history.py::"
_SESSIONS = "client/test_namespaces_sessions.py::"
_TALK = "client/test_namespaces_talk.py::"
_MEMORY = "client/test_namespaces_memory.py::"
_WORK = "client/test_namespaces_work.py::"
_COSTS = "client/test_namespaces_costs.py::"
_CLIENT = "client/test_namespaces_client.py::"
_FILTERS = "client/test_filters_live.py::"
_DIRECT = "tracking/test_direct.py::"

VERBS: dict[str, str] = {
    "history.save": _HISTORY + "test_what_is_saved_stands_in_history_and_prompts",
    "history.get": _HISTORY + "test_one_exchange_is_got_by_id_prefix_and_number",
    "history.update": _HISTORY + "test_annotations_are_changed_and_emptied",
    "history.delete": _HISTORY + "test_what_is_deleted_is_gone",
    "history.search": _HISTORY + "test_search_finds_prompt_output_tags_and_notes",
    "history.recent": _HISTORY + "test_the_newest_come_first_in_pages",
    "history.today": _HISTORY + "test_today_and_this_week_are_local_days",
    "history.this_week": _HISTORY + "test_today_and_this_week_are_local_days",
    "history.by_tag": _HISTORY + "test_by_tag_framework_and_model",
    "history.by_framework": _HISTORY + "test_by_tag_framework_and_model",
    "history.by_model": _HISTORY + "test_by_tag_framework_and_model",
    "history.between": _HISTORY + "test_a_stretch_of_time_includes_its_last_day",
    "history.stats": _HISTORY + "test_totals_are_those_of_the_view",
    "history.similar": _TALK + "test_similar_prompts_come_the_most_alike_first",
    "sessions.start": _SESSIONS + "test_a_session_is_started",
    "sessions.create": _SESSIONS + "test_a_session_is_created",
    "sessions.get": _SESSIONS + "test_a_session_is_got_by_key_id_and_number",
    "sessions.update": _SESSIONS + "test_a_session_is_changed_and_ends",
    "sessions.end": _SESSIONS + "test_a_session_is_changed_and_ends",
    "sessions.active": _SESSIONS + "test_active_sessions_are_a_users_own",
    "sessions.all": _SESSIONS + "test_all_sessions_come_in_pages",
    "sessions.streak": _WORK + "test_streaks",
    "conversations.create": _SESSIONS + "test_a_conversation_is_made_and_got",
    "conversations.add_exchange": _SESSIONS + "test_a_pair_is_added_whole",
    "conversations.get": _SESSIONS + "test_a_conversation_is_made_and_got",
    "conversations.end": _TALK + "test_a_conversation_is_summarised_and_ends",
    "conversations.summarise": _TALK + "test_a_conversation_is_summarised_and_ends",
    "conversations.list": _SESSIONS + "test_conversations_of_a_session_and_of_a_user",
    "conversations.messages": _SESSIONS + "test_messages_are_added_and_read_in_order",
    "conversations.context": _TALK + "test_a_context_is_the_end_of_a_conversation",
    "messages.add": _SESSIONS + "test_messages_are_added_and_read_in_order",
    "messages.add_many": _SESSIONS + "test_messages_are_added_and_read_in_order",
    "messages.search": _SESSIONS + "test_messages_are_found",
    "messages.recent": _TALK + "test_recent_messages_of_a_session_come_newest_first",
    "messages.set_importance": _TALK + "test_a_messages_importance",
    "messages.mark_summarised": _TALK + "test_a_summarised_message_keeps_its_original",
    "agents.start": _MEMORY + "test_an_agent_starts_and_completes",
    "agents.complete": _MEMORY + "test_an_agent_starts_and_completes",
    "agents.fail": _MEMORY + "test_an_agent_fails_or_is_cancelled",
    "agents.cancel": _MEMORY + "test_an_agent_fails_or_is_cancelled",
    "agents.list": _MEMORY + "test_agents_are_listed_by_what_they_are",
    "routing.log": _MEMORY + "test_routing_is_logged_and_summed_up",
    "routing.list": _MEMORY + "test_routing_is_logged_and_summed_up",
    "routing.summary": _MEMORY + "test_routing_is_logged_and_summed_up",
    "costs.add": _COSTS + "test_cache_reasoning_and_request_are_kept",
    "costs.by_session": _COSTS + "test_by_session",
    "costs.by_model": _COSTS + "test_by_model",
    "costs.by_day": _COSTS + "test_by_day",
    "costs.total": _COSTS + "test_the_total_counts_what_told_no_cost_apart",
    "preferences.set": _MEMORY + "test_preferences_are_each_users_own",
    "preferences.get": _MEMORY + "test_preferences_are_each_users_own",
    "preferences.all": _MEMORY + "test_preferences_are_each_users_own",
    "preferences.delete": _MEMORY + "test_preferences_are_each_users_own",
    "patterns.observe": _MEMORY + "test_patterns_are_counted_up",
    "patterns.list": _MEMORY + "test_patterns_are_counted_up",
    "patterns.log_usage": _MEMORY + "test_patterns_pay_off",
    "patterns.roi": _MEMORY + "test_patterns_pay_off",
    "handoffs.create": _MEMORY + "test_a_handoff_is_found_by_either_side",
    "handoffs.latest": _MEMORY + "test_a_handoff_is_found_by_either_side",
    "handoffs.list": _MEMORY + "test_a_handoff_is_found_by_either_side",
    "metrics.record": _MEMORY + "test_metrics_are_summed_up_by_unit",
    "metrics.summary": _MEMORY + "test_metrics_are_summed_up_by_unit",
    "tasks.create": _WORK + "test_a_task_is_created_and_completed",
    "tasks.complete": _WORK + "test_a_task_is_created_and_completed",
    "tasks.get": _WORK + "test_a_task_is_created_and_completed",
    "tasks.stats": _WORK + "test_specialists_are_measured_by_their_estimates",
    "commands.log": _WORK + "test_commands_are_logged_and_counted",
    "commands.recent": _WORK + "test_commands_are_logged_and_counted",
    "commands.stats": _WORK + "test_commands_are_logged_and_counted",
    "errors.log": _WORK + "test_errors_are_logged_and_summed_up_by_hours",
    "errors.recent": _WORK + "test_errors_are_logged_and_summed_up_by_hours",
    "errors.summary": _WORK + "test_errors_are_logged_and_summed_up_by_hours",
    "workflow.get": _WORK + "test_the_workflow_state_is_one_and_replaced",
    "workflow.set": _WORK + "test_the_workflow_state_is_one_and_replaced",
    "metadata.get": _WORK + "test_metadata_is_kept_by_key",
    "metadata.set": _WORK + "test_metadata_is_kept_by_key",
    "metadata.delete": _WORK + "test_metadata_is_kept_by_key",
    "ping": _CLIENT + "test_the_client_itself_answers_for_the_daemon",
    "status": _CLIENT + "test_the_client_itself_answers_for_the_daemon",
    "sql": _CLIENT + "test_the_client_itself_answers_for_the_daemon",
    "request": _CLIENT + "test_the_client_itself_answers_for_the_daemon",
    "append": _SESSIONS + "test_what_is_said_again_changes_nothing",
    "storage_stats": _CLIENT + "test_storage_stats_are_those_of_the_views",
    "batch": _CLIENT + "test_a_batch_lands_whole_or_not_at_all",
    "subscribe": _CLIENT + "test_a_subscriber_hears_of_what_is_saved_until_it_closes",
    "close": _CLIENT + "test_a_subscriber_hears_of_what_is_saved_until_it_closes",
    "admin.vacuum": _CLIENT + "test_the_database_is_made_smaller_and_is_sound",
    "admin.optimize": _CLIENT + "test_the_database_is_made_smaller_and_is_sound",
    "admin.checkpoint": _CLIENT + "test_the_database_is_made_smaller_and_is_sound",
    "admin.integrity_check": _CLIENT + "test_the_database_is_made_smaller_and_is_sound",
    "admin.jobs": _CLIENT + "test_jobs_are_listed_and_run",
    "admin.run": _CLIENT + "test_jobs_are_listed_and_run",
    "admin.backup": _CLIENT + "test_a_copy_holds_what_the_database_holds",
    "admin.publish": _CLIENT + "test_a_copy_holds_what_the_database_holds",
    "admin.rehearse": _CLIENT + "test_a_copy_holds_what_the_database_holds",
}
"""Each verb of the client: the test that calls it, blocking and awaited."""

NOT_YET = frozenset(
    {
        "history.export",
        "history.import_",
        "admin.restore",
        "admin.archive",
        "admin.retention_run",
    }
)
"""Verbs that the record model names and the client does not have."""

ROWS: dict[str, tuple[str, ...]] = {
    "A1": (
        _HISTORY + "test_what_is_saved_stands_in_history_and_prompts",
        _COSTS + "test_cache_reasoning_and_request_are_kept",
        "daemon/test_afterwards.py::test_history_save_keeps_every_field",
    ),
    "A2": (_HISTORY + "test_search_finds_prompt_output_tags_and_notes",),
    "A3": (
        _FILTERS + "test_a_filter_chooses_what_it_says",
        _HISTORY + "test_today_and_this_week_are_local_days",
    ),
    "A4": ("daemon/test_prompt_history_live.py::test_every_verb_of_the_face",),
    "A5": (
        _DIRECT + "test_a_prompt_is_recorded_and_its_id_returned",
        "tracking/test_functions.py::test_a_call_is_recorded_with_its_output",
        "tracking/test_functions.py::test_a_failure_is_recorded_and_raised",
        "tracking/test_runs.py::test_a_block_is_recorded_with_its_duration",
        "tracking/test_runs.py::test_a_failure_is_recorded_with_its_error_and_goes_on",
        "tracking/test_callbacks.py::test_a_call_is_recorded_from_its_callbacks",
    ),
    "A6": (
        "daemon/test_statistics.py::test_groups_are_what_counting_by_hand_gives",
        "daemon/test_statistics.py::test_rollups_equal_a_scan",
    ),
    "A7": ("readme/test_readme.py::test_example_runs",),
    "A8": ("readme/test_readme.py::test_example_runs",),
    "A11": (
        _TALK + "test_similar_prompts_come_the_most_alike_first",
        "readme/test_examples.py::test_an_example_prints_what_it_found",
    ),
    "B1": (
        "daemon/test_afterwards.py::test_history_save_keeps_every_field",
        "tracking/test_analysis_live.py::test_every_exchange_is_analysed",
    ),
    "B2": (
        "tracking/test_analysis_live.py::test_what_the_user_says_wins",
        "tracking/test_auto_tags.py::test_other_categories_mean_other_tags",
        "tracking/test_auto_tags.py::test_analysing_anew_leaves_one_tag",
    ),
    "B3": (
        _DIRECT + "test_what_is_too_short_is_not_recorded",
        _DIRECT + "test_the_same_prompt_in_a_session_has_the_same_id_and_is_counted",
        _DIRECT + "test_compared_in_composed_form_without_space_at_the_ends_of_lines",
        _DIRECT + "test_a_call_can_be_kept_out",
        _DIRECT + "test_everything_can_be_kept_out",
        _DIRECT + "test_a_project_stays_out_from_when_it_says_so",
        _DIRECT + "test_a_save_by_hand_in_a_project_that_stays_out_says_so",
        "daemon/test_duplicates.py::test_through_the_client",
        "redaction/test_recall.py::test_what_is_stored_holds_none_and_the_doctor_counts_them",
    ),
    "B4": (
        "middleware/test_interfaces.py::test_a_prompt_is_recorded_with_its_request",
        "middleware/test_interfaces.py::test_every_way_to_send_a_prompt",
        "middleware/test_frameworks.py::test_a_prompt_is_recorded_and_the_answer_is_as_it_was",
    ),
    "B6": (
        _DIRECT + "test_the_minimum_length_can_be_set",
        _DIRECT + "test_everything_can_be_kept_out",
        _DIRECT + "test_the_duplicate_check_can_reach_over_all_sessions",
        _DIRECT + "test_without_categorising_there_are_no_tags",
        "tracking/test_failures.py::test_why_a_prompt_was_left_out_is_told_on_request",
        "tracking/test_auto_tags.py::test_other_categories_mean_other_tags",
    ),
    "B12": ("daemon/test_forget_user.py::test_everything_about_a_user_goes",),
    "C1": (
        _SESSIONS + "test_a_conversation_is_made_and_got",
        _SESSIONS + "test_a_pair_is_added_whole",
        _SESSIONS + "test_messages_are_added_and_read_in_order",
    ),
    "C2": (
        _SESSIONS + "test_conversations_of_a_session_and_of_a_user",
        _SESSIONS + "test_messages_are_added_and_read_in_order",
        _CLIENT + "test_storage_stats_are_those_of_the_views",
    ),
    "C4": (
        _TALK + "test_a_context_is_the_end_of_a_conversation",
        _TALK + "test_a_context_keeps_to_its_budget",
    ),
    "C8": (_FILTERS + "test_latency_by_day_model_and_user",),
    "D1": (
        _SESSIONS + "test_a_session_is_changed_and_ends",
        _TALK + "test_a_summarised_message_keeps_its_original",
        _TALK + "test_a_messages_importance",
    ),
    "D2": (
        _MEMORY + "test_an_agent_starts_and_completes",
        _MEMORY + "test_an_agent_fails_or_is_cancelled",
    ),
    "D3": (_MEMORY + "test_routing_is_logged_and_summed_up",),
    "D4": (
        _COSTS + "test_what_was_saved_is_a_cost_once",
        _COSTS + "test_by_session",
        _COSTS + "test_by_model",
    ),
    "D5": (
        _MEMORY + "test_preferences_are_each_users_own",
        _MEMORY + "test_patterns_are_counted_up",
        _MEMORY + "test_a_handoff_is_found_by_either_side",
        _MEMORY + "test_metrics_are_summed_up_by_unit",
    ),
    "D6": (
        _CLIENT + "test_a_batch_lands_whole_or_not_at_all",
        _CLIENT + "test_the_client_itself_answers_for_the_daemon",
        _CLIENT + "test_storage_stats_are_those_of_the_views",
        "daemon/test_sql.py::test_whatever_is_not_reading_is_refused",
    ),
    "E1": (
        _WORK + "test_streaks",
        _WORK + "test_specialists_are_measured_by_their_estimates",
        _WORK + "test_commands_are_logged_and_counted",
        _WORK + "test_errors_are_logged_and_summed_up_by_hours",
        _WORK + "test_the_workflow_state_is_one_and_replaced",
        _WORK + "test_metadata_is_kept_by_key",
        _MEMORY + "test_patterns_pay_off",
    ),
}
"""Each row of the product's first round that is about records, and what proves it."""
