/* SPDX-License-Identifier: Apache-2.0 */
/* Taking objects out: in order, only what is ours, and no data by accident. */
#include "install_cluster.h"

#include "install/remove.h"

#define OURS ", labels: {davit.dev/owner: OURS}, annotations: {davit.dev/package: own/web/p1}"
#define CM(name, uid, extra)                                                                       \
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: " name ", namespace: own, uid: " uid extra \
    "}}"
#define SECRET(name)                                                                               \
    "{apiVersion: v1, kind: Secret, metadata: {name: " name ", namespace: space, uid: s}}"
#define DEPLOYMENT                                                                                 \
    "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: own, uid: d" OURS "}}"
#define SPACE "{apiVersion: v1, kind: Namespace, metadata: {name: space, uid: ns" OURS "}}"
#define PVC                                                                                        \
    "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data, namespace: own, uid: "   \
    "v" OURS "}}"
#define CRD                                                                                        \
    "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: "      \
    "widgets.example.com, uid: c" OURS "},"                                                        \
    " spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets}}}"
#define WIDGET(name)                                                                               \
    "{apiVersion: example.com/v1, kind: Widget, metadata: {name: " name                            \
    ", namespace: own, uid: w" OURS "}}"

/* Items of the inventory. */
#define I_CM(name, uid)                                                                            \
    "{apiVersion: v1, kind: ConfigMap, namespace: own, name: " name ", uid: " uid "}"
#define I_ADOPTED(name, uid)                                                                       \
    "{apiVersion: v1, kind: ConfigMap, namespace: own, name: " name ", uid: " uid ", adopted: "    \
    "true}"
#define I_DEPLOYMENT "{apiVersion: apps/v1, kind: Deployment, namespace: own, name: d, uid: d}"
#define I_SPACE "{apiVersion: v1, kind: Namespace, namespace: '', name: space, uid: ns}"
#define I_PVC "{apiVersion: v1, kind: PersistentVolumeClaim, namespace: own, name: data, uid: v}"
#define I_CRD                                                                                      \
    "{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, namespace: '', name: "  \
    "widgets.example.com, uid: c}"
#define I_WIDGET(name)                                                                             \
    "{apiVersion: example.com/v1, kind: Widget, namespace: own, name: " name ", uid: w}"

#define REFUSED                                                                                    \
    "{\"kind\":\"Status\",\"reason\":\"Forbidden\",\"code\":403,\"message\":\"it may "             \
    "not\",\"details\":{\"name\":\"a\"}}"

enum { THERE_MAX = 4 };

static struct {
    cluster *cluster;
    dv_pm *pm;
    dv_inventory items;
    dv_remove_result result;
    dv_remove_env env;
} t;

static int set_up(void **state DV_UNUSED)
{
    memset(&t, 0, sizeof(t));
    t.cluster = cluster_new();
    t.pm = cluster_pm("own", "web", "");
    t.env = (dv_remove_env){.kube = t.cluster->kube, .owned = t.cluster->owned, .pm = t.pm};
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    dv_remove_result_done(&t.result);
    dv_inventory_done(&t.items);
    dv_pm_unref(t.pm);
    cluster_free(t.cluster);
    return 0;
}

static void put(const char *yaml)
{
    dv_auto_str text = dv_strdup(yaml);
    char *at = strstr(text, "OURS");

    dv_auto_str whole =
        at ? dv_asprintf("%.*s%s%s", (int)(at - text), text, t.pm->owner, at + 4) : dv_strdup(text);
    cluster_put(t.cluster, whole);
}

static void put_all(const char *const there[THERE_MAX])
{
    for (size_t i = 0; i < THERE_MAX && there[i]; i++)
        put(there[i]);
}

/* The inventory, by the status that holds it. */
static void list(const char *items)
{
    dv_auto_str yaml = dv_asprintf(
        "{metadata: {namespace: own, name: web, uid: p1}, status: {inventory: [%s]}}", items);
    json_auto_t *object = cluster_read(yaml);
    dv_auto_pm pm = NULL;

    assert_ok(dv_pm_decode(object, &pm));
    t.items = dv_inventory_dup(&pm->status.inventory);
}

static dv_err *remove_them(void)
{
    return dv_remove(&t.cluster->ctx, &t.env, &t.items, &t.result);
}

