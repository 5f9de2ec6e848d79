/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing objects into a cluster in which others are at work, too. */
#include "install_cluster.h"

#include "install/apply.h"
#include "install/batch.h"

#define CM(name)                                                                                   \
    "{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: " name                            \
    ", namespace: own}, data: {k: v}}}"
#define DEPLOYMENT                                                                                 \
    "{object: {apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: own}, spec: " \
    "{replicas: 2, paused: true}}}"
#define HPA                                                                                        \
    "{object: {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h, "    \
    "namespace: own},"                                                                             \
    " spec: {scaleTargetRef: {kind: Deployment, name: d}}}}"
#define CRD                                                                                        \
    "{object: {apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: "    \
    "{name: widgets.example.com},"                                                                 \
    " spec: {group: example.com, scope: Namespaced, names: {kind: Widget, plural: widgets},"       \
    " versions: [{name: v1}]}}}"
#define WIDGET                                                                                     \
    "{object: {apiVersion: example.com/v1, kind: Widget, metadata: {name: w, namespace: own}, "    \
    "spec: {a: b}}}"
#define NAMESPACE "{object: {apiVersion: v1, kind: Namespace, metadata: {name: space}}}"

/* ConfigMap own/a of nobody, of a package, of one that is gone, of ourselves. */
#define THERE(extra)                                                                               \
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: own" extra                   \
    "}, data: {mine: x}}"
#define MARKED(owner, package)                                                                     \
    ", labels: {davit.dev/owner: " owner "}, annotations: {davit.dev/package: " package "}"
#define OF_NOBODY THERE("")
#define OF_ANOTHER THERE(MARKED("0123456789abcdef0123", "team/other/alive"))
#define OF_ONE_GONE THERE(MARKED("0123456789abcdef0123", "team/other/gone"))
#define OF_OURS THERE(MARKED("OURS", "own/web/p1"))
#define UNLABELLED THERE(", annotations: {davit.dev/package: own/web/p1}")
#define GOING                                                                                      \
    THERE(MARKED("OURS",                                                                           \
                 "own/web/p1") ", deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: [x]")

#define CONFLICT_BODY(manager, field)                                                              \
    "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"code\":409,\"message\":\"Apply failed with 1 " \
    "conflict\",\"details\":{\"name\":\"d\",\"causes\":"                                           \
    "[{\"reason\":\"FieldManagerConflict\",\"message\":\"conflict with \\\"" manager               \
    "\\\"\",\"field\":\"" field "\"}]}}"
#define REFUSED(code, reason)                                                                      \
    "{\"kind\":\"Status\",\"reason\":\"" reason "\",\"code\":" code                                \
    ",\"message\":\"it will not do\",\"details\":{\"name\":\"a\"}}"

static struct {
    cluster *cluster;
    dv_pm *pm;
    dv_objects objects;
    dv_applied applied;
    dv_inventory inventory;
    size_t written;
} t;

static int set_up(void **state DV_UNUSED)
{
    memset(&t, 0, sizeof(t));
    t.cluster = cluster_new();
    return 0;
}

static int tear_down(void **state DV_UNUSED)
{
    dv_objects_done(&t.objects);
    dv_applied_done(&t.applied);
    dv_inventory_done(&t.inventory);
    dv_pm_unref(t.pm);
    cluster_free(t.cluster);
    return 0;
}

static bool exists(void *arg DV_UNUSED, const char *key, const char *uid)
{
    return (strcmp(key, "own/web") == 0 && strcmp(uid, "p1") == 0) || strcmp(uid, "alive") == 0;
}

static dv_apply_env env_now(void)
{
    return (dv_apply_env){.kube = t.cluster->kube,
                          .owned = t.cluster->owned,
                          .events = t.cluster->events,
                          .pm = t.pm,
                          .package_exists = exists};
}

static void put(const char *yaml)
{
    dv_auto_str text = dv_strdup(yaml);
    char owner[21], *at;

    dv_owner_of("own/web", owner);
    at = strstr(text, "OURS");
    dv_auto_str whole =
        at ? dv_asprintf("%.*s%s%s", (int)(at - text), text, owner, at + 4) : dv_strdup(text);
    cluster_put(t.cluster, whole);
}

