/* SPDX-License-Identifier: Apache-2.0 */
/* What the watches tell of the objects that packages own. */
#include "install_cluster.h"

#define OWNER "0123456789abcdef0123"
#define MARKED(name, more)                                                                         \
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: " name                                     \
    ", namespace: own, uid: u, labels: {davit.dev/owner: " OWNER "}" more "}}"
#define PACKAGE ", annotations: {davit.dev/package: team/web/p1}"

static cluster *c;

static int set_up(void **state DV_UNUSED)
{
    c = cluster_new();
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    cluster_free(c);
    return 0;
}

static bool watch(const dv_resource *resource)
{
    bool watched = false;

    assert_ok(dv_owned_watch(&c->ctx, c->owned, resource, &watched));
    return watched;
}

/* ConfigMap own/a, with one holder. */
static dv_owned_state get(uint64_t since, dv_owned_object **ret_object)
{
    return dv_owned_get(c->owned, cluster_resource(c, "v1", "ConfigMap"), "own", "a", since,
                        ret_object);
}

static const struct row {
    const char *name;
    const char *there; /* NULL: nothing. Written at revision 101 */
    bool watched;
    uint64_t since;
    dv_owned_state want;
} rows[] = {
    {"what nobody watches is unknown", MARKED("a", ""), false, 0, DV_OWNED_UNKNOWN},
    {"what is there is present", MARKED("a", ""), true, 0, DV_OWNED_PRESENT},
    {"also since our last write", MARKED("a", ""), true, 101, DV_OWNED_PRESENT},
    {"one older than our last write lags", MARKED("a", ""), true, 102, DV_OWNED_LAGGING},
    {"what is not there is absent", NULL, true, 0, DV_OWNED_ABSENT},
    {"what is not there yet lags", NULL, true, 102, DV_OWNED_LAGGING},
    {"what has no owner label is absent",
     "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: own}}", true, 0,
     DV_OWNED_ABSENT},
};

static void the_watch_says(void **state)
{
    const struct row *row = *state;
    dv_auto_owned object = NULL;

    if (row->there)
        cluster_put(c, row->there);
    if (row->watched)
        assert_true(watch(cluster_resource(c, "v1", "ConfigMap")));
    assert_int_equal(get(row->since, &object), row->want);
    assert_int_equal(object != NULL, row->want == DV_OWNED_PRESENT);
}

static void a_record_has_what_decisions_need(void **state DV_UNUSED)
{
    dv_auto_owned object = NULL;

    cluster_put(c, MARKED("a", PACKAGE ", finalizers: [x.io/a, x.io/b]"));
    assert_true(watch(cluster_resource(c, "v1", "ConfigMap")));
    assert_int_equal(get(0, &object), DV_OWNED_PRESENT);
    assert_string_equal(object->uid, "u");
    assert_string_equal(object->owner, OWNER);
    assert_string_equal(object->package, "team/web");
    assert_string_equal(object->package_uid, "p1");
    assert_int_equal(object->revision, 101);
    assert_int_equal(object->readiness, DV_READY);
    assert_null(object->finalizers); /* they hold nothing yet */
}

static void one_that_is_going_names_what_holds_it(void **state DV_UNUSED)
{
    dv_auto_owned object = NULL;

    cluster_put(
        c, MARKED("a", PACKAGE
                  ", deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [x.io/a, x.io/b]"));
    assert_true(watch(cluster_resource(c, "v1", "ConfigMap")));
    assert_int_equal(get(0, &object), DV_OWNED_PRESENT);
    assert_true(object->deleting);
    assert_int_equal(object->readiness, DV_TERMINATING);
    assert_string_equal(object->finalizers, "x.io/a, x.io/b");
}

static void workloads_are_read_for_readiness(void **state DV_UNUSED)
{
    const dv_resource *deployments = cluster_resource(c, "apps/v1", "Deployment");
    dv_auto_owned object = NULL;

    cluster_put(
        c, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: own, labels: "
           "{davit.dev/owner: " OWNER "}},"
           " spec: {replicas: 2}, status: {observedGeneration: 1, replicas: 2, readyReplicas: 1}}");
    assert_true(watch(deployments));
    assert_int_equal(dv_owned_get(c->owned, deployments, "own", "d", 0, &object), DV_OWNED_PRESENT);
    assert_int_equal(object->readiness, DV_PROGRESSING);
    assert_non_null(object->why);
    assert_int_equal(object->generation, 1);
}

/* ---- Who is told ---- */

static void packages_are_told_of_their_objects(void **state DV_UNUSED)
{
    assert_true(watch(cluster_resource(c, "v1", "ConfigMap")));
    cluster_put(c, MARKED("a", PACKAGE));
    cluster_wait_told(c, 1);
    cluster_put(c, MARKED("a", ", annotations: {davit.dev/package: team/other/p2}")); /* both are */
    cluster_wait_told(c, 3);
    cluster_drop(c, "ConfigMap", "own", "a");
    cluster_wait_told(c, 4);
    assert_string_equal(c->told.at[0], "team/web");
    assert_string_equal(c->told.at[1], "team/other");
    assert_string_equal(c->told.at[2], "team/web");
    assert_string_equal(c->told.at[3], "team/other");
}

static void an_annotation_that_is_none_names_nobody(void **state DV_UNUSED)
{
    assert_true(watch(cluster_resource(c, "v1", "ConfigMap")));
    cluster_put(c, MARKED("a", ", annotations: {davit.dev/package: nonsense}"));
    cluster_put(c, MARKED("b", PACKAGE));
    cluster_wait_told(c, 1);
    assert_string_equal(c->told.at[0], "team/web"); /* the first of all */
}

/* ---- Kinds that may not be watched ---- */