static void assert_left(const char *kind, const char *name, bool left)
{
    if (cluster_has(t.cluster, kind, "own", name) != left)
        fail_msg("%s %s: %s", kind, name, left ? "is gone" : "is still there");
}

/* ---- One ConfigMap own/a of uid "u" ---- */

static const struct row {
    const char *name;
    const char *there, *item;
    bool watched;
    int status; /* of the answer to the delete; 0: as usual */
    bool orphan_denied;
    const char *reason; /* of the refusal; NULL: all done */
    const char *says;   /* in the refusal, or among the orphans */
    bool left;          /* in the cluster */
    size_t items;       /* in the inventory, afterwards */
} rows[] = {
    {"ours goes", CM("a", "u", OURS), I_CM("a", "u"), true, 0, false, NULL, NULL, false, 0},
    {"ours goes unwatched", CM("a", "u", OURS), I_CM("a", "u"), false, 0, false, NULL, NULL, false,
     0},
    {"what is gone is gone", NULL, I_CM("a", "u"), true, 0, false, NULL, NULL, false, 0},
    {"what somebody made anew stays", CM("a", "other", OURS), I_CM("a", "u"), true, 0, false, NULL,
     NULL, true, 0},
    {"what somebody made anew stays, unwatched", CM("a", "other", ""), I_CM("a", "u"), false, 0,
     false, NULL, NULL, true, 0},
    {"ours though the label is off goes", CM("a", "u", ""), I_CM("a", "u"), true, 0, false, NULL,
     NULL, false, 0},
    {"one with a finalizer is awaited, and that is named",
     CM("a", "u", OURS ", finalizers: [x.io/a, x.io/b]"), I_CM("a", "u"), true, 0, false,
     "AwaitingDeletion", "ConfigMap own/a (held by finalizer x.io/a, x.io/b)", true, 1},
    {"one with a finalizer is awaited unwatched", CM("a", "u", OURS ", finalizers: [x.io/a]"),
     I_CM("a", "u"), false, 0, false, "AwaitingDeletion", "x.io/a", true, 1},
    {"one that is going already is not told again",
     CM("a", "u", OURS ", finalizers: [x.io/a], deletionTimestamp: '2026-01-01T00:00:00Z'"),
     I_CM("a", "u"), true, 500, false, "AwaitingDeletion", "x.io/a", true, 1},
    {"a kind that is gone took its objects along", NULL,
     "{apiVersion: gone.io/v1, kind: Gone, namespace: own, name: a, uid: u}", true, 0, false, NULL,
     NULL, false, 0},
    {"one of a version that is served no more goes", CM("a", "u", OURS),
     "{apiVersion: v0, kind: ConfigMap, namespace: own, name: a, uid: u}", true, 0, false, NULL,
     NULL, false, 0},
    {"what may not be deleted holds the run", CM("a", "u", OURS), I_CM("a", "u"), true, 403, false,
     "Forbidden", "own/a", true, 1},
    {"and is left and listed once the time is up", CM("a", "u", OURS), I_CM("a", "u"), true, 403,
     true, NULL, "ConfigMap own/a (deleting", true, 0},
    {"a server that is down holds the run", CM("a", "u", OURS), I_CM("a", "u"), true, 503, false,
     "ServiceUnavailable", "own/a", true, 1},
    {"a 404 that is not about the object does not end it", CM("a", "u", OURS), I_CM("a", "u"), true,
     404, false, "KindNotFound", "own/a", true, 1},
    {"what was adopted is left, without our marks", CM("a", "u", OURS), I_ADOPTED("a", "u"), true,
     0, false, NULL, "ConfigMap own/a (it was adopted)", true, 0},
    {"what was adopted and is gone is no orphan", NULL, I_ADOPTED("a", "u"), true, 0, false, NULL,
     NULL, false, 0},
    {"without uid, ours by the label, goes", CM("a", "u", OURS), I_CM("a", "''"), true, 0, false,
     NULL, NULL, false, 0},
    {"without uid, ours by the label, goes unwatched", CM("a", "u", OURS), I_CM("a", "''"), false,
     0, false, NULL, NULL, false, 0},
    {"without uid and label it is another's", CM("a", "u", ""), I_CM("a", "''"), true, 0, false,
     NULL, NULL, true, 0},
    {"without uid and label it is another's, unwatched", CM("a", "u", ""), I_CM("a", "''"), false,
     0, false, NULL, NULL, true, 0},
    {"without uid, of another package, it stays",
     CM("a", "u", ", labels: {davit.dev/owner: other}"), I_CM("a", "''"), true, 0, false, NULL,
     NULL, true, 0},
};