/* The wish from now on. */
static void wish(const char *spec, const char *items)
{
    dv_auto_str list = dv_asprintf("[%s]", items);

    dv_pm_unref(t.pm);
    dv_objects_done(&t.objects);
    t.objects = (dv_objects){0};
    t.pm = cluster_pm("own", "web", spec);
    const dv_prepare_options options = {.pm = t.pm};
    assert_ok(
        dv_prepare(&t.cluster->ctx, t.cluster->kube, cluster_read(list), &options, &t.objects));
}

/* A run of the engine: the check, then the apply. */
static dv_err *run(void)
{
    const dv_apply_env env = env_now();

    DV_CHECK(dv_apply_check(&t.cluster->ctx, &env, &t.objects));
    return dv_apply(&t.cluster->ctx, &env, &t.objects, &t.applied, &t.inventory, &t.written);
}

/* ---- One object, and what is there in its place ---- */

static const struct row {
    const char *name, *spec;
    const char *there;  /* NULL: nothing */
    bool watched;       /* else an access review denies it */
    const char *reason; /* of the refusal; NULL: applied */
    const char *says;
    bool adopted;
} rows[] = {
    {"nothing is there", "", NULL, true, NULL, NULL, false},
    {"nothing is there, and nobody may watch", "", NULL, false, NULL, NULL, false},
    {"nobody's is refused", "", OF_NOBODY, true, "ObjectExists", "ConfigMap own/a", false},
    {"nobody's is refused unwatched", "", OF_NOBODY, false, "ObjectExists", "ConfigMap own/a",
     false},
    {"nobody's is adopted where that is wished", "adoptionPolicy: Adopt", OF_NOBODY, true, NULL,
     NULL, true},
    {"another package's is refused", "", OF_ANOTHER, true, "ObjectOwned", "team/other", false},
    {"another package's is refused unwatched", "", OF_ANOTHER, false, "ObjectOwned", "team/other",
     false},
    {"another package's is refused though adoption is wished", "adoptionPolicy: Adopt", OF_ANOTHER,
     true, "ObjectOwned", "team/other", false},
    {"that of a package that is gone is taken", "", OF_ONE_GONE, true, NULL, NULL, false},
    {"that of a package that is gone is taken unwatched", "", OF_ONE_GONE, false, NULL, NULL,
     false},
    {"ours, of a run that was interrupted", "", OF_OURS, true, NULL, NULL, false},
    {"ours, of a run that was interrupted, unwatched", "", OF_OURS, false, NULL, NULL, false},
    {"ours, though somebody took the label off", "", UNLABELLED, true, NULL, NULL, false},
    {"ours that is going is awaited", "", GOING, true, "ObjectTerminating", "ConfigMap own/a",
     false},
};

static void one_object_is_applied_or_refused(void **state)
{
    const struct row *row = *state;
    json_auto_t *object = NULL;

    if (row->there)
        put(row->there);
    if (!row->watched)
        cluster_forbid(t.cluster, "watch *");
    wish(row->spec, CM("a"));
    dv_auto(dv_err) err = run();
    assert_string_equal(err ? dv_err_reason(err) : "applied",
                        row->reason ? row->reason : "applied");
    if (row->says && !strstr(dv_err_str(err), row->says))
        fail_msg("%s: says nothing of %s", dv_err_str(err), row->says);
    object = cluster_get(t.cluster, "ConfigMap", "own", "a");
    if (row->reason && strcmp(row->reason, "ObjectTerminating") != 0)
        assert_null(dv_json_at(object, "/data/k"));
    if (err)
        return;
    assert_string_equal(dv_json_str(object, "/data/k"), "v");
    assert_string_equal(dv_obj_label(object, DV_LABEL_OWNER), t.pm->owner);
    assert_int_equal(t.inventory.n, 1);
    assert_int_equal(t.inventory.at[0].adopted, row->adopted);
    assert_string_equal(t.inventory.at[0].ref.uid, dv_obj_uid(object));
    assert_int_equal(t.applied.items.at[0].adopted, row->adopted);
    assert_int_equal(t.written, 1);
}

static void the_preconditions_are_not_kept_in_the_objects(void **state DV_UNUSED)
{
    wish("", CM("a"));
    assert_ok(run());
    assert_null(dv_json_at(t.objects.all.at[0].object, "/metadata/uid"));
    assert_null(dv_json_at(t.objects.all.at[0].object, "/metadata/resourceVersion"));
}

