/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/object.h"
#include "runtime/lease_internal.h"
#include "testlib.h"

/* An API server that knows one Lease. */
typedef struct {
    dv_fake_clock time;
    json_t *lease; /* NULL: none */
    int version, writes;
    enum { WORKS, FAILS, APPLIES_AND_FAILS } mode;
    int64_t takes_ms; /* each request */
} server;

static dv_err *conflict(void)
{
    return dv_err_new(DV_CONFLICT, "Conflict", "the object has been modified");
}

static dv_err *serve_write(server *s, const dv_kube_request *request, json_t **ret_object)
{
    char version[16];

    if (request->verb == DV_KUBE_CREATE && s->lease)
        return conflict();
    if (request->verb == DV_KUBE_REPLACE && !s->lease)
        return dv_err_new(DV_NOT_FOUND, "NotFound", "no lease");
    if (request->verb == DV_KUBE_REPLACE &&
        strcmp(dv_obj_rv(request->body), dv_obj_rv(s->lease)) != 0)
        return conflict();
    json_decref(s->lease);
    s->lease = json_deep_copy(request->body);
    snprintf(version, sizeof(version), "%d", ++s->version);
    assert_ok(dv_json_set(s->lease, "/metadata/resourceVersion", json_string(version)));
    s->writes++;
    if (s->mode == APPLIES_AND_FAILS)
        return dv_err_new(DV_TRANSIENT, "Timeout", "no answer");
    *ret_object = json_deep_copy(s->lease);
    return NULL;
}

static dv_err *serve(void *arg, dv_ctx *ctx, const dv_kube_request *request, json_t **ret_object)
{
    server *s = arg;

    assert_true(request->lease_lane);
    assert_string_equal(request->ns, "system");
    DV_CHECK(dv_ctx_check(ctx));
    dv_fake_clock_advance(&s->time, s->takes_ms);
    if (s->mode == FAILS)
        return dv_err_new(DV_TRANSIENT, "ConnectionFailed", "refused");
    if (request->verb != DV_KUBE_GET)
        return serve_write(s, request, ret_object);
    if (!s->lease)
        return dv_err_new(DV_NOT_FOUND, "NotFound", "no lease");
    *ret_object = json_deep_copy(s->lease);
    return NULL;
}

static server *server_new(void)
{
    server *s = DV_NEW(server);

    dv_fake_clock_init(&s->time, 1700000000000);
    dv_fake_clock_advance(&s->time, 1000);
    return s;
}

static void server_free(server *s)
{
    json_decref(s->lease);
    free(s);
}
DV_DEFINE_AUTO(server)

static dv_lease *candidate(server *s, const char *identity)
{
    dv_lease_options options = {
        .clock = &s->time.clock, .ns = "system", .name = "davit", .identity = identity};
    dv_lease *lease = dv_lease_new(&options);

    dv_lease_send_by(lease, serve, s);
    return lease;
}

static int64_t step(server *s, dv_lease *lease)
{
    dv_ctx ctx = {.clock = &s->time.clock};

    return dv_lease_step(&ctx, lease);
}

static void release(server *s, dv_lease *lease)
{
    dv_ctx ctx = {.clock = &s->time.clock};

    dv_lease_release(&ctx, lease);
}

static void assert_spec(const server *s, const char *pointer, const char *want)
{
    const char *got = dv_json_str(s->lease, pointer);

    assert_non_null(got);
    assert_string_equal(got, want);
}

static void a_lease_that_is_not_there_is_made(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    assert_false(dv_lease_held(a));
    assert_string_equal(dv_lease_holder(a), "");
    assert_int_equal(step(s, a), DV_LEASE_RETRY_MS);
    assert_true(dv_lease_held(a));
    assert_string_equal(dv_lease_holder(a), "a");
    assert_spec(s, "/spec/holderIdentity", "a");
    assert_spec(s, "/spec/acquireTime", "2023-11-14T22:13:21.000000Z");
    assert_spec(s, "/spec/renewTime", "2023-11-14T22:13:21.000000Z");
    assert_int_equal(dv_json_int(s->lease, "/spec/leaseDurationSeconds", 0), 15);
    assert_int_equal(dv_json_int(s->lease, "/spec/leaseTransitions", -1), 0);
    assert_spec(s, "/metadata/namespace", "system");
}