static void one_object_goes_or_stays(void **state)
{
    const struct row *row = *state;

    if (row->there)
        put(row->there);
    if (!row->watched)
        cluster_forbid(t.cluster, "watch *");
    if (row->status)
        cluster_fail(t.cluster, "DELETE /api/v1/namespaces/own/configmaps/a", row->status, 9,
                     row->status == 403 ? REFUSED : "");
    list(row->item);
    t.env.orphan_denied = row->orphan_denied;
    dv_auto(dv_err) err = remove_them();
    assert_string_equal(err ? dv_err_reason(err) : "done", row->reason ? row->reason : "done");
    const char *said = err ? dv_err_str(err) : t.result.orphaned.n ? t.result.orphaned.at[0] : "";
    if (row->says && !strstr(said, row->says))
        fail_msg("\"%s\" says nothing of %s", said, row->says);
    assert_int_equal(t.result.orphaned.n, row->says && !err ? 1 : 0);
    assert_left("ConfigMap", "a", row->left);
    assert_int_equal(t.items.n, row->items);
}

static void what_has_long_had_no_answer_is_left_in_the_end(void **state DV_UNUSED)
{
    put(CM("a", "u", OURS));
    put(CM("b", "v", OURS));
    cluster_fail(t.cluster, "DELETE /api/v1/namespaces/own/configmaps/a", 503, 9, "");
    list(I_CM("a", "u") "," I_CM("b", "v"));
    assert_err(remove_them(), DV_TRANSIENT, "own/a");
    t.env.unanswered = true;
    assert_ok(remove_them());
    assert_int_equal(t.result.orphaned.n, 1);
    assert_non_null(strstr(t.result.orphaned.at[0], "ConfigMap own/a (the API server can't"));
    assert_left("ConfigMap", "b", false);
    assert_int_equal(t.items.n, 0);
}

static void what_was_adopted_and_made_anew_keeps_its_marks(void **state DV_UNUSED)
{
    put(CM("a", "other", ", labels: {davit.dev/owner: another}"));
    list(I_ADOPTED("a", "u"));
    assert_ok(remove_them());
    json_auto_t *object = cluster_get(t.cluster, "ConfigMap", "own", "a");
    assert_string_equal(dv_obj_label(object, DV_LABEL_OWNER), "another");
    assert_int_equal(t.result.orphaned.n, 0);
}

static void adopted_objects_lose_our_marks(void **state DV_UNUSED)
{
    put(CM("a", "u", OURS));
    list(I_ADOPTED("a", "u"));
    assert_ok(remove_them());
    json_auto_t *object = cluster_get(t.cluster, "ConfigMap", "own", "a");
    assert_null(dv_obj_label(object, DV_LABEL_OWNER));
    assert_null(dv_obj_annotation(object, DV_ANNOTATION_PACKAGE));
}

/* ---- Several ---- */

static void classes_go_in_reverse_and_wait_for_each_other(void **state DV_UNUSED)
{
    put(CM("a", "u", OURS));
    put("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: own, uid: d, "
        "finalizers: [x]" OURS "}}");
    list(I_CM("a", "u") "," I_DEPLOYMENT);
    assert_err(remove_them(), DV_WAITING, "Deployment own/d");
    assert_left("ConfigMap", "a", true); /* its turn comes */
    cluster_drop(t.cluster, "Deployment", "own", "d");
    cluster_wait_told(t.cluster, 3); /* it was there, is going, is gone */
    assert_ok(remove_them());
    assert_left("ConfigMap", "a", false);
    assert_int_equal(t.items.n, 0);
}

static void what_is_held_past_the_time_limit_is_left_and_listed(void **state DV_UNUSED)
{
    put(CM("a", "u", OURS));
    put("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: own, uid: d, "
        "finalizers: [x]" OURS "}}");
    list(I_CM("a", "u") "," I_DEPLOYMENT);
    t.env.overdue = true;
    assert_ok(remove_them());
    assert_int_equal(t.items.n, 0);
    assert_left("ConfigMap", "a", false); /* what is behind it is not held up */
    assert_int_equal(t.result.orphaned.n, 1);
    assert_string_equal(t.result.orphaned.at[0],
                        "Deployment own/d (it is being deleted, held by finalizer x)");
}