/* ---- Again ---- */

static void what_is_applied_is_not_sent_again(void **state DV_UNUSED)
{
    wish("", CM("a") "," CM("b"));
    assert_ok(run());
    t.applied.complete = true;
    assert_int_equal(cluster_take_writes(t.cluster), 2);
    assert_ok(run());
    assert_int_equal(cluster_take_writes(t.cluster), 0);
}

static void what_changed_is_sent_alone(void **state DV_UNUSED)
{
    wish("", CM("a") "," CM("b"));
    assert_ok(run());
    cluster_take_writes(t.cluster);
    wish("", CM("a") ",{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: b, namespace: "
                     "own}, data: {k: other}}}");
    assert_ok(run());
    assert_int_equal(cluster_take_writes(t.cluster), 1);
    assert_int_equal(t.written, 1);
}

static void the_version_that_is_applied_is_listed(void **state DV_UNUSED)
{
    wish("", CM("a"));
    dv_inventory_add(&t.inventory, &t.objects.all.at[0].ref);
    dv_set_str(&t.inventory.at[0].ref.api_version, "v0"); /* of the release before */
    assert_ok(run());
    assert_int_equal(t.inventory.n, 1);
    assert_string_equal(t.inventory.at[0].ref.api_version, "v1");
}

static void unwatched_objects_are_sent_again_after_a_whole_run(void **state DV_UNUSED)
{
    cluster_forbid(t.cluster, "watch *");
    wish("", CM("a"));
    assert_ok(run());
    cluster_take_writes(t.cluster);
    assert_ok(run()); /* the run was not complete: it goes on where it ended */
    assert_int_equal(cluster_take_writes(t.cluster), 0);
    t.applied.complete = true;
    assert_ok(run());
    assert_int_equal(cluster_take_writes(t.cluster), 1);
    assert_int_equal(t.written, 0); /* it changed nothing */
}

static void what_rests_is_left_alone(void **state DV_UNUSED)
{
    cluster_forbid(t.cluster, "watch *");
    wish("", CM("a"));
    assert_ok(run());
    t.applied.complete = true;
    t.applied.items.at[0].resting = true;
    cluster_take_writes(t.cluster);
    assert_ok(run());
    assert_int_equal(cluster_take_writes(t.cluster), 0);
}

static void what_went_is_made_anew(void **state DV_UNUSED)
{
    wish("", CM("a"));
    assert_ok(run());
    cluster_wait_told(t.cluster, 1);
    cluster_drop(t.cluster, "ConfigMap", "own", "a");
    cluster_wait_told(t.cluster, 2);
    assert_ok(run());
    assert_true(cluster_has(t.cluster, "ConfigMap", "own", "a"));
}

static void what_was_replaced_under_the_watch_is_found_out(void **state DV_UNUSED)
{
    wish("", CM("a"));
    assert_ok(run());
    cluster_wait_told(t.cluster, 1);
    t.cluster->silent = true;
    cluster_drop(t.cluster, "ConfigMap", "own", "a");
    put(OF_NOBODY);
    wish("", "{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: own}, "
             "data: {k: other}}}");
    assert_err(run(), DV_DENIED, "ConfigMap own/a exists already");
}

/* ---- What was adopted ---- */

static void lose_what_the_run_learnt(void)
{
    dv_applied_done(&t.applied);
    dv_inventory_done(&t.inventory);
    dv_inventory_add(&t.inventory, &t.objects.all.at[0].ref); /* as before the run */
}

static const struct adopted_row {
    const char *name;
    bool watched;
} adopted_rows[] = {{"what was adopted", true}, {"what was adopted, unwatched", false}};

static void an_adoption_outlives_the_run_that_made_it(void **state)
{
    const struct adopted_row *row = *state;

    if (!row->watched)
        cluster_forbid(t.cluster, "watch *");
    put(OF_NOBODY);
    wish("adoptionPolicy: Adopt", CM("a"));
    assert_ok(run());
    if (row->watched)
        cluster_wait_told(t.cluster, 1);
    lose_what_the_run_learnt();
    assert_ok(run());
    assert_true(t.inventory.at[0].adopted);
    assert_true(t.applied.items.at[0].adopted);
    /* The mark is of the object in the cluster, not of the wish. */
    assert_null(dv_obj_annotation(t.objects.all.at[0].object, DV_ANNOTATION_ADOPTED));
}