static void a_renewal_keeps_when_it_was_acquired(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    assert_ok(dv_json_set(s->lease, "/metadata/labels/team", json_string("x")));
    dv_fake_clock_advance(&s->time, 2000);
    step(s, a);
    assert_spec(s, "/spec/acquireTime", "2023-11-14T22:13:21.000000Z");
    assert_spec(s, "/spec/renewTime", "2023-11-14T22:13:23.000000Z");
    assert_int_equal(dv_json_int(s->lease, "/spec/leaseTransitions", -1), 0);
    dv_fake_clock_advance(&s->time, DV_LEASE_RENEW_DEADLINE_MS - 1);
    assert_true(dv_lease_held(a));
}

static void a_second_candidate_stands_by_while_it_is_renewed(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");
    dv_auto(dv_lease) b = candidate(s, "b");

    (void)state;
    for (int i = 0; i < 60; i++) {
        step(s, a);
        assert_in_range(step(s, b), DV_LEASE_RETRY_MS, DV_LEASE_RETRY_MS * 3 / 2);
        dv_fake_clock_advance(&s->time, 2000);
        assert_true(dv_lease_held(a));
        assert_false(dv_lease_held(b));
    }
    assert_string_equal(dv_lease_holder(b), "a");
    assert_false(dv_lease_lost(b));
}

static void a_standby_takes_over_when_it_saw_no_renewal_for_the_duration(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");
    dv_auto(dv_lease) b = candidate(s, "b");

    (void)state;
    step(s, a);
    dv_fake_clock_advance(&s->time, 5000);
    step(s, b); /* its patience begins now: the two clocks are not compared */
    dv_fake_clock_advance(&s->time, DV_LEASE_DURATION_MS - 1);
    step(s, b);
    assert_false(dv_lease_held(b));
    assert_false(dv_lease_held(a));
    dv_fake_clock_advance(&s->time, 1);
    step(s, b);
    assert_true(dv_lease_held(b));
    assert_spec(s, "/spec/holderIdentity", "b");
    assert_int_equal(dv_json_int(s->lease, "/spec/leaseTransitions", -1), 1);
    assert_spec(s, "/spec/acquireTime", "2023-11-14T22:13:41.000000Z");
}

static void a_touched_label_is_no_renewal(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");
    dv_auto(dv_lease) b = candidate(s, "b");

    (void)state;
    step(s, a);
    step(s, b);
    dv_fake_clock_advance(&s->time, 10000);
    assert_ok(dv_json_set(s->lease, "/metadata/resourceVersion", json_string("77")));
    step(s, b);
    dv_fake_clock_advance(&s->time, 5000);
    step(s, b);
    assert_true(dv_lease_held(b));
}

static void a_leader_stops_before_anybody_may_take_over(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    s->takes_ms = 500; /* the time of an answer counts against us, not for us */
    step(s, a);
    s->mode = FAILS;
    dv_fake_clock_advance(&s->time, DV_LEASE_RENEW_DEADLINE_MS - 501);
    assert_true(dv_lease_held(a));
    dv_fake_clock_advance(&s->time, 1);
    assert_false(dv_lease_held(a));
    assert_true(dv_lease_lost(a));
}

static void a_lost_lease_never_comes_back(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    dv_fake_clock_advance(&s->time, DV_LEASE_RENEW_DEADLINE_MS);
    step(s, a); /* as after SIGSTOP and SIGCONT; nobody has asked in between */
    assert_false(dv_lease_held(a));
    step(s, a);
    assert_false(dv_lease_held(a));
    assert_true(dv_lease_lost(a));
    assert_int_equal(s->writes, 1);
}

static void an_answer_that_comes_too_late_does_not_save_it(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    dv_fake_clock_advance(&s->time, DV_LEASE_RENEW_DEADLINE_MS - 100);
    s->takes_ms = 200;
    step(s, a);
    assert_false(dv_lease_held(a));
    assert_true(dv_lease_lost(a));
}