static void one_that_is_held_holds_not_its_fellows(void **state DV_UNUSED)
{
    put(CM("a", "u", OURS));
    put(CM("b", "v", OURS));
    cluster_fail(t.cluster, "DELETE /api/v1/namespaces/own/configmaps/a", 403, 9, REFUSED);
    list(I_CM("a", "u") "," I_CM("b", "v"));
    assert_err(remove_them(), DV_DENIED, "own/a");
    assert_left("ConfigMap", "b", false);
    assert_int_equal(t.items.n, 1);
    assert_string_equal(t.items.at[0].ref.name, "a");
}

static void of_many_that_are_awaited_some_are_named(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf items = DV_BUF_INIT(DV_LINE_MAX);

    for (int i = 0; i < 7; i++) {
        dv_auto_str yaml = dv_asprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: c%d, "
                                       "namespace: own, uid: u, finalizers: [x]}}",
                                       i);

        put(yaml);
        dv_buf_addf(&items,
                    "%s{apiVersion: v1, kind: ConfigMap, namespace: own, name: c%d, uid: u}",
                    i ? "," : "", i);
    }
    list(dv_buf_cstr(&items));
    assert_err(remove_them(), DV_WAITING, "and 2 more is gone");
    assert_int_equal(t.items.n, 7);
}

static void orphans_stay_without_our_marks(void **state DV_UNUSED)
{
    put(CM("a", "u", OURS));
    put(DEPLOYMENT);
    list(I_CM("a", "u") "," I_DEPLOYMENT
                        ",{apiVersion: v1, kind: ConfigMap, namespace: own, name: gone, uid: u}");
    assert_ok(dv_orphan(&t.cluster->ctx, &t.env, &t.items, &t.result));
    assert_int_equal(t.items.n, 0);
    json_auto_t *map = cluster_get(t.cluster, "ConfigMap", "own", "a"),
                *deployment = cluster_get(t.cluster, "Deployment", "own", "d");
    assert_null(dv_obj_label(map, DV_LABEL_OWNER));
    assert_null(dv_obj_label(deployment, DV_LABEL_OWNER));
    assert_true(dv_strings_has(&t.result.orphaned, "ConfigMap own/a (deletionPolicy: Orphan)"));
}

static void an_orphan_that_may_not_be_changed_holds_the_run(void **state DV_UNUSED)
{
    put(CM("a", "u", OURS));
    cluster_fail(t.cluster, "PATCH /api/v1/namespaces/own/configmaps/a", 403, 9, REFUSED);
    list(I_CM("a", "u"));
    assert_err(dv_orphan(&t.cluster->ctx, &t.env, &t.items, &t.result), DV_DENIED,
               "leaving ConfigMap");
    assert_int_equal(t.items.n, 1);
    t.env.orphan_denied = true;
    assert_ok(dv_orphan(&t.cluster->ctx, &t.env, &t.items, &t.result));
    assert_int_equal(t.items.n, 0);
}

/* ---- Whose it is, of items without uid ---- */

static const struct identify_row {
    const char *name, *there, *item;
    bool watched, orphan_denied;
    int status;         /* of the answer to the read; 0: as usual */
    const char *uid;    /* afterwards; NULL: it was taken out */
    const char *reason; /* NULL: fine */
} identify_rows[] = {
    {"ours is identified", CM("a", "u", OURS), I_CM("a", "''"), true, false, 0, "u", NULL},
    {"ours is identified unwatched", CM("a", "u", OURS), I_CM("a", "''"), false, false, 0, "u",
     NULL},
    {"one with uid is not asked for", NULL, I_CM("a", "u"), false, false, 500, "u", NULL},
    {"what never came is taken out", NULL, I_CM("a", "''"), true, false, 0, NULL, NULL},
    {"what never came is taken out, unwatched", NULL, I_CM("a", "''"), false, false, 0, NULL, NULL},
    {"another's is taken out", CM("a", "u", ", labels: {davit.dev/owner: other}"), I_CM("a", "''"),
     true, false, 0, NULL, NULL},
    {"what may not be read holds the run", CM("a", "u", OURS), I_CM("a", "''"), false, false, 403,
     "", "Forbidden"},
    {"what never came needs no right to read it", NULL, I_CM("a", "''"), true, false, 403, NULL,
     NULL},
    {"nor does what the watch does not show", CM("a", "u", ", labels: {davit.dev/owner: other}"),
     I_CM("a", "''"), true, false, 403, NULL, NULL},
    {"and is taken out once the time is up", CM("a", "u", OURS), I_CM("a", "''"), false, true, 403,
     NULL, NULL},
};