static void what_takes_the_place_of_an_adopted_one_is_ours(void **state)
{
    const struct adopted_row *row = *state;

    if (!row->watched)
        cluster_forbid(t.cluster, "watch *");
    put(OF_NOBODY);
    wish("adoptionPolicy: Adopt", CM("a"));
    assert_ok(run());
    if (row->watched)
        cluster_wait_told(t.cluster, 1);
    cluster_drop(t.cluster, "ConfigMap", "own", "a");
    if (row->watched)
        cluster_wait_told(t.cluster, 2);
    t.applied.complete = true;
    assert_ok(run());
    json_auto_t *object = cluster_get(t.cluster, "ConfigMap", "own", "a");
    assert_null(dv_obj_annotation(object, DV_ANNOTATION_ADOPTED));
    assert_false(t.inventory.at[0].adopted);
}

static void a_manifest_that_says_adopted_is_not_believed(void **state DV_UNUSED)
{
    wish("", "{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: own, "
             "annotations: {davit.dev/adopted: 'true'}}}}");
    assert_ok(run());
    json_auto_t *object = cluster_get(t.cluster, "ConfigMap", "own", "a");
    assert_null(dv_obj_annotation(object, DV_ANNOTATION_ADOPTED));
}

/* ---- Namespaces ---- */

static const struct namespace_row {
    const char *name, *there;
    bool watched, foreign;
} namespace_rows[] = {
    {"a namespace that is missing is made", NULL, true, false},
    {"a person's namespace is used as it is",
     "{apiVersion: v1, kind: Namespace, metadata: {name: space}}", true, true},
    {"a person's namespace is used as it is, unwatched",
     "{apiVersion: v1, kind: Namespace, metadata: {name: space}}", false, true},
    {"another package's namespace is used as it is",
     "{apiVersion: v1, kind: Namespace, metadata: {name: space" MARKED("0123456789abcdef0123",
                                                                       "team/other/alive") "}}",
     true, true},
    {"another package's namespace is used as it is, unwatched",
     "{apiVersion: v1, kind: Namespace, metadata: {name: space" MARKED("0123456789abcdef0123",
                                                                       "team/other/alive") "}}",
     false, true},
};

static void a_namespace_is_made_or_used(void **state)
{
    const struct namespace_row *row = *state;

    if (row->there)
        put(row->there);
    if (!row->watched)
        cluster_forbid(t.cluster, "watch *");
    wish("", NAMESPACE);
    assert_ok(run());
    assert_int_equal(t.applied.items.at[0].foreign, row->foreign);
    assert_int_equal(t.inventory.n,
                     row->foreign ? 0 : 1); /* what is not ours is not removed, either */
    json_auto_t *object = cluster_get(t.cluster, "Namespace", "", "space");
    const char *owner = dv_obj_label(object, DV_LABEL_OWNER);
    assert_int_equal(owner && strcmp(owner, t.pm->owner) == 0, !row->foreign);
}

#define CM_IN_SPACE(value)                                                                         \
    "{object: {apiVersion: v1, kind: ConfigMap, metadata: {name: a, namespace: space}, data: "     \
    "{k: " value "}}}"
#define NO_SPACE                                                                                   \
    "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"code\":404,\"message\":\"namespaces "          \
    "\\\"space\\\" not found\",\"details\":{\"name\":\"space\",\"kind\":\"namespaces\"}}"

static bool space_is_ours(void)
{
    json_auto_t *object = cluster_get(t.cluster, "Namespace", "", "space");
    const char *owner = dv_obj_label(object, DV_LABEL_OWNER);

    return owner && strcmp(owner, t.pm->owner) == 0;
}

static const struct gone_row {
    const char *name;
    bool ours, watched;
} gone_rows[] = {
    {"one that was a person's", false, true},
    {"one that was a person's, unwatched", false, false},
    {"one that was ours", true, true},
    {"one that was ours, unwatched", true, false},
};