static const struct forbidden_row {
    const char *name, *forbidden;
} forbidden_rows[] = {
    {"a kind that may not be listed is not watched", "list configmaps"},
    {"a kind that may not be watched is not watched", "watch configmaps"},
};

static void a_forbidden_kind_is_not_watched(void **state)
{
    const struct forbidden_row *row = *state;
    dv_auto_owned object = NULL;

    cluster_put(c, MARKED("a", ""));
    cluster_forbid(c, row->forbidden);
    assert_false(watch(cluster_resource(c, "v1", "ConfigMap")));
    assert_true(watch(cluster_resource(c, "v1", "Secret")));
    assert_int_equal(get(0, &object), DV_OWNED_UNKNOWN);
}

static void a_forbidden_kind_is_asked_about_again_later(void **state DV_UNUSED)
{
    dv_fake_clock time;

    dv_fake_clock_init(&time, 0);
    c->ctx.clock = &time.clock;
    cluster_forbid(c, "watch configmaps");
    const dv_resource *resource = cluster_resource(c, "v1", "ConfigMap");
    assert_false(watch(resource));
    {
        DV_LOCK_SCOPE(&c->server->mu);
        dv_strings_done(&c->forbidden);
    }
    assert_false(watch(resource)); /* not asked yet */
    dv_fake_clock_advance(&time, 10 * 60 * 1000);
    assert_true(watch(resource));
}

static void a_review_that_fails_is_told(void **state DV_UNUSED)
{
    const dv_resource *resource = cluster_resource(c, "v1", "ConfigMap");

    cluster_fail(c, "selfsubjectaccessreviews", 503, 1, "");
    assert_err(dv_owned_start(&c->ctx, c->owned, resource), DV_TRANSIENT, "watch of ConfigMap");
    assert_true(watch(resource)); /* the next one asks again */
}

/* ---- Watches that break ---- */

/* The machine's clock, further on. */
static _Atomic int64_t ahead_ms;
static int64_t mono_ahead(const dv_clock *clock DV_UNUSED)
{
    return dv_clock_real()->mono_ms(dv_clock_real()) + ahead_ms;
}

static void a_watch_that_stays_broken_is_not_believed(void **state DV_UNUSED)
{
    const dv_clock clock = {.mono_ms = mono_ahead};
    const dv_resource *resource = cluster_resource(c, "v1", "ConfigMap");
    dv_auto_owned before = NULL;
    dv_auto_owned late = NULL;
    dv_auto_owned again = NULL;

    dv_owned_free(c->owned);
    c->owned = dv_owned_new(c->kube, c->cache, &clock, cluster_told, c);
    ahead_ms = 0;
    cluster_put(c, MARKED("a", PACKAGE));
    cluster_fail(c, "watch=true", 500, 999, ""); /* listed, but not watched */
    assert_true(watch(resource));
    assert_int_equal(get(0, &before), DV_OWNED_PRESENT);
    ahead_ms = DV_OWNED_BROKEN_MS + 10000;
    assert_false(watch(resource));
    assert_int_equal(get(0, &late), DV_OWNED_UNKNOWN);
    assert_null(late);
    cluster_put(c, MARKED("b", PACKAGE));
    cluster_behave(c);
    cluster_wait_told(c, 2); /* of a by the list, of b by the watch, which runs again */
    assert_true(watch(resource));
    assert_int_equal(get(0, &again), DV_OWNED_PRESENT);
}

static int64_t looks;

/* A clock on which the wait for a list is over after a few looks. */
static int64_t mono_leaping(const dv_clock *clock DV_UNUSED)
{
    return ++looks * DV_OWNED_WAIT_MS / 3;
}

static void a_first_list_that_does_not_come_is_waited_for_once(void **state DV_UNUSED)
{
    const dv_clock clock = {.mono_ms = mono_leaping};
    const dv_resource *resource = cluster_resource(c, "v1", "ConfigMap");
    dv_ctx hasty = {.clock = &clock};
    bool watched = true;

    cluster_put(c, MARKED("a", PACKAGE));
    cluster_fail(c, "/api/v1/configmaps", 500, 999, "");
    assert_ok(dv_owned_start(&c->ctx, c->owned, resource));
    assert_ok(dv_owned_watch(&hasty, c->owned, resource, &watched));
    assert_false(watched);
    int64_t waited = looks;
    assert_true(waited > 0);
    assert_ok(dv_owned_watch(&hasty, c->owned, resource, &watched));
    assert_false(watched);
    assert_int_equal(looks, waited);
    cluster_behave(c);
    cluster_wait_told(c, 1);
    assert_true(watch(resource));
}

int main(void)
{
    dv_suite suite = {.name = "install/owned"};

    DV_TABLE(&suite, the_watch_says, rows);
    DV_TEST(&suite, a_record_has_what_decisions_need);
    DV_TEST(&suite, one_that_is_going_names_what_holds_it);
    DV_TEST(&suite, workloads_are_read_for_readiness);
    DV_TEST(&suite, packages_are_told_of_their_objects);
    DV_TEST(&suite, an_annotation_that_is_none_names_nobody);
    DV_TABLE(&suite, a_forbidden_kind_is_not_watched, forbidden_rows);
    DV_TEST(&suite, a_forbidden_kind_is_asked_about_again_later);
    DV_TEST(&suite, a_review_that_fails_is_told);
    DV_TEST(&suite, a_watch_that_stays_broken_is_not_believed);
    DV_TEST(&suite, a_first_list_that_does_not_come_is_waited_for_once);
    for (size_t i = 0; i < suite.tests.n; i++) {
        suite.tests.at[i].setup_func = set_up;
        suite.tests.at[i].teardown_func = tear_down;
    }
    return dv_suite_run(&suite);
}