static void items_without_uid_are_identified(void **state)
{
    const struct identify_row *row = *state;

    if (row->there)
        put(row->there);
    if (!row->watched)
        cluster_forbid(t.cluster, "watch *");
    if (row->status)
        cluster_fail(t.cluster, "GET /api/v1/namespaces/own/configmaps/a", row->status, 9,
                     row->status == 403 ? REFUSED : "");
    list(row->item);
    t.env.orphan_denied = row->orphan_denied;
    dv_auto(dv_err) err = dv_remove_identify(&t.cluster->ctx, &t.env, &t.items);
    assert_string_equal(err ? dv_err_reason(err) : "fine", row->reason ? row->reason : "fine");
    assert_int_equal(t.items.n, row->uid ? 1 : 0);
    if (row->uid)
        assert_string_equal(t.items.at[0].ref.uid ? t.items.at[0].ref.uid : "", row->uid);
}

/* The watch knows of nothing that happens from now on. */
static void let_the_watch_lag(void)
{
    bool watched;

    assert_ok(dv_owned_watch(&t.cluster->ctx, t.cluster->owned,
                             cluster_resource(t.cluster, "v1", "ConfigMap"), &watched));
    assert_true(watched);
    t.cluster->silent = true;
}

static const struct lag_row {
    const char *name, *before, *now;
    bool ours;
} lag_rows[] = {
    {"ours of which the watch has not told yet", NULL, CM("a", "u", OURS), true},
    {"ours that the watch still takes for another's",
     CM("a", "u", ", labels: {davit.dev/owner: other}"), CM("a", "u", OURS), true},
    {"nobody's", NULL, CM("a", "u", ""), false},
};

static void a_watch_that_lags_hides_nothing_of_ours(void **state)
{
    const struct lag_row *row = *state;

    if (row->before)
        put(row->before);
    let_the_watch_lag();
    put(row->now);
    list(I_CM("a", "''"));
    assert_ok(dv_remove_identify(&t.cluster->ctx, &t.env, &t.items));
    assert_int_equal(t.items.n, row->ours);
    assert_ok(remove_them());
    assert_left("ConfigMap", "a", !row->ours);
}

static void what_was_made_anew_behind_a_watch_that_lags_goes(void **state DV_UNUSED)
{
    put(CM("a", "old", OURS));
    let_the_watch_lag();
    cluster_drop(t.cluster, "ConfigMap", "own", "a");
    put(CM("a", "u", OURS));
    list(I_CM("a", "u"));
    assert_ok(remove_them());
    assert_left("ConfigMap", "a", false);
}

static const struct mark_row {
    const char *name;
    bool watched;
} mark_rows[] = {{"what was adopted", true}, {"what was adopted, unwatched", false}};

static void an_item_that_was_adopted_is_known_by_its_mark(void **state)
{
    const struct mark_row *row = *state;

    if (!row->watched)
        cluster_forbid(t.cluster, "watch *");
    put(CM("a", "u",
           ", labels: {davit.dev/owner: OURS}, annotations: {davit.dev/adopted: 'true'}"));
    list(I_CM("a", "''"));
    assert_ok(dv_remove_identify(&t.cluster->ctx, &t.env, &t.items));
    assert_ok(remove_them());
    json_auto_t *object = cluster_get(t.cluster, "ConfigMap", "own", "a");
    assert_non_null(object);
    assert_null(dv_obj_annotation(object, DV_ANNOTATION_ADOPTED));
}

static void another_conflict_that_may_not_be_looked_into_is_a_refusal(void **state DV_UNUSED)
{
    put(CM("a", "u", OURS));
    cluster_fail(t.cluster, "DELETE /api/v1/namespaces/own/configmaps/a", 409, 9, "");
    cluster_fail(t.cluster, "GET /api/v1/namespaces/own/configmaps/a", 403, 9, REFUSED);
    list(I_CM("a", "u"));
    assert_err(remove_them(), DV_DENIED, "own/a");
    t.env.orphan_denied = true;
    assert_ok(remove_them());
    assert_int_equal(t.result.orphaned.n, 1);
}

/* ---- Data ---- */