static void a_namespace_that_somebody_deleted_is_made_anew(void **state)
{
    const struct gone_row *row = *state;

    if (!row->ours)
        put("{apiVersion: v1, kind: Namespace, metadata: {name: space}}");
    if (!row->watched)
        cluster_forbid(t.cluster, "watch *");
    wish("", CM_IN_SPACE("v"));
    assert_ok(run());
    assert_int_equal(space_is_ours(), row->ours);
    cluster_drop(t.cluster, "ConfigMap", "space", "a");
    cluster_drop(t.cluster, "Namespace", "", "space");
    cluster_fail(t.cluster, "PATCH /api/v1/namespaces/space/configmaps/a", 404, 1, NO_SPACE);
    wish("", CM_IN_SPACE("new"));
    dv_auto(dv_err) err = run();
    if (err) { /* a watch may have told before */
        assert_string_equal(dv_err_reason(err), "NamespaceGone");
        assert_true(dv_err_is(err, DV_CONFLICT));
        assert_ok(run());
    }
    assert_true(space_is_ours());
    assert_true(cluster_has(t.cluster, "ConfigMap", "space", "a"));
    assert_false(t.applied.items.at[0].foreign);
    assert_int_equal(t.inventory.n, 2);
}

static void a_namespace_that_is_ours_after_all_is_listed(void **state DV_UNUSED)
{
    put("{apiVersion: v1, kind: Namespace, metadata: {name: space}}");
    wish("", NAMESPACE);
    assert_ok(run());
    assert_true(t.applied.items.at[0].foreign);
    /* As of a run that ended before it was stored. */
    cluster_drop(t.cluster, "Namespace", "", "space");
    put("{apiVersion: v1, kind: Namespace, metadata: {name: space" MARKED("OURS",
                                                                          "own/web/p1") "}}");
    cluster_wait_told(t.cluster, 1);
    assert_ok(run());
    assert_false(t.applied.items.at[0].foreign);
    assert_int_equal(t.inventory.n, 1);
}

static void a_missing_namespace_that_is_not_the_packages_is_told(void **state DV_UNUSED)
{
    cluster_fail(t.cluster, "PATCH /api/v1/namespaces/own/configmaps/a", 404, 1, NO_SPACE);
    wish("", CM("a"));
    assert_err(run(), DV_NOT_FOUND, "not found");
}

/* ---- Definitions ---- */

static void custom_resources_follow_their_definition(void **state DV_UNUSED)
{
    wish("", WIDGET "," CRD);
    dv_err *err = run();
    if (dv_err_is(err, DV_WAITING)) { /* the watch had not told of the definition yet */
        dv_err_free(err);
        cluster_wait_told(t.cluster, 1);
        err = run();
    }
    assert_ok(err);
    assert_true(cluster_has(t.cluster, "Widget", "own", "w"));
    assert_int_equal(t.inventory.n, 2);
}

static void a_definition_that_is_not_established_is_awaited(void **state DV_UNUSED)
{
    t.cluster->definitions_pend = true;
    wish("", WIDGET "," CRD);
    assert_err(run(), DV_WAITING, "widgets.example.com is not established");
    assert_true(cluster_has(t.cluster, "CustomResourceDefinition", "", "widgets.example.com"));
    assert_false(cluster_has(t.cluster, "Widget", "own", "w"));
}

static void definitions_are_looked_at_where_nobody_may_watch(void **state DV_UNUSED)
{
    cluster_forbid(t.cluster, "watch *");
    wish("", WIDGET "," CRD);
    assert_ok(run());
    assert_true(cluster_has(t.cluster, "Widget", "own", "w"));
}

static void a_definition_that_is_refused_ends_the_run(void **state DV_UNUSED)
{
    cluster_forbid(t.cluster, "watch *");
    t.cluster->definitions_pend = true;
    put("{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: "
        "widgets.example.com" MARKED(
            "OURS", "own/web/p1") "}, status: {conditions: [{type: NamesAccepted, status: 'False', "
                                  "reason: Taken, message: the name is taken}]}}");
    wish("", WIDGET "," CRD);
    assert_err(run(), DV_INVALID, "widgets.example.com");
}

/* ---- Fields that others have ---- */