static void a_first_answer_that_comes_too_late_is_tried_again(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    s->takes_ms = DV_LEASE_RENEW_DEADLINE_MS;
    step(s, a);
    assert_false(dv_lease_held(a));
    assert_false(dv_lease_lost(a));
    s->takes_ms = 0;
    step(s, a);
    assert_true(dv_lease_held(a));
}

static void failed_renewals_are_tried_until_the_deadline(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    s->mode = FAILS;
    for (int i = 0; i < 4; i++) {
        dv_fake_clock_advance(&s->time, 2000);
        step(s, a);
        assert_true(dv_lease_held(a));
    }
    s->mode = WORKS;
    step(s, a);
    dv_fake_clock_advance(&s->time, 9000);
    assert_true(dv_lease_held(a));
}

static void the_next_step_is_never_past_the_deadline(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    s->mode = FAILS;
    dv_fake_clock_advance(&s->time, DV_LEASE_RENEW_DEADLINE_MS - 300);
    assert_int_equal(step(s, a), 300);
}

static void a_renewal_after_a_foreign_write_is_made_from_a_fresh_read(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    assert_ok(dv_json_set(s->lease, "/metadata/resourceVersion", json_string("99")));
    assert_ok(dv_json_set(s->lease, "/metadata/labels/team", json_string("x")));
    dv_fake_clock_advance(&s->time, 2000);
    step(s, a);
    assert_true(dv_lease_held(a));
    assert_spec(s, "/spec/renewTime", "2023-11-14T22:13:23.000000Z");
    assert_spec(s, "/metadata/labels/team", "x");
}

static void a_leader_that_finds_another_holder_has_lost(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    assert_ok(dv_json_set(s->lease, "/spec/holderIdentity", json_string("thief")));
    assert_ok(dv_json_set(s->lease, "/metadata/resourceVersion", json_string("99")));
    step(s, a);
    assert_false(dv_lease_held(a));
    assert_true(dv_lease_lost(a));
    assert_string_equal(dv_lease_holder(a), "thief");
    assert_spec(s, "/spec/holderIdentity", "thief");
}

static void a_deleted_lease_is_made_again(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    json_decref(s->lease);
    s->lease = NULL;
    step(s, a);
    assert_true(dv_lease_held(a));
    assert_spec(s, "/spec/holderIdentity", "a");
}

static void a_claim_whose_answer_was_lost_is_recognised(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    s->mode = APPLIES_AND_FAILS;
    step(s, a);
    assert_false(dv_lease_held(a));
    s->mode = WORKS;
    step(s, a);
    assert_true(dv_lease_held(a));
    assert_int_equal(dv_json_int(s->lease, "/spec/leaseTransitions", -1), 0);
}

static void two_that_take_at_once_do_not_both_lead(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) old = candidate(s, "old");
    dv_auto(dv_lease) a = candidate(s, "a");
    dv_auto(dv_lease) b = candidate(s, "b");

    (void)state;
    step(s, old);
    step(s, a);
    step(s, b);
    dv_fake_clock_advance(&s->time, DV_LEASE_DURATION_MS);
    step(s, a);
    step(s, b); /* its view is older than a's write */
    assert_true(dv_lease_held(a));
    assert_false(dv_lease_held(b));
}

static void a_released_lease_passes_on_at_once(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");
    dv_auto(dv_lease) b = candidate(s, "b");

    (void)state;
    step(s, a);
    step(s, b);
    release(s, a);
    assert_false(dv_lease_held(a));
    assert_spec(s, "/spec/holderIdentity", "");
    assert_int_equal(dv_json_int(s->lease, "/spec/leaseDurationSeconds", 0), 1);
    step(s, b);
    assert_true(dv_lease_held(b));
    assert_int_equal(dv_json_int(s->lease, "/spec/leaseTransitions", -1), 1);
    step(s, a);
    assert_false(dv_lease_held(a));
}

static void a_release_goes_through_a_foreign_write(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    assert_ok(dv_json_set(s->lease, "/metadata/resourceVersion", json_string("99")));
    release(s, a);
    assert_spec(s, "/spec/holderIdentity", "");
}

static void a_claim_whose_answer_was_lost_is_released_too(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    s->mode = APPLIES_AND_FAILS;
    step(s, a);
    s->mode = WORKS;
    release(s, a);
    assert_spec(s, "/spec/holderIdentity", "");
}