static const struct loss_row {
    const char *name;
    const char *there[THERE_MAX];
    const char *items;
    const char *forbidden; /* by access reviews; NULL: nothing */
    bool allowed;          /* by the annotation */
    const char *lost;      /* named; NULL: nothing would be lost */
} loss_rows[] = {
    {"a ConfigMap is no data", {CM("a", "u", OURS)}, I_CM("a", "u"), NULL, false, NULL},
    {"a claim is data", {PVC}, I_PVC, NULL, false, "PersistentVolumeClaim own/data"},
    {"unless somebody allows it", {PVC}, I_PVC, NULL, true, NULL},
    {"a claim that was adopted stays anyhow",
     {PVC},
     "{apiVersion: v1, kind: PersistentVolumeClaim, namespace: own, name: data, uid: v, adopted: "
     "true}",
     NULL,
     false,
     NULL},
    {"a definition without resources is no data", {CRD}, I_CRD, NULL, false, NULL},
    {"a definition with a person's resources is data",
     {CRD, WIDGET("theirs")},
     I_CRD,
     NULL,
     false,
     "Widget own/theirs"},
    {"a definition with our own resources is no data",
     {CRD, WIDGET("mine")},
     I_CRD "," I_WIDGET("mine"),
     NULL,
     false,
     NULL},
    {"a definition that is gone is no data", {NULL}, I_CRD, NULL, false, NULL},
    {"not being able to look is a loss",
     {CRD, WIDGET("theirs")},
     I_CRD,
     "list widgets",
     false,
     "widgets, which nobody here may list"},
    {"an empty namespace is no data", {SPACE}, I_SPACE, NULL, false, NULL},
    {"a namespace with a person's Secret is data",
     {SPACE, SECRET("theirs")},
     I_SPACE,
     NULL,
     false,
     "Secret space/theirs"},
    {"a namespace with our own is no data",
     {SPACE, SECRET("mine")},
     I_SPACE ",{apiVersion: v1, kind: Secret, namespace: space, name: mine, uid: s}",
     NULL,
     false,
     NULL},
    {"a namespace with what somebody made in the place of ours is data",
     {SPACE, SECRET("mine")},
     I_SPACE ",{apiVersion: v1, kind: Secret, namespace: space, name: mine, uid: before}",
     NULL,
     false,
     "Secret space/mine"},
    {"what we made anew ourselves is no data",
     {SPACE,
      "{apiVersion: v1, kind: Secret, metadata: {name: mine, namespace: space, uid: now" OURS "}}"},
     I_SPACE ",{apiVersion: v1, kind: Secret, namespace: space, name: mine, uid: before}",
     NULL,
     false,
     NULL},
    {"what Kubernetes puts into each is no data",
     {SPACE, "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default, namespace: space}}",
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: kube-root-ca.crt, namespace: space}}",
      "{apiVersion: v1, kind: ConfigMap, metadata: {name: made, namespace: space, ownerReferences: "
      "[{name: x}]}}"},
     I_SPACE,
     NULL,
     false,
     NULL},
    {"what goes already is no data",
     {SPACE, "{apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: space, "
             "deletionTimestamp: '2026-01-01T00:00:00Z'}}"},
     I_SPACE,
     NULL,
     false,
     NULL},
    {"a namespace elsewhere is not looked into",
     {SPACE, CM("a", "u", "")},
     I_SPACE,
     NULL,
     false,
     NULL},
};

static void data_is_not_lost_by_accident(void **state)
{
    const struct loss_row *row = *state;

    put_all(row->there);
    if (row->forbidden)
        cluster_forbid(t.cluster, row->forbidden);
    list(row->items);
    t.env.allow_data_loss = row->allowed;
    dv_auto(dv_err) err = dv_remove_check(&t.cluster->ctx, &t.env, &t.items);
    assert_string_equal(err ? dv_err_reason(err) : "nothing",
                        row->lost ? "DataWouldBeLost" : "nothing");
    if (row->lost && !strstr(dv_err_str(err), row->lost))
        fail_msg("\"%s\" says nothing of %s", dv_err_str(err), row->lost);
}