static const struct conflict_row {
    const char *name, *spec, *items, *answer;
    int times;
    const char *reason; /* NULL: applied */
    const char *gone;   /* pointer that was given up; NULL: none */
    const char *event;  /* NULL: none */
} conflict_rows[] = {
    {"a field of another is taken, and that is told", "", DEPLOYMENT,
     CONFLICT_BODY("kubectl-edit", ".spec.paused"), 1, NULL, NULL, "kubectl-edit"},
    {"or refused where that is wished", "conflictPolicy: Fail", DEPLOYMENT,
     CONFLICT_BODY("kubectl-edit", ".spec.paused"), 9, "ApplyConflict", NULL, NULL},
    {"a field that is ignored is given up",
     "ignoreFields: [{group: apps, kind: Deployment, paths: [/spec/paused]}]", DEPLOYMENT,
     CONFLICT_BODY("kubectl-edit", ".spec.paused"), 1, NULL, "/spec/paused", NULL},
    {"replicas are given up under an autoscaler", "conflictPolicy: Fail", DEPLOYMENT "," HPA,
     CONFLICT_BODY("kubectl", ".spec.replicas"), 1, NULL, "/spec/replicas", NULL},
    {"a conflict that stays though we force is told", "", DEPLOYMENT,
     CONFLICT_BODY("kubectl-edit", ".spec.paused"), 9, "ApplyConflict", NULL, "kubectl-edit"},
};

/* The 409 of n causes, of which the last is about .spec.paused. */
static char *conflict_of_many(int n)
{
    json_auto_t *status = cluster_read(CONFLICT_BODY("kubectl-edit", ".spec.paused"));
    json_t *causes = dv_json_array(status, "/details/causes");
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    for (int i = 1; i < n; i++)
        json_array_insert_new(causes, 0,
                              json_pack("{s:s,s:s,s:s}", "reason", "FieldManagerConflict",
                                        "message", "conflict with \"x\"", "field", ".spec.other"));
    dv_json_write(status, &text);
    return dv_buf_take(&text);
}

#define IGNORES_PAUSED                                                                             \
    "ignoreFields: [{group: apps, kind: Deployment, paths: [/spec/paused]}], conflictPolicy: Fail"

static void put_our_deployment(void)
{
    put("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: own" MARKED(
        "OURS", "own/web/p1") "}, spec: {}}");
}

static void refuse_deployment(int times, const char *answer)
{
    cluster_fail(t.cluster, "PATCH /apis/apps/v1/namespaces/own/deployments/d", 409, times, answer);
}

static bool deployment_pauses(void)
{
    json_auto_t *object = cluster_get(t.cluster, "Deployment", "own", "d");

    return dv_json_bool(object, "/spec/paused", false);
}

static void the_last_of_many_conflicts_is_looked_at_too(void **state DV_UNUSED)
{
    dv_auto_str answer = conflict_of_many(100);

    put_our_deployment();
    refuse_deployment(1, answer);
    wish(IGNORES_PAUSED, DEPLOYMENT);
    assert_ok(run());
    assert_false(deployment_pauses());
}

/* Whoever had the field went with the object. */
static void what_is_made_anew_has_what_was_given_up(void **state DV_UNUSED)
{
    cluster_forbid(t.cluster, "watch *");
    wish(IGNORES_PAUSED, DEPLOYMENT);
    assert_ok(run());
    cluster_drop(t.cluster, "Deployment", "own", "d");
    t.applied.complete = true;
    refuse_deployment(1, CONFLICT_BODY("kubectl-edit", ".spec.paused"));
    assert_ok(run());
    assert_true(deployment_pauses());
}

static void what_is_given_up_is_wished_again(void **state DV_UNUSED)
{
    char digest[DV_SHA256_HEX + 1];

    put_our_deployment();
    refuse_deployment(1, CONFLICT_BODY("kubectl-edit", ".spec.paused"));
    wish(IGNORES_PAUSED, DEPLOYMENT);
    memcpy(digest, t.objects.all.at[0].digest, sizeof(digest));
    assert_ok(run());
    /* What is stored as applied is the wish. */
    assert_true(dv_json_bool(t.objects.all.at[0].object, "/spec/paused", false));
    assert_string_equal(t.applied.items.at[0].digest, digest);
    /* Once more while the other has it, then without him. */
    size_t told = 2; /* of it and of the apply */
    for (int has = 1; has >= 0; has--, told += 2) {
        put_our_deployment();
        cluster_wait_told(t.cluster, told + 1);
        refuse_deployment(has, CONFLICT_BODY("kubectl-edit", ".spec.paused"));
        assert_ok(run());
        assert_int_equal(deployment_pauses(), !has);
    }
}