static void what_somebody_else_holds_is_not_released(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");
    dv_auto(dv_lease) b = candidate(s, "b");

    (void)state;
    step(s, a);
    step(s, b);
    release(s, b);
    assert_spec(s, "/spec/holderIdentity", "a");
    assert_int_equal(s->writes, 1);
}

static void a_release_that_fails_still_ends_our_writes(void **state)
{
    dv_auto(server) s = server_new();
    dv_auto(dv_lease) a = candidate(s, "a");

    (void)state;
    step(s, a);
    s->mode = FAILS;
    release(s, a);
    assert_false(dv_lease_held(a));
}

/* ---- The decision alone ---- */

static const struct decide_row {
    const char *name, *spec;
    int64_t unchanged_ms;
    dv_lease_move want;
} decide_rows[] = {
    {"no holder", "{}", 0, DV_LEASE_TAKE},
    {"an empty holder", "{\"holderIdentity\":\"\",\"leaseDurationSeconds\":1}", 0, DV_LEASE_TAKE},
    {"ourselves", "{\"holderIdentity\":\"me\",\"leaseDurationSeconds\":15}", 99999, DV_LEASE_RENEW},
    {"another, just seen", "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":15}", 0,
     DV_LEASE_WAIT},
    {"another, past its own duration", "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":30}",
     30000, DV_LEASE_TAKE},
    {"another, within its own duration", "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":30}",
     29999, DV_LEASE_WAIT},
    {"another that names no duration has ours", "{\"holderIdentity\":\"x\"}", 15000, DV_LEASE_TAKE},
    {"and waits as long", "{\"holderIdentity\":\"x\"}", 14999, DV_LEASE_WAIT},
    {"nobody keeps it for a year", "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":31536000}",
     DV_LEASE_DURATION_MAX_MS, DV_LEASE_TAKE},
};

static void decides(void **state)
{
    const struct decide_row *row = *state;
    json_auto_t *spec = NULL;

    assert_ok(dv_json_read(dv_str_of(row->spec), &spec));
    assert_int_equal(dv_lease_decide(spec, "me", row->unchanged_ms, DV_LEASE_DURATION_MS),
                     row->want);
}

int main(void)
{
    dv_suite suite = {.name = "runtime/lease"};

    dv_json_setup();
    dv_log_setup(DV_LOG_ERROR, DV_LOG_TEXT);
    DV_TABLE(&suite, decides, decide_rows);
    DV_TEST(&suite, a_lease_that_is_not_there_is_made);
    DV_TEST(&suite, a_renewal_keeps_when_it_was_acquired);
    DV_TEST(&suite, a_second_candidate_stands_by_while_it_is_renewed);
    DV_TEST(&suite, a_standby_takes_over_when_it_saw_no_renewal_for_the_duration);
    DV_TEST(&suite, a_touched_label_is_no_renewal);
    DV_TEST(&suite, a_leader_stops_before_anybody_may_take_over);
    DV_TEST(&suite, a_lost_lease_never_comes_back);
    DV_TEST(&suite, an_answer_that_comes_too_late_does_not_save_it);
    DV_TEST(&suite, a_first_answer_that_comes_too_late_is_tried_again);
    DV_TEST(&suite, failed_renewals_are_tried_until_the_deadline);
    DV_TEST(&suite, the_next_step_is_never_past_the_deadline);
    DV_TEST(&suite, a_renewal_after_a_foreign_write_is_made_from_a_fresh_read);
    DV_TEST(&suite, a_leader_that_finds_another_holder_has_lost);
    DV_TEST(&suite, a_deleted_lease_is_made_again);
    DV_TEST(&suite, a_claim_whose_answer_was_lost_is_recognised);
    DV_TEST(&suite, two_that_take_at_once_do_not_both_lead);
    DV_TEST(&suite, a_released_lease_passes_on_at_once);
    DV_TEST(&suite, a_release_goes_through_a_foreign_write);
    DV_TEST(&suite, a_claim_whose_answer_was_lost_is_released_too);
    DV_TEST(&suite, what_somebody_else_holds_is_not_released);
    DV_TEST(&suite, a_release_that_fails_still_ends_our_writes);
    return dv_suite_run(&suite);
}