static void a_kind_that_came_meanwhile_is_looked_through(void **state DV_UNUSED)
{
    dv_fake_clock time;

    dv_fake_clock_init(&time, 0);
    t.cluster->ctx.clock = &time.clock;
    put(SPACE);
    cluster_resource(t.cluster, "v1", "Namespace"); /* the kinds are read */
    put(CRD);
    put("{apiVersion: example.com/v1, kind: Widget, metadata: {name: theirs, namespace: space}}");
    dv_fake_clock_advance(&time, 60 * 1000);
    list(I_SPACE);
    assert_err(dv_remove_check(&t.cluster->ctx, &t.env, &t.items), DV_DENIED,
               "Widget space/theirs");
}

static void of_much_data_some_is_named(void **state DV_UNUSED)
{
    put(SPACE);
    for (int i = 0; i < 12; i++) {
        dv_auto_str yaml = dv_asprintf(
            "{apiVersion: v1, kind: Secret, metadata: {name: s%d, namespace: space}}", i);

        put(yaml);
    }
    list(I_SPACE);
    assert_err(dv_remove_check(&t.cluster->ctx, &t.env, &t.items), DV_DENIED,
               "would be lost, and more,");
}

static const struct unread_row {
    const char *name;
    const char *forbidden; /* by access reviews */
    const char *lost;
} unread_rows[] = {
    {"the resources of a definition that may not be read are data", "none none",
     "custom resources of widgets.example.com"},
    {"unless the definition may not be deleted either", "delete customresourcedefinitions", NULL},
};

static void what_may_not_be_read_is_judged(void **state)
{
    const struct unread_row *row = *state;

    put(CRD);
    put(WIDGET("theirs"));
    cluster_forbid(t.cluster, row->forbidden);
    cluster_fail(t.cluster, "GET /apis/apiextensions.k8s.io/v1/customresourcedefinitions/", 403, 99,
                 "");
    list(I_CRD);
    dv_auto(dv_err) err = dv_remove_check(&t.cluster->ctx, &t.env, &t.items);
    assert_string_equal(err ? dv_err_reason(err) : "nothing",
                        row->lost ? "DataWouldBeLost" : "nothing");
    if (row->lost)
        assert_non_null(strstr(dv_err_str(err), row->lost));
}

static void a_look_that_fails_holds_the_run(void **state DV_UNUSED)
{
    put(SPACE);
    cluster_fail(t.cluster, "GET /api/v1/namespaces/space/secrets", 503, 99, "");
    list(I_SPACE);
    assert_err(dv_remove_check(&t.cluster->ctx, &t.env, &t.items), DV_TRANSIENT,
               "Namespace \"space\"");
}

int main(void)
{
    dv_suite suite = {.name = "install/remove"};

    DV_TABLE(&suite, one_object_goes_or_stays, rows);
    DV_TEST(&suite, adopted_objects_lose_our_marks);
    DV_TEST(&suite, what_has_long_had_no_answer_is_left_in_the_end);
    DV_TEST(&suite, what_was_adopted_and_made_anew_keeps_its_marks);
    DV_TEST(&suite, classes_go_in_reverse_and_wait_for_each_other);
    DV_TEST(&suite, what_is_held_past_the_time_limit_is_left_and_listed);
    DV_TEST(&suite, one_that_is_held_holds_not_its_fellows);
    DV_TEST(&suite, of_many_that_are_awaited_some_are_named);
    DV_TEST(&suite, orphans_stay_without_our_marks);
    DV_TEST(&suite, an_orphan_that_may_not_be_changed_holds_the_run);
    DV_TABLE(&suite, items_without_uid_are_identified, identify_rows);
    DV_TABLE(&suite, a_watch_that_lags_hides_nothing_of_ours, lag_rows);
    DV_TEST(&suite, what_was_made_anew_behind_a_watch_that_lags_goes);
    DV_TABLE(&suite, an_item_that_was_adopted_is_known_by_its_mark, mark_rows);
    DV_TEST(&suite, another_conflict_that_may_not_be_looked_into_is_a_refusal);
    DV_TABLE(&suite, data_is_not_lost_by_accident, loss_rows);
    DV_TABLE(&suite, what_may_not_be_read_is_judged, unread_rows);
    DV_TEST(&suite, a_kind_that_came_meanwhile_is_looked_through);
    DV_TEST(&suite, of_much_data_some_is_named);
    DV_TEST(&suite, a_look_that_fails_holds_the_run);
    for (size_t i = 0; i < suite.tests.n; i++) {
        suite.tests.at[i].setup_func = set_up;
        suite.tests.at[i].teardown_func = tear_down;
    }
    return dv_suite_run(&suite);
}