static void whose_fields_were_taken_is_remembered(void **state DV_UNUSED)
{
    put_our_deployment();
    wish("", DEPLOYMENT);
    assert_ok(run());
    assert_null(t.applied.items.at[0].rival);
    put_our_deployment();
    cluster_wait_told(t.cluster, 3);
    refuse_deployment(1, CONFLICT_BODY("kubectl-edit", ".spec.paused"));
    assert_ok(run());
    assert_string_equal(t.applied.items.at[0].rival, "\"kubectl-edit\"");
    put_our_deployment();
    cluster_wait_told(t.cluster, 5);
    assert_ok(run()); /* nobody's fields stood in the way */
    assert_null(t.applied.items.at[0].rival);
}

static void fields_that_yield_are_not_taken_with_those_that_do_not(void **state DV_UNUSED)
{
    put_our_deployment();
    refuse_deployment(1, CONFLICT_BODY("kubectl-edit", ".spec.paused"));
    refuse_deployment(1, CONFLICT_BODY("kubectl-edit", ".spec.replicas"));
    wish("ignoreFields: [{group: apps, kind: Deployment, paths: [/spec/paused]}]", DEPLOYMENT);
    assert_ok(run());
    json_auto_t *object = cluster_get(t.cluster, "Deployment", "own", "d");
    assert_null(dv_json_at(object, "/spec/paused"));
    assert_int_equal(dv_json_int(object, "/spec/replicas", 0), 2);
}

static bool has_event(const char *text)
{
    DV_LOCK_SCOPE(&t.cluster->server->mu);

    for (size_t i = 0; i < t.cluster->objects.n; i++) {
        const char *note = dv_json_str(t.cluster->objects.at[i].object, "/note");

        if (note && strstr(note, text))
            return true;
    }
    return false;
}

static void a_field_of_another_is_taken_or_given_up(void **state)
{
    const struct conflict_row *row = *state;

    put_our_deployment();
    refuse_deployment(row->times, row->answer);
    wish(row->spec, row->items);
    dv_auto(dv_err) err = run();
    assert_string_equal(err ? dv_err_reason(err) : "applied",
                        row->reason ? row->reason : "applied");
    json_auto_t *object = cluster_get(t.cluster, "Deployment", "own", "d");
    assert_true(!row->gone || !dv_json_at(object, row->gone));
    if (!row->gone && !row->reason)
        assert_true(dv_json_bool(object, "/spec/paused", false));
    cluster_end_events(t.cluster);
    assert_int_equal(has_event(row->event ? row->event : "conflict"), row->event != NULL);
}

/* ---- Refusals ---- */

static void every_refusal_of_a_class_is_told(void **state DV_UNUSED)
{
    cluster_fail(t.cluster, "PATCH /api/v1/namespaces/own/configmaps/a", 422, 1,
                 REFUSED("422", "Invalid"));
    cluster_fail(t.cluster, "PATCH /api/v1/namespaces/own/configmaps/b", 403, 1,
                 REFUSED("403", "Forbidden"));
    wish("", CM("a") "," CM("b") "," CM("z") "," DEPLOYMENT);
    dv_auto(dv_err) err = run();
    assert_true(dv_err_is(err, DV_INVALID));
    assert_non_null(strstr(dv_err_str(err), "own/a"));
    assert_non_null(strstr(dv_err_str(err), "own/b"));
    assert_true(cluster_has(t.cluster, "ConfigMap", "own", "z"));   /* its fellow went on */
    assert_false(cluster_has(t.cluster, "Deployment", "own", "d")); /* what comes behind did not */
}

static void one_that_is_refused_holds_no_fellow_that_needs_another_round(void **state DV_UNUSED)
{
    put(OF_OURS);
    cluster_forbid(t.cluster, "watch *"); /* so that it is not known to be there */
    cluster_fail(t.cluster, "PATCH /api/v1/namespaces/own/configmaps/z", 422, 9,
                 REFUSED("422", "Invalid"));
    wish("", CM("a") "," CM("z"));
    assert_err(run(), DV_INVALID, "own/z");
    json_auto_t *object = cluster_get(t.cluster, "ConfigMap", "own", "a");
    assert_string_equal(dv_json_str(object, "/data/k"), "v");
}

static void a_correction_goes_on_behind_a_refusal(void **state DV_UNUSED)
{
    cluster_fail(t.cluster, "PATCH /api/v1/namespaces/own/configmaps/a", 422, 1,
                 REFUSED("422", "Invalid"));
    wish("", CM("a") "," DEPLOYMENT);
    dv_apply_env env = env_now();
    env.keep_going = true;
    assert_err(dv_apply(&t.cluster->ctx, &env, &t.objects, &t.applied, &t.inventory, &t.written),
               DV_INVALID, "own/a");
    assert_true(cluster_has(t.cluster, "Deployment", "own", "d"));
}

static void an_interrupted_run_is_finished_by_the_next(void **state DV_UNUSED)
{
    cluster_fail(t.cluster, "PATCH /api/v1/namespaces/own/configmaps/b", 503, DV_BATCH_TRIES, "");
    wish("", CM("a") "," CM("b") "," DEPLOYMENT);
    assert_err(run(), DV_TRANSIENT, NULL);
    cluster_take_writes(t.cluster);
    assert_ok(run());
    assert_int_equal(cluster_take_writes(t.cluster), 2); /* b and the Deployment: a was there */
    assert_int_equal(t.inventory.n, 3);
}

static void objects_that_change_all_the_time_are_a_conflict(void **state DV_UNUSED)
{
    put(OF_OURS);
    cluster_fail(t.cluster, "PATCH /api/v1/namespaces/own/configmaps/a", 409, 99,
                 REFUSED("409", "Conflict"));
    wish("", CM("a"));
    assert_err(run(), DV_CONFLICT, "faster");
}

int main(void)
{
    dv_suite suite = {.name = "install/apply"};

    DV_TABLE(&suite, one_object_is_applied_or_refused, rows);
    DV_TEST(&suite, the_preconditions_are_not_kept_in_the_objects);
    DV_TEST(&suite, what_is_applied_is_not_sent_again);
    DV_TEST(&suite, what_changed_is_sent_alone);
    DV_TEST(&suite, the_version_that_is_applied_is_listed);
    DV_TEST(&suite, unwatched_objects_are_sent_again_after_a_whole_run);
    DV_TEST(&suite, what_rests_is_left_alone);
    DV_TEST(&suite, what_went_is_made_anew);
    DV_TEST(&suite, what_was_replaced_under_the_watch_is_found_out);
    DV_TABLE(&suite, an_adoption_outlives_the_run_that_made_it, adopted_rows);
    DV_TABLE(&suite, what_takes_the_place_of_an_adopted_one_is_ours, adopted_rows);
    DV_TEST(&suite, a_manifest_that_says_adopted_is_not_believed);
    DV_TABLE(&suite, a_namespace_is_made_or_used, namespace_rows);
    DV_TABLE(&suite, a_namespace_that_somebody_deleted_is_made_anew, gone_rows);
    DV_TEST(&suite, a_namespace_that_is_ours_after_all_is_listed);
    DV_TEST(&suite, a_missing_namespace_that_is_not_the_packages_is_told);
    DV_TEST(&suite, custom_resources_follow_their_definition);
    DV_TEST(&suite, a_definition_that_is_not_established_is_awaited);
    DV_TEST(&suite, definitions_are_looked_at_where_nobody_may_watch);
    DV_TEST(&suite, a_definition_that_is_refused_ends_the_run);
    DV_TABLE(&suite, a_field_of_another_is_taken_or_given_up, conflict_rows);
    DV_TEST(&suite, the_last_of_many_conflicts_is_looked_at_too);
    DV_TEST(&suite, what_is_made_anew_has_what_was_given_up);
    DV_TEST(&suite, what_is_given_up_is_wished_again);
    DV_TEST(&suite, whose_fields_were_taken_is_remembered);
    DV_TEST(&suite, fields_that_yield_are_not_taken_with_those_that_do_not);
    DV_TEST(&suite, every_refusal_of_a_class_is_told);
    DV_TEST(&suite, one_that_is_refused_holds_no_fellow_that_needs_another_round);
    DV_TEST(&suite, a_correction_goes_on_behind_a_refusal);
    DV_TEST(&suite, an_interrupted_run_is_finished_by_the_next);
    DV_TEST(&suite, objects_that_change_all_the_time_are_a_conflict);
    for (size_t i = 0; i < suite.tests.n; i++) {
        suite.tests.at[i].setup_func = set_up;
        suite.tests.at[i].teardown_func = tear_down;
    }
    return dv_suite_run(&suite);
}
